"""The values that documents are made of. Offsets count Unicode code points, half-open."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The characters `start` up to, not including, `end` of a document's text."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"not a span: {self.start}..{self.end}")

    def __len__(self) -> int:
        return self.end - self.start

    def of(self, text: str) -> str:
        """The words themselves."""
        return text[self.start : self.end]

    def covers(self, other: "Span") -> bool:
        """Whether every character of `other` is in this span."""
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, heading or list item; never empty, never with white space at its ends."""

    span: Span
    is_heading: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """One version of one document.

    `id` is its path relative to the indexed folder, with `/`. `version` is the sha256 of `text` in
    UTF-8, as 64 hex digits. `text` is what every Span counts in; it is normalised when the document
    is read and never again. `metadata` is what the file says of itself (front matter, properties):
    plain strings, such as `date` or `author`. `pages` are the spans of its pages, or slides, where
    it has them. `markdown`: headings and lists in the text are marked as in Markdown.
    """

    id: str
    version: str
    title: str
    text: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    pages: tuple[Span, ...] = ()
    markdown: bool = False

    def page_of(self, span: Span) -> int | None:
        """The number, from 1, of the page on which `span` starts; None where there are no pages."""
        for number, page in enumerate(self.pages, start=1):
            if page.start <= span.start < page.end:
                return number
        return None


@dataclass(frozen=True, slots=True)
class Passage:
    """Whole sentences of a document that are retrieved together.

    `heading` is the path of headings above the passage, joined by " › ", or "". It helps to find
    the passage and is no part of its text.
    """

    document: Document
    span: Span
    sentences: tuple[Sentence, ...]
    heading: str = ""

    @property
    def text(self) -> str:
        """The passage's words, exactly as they stand in the document."""
        return self.span.of(self.document.text)

    @property
    def id(self) -> str:
        """Stable for the same document id, version and span."""
        return f"{self.document.version[:16]}:{self.span.start}-{self.span.end}:{self.document.id}"
