"""How a document's text is set: its blocks in order, with the tags around each."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from corpus.types import Document, Span

LEAF = 8_000  # characters after which a block that only goes on is cut

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(?=\S)")
_HEADING_END = re.compile(r"(?<![ \t])[ \t]++#++[ \t]*+$")
_UNDERLINE = re.compile(r" {0,3}(?:={3,}|-{3,})[ \t]*$")
_ITEM = re.compile(r"([ \t]*)([-*+]|\d{1,3}[.)])[ \t]+(?=\S)")
_QUOTED = re.compile(r" {0,3}(?:>[ \t]?)+")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_RULE = re.compile(r" {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$")
_ROW = re.compile(r"[ \t]*\|")
_ROW_RULE = re.compile(r"(?=[^-]*-)[ \t|:-]+$")
_CELL = re.compile(r"(?:[^|\\]|\\.?)+")
_WIDE = re.compile(r"\t|\S {3,}\S|^ {4}", re.MULTILINE)
_MARKDOWN_FILES = (".md", ".markdown")


@dataclass(frozen=True, slots=True)
class Block:
    """Characters that are set together between `before` and `after`, which are tags.

    `signs` are the Markdown in it that is not read. `inline`: it may hold emphasis and links.
    `top`: it begins inside no other block.
    """

    span: Span
    before: str
    after: str
    signs: tuple[Span, ...] = ()
    inline: bool = False
    top: bool = True


def blocks(document: Document) -> Iterator[Block]:
    """The document's blocks in order; what stands between two is not read."""
    text = document.text
    if not document.markdown:
        for lines in _paragraphs(text):
            yield _paragraph(text, lines, inline=False)
        return
    # A file of another format brings headings and lists; a star in it is a star.
    inline = document.id.lower().endswith(_MARKDOWN_FILES)
    for lines in _stanzas(text):
        yield from _markdown(text, lines, inline)


def _lines(text: str) -> Iterator[Span]:
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield Span(start, end)
        start = end + 1


def _paragraphs(text: str) -> Iterator[list[Span]]:
    """Lines with none empty between them; many are cut, so that none is too long to lay out."""
    lines: list[Span] = []
    for line in _lines(text):
        if not line or text[line.start : line.end].isspace():
            if lines:
                yield lines
            lines = []
            continue
        lines.append(line)
        if line.end - lines[0].start > LEAF:
            yield lines
            lines = []
    if lines:
        yield lines


def _stanzas(text: str) -> Iterator[list[Span]]:
    """Lines that make one block of Markdown."""
    lines: list[Span] = []
    fence = kind = ""
    for line in _lines(text):
        words = line.of(text)
        mark = _FENCE.match(words)
        if fence:
            lines.append(line)
            if mark and mark[1].startswith(fence) and not words[mark.end() :].strip():
                yield lines
                lines, fence, kind = [], "", ""
            continue
        if not words.strip():
            new = ""
        elif mark:
            new = "fence"
        elif _QUOTED.match(words):
            new = "quote"
        elif _ROW.match(words):
            new = "row"
        elif _UNDERLINE.match(words) and kind == "text" and len(lines) == 1:
            yield [*lines, line]
            lines, kind = [], ""
            continue
        elif _HEADING.match(words) or _RULE.match(words):
            new = "alone"
        elif _ITEM.match(words):
            new = "item"
        else:
            new = "item" if kind == "item" else "text"
        long = lines and line.end - lines[0].start > LEAF and new != "row"
        if lines and (new != kind or new == "alone" or _ITEM.match(words) or long):
            yield lines
            lines = []
        if new:
            lines.append(line)
        fence = mark[1] if mark and new == "fence" else ""
        kind = new
    if lines:
        yield lines


def _markdown(text: str, lines: list[Span], inline: bool) -> Iterator[Block]:
    span = Span(lines[0].start, lines[-1].end)
    first, last = lines[0].of(text), lines[-1].of(text)
    if _FENCE.match(first):
        signs = [Span(span.start, min(lines[0].end + 1, span.end))]
        if len(lines) > 1 and _FENCE.match(last):
            signs.append(Span(max(signs[0].end, lines[-1].start - 1), span.end))
        yield Block(span, "<pre>", "</pre>", tuple(signs))
    elif len(lines) == 1 and _RULE.match(first):
        yield Block(span, '<div class="rule">', "</div>", (span,))
    elif heading := _HEADING.match(first):
        signs = [Span(span.start, span.start + heading.end())]
        if end := _HEADING_END.search(first, heading.end()):
            signs.append(Span(span.start + end.start(), span.end))
        yield _heading(span, len(heading[1]), tuple(signs), inline)
    elif len(lines) == 2 and _UNDERLINE.match(last):
        level = 1 if last.lstrip().startswith("=") else 2
        yield _heading(span, level, (Span(lines[0].end, span.end),), inline)
    elif item := _ITEM.match(first):
        deep = min(len(item[1].expandtabs(4)) // 2, 4)
        style = "item" + (f" deep{deep}" if deep else "")
        if item[2] in "-*+":
            signs = [Span(span.start, span.start + item.end())]
            yield Block(span, f'<div class="{style}">', "</div>", tuple(signs), inline)
        else:
            lead = Span(span.start, span.start + len(item[1]))
            signs = [lead] if lead else []
            yield Block(span, f'<div class="{style} numbered">', "</div>", tuple(signs), inline)
    elif _QUOTED.match(first):
        yield from _quotation(text, lines, inline)
    elif _ROW.match(first) and len(lines) > 1:
        yield from _table(text, lines, inline)
    else:
        yield _paragraph(text, lines, inline)


def _heading(span: Span, level: int, signs: tuple[Span, ...], inline: bool) -> Block:
    tag = f"h{max(3, min(level + 1, 6))}"  # the page's own headings are h1 and h2
    return Block(span, f'<{tag} class="level{level}">', f"</{tag}>", signs, inline)


def _paragraph(text: str, lines: list[Span], inline: bool) -> Block:
    span = Span(lines[0].start, lines[-1].end)
    before = "<p>" if _flows(text, lines) else '<p class="kept">'
    return Block(span, before, "</p>", (), inline)


def _quotation(text: str, lines: list[Span], inline: bool) -> Iterator[Block]:
    """The paragraphs of a quotation, the signs before its lines not read."""
    parts: list[list[tuple[Span, Span]]] = [[]]
    for line in lines:
        sign = _QUOTED.match(text, line.start, line.end)
        assert sign is not None
        if not text[sign.end() : line.end].strip():
            parts.append([])
        else:
            parts[-1].append((Span(line.start, sign.end()), Span(sign.end(), line.end)))
    full = [part for part in parts if part] or [[(Span(x.start, x.end), x) for x in lines[:1]]]
    for number, part in enumerate(full):
        style = "" if _flows(text, [words for _, words in part]) else ' class="kept"'
        yield Block(
            Span(part[0][0].start, part[-1][1].end),
            ("" if number else "<blockquote>") + f"<p{style}>",
            "</p>" + ("</blockquote>" if number == len(full) - 1 else ""),
            tuple(sign for sign, _ in part),
            inline,
            top=number == 0,
        )


_TABLE = '<div class="table" role="table" tabindex="0">'


def _table(text: str, lines: list[Span], inline: bool) -> Iterator[Block]:
    """The cells of a table, row by row; the signs between them are not read."""
    rows: list[tuple[str, list[Span]]] = []
    for number, line in enumerate(lines):
        words = line.of(text)
        if _ROW_RULE.match(words):
            continue
        cells = [
            Span(line.start + cell.start(), line.start + cell.end())
            for cell in _CELL.finditer(words)
            if cell[0].strip()
        ]
        head = number == 0 and _ROW_RULE.match(lines[1].of(text))
        if cells:
            rows.append(("columnheader" if head else "cell", cells))
    begun = lines[0].start
    opens = True
    for number, (role, cells) in enumerate(rows):
        closes = number == len(rows) - 1 or cells[-1].end - begun > LEAF
        for at, cell in enumerate(cells):
            before = '<div class="row" role="row">' if at == 0 else ""
            after = "</div>" if at == len(cells) - 1 else ""
            top = opens and at == 0
            yield Block(
                cell,
                f'{_TABLE if top else ""}{before}<div class="cell" role="{role}">',
                f"</div>{after}{'</div>' if after and closes else ''}",
                (),
                inline,
                top,
            )
        opens = closes
        begun = cells[-1].end if closes else begun
    if not rows:
        yield Block(Span(lines[0].start, lines[-1].end), "<pre>", "</pre>")


def _flows(text: str, lines: list[Span]) -> bool:
    """Whether lines were broken only because they were full, so that they may be set anew."""
    if _WIDE.search(text, lines[0].start, lines[-1].end):
        return False
    return all(len(line) >= 45 for line in lines[:-1])
