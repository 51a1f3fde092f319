"""Lines of a PDF's page → blocks: headings, paragraphs, list items, rows of tables."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from corpus.formats.columns import Line
from corpus.formats.glyphs import Piece
from corpus.formats.grids import BULLET, cells, table_end
from corpus.formats.tables import table

_NUMBERED = re.compile(r"(\d{1,3}[.)]|\([a-z\d]{1,3}\)|[a-z]\))\s+(?=\S)")
_NUMBERING = re.compile(r"^(?:(?:\d+|[A-Z])(?:\.\d+)+\.?|\d+\.?|[A-Z]\.|[IVXLC]+\.)\s+")
_LEADER = re.compile(r"(?:\s?[.…·]){4,}\s*(?:\d{1,4}|[ivxlc]{1,7})")  # of a table of contents
_ENDS = tuple('.!?:;…”"’)]。！？')
_NOTE = re.compile(r"[¹²³⁰⁴-⁹*†‡§]|\d{1,3}\s?\D")
# What a hyphen often follows within a line too.
_KEPT = re.compile("self|well|ex|half|cross|high|low|long|short|all|quasi|non|anti|co", re.I)


@dataclass(frozen=True, slots=True)
class Style:
    """What a document's letters say: their usual size, and what sizes its headings have.

    `outline`: headings that the file itself lists, in small letters, with their levels.
    """

    body: float
    levels: Mapping[float, int]
    outline: Mapping[str, int]
    words: Collection[str]  # in small letters, as they stand within lines

    def level(self, line: Piece) -> int:
        """1 to 6 for a heading, else 0."""
        if sum(map(str.isalpha, line.text)) < 2:
            return 0
        listed = self.outline.get(heading_key(line.text), 0)
        if listed and (line.bold or line.size > 1.05 * self.body):
            return min(listed, 6)
        if len(line.text) > 200 or line.size < 0.97 * self.body:
            return 0
        if line.text.endswith((".", ",", ";")) and line.size < 1.4 * self.body:
            return 0
        if line.size > 1.12 * self.body:
            return self.levels.get(round(2 * line.size) / 2, 0)
        bold = line.bold and len(line.text) <= 100 and not line.text.endswith(":")
        return min(len(self.levels) + 1, 6) if bold else 0


@dataclass(slots=True)
class Block:
    """`kind`: heading, item, row or text. `size`: of its letters."""

    kind: str
    text: str
    level: int = 0
    size: float = 0


def style_of(pages: Sequence[Sequence[Piece]], outline: Mapping[str, int]) -> Style:
    """The style of a whole document."""
    sizes: Counter[float] = Counter()
    words: set[str] = set()
    for page in pages:
        for piece in page:
            sizes[round(2 * piece.size) / 2] += len(piece.text)
            words.update(re.findall(r"[\w’'-]+(?= )", piece.text.lower()))
    body = sizes.most_common(1)[0][0] if sizes else 10
    total = sum(sizes.values())
    large = sorted((s for s in sizes if s > 1.12 * body and sizes[s] < 0.25 * total), reverse=True)
    levels = {size: min(rank, 6) for rank, size in enumerate(large, start=1)}
    return Style(body, levels, outline, words)


def blocks(lines: Sequence[Line], style: Style) -> Iterator[Block]:
    """The blocks of one column, a table of contents left out."""
    lines = [line for line in lines if not _LEADER.search(" ".join(piece.text for piece in line))]
    leading = _leading(lines)
    right = max((line[-1].x1 for line in lines), default=0)
    left = min((line[0].x0 for line in lines), default=0)
    open_: Block | None = None
    before: Piece | None = None  # the line before, in one piece
    edge = left  # where the lines of the open block begin
    i = 0
    while i < len(lines):
        end = table_end(lines, i)
        if end:
            if open_:
                yield open_
            open_, before = None, None
            for item in table(cells(lines[i:end])):
                yield Block("row", item, size=lines[i][0].size)
            i = end
            continue
        line = _whole(lines[i])
        i += 1
        bullet = BULLET.match(line.text)
        numbered = None if bullet else _NUMBERED.match(line.text)
        level = 0 if bullet else style.level(line)
        if open_ and before and level == open_.level and not bullet:
            apart = before.y - line.y > 1.3 * leading.get(_half(line.size), 1.25 * line.size)
            other = abs(line.size - before.size) > 0.08 * before.size
            if level:
                if not other and before.y - line.y < 1.5 * line.size and line.bold == before.bold:
                    open_.text = join(open_.text, line.text, style.words)
                    before = line
                    continue
            elif not (apart or other or _begins(before, line, edge, right, bool(numbered), open_)):
                open_.text = join(open_.text, line.text, style.words)
                edge = line.x0
                before = line
                continue
        if open_:
            yield open_
        if bullet and len(line.text) > bullet.end():
            open_ = Block("item", "- " + line.text[bullet.end() :], size=line.size)
        elif numbered and not level:
            open_ = Block("item", line.text, size=line.size)
        else:
            open_ = Block("heading" if level else "text", line.text, level, size=line.size)
        before, edge = line, line.x0
    if open_:
        yield open_


def with_notes_first(found: list[Block], style: Style) -> list[Block]:
    """The notes at a page's foot set before its last paragraph, when that goes on overleaf."""
    at = len(found)
    while at and found[at - 1].size < 0.93 * style.body and found[at - 1].kind != "row":
        at -= 1
    notes = found[at:]
    if not notes or not at or not _NOTE.match(notes[0].text.removeprefix("- ")):
        return found
    last = found[at - 1]
    if last.kind == "heading" or last.text.endswith(_ENDS):
        return found
    return [*found[: at - 1], *notes, last]


def join(text: str, more: str, words: Collection[str]) -> str:
    """Two lines as one, a word that was parted at the line's end made whole."""
    if not text:
        return more
    if text[-1] in "-\u2010\xad" and len(text) > 1 and text[-2].isalpha():
        first = re.search(r"[\w’']+$", text[:-1])
        second = re.match(r"[\w’']+", more)
        if first and second and second[0][0].islower():
            compound = f"{first[0]}-{second[0]}".lower()
            whole = (first[0] + second[0]).lower()
            if (
                text[-1] == "-"
                and whole not in words
                and (compound in words or _KEPT.fullmatch(first[0]))
            ):
                return text + more
            return text[:-1] + more
        if first and second and (first[0] + second[0]).lower() in words:
            return text[:-1] + more
        return text + more
    if text[-1] in "–—/_" and more[:1].isalnum() and text[-2:-1] != " ":
        return text + more
    return f"{text} {more}"


def _begins(
    before: Piece, line: Piece, edge: float, right: float, numbered: bool, block: Block
) -> bool:
    """Whether a line begins another paragraph than the one before it."""
    if numbered and (block.kind == "item" or before.text.endswith(_ENDS)):
        return True
    ended = before.text.endswith(_ENDS)
    word = line.text.partition(" ")[0]
    room = right - before.x1 > (len(word) + 1) * 0.5 * line.size
    indented = line.x0 - edge > 0.8 * line.size and block.kind != "item"
    outdented = edge - line.x0 > 0.8 * line.size and block.kind == "item" and ended
    if indented and before.x0 <= edge + 1 and not line.text[0].islower():
        return True
    return outdented or (ended and room and right - before.x1 > 0.1 * (right - edge))


def _whole(line: Line) -> Piece:
    longest = max(line, key=lambda piece: len(piece.text))  # a bullet has a size of its own
    words = " ".join(piece.text for piece in line)
    bold = all(piece.bold for piece in line)
    return replace(longest, x0=line[0].x0, x1=line[-1].x1, text=words, bold=bold)


def _leading(lines: Sequence[Line]) -> dict[float, float]:
    """The usual distance of lines, by the size of their letters."""
    found: dict[float, list[float]] = {}
    for one, two in pairwise(lines):
        step, size = one[0].y - two[0].y, two[0].size
        if 0.8 * size < step < 2.6 * size:
            found.setdefault(_half(size), []).append(step)
    # The widest third are the spaces between paragraphs.
    return {
        size: median(sorted(steps)[: max(1, len(steps) * 2 // 3)]) for size, steps in found.items()
    }


def _half(size: float) -> float:
    return round(2 * size) / 2


def heading_key(text: str) -> str:
    """A heading's words without its number, in small letters."""
    return re.sub(r"[\W_]+", " ", _NUMBERING.sub("", text)).strip().lower()
