"""JSON Lines → Content: a line is a record."""

import json
from collections.abc import Iterator
from typing import Any

from corpus.errors import UnreadableDocument
from corpus.formats.content import Content, Page
from corpus.formats.records import sections
from corpus.text import decode


def read(data: bytes) -> Content:
    """A file with a JSON value on each line. Raises UnreadableDocument."""
    text = decode(data).lstrip("\ufeff")
    return Content((Page("\n\n".join(sections(_lines(text)))),), of_parts=True)


def _lines(text: str) -> Iterator[Any]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                said = error.msg.lower()
                raise UnreadableDocument(f"not JSON Lines: {said} on line {number}") from error
