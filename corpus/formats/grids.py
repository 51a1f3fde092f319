"""Lines of a PDF's page whose pieces stand in columns → the rows of a table."""

import re
from collections.abc import Sequence

from corpus.formats.columns import Line

BULLET = re.compile(r"(?:[•‣◦▪●■□○➢➤✓·∙\uf0b7\uf0a7]|[-–—*](?= ))\s*")
_NUMBER = re.compile(r"\(?\w{1,3}[.)]|\d+(?:\.\d+)+")


def table_end(lines: Sequence[Line], start: int) -> int:
    """Where a table that begins at `start` ends; 0 where none begins."""
    end = start
    while end < len(lines) and (_is_row(lines[end]) or (end > start and _wraps(lines, start, end))):
        end += 1
    while end > start and not _is_row(lines[end - 1]) and not _wraps(lines, start, end - 1):
        end -= 1
    rows = [line for line in lines[start:end] if _is_row(line)]
    if len(rows) < 2:
        return 0
    spans = _spans(rows)
    return end if len(spans) >= 2 and len(spans) >= max(map(len, rows)) - 1 else 0


def _is_row(line: Line) -> bool:
    """Whether a line has cells; the mark or number of a list's item is none."""
    marked = BULLET.fullmatch(line[0].text) or _NUMBER.fullmatch(line[0].text)
    return len(line) > (2 if marked else 1)


def _wraps(lines: Sequence[Line], start: int, at: int) -> bool:
    """Whether a line is the rest of a cell above it."""
    line, above = lines[at], lines[at - 1]
    spans = _spans([row for row in lines[start:at] if _is_row(row)])
    inside = [i for i, (x0, x1) in enumerate(spans) if line[0].x0 > x0 - 2 and line[-1].x1 < x1 + 6]
    step = above[0].y - line[0].y
    return len(line) == 1 and bool(inside) and step < 1.3 * line[0].size and inside[0] > 0


def _spans(rows: Sequence[Line]) -> list[tuple[float, float]]:
    """The columns of a table, from left to right."""
    found: list[tuple[float, float]] = []
    for x0, x1 in sorted((piece.x0, piece.x1) for row in rows for piece in row):
        if found and x0 < found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], x1))
        else:
            found.append((x0, x1))
    return found


def cells(lines: Sequence[Line]) -> list[list[str]]:
    """The rows of a table: a cell for each column, "" where it is empty."""
    spans = _spans([line for line in lines if _is_row(line)])
    rows: list[list[str]] = []
    for line in lines:
        cells = [""] * len(spans)
        for piece in line:
            middle = (piece.x0 + piece.x1) / 2
            i = min(
                range(len(spans)),
                key=lambda i: (
                    abs(sum(spans[i]) / 2 - middle)
                    if not spans[i][0] - 1 <= middle <= spans[i][1] + 1
                    else -1
                ),
            )
            cells[i] = f"{cells[i]} {piece.text}".strip()
        if _is_row(line) or not rows:
            rows.append(cells)
        else:
            rows[-1] = [f"{a} {b}".strip() for a, b in zip(rows[-1], cells, strict=True)]
    return rows
