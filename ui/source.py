"""A document with the cited words marked, as safe HTML.

Every character of the document is in the HTML, once and in order: with the tags taken out and the
entities resolved, the HTML is the text. Nothing in the text becomes markup.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby, pairwise

from corpus.types import Document, Span
from rag.types import Citation

_MARKDOWN = (".md", ".markdown")
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(?=\S)")
_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,3}[.)])[ \t]+(?=\S)")
_QUOTED = re.compile(r" {0,3}>[ \t]?")
_FENCE = re.compile(r" {0,3}(?:```|~~~)")
_RULE = re.compile(r" {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$")
_WIDE = re.compile(r"\t|\S {3,}\S|^ {4}", re.MULTILINE)
_LEAF = 8_000


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines that are set together; `sign` is the Markdown at their start, which is not read."""

    span: Span
    tag: str
    style: str = ""
    sign: int = 0


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

    A quote may be in several pieces; `data-cites` holds the numbers that a piece belongs to, and
    `data-begins` the numbers that start there. The words that answer are in `<strong>`.
    """
    text = document.text
    runs = _runs([citation for citation in citations if located(document, citation)])
    blocks = _blocks(text, markdown=document.id.lower().endswith(_MARKDOWN))
    parts: list[str] = []
    at, leaf, first = 0, 0, 0
    for block in blocks:
        span = block.span
        while first < len(runs) and runs[first].span.end <= at:
            first += 1
        if parts and span.start - leaf > _LEAF:
            parts.append('</div><div class="leaf">')
            leaf = span.start
        parts.append(_marked(text, Span(at, span.start), runs, first, between=True))
        style = f' class="{block.style}"' if block.style else ""
        sign = span.start + block.sign
        if first < len(runs) and runs[first].span.start < sign:
            sign = span.start  # it is part of a quote
        parts.append(f"<{block.tag}{style}>")
        if sign > span.start:
            inner = _marked(text, Span(span.start, sign), runs, first)
            parts.append(f'<span class="sign">{inner}</span>')
        parts.append(_marked(text, Span(sign, span.end), runs, first))
        parts.append(f"</{block.tag}>")
        at = span.end
    parts.append(_marked(text, Span(at, len(text)), runs, first, between=True))
    return f'<div class="leaf">{"".join(parts)}</div>'


def _escape(text: str) -> str:
    # A browser turns a raw carriage return into a newline, and drops a null.
    return escape(text).replace("\r", "&#13;").replace("\0", "\N{REPLACEMENT CHARACTER}")


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


def _marked(text: str, span: Span, runs: list[_Run], first: int, between: bool = False) -> str:
    """A stretch of the text, escaped, with its runs marked. `between` blocks nothing is shown."""
    pieces: list[tuple[_Run | None, str]] = []
    at = span.start
    while first < len(runs) and runs[first].span.start < span.end:
        run = runs[first]
        start, end = max(run.span.start, span.start), min(run.span.end, span.end)
        first += 1
        if start >= end:
            continue
        if at < start:
            pieces.append((None, text[at:start]))
        pieces.append((run, text[start:end]))
        at = end
    if not pieces:
        return _escape(text[span.start : span.end])
    if at < span.end:
        pieces.append((None, text[at : span.end]))
    parts: list[str] = []
    for numbers, group in groupby(pieces, key=lambda piece: piece[0].numbers if piece[0] else None):
        members = list(group)
        if numbers is None:
            parts.extend(_escape(words) for _, words in members)
            continue
        cites = " ".join(map(str, numbers))
        begins = " ".join(
            str(n)
            for run, words in members
            if run and run.begins and run.span.start >= span.start
            for n in run.begins
        )
        attributes = f' data-cites="{cites}"' + (f' data-begins="{begins}"' if begins else "")
        inner = "".join(
            f"<strong>{_escape(words)}</strong>" if run and run.answers else _escape(words)
            for run, words in members
        )
        parts.append(f'<mark class="{"gap" if between else "cite"}"{attributes}>{inner}</mark>')
    return "".join(parts)


def _blocks(text: str, markdown: bool) -> Iterator[_Block]:
    """The text's blocks in order, without the newline at their end and the blank lines between."""
    lines: list[Span] = []
    fenced = False
    for line in _lines(text):
        words = line.of(text)
        if markdown and _FENCE.match(words):
            if not fenced and lines:
                yield _block(text, lines, markdown)
                lines = []
            lines.append(line)
            fenced = not fenced
            if not fenced:
                yield _block(text, lines, markdown)
                lines = []
        elif fenced:
            lines.append(line)
        elif not words.strip():
            if lines:
                yield _block(text, lines, markdown)
                lines = []
        else:
            if lines and markdown and (_alone(words) or _HEADING.match(lines[0].of(text))):
                yield _block(text, lines, markdown)
                lines = []
            lines.append(line)
    if lines:
        yield _block(text, lines, markdown)


def _lines(text: str) -> Iterator[Span]:
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield Span(start, end)
        start = end + 1


def _alone(line: str) -> bool:
    """Whether a Markdown line starts a block even where no blank line stands before it."""
    return bool(_HEADING.match(line) or _ITEM.match(line) or _RULE.match(line))


def _block(text: str, lines: list[Span], markdown: bool) -> _Block:
    span = Span(lines[0].start, lines[-1].end)
    first = lines[0].of(text)
    if markdown:
        if _FENCE.match(first):
            return _Block(span, "pre")
        if len(lines) == 1 and _RULE.match(first):
            return _Block(span, "div", "rule", len(span))
        if heading := _HEADING.match(first):
            level = len(heading[1])
            tag = f"h{max(3, min(level + 1, 6))}"  # the page's own headings are h1 and h2
            return _Block(span, tag, "title" if level == 1 else "", heading.end())
        if item := _ITEM.match(first):
            sign = item[0].strip()
            style = "item" if sign in "-*+" else "item numbered"
            return _Block(span, "div", style, 0 if style == "item numbered" else item.end())
        if all(_QUOTED.match(line.of(text)) for line in lines):
            return _Block(span, "blockquote")
        if first.lstrip().startswith("|") and len(lines) > 1:
            return _Block(span, "pre", "table")
    return _Block(span, "p", "" if _flows(text, lines) else "kept")


def _flows(text: str, lines: list[Span]) -> bool:
    """Whether lines were broken only because they were full, so that they may be set anew."""
    if _WIDE.search(text, lines[0].start, lines[-1].end):
        return False
    return all(len(line) >= 45 for line in lines[:-1])
