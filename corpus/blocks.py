"""Text → blocks: headings, list items, lines of quotes, tables and code, paragraphs.

The marks of Markdown are in no block. Plain text is read in the same way.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

Line = tuple[int, int]

_FENCE = re.compile(r"(`{3,}+|~{3,}+)([^`]*)")
_HEADING = re.compile(r"(#{1,6})(?:[ \t]+|$)")
_HEADING_END = re.compile(r"(?:^|(?<=[ \t]))#+$")
_UNDERLINE = re.compile(r"(=|-)\1{2,}+$")
_RULE = re.compile(r"(?:(?:-[ \t]*+){3,}+|(?:\*[ \t]*+){3,}+|(?:_[ \t]*+){3,}+|={3,}+)$")
_QUOTE = re.compile(r"(?:>[ \t]*+)++")
_ITEM = re.compile(r"(?:[-*+•‣◦▪]|(\d{1,3})[.)])[ \t]+(?=\S)")
_TABLE_RULE = re.compile(r"(?=[^|]*+\|)(?=[^-]*+-)[ \t|:-]++$")
_ROW_EDGE = "| \t"
_DATE = re.compile(r"\b\d{1,2}[ ./-]\w{1,9}[ ./-]\d{2,4}\b|\b[A-Z][a-z]{2,8} \d{1,2}, \d{4}\b")
_OPEN_END = re.compile(
    r"(?:[,;(/&–—-]|\b(?:a|an|and|at|by|de|for|from|in|into|of|on|or|the|to|with))$"
)
_LINK = re.compile(r"!?\[([^\][]*)\]\([^()\s]*\)")
_EMPHASIS = re.compile(r"\*+|`+|(?<!\w)_+|_+(?!\w)")


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of text that no sentence leaves, without white space at its ends.

    `level`: 1 to 6 for a heading, else 0. `verbatim`: one sentence, whatever its punctuation.
    `alone`: one line of prose with empty lines around it.
    """

    start: int
    end: int
    level: int = 0
    verbatim: bool = False
    alone: bool = False


def blocks(text: str) -> list[Block]:
    """The text's blocks, in order."""
    found = _scan(text, fences=True)
    if found is None:  # a code fence that is never closed is none
        found = _scan(text, fences=False) or []
    return _with_plain_headings(text, found)


def strip(text: str, start: int, end: int) -> Line:
    """The same stretch without the white space at its ends."""
    piece = text[start:end]
    left = piece.lstrip()
    start = end - len(left)
    return start, start + len(left.rstrip())


def plain(line: str) -> str:
    """A line of Markdown as people read it: no marks, one space between words, not too long."""
    words = " ".join(_EMPHASIS.sub("", _LINK.sub(r"\1", line)).split())
    return words if len(words) <= 200 else words[:199] + "…"


def _scan(text: str, fences: bool) -> list[Block] | None:
    """The blocks that marks and empty lines tell; None when a fence is never closed."""
    found: list[Block] = []
    lines: list[Line] = []  # of the paragraph or list item that is being read
    item = False
    fence = ""

    def flush() -> None:
        nonlocal item
        found.extend(_paragraphs(text, lines, item))
        lines.clear()
        item = False

    for start, end in _lines(text):
        mark = _FENCE.fullmatch(text, start, end) if fences else None
        if fence:
            if mark and mark[1].startswith(fence) and not mark[2]:
                fence = ""
            elif start < end:
                found.append(Block(start, end, verbatim=True))
        elif start == end:
            flush()
        elif mark:
            flush()
            fence = mark[1]
        elif heading := _HEADING.match(text, start, end):
            flush()
            closing = _HEADING_END.search(text, heading.end(), end)
            begin, finish = strip(text, heading.end(), closing.start() if closing else end)
            level = len(heading[1]) if finish - begin <= 200 else 0
            if begin < finish:
                found.append(Block(begin, finish, level))
        elif (line := _UNDERLINE.match(text, start, end)) and len(lines) == 1 and not item:
            found.append(Block(*lines.pop(), level=1 if line[1] == "=" else 2))
        elif _RULE.match(text, start, end) or _TABLE_RULE.match(text, start, end):
            flush()
        elif quote := _QUOTE.match(text, start, end):
            flush()
            if quote.end() < end:
                found.append(Block(quote.end(), end))
        elif text[start] == "|" or text.find(" | ", start, end) >= 0:
            flush()
            row = text[start:end]
            begin = end - len(row.lstrip(_ROW_EDGE))
            finish = start + len(row.rstrip(_ROW_EDGE))
            if begin < finish:
                found.append(Block(begin, finish, verbatim=True))
        else:
            marker = _ITEM.match(text, start, end)
            # A wrapped line that happens to begin with "12. " is no list item, as in CommonMark.
            if marker and (item or not lines or marker[1] in {None, "1"}):
                flush()
                item = True
                start = marker.end()
            lines.append((start, end))
    flush()
    return None if fence else found


def _lines(text: str) -> Iterator[Line]:
    """Each line without the white space at its ends."""
    at = 0
    while at <= len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        yield strip(text, at, end)
        at = end + 1


def _paragraphs(text: str, lines: list[Line], item: bool) -> Iterator[Block]:
    """Lines with none empty between them, those joined that were wrapped.

    A line goes on in the next when its end or the next one's beginning says so, or when the lines
    are wrapped at a width and the next word had no room. Other lines are paragraphs of their own.
    """
    if not lines:
        return
    width = max(end - start for start, end in lines)
    full = [_is_full(text, one, two, width) for one, two in pairwise(lines)]
    wrapped = 40 <= width <= 200 and 2 * sum(full) >= len(full)
    lower = width >= 40 or not text[lines[0][0]].islower()  # else a list of short lower-case lines
    first = 0
    for i, two in enumerate(lines[1:]):
        end = lines[i][1]
        goes_on = (
            (wrapped and full[i])
            or (lower and text[two[0]].islower())
            or _OPEN_END.search(text, max(lines[i][0], end - 6), end)
        )
        if not goes_on:
            yield Block(lines[first][0], end)
            first = i + 1
    yield Block(lines[first][0], lines[-1][1], alone=len(lines) == 1 and not item)


def _is_full(text: str, one: Line, two: Line, width: int) -> bool:
    """Whether the first word of the next line had no room in this one."""
    space = text.find(" ", two[0], two[1])
    word = (two[1] if space < 0 else space) - two[0]
    return one[1] - one[0] + 1 + word > 0.85 * width


def _with_plain_headings(text: str, found: list[Block]) -> list[Block]:
    """Short lines that stand alone above prose made headings; more than three in a row are none."""
    result = list(found)
    i = 0
    while i < len(found):
        j = i
        while j + 1 < len(found) and _looks_like_heading(text, found[j], found[j + 1], first=not j):
            j += 1
        if i < j <= i + 3 and found[j].level == 0:
            top = 1 if i == 0 and j > 1 else 2  # a title stands above the first section's heading
            for k in range(i, j):
                result[k] = replace(found[k], level=top + k - i)
        i = max(j, i + 1)
    return result


def _looks_like_heading(text: str, block: Block, below: Block, first: bool) -> bool:
    if block.level or block.verbatim or block.end - block.start > 150:
        return False
    title = first and below.end - below.start > 120
    if not (block.alone or title):
        return False
    line = text[block.start : block.end]
    words = line.rstrip("\"'”’»)]*_").split()
    return (
        0 < len(words) <= 16
        and words[-1][-1] not in (".…:;,。" if title else ".…:;,。?!？！")
        and any(map(str.isalpha, line))
        and not line[0].islower()
        and words[0] != "By"
        and not _DATE.search(line)
    )
