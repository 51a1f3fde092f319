"""A document with the cited words marked, as safe HTML.

Every character of the document is in the HTML, once and in order: with the tags taken out and the
entities resolved, the HTML is the text. Nothing in the text becomes markup, and no link is live.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby, pairwise

from corpus.types import Document, Span
from rag.types import Citation
from ui.inline import Piece, pieces
from ui.setting import LEAF, Block, blocks

_TAGS = {
    "sign": ('<span class="sign">', "</span>"),
    "em": ("<em>", "</em>"),
    "bold": ('<strong class="bold">', "</strong>"),
    "code": ("<code>", "</code>"),
    "struck": ("<s>", "</s>"),
    "link": ('<span class="link">', "</span>"),
    "image": ('<span class="image">', "</span>"),
}


@dataclass(frozen=True, slots=True)
class _Run:
    """Characters that the same citations cover."""

    span: Span
    numbers: tuple[int, ...]
    begins: tuple[int, ...]
    answers: bool


def located(document: Document, citation: Citation) -> bool:
    """Whether the citation's words stand in this version of the document, where it says."""
    return (
        citation.document == document.id
        and citation.version == document.version
        and len(citation.span) > 0
        and citation.span.of(document.text) == citation.quote
    )


def render(document: Document, citations: Sequence[Citation] = ()) -> str:
    """The document's text as HTML, with the words of each located citation in `<mark>`.

    A quote may be in several pieces; `data-cites` holds the numbers that a piece belongs to. Where
    one begins stands a badge, a link `#mark-N` without text. The words that answer are in
    `<strong>`. A page begins at an element `page` without text, its number in `data-page`.
    """
    return "".join(_Sheet(document, citations).parts())


class _Sheet:
    """One rendering: what has been set so far is before `_first`, `_page`."""

    def __init__(self, document: Document, citations: Sequence[Citation]) -> None:
        self._document = document
        self._text = document.text
        self._runs = _runs([c for c in citations if located(document, c)])
        self._first = 0
        pages = document.pages if len(document.pages) > 1 else ()
        self._pages = [(page.start, number) for number, page in enumerate(pages, start=1)]
        self._page = 0
        slides = document.id.lower().endswith(".pptx")
        self._page_class = "page slide" if slides else "page"

    def parts(self) -> Iterator[str]:
        at = leaf = 0
        yield '<div class="leaf">'
        for block in blocks(self._document):
            span = block.span
            if block.top and span.start - leaf > LEAF:
                yield '</div><div class="leaf">'
                leaf = span.start
            yield self._between(Span(at, span.start))
            if block.top:
                yield self._breaks(span.start, "div")
            yield block.before
            yield self._block(block)
            yield block.after
            at = span.end
        yield self._between(Span(at, len(self._text)))
        yield "</div>"

    def _breaks(self, at: int, tag: str) -> str:
        """The beginnings of pages up to here that have not been shown yet."""
        shown = ""
        while self._page < len(self._pages) and self._pages[self._page][0] <= at:
            number = self._pages[self._page][1]
            shown += f'<{tag} class="{self._page_class}" data-page="{number}"></{tag}>'
            self._page += 1
        return shown

    def _block(self, block: Block) -> str:
        text, span = self._text, block.span
        if not block.signs and not block.inline:
            return self._marked(span, [(span, ())])
        cut: list[Piece] = []
        at = span.start
        for sign in (*block.signs, Span(span.end, span.end)):
            if at < sign.start:
                words = Span(at, sign.start)
                cut.extend(pieces(text, words) if block.inline else [(words, ())])
            if sign:
                cut.append((sign, ("sign",)))
            at = sign.end
        return self._marked(span, cut)

    def _between(self, span: Span) -> str:
        """What stands between two blocks: white space, and Markdown that is not read."""
        if not span:
            return ""
        style = () if self._text[span.start : span.end].isspace() else ("sign",)
        return self._marked(span, [(span, style)], between=True)

    def _marked(self, span: Span, cut: list[Piece], between: bool = False) -> str:
        """A stretch of the text, escaped and styled, with its runs marked."""
        runs = self._runs
        while self._first < len(runs) and runs[self._first].span.end <= span.start:
            self._first += 1
        at = self._first
        set_: list[tuple[_Run | None, str]] = []
        for piece, styles in cut:
            start = piece.start
            while start < piece.end:
                while at < len(runs) and runs[at].span.end <= start:
                    at += 1
                run = runs[at] if at < len(runs) and runs[at].span.start <= start else None
                end = piece.end
                if run:
                    end = min(end, run.span.end)
                elif at < len(runs):
                    end = min(end, runs[at].span.start)
                badges = self._badges(run, start, span) if run and not between else ""
                words = "" if between else self._breaks(start, "span")
                if not between and self._page < len(self._pages):
                    end = min(end, max(start + 1, self._pages[self._page][0]))
                words += _styled(self._text[start:end], styles, bool(run and run.answers))
                set_.append((run, badges + words))
                start = end
        parts = []
        for numbers, group in groupby(set_, key=lambda one: one[0].numbers if one[0] else None):
            words = "".join(words for _, words in group)
            if numbers is not None:
                style = "gap" if between else "cite"
                cites = " ".join(map(str, numbers))
                words = f'<mark class="{style}" data-cites="{cites}">{words}</mark>'
            parts.append(words)
        return "".join(parts)

    def _badges(self, run: _Run, start: int, block: Span) -> str:
        """The numbers of the quotes that begin here."""
        if start != run.span.start or start < block.start:
            return ""
        return "".join(
            f'<a class="badge" href="#mark-{n}" data-n="{n}" aria-label="Citation {n}"></a>'
            for n in run.begins
        )


def _styled(words: str, styles: tuple[str, ...], answers: bool) -> str:
    # A browser turns a raw carriage return into a newline, and drops a null.
    words = escape(words).replace("\r", "&#13;").replace("\0", "\N{REPLACEMENT CHARACTER}")
    if answers:
        words = f"<strong>{words}</strong>"
    for style in reversed(styles):
        before, after = _TAGS[style]
        words = f"{before}{words}{after}"
    return words


def _runs(citations: Sequence[Citation]) -> list[_Run]:
    """The marked characters, cut wherever a quote or the words that answer begin or end."""
    answers = [
        Span(c.span.start + c.answer_span.start, c.span.start + c.answer_span.end)
        for c in citations
        if c.answer_span is not None
    ]
    spans = [citation.span for citation in citations] + answers
    cuts = sorted({span.start for span in spans} | {span.end for span in spans})
    runs = []
    for start, end in pairwise(cuts):
        span = Span(start, end)
        numbers = tuple(c.n for c in citations if c.span.covers(span))
        if numbers:
            begins = tuple(c.n for c in citations if c.span.start == start)
            runs.append(_Run(span, numbers, begins, any(a.covers(span) for a in answers)))
    return runs
