"""How a passage is written down in tantivy: its place in its document, not a copy."""

from collections.abc import Mapping
from dataclasses import dataclass

from corpus.types import Document, Passage, Sentence, Span


@dataclass(frozen=True, slots=True)
class Record:
    """A passage without its document. `sentences` are spans in the document, as in Passage."""

    id: str
    document: str
    version: str
    title: str
    heading: str
    span: Span
    sentences: tuple[Sentence, ...]

    @classmethod
    def of(cls, passage: Passage) -> "Record":
        """The record of a passage."""
        document = passage.document
        return cls(
            passage.id,
            document.id,
            document.version,
            document.title,
            passage.heading,
            passage.span,
            passage.sentences,
        )

    def passage(self, document: Document) -> Passage:
        """The passage again; `document` is the version that the record names."""
        return Passage(document, self.span, self.sentences, self.heading)

    def metadata(self) -> dict[str, str | int]:
        """Flat, as tantivy keeps it."""
        return {
            "document": self.document,
            "version": self.version,
            "title": self.title,
            "heading": self.heading,
            "start": self.span.start,
            "end": self.span.end,
            "sentences": _written(self.sentences, self.span.start),
        }

    @classmethod
    def read(cls, id: str, metadata: Mapping[str, object]) -> "Record":
        """The record from its metadata. Raises KeyError or ValueError when that is not one."""
        span = Span(int(str(metadata["start"])), int(str(metadata["end"])))
        return cls(
            id,
            str(metadata["document"]),
            str(metadata["version"]),
            str(metadata["title"]),
            str(metadata["heading"]),
            span,
            _sentences(str(metadata["sentences"]), span.start),
        )


def place_of(id: str) -> tuple[str, str]:
    """The document that a passage's id names, and the first 16 digits of its version."""
    version, _, document = id.split(":", 2)
    return document, version


def _written(sentences: tuple[Sentence, ...], origin: int) -> str:
    """Spans relative to the passage, `0-57 h58-70`; h marks a heading."""
    return " ".join(
        f"{'h' * s.is_heading}{s.span.start - origin}-{s.span.end - origin}" for s in sentences
    )


def _sentences(written: str, origin: int) -> tuple[Sentence, ...]:
    found = []
    for item in written.split():
        start, end = item.removeprefix("h").split("-")
        span = Span(origin + int(start), origin + int(end))
        found.append(Sentence(span, is_heading=item.startswith("h")))
    return tuple(found)
