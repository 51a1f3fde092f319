"""Rows of cells → text: each row a list item that says, of each value, what it is."""

import re
from collections.abc import Iterable, Sequence

Row = Sequence[str]

_NUMBER = re.compile(r"[^\w]*[-+−]?[^\w]*\d[\d.,:/\s'’-]*\s?(?:[%‰°€$£¥]|[A-Za-z]{1,3})?[^\w]*")
_END = ".!?…:;。！？"


def table(rows: Sequence[Row], header: bool | None = None) -> list[str]:
    """Items such as `- Year: 2017; Ships: 412.`; a row of one cell stands as its words alone.

    `header`: whether the first row names the columns; None where the table does not say.
    """
    clean = [[" ".join(cell.split()) for cell in row] for row in rows]
    used = [i for i in range(max(map(len, clean), default=0)) if any(_at(row, i) for row in clean)]
    cells = [[_at(row, i) for i in used] for row in clean]
    cells = [row for row in cells if any(row)]
    if header is None:
        header = has_header(cells)
    if header and len(cells) > 1 and len(used) > 1:
        names, body = [name.rstrip(": ") for name in cells[0]], cells[1:]
    else:
        names, body = [], cells
    return [_item(row, names) for row in body]


def row(names: Row, values: Row) -> str:
    """One row as a sentence, without the mark of a list: `Year: 2017; Ships: 412.`"""
    if not names and len(values) == 2 and all(values):
        return _sentence(f"{values[0].rstrip(': ')}: {values[1]}")
    pairs = [(_at(names, i), value) for i, value in enumerate(values) if value]
    if len(pairs) == 1 and len(values) > 2:
        return pairs[0][1]
    parts = [f"{name}: {value}" if name and name != value else value for name, value in pairs]
    return _sentence("; ".join(parts))


def has_header(rows: Sequence[Row]) -> bool:
    """Whether the first row looks like the names of columns."""
    if not has_names(rows):
        return False
    first, below = rows[0], rows[1:200]
    if len(first) > 2:
        return True
    # Two columns may be a list of names and values, which must not be read as columns.
    return _mostly(number(_at(row, 0)) for row in below)


def has_names(rows: Sequence[Row]) -> bool:
    """Whether the first row may be names of columns: short, each another, few of them numbers."""
    if len(rows) < 2:
        return False
    first = rows[0]
    names = [name for name in first if name]
    # The corner may be empty, and names may be years, but not the first.
    if len(names) < max(2, len(first) - 1) or len({name.lower() for name in names}) < len(names):
        return False
    years = all(re.fullmatch(r"\d{4}", name) for name in first[1:])
    if number(first[0]) or (any(map(number, first)) and not years):
        return False
    return max(map(len, names)) <= 80


def number(cell: str) -> bool:
    """Whether a cell holds a number, a share, a sum of money or a date in figures."""
    return len(cell) <= 30 and bool(_NUMBER.fullmatch(cell))


def _item(cells: Row, names: Row) -> str:
    return "- " + row(names, cells)


def _mostly(values: Iterable[bool]) -> bool:
    found = list(values)
    return bool(found) and sum(found) >= 0.7 * len(found)


def _sentence(text: str) -> str:
    return text if text.endswith(tuple(_END)) else f"{text}."


def _at(row: Row, i: int) -> str:
    return row[i] if i < len(row) else ""
