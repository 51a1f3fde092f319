"""XLSX → Content: sheets are headings, a row reads as a sentence, values look as in Excel."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from openpyxl import load_workbook

from corpus.errors import UnreadableDocument
from corpus.formats.archive import opened
from corpus.formats.content import Content, Page
from corpus.formats.numbers import shown
from corpus.formats.properties import office
from corpus.formats.tables import has_header, table

CELLS = 5_000_000
_PLAIN = ("sheet", "table", "tabelle", "feuil", "hoja")


@dataclass(frozen=True, slots=True)
class _Row:
    """Cells as they are shown; `bold`: all of them are, as the names of columns often are."""

    cells: tuple[str, ...]
    bold: bool = False

    @property
    def filled(self) -> int:
        return sum(map(bool, self.cells))


def read(data: bytes) -> Content:
    """A workbook. Raises UnreadableDocument."""
    with opened(data, "an Excel workbook", "xl/workbook.xml") as archive:
        metadata = office(archive)
    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    left = CELLS
    parts: list[str] = []
    for sheet in sheets:
        rows, left = _rows(sheet, left)
        words = [part for block in _blocks(rows) for part in _words(block)]
        named = len(sheets) > 1 or sheet.title.lower().rstrip("0123456789 ") not in _PLAIN
        if words:
            parts += [f"## {sheet.title}"] * named + words
    return Content((Page("\n\n".join(parts)),), metadata, of_parts=True)


def _rows(sheet: Any, left: int) -> tuple[list[_Row], int]:
    """The rows, and how many more cells may be read."""
    sheet.reset_dimensions()  # what a file says of its size may be anything
    rows: list[_Row] = []
    for row in sheet.iter_rows():
        left -= max(1, len(row))
        if left < 0:
            raise UnreadableDocument(f"has more than {CELLS:,} cells; split it")
        found = [cell for cell in row if cell.value not in (None, "")]
        cells = tuple(
            "" if cell.value is None else shown(cell.value, cell.number_format) for cell in row
        )
        words = bool(found) and all(isinstance(cell.value, str) for cell in found)
        bold = words and all(cell.font is not None and cell.font.b for cell in found)
        rows.append(_Row(cells, bold))
    return rows, left


def _blocks(rows: list[_Row]) -> Iterator[list[_Row]]:
    """Runs of rows with none empty between them; one without names gets those of the one above."""
    names: _Row | None = None
    block: list[_Row] = []
    for row in [*rows, _Row(())]:
        if row.filled:
            block.append(row)
            continue
        if len(block) == 1 and block[0].filled > 1 and block[0].bold:
            continue  # names, with an empty row below them
        if block:
            if names and not block[0].bold and names.filled >= block[0].filled > 1:
                block = [names, *block]
            yield block
            names = block[0] if _named(block) else names
        block = []


def _words(block: list[_Row]) -> Iterator[str]:
    widest = max(row.filled for row in block)
    while widest > 1 and block[0].filled == 1:  # a title above the table
        yield next(filter(None, block.pop(0).cells))
    if widest == 1:
        yield from (next(filter(None, row.cells)) for row in block)
    else:
        named = True if _named(block) else None
        yield "\n".join(table([row.cells for row in block], named))


def _named(block: list[_Row]) -> bool:
    cells = [list(row.cells) for row in block[:200]]
    return len(block) > 1 and block[0].filled > 1 and (block[0].bold or has_header(cells))
