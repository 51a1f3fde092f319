"""CSV and TSV → Content: a row reads as a sentence of header and value."""

import csv
import io
from collections import Counter
from itertools import islice

from corpus.errors import UnreadableDocument
from corpus.formats.content import Content, Page
from corpus.formats.tables import has_header, has_names, table
from corpus.text import decode

_DELIMITERS = ",;\t|"
COLUMNS = 2_000


def read(data: bytes) -> Content:
    """A table in text. Raises UnreadableDocument."""
    text = decode(data).lstrip("\ufeff")
    delimiter = ""
    first, _, rest = text.partition("\n")
    if first.lower().startswith("sep=") and len(first.strip()) == 5:  # what Excel writes
        delimiter, text = first[4], rest
    csv.field_size_limit(10_000_000)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter or _delimiter(text))
    try:
        rows = [row for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise UnreadableDocument(f"damaged: line {reader.line_num}: {error}") from error
    if max(map(len, rows), default=0) > COLUMNS:
        raise UnreadableDocument(f"has more than {COLUMNS:,} columns")
    # What stands above the table, as many programs write it: a title, a date.
    width = Counter(map(len, rows[:100])).most_common(1)[0][0] if rows else 0
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows[:20]]
    above = next((i for i, n in enumerate(filled) if n > 1 or width < 2), 0)
    body = rows[above:]
    header = has_header(body) or (width == 2 and has_names(body)) if body else None
    words = ["; ".join(cell.strip() for cell in row if cell.strip()) for row in rows[:above]]
    text = "\n\n".join([*words, "\n".join(table(body, header))])
    return Content((Page(text),), of_parts=not words)


def _delimiter(text: str) -> str:
    """The sign that parts most lines alike, quoted cells looked into as such."""
    best = (0.0, ",")
    sample = text[:50_000]
    for sign in _DELIMITERS:
        try:
            rows = islice(csv.reader(io.StringIO(sample, newline=""), delimiter=sign), 100)
            widths = Counter(len(row) for row in rows if row)
        except csv.Error:
            continue
        parted = {width: n for width, n in widths.items() if width > 1}
        if parted:
            width, alike = max(parted.items(), key=lambda pair: (pair[1], pair[0]))
            score = alike / sum(widths.values()) + 0.001 * min(width, 50)
            best = max(best, (score, sign))
    return best[1]
