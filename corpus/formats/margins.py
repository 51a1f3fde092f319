"""What repeats at the head or foot of pages, and page numbers: found, to be dropped."""

import re
from collections import Counter
from collections.abc import Sequence

from corpus.formats.glyphs import Piece

ZONE = 0.11  # of a page's height, at either end
APART = 1.5  # times the size of its letters: how far a head or foot is from the text, at least
_NUMBER = re.compile(
    r"(?:[-–—|\s]*|page |seite |página |p\. ?)(?:\d{1,4}|[ivxlc]{1,6})"
    r"(?:\s*(?:/|of|von|sur|de)\s*\d{1,4})?[-–—|\s.]*",
    re.I,
)

Frame = tuple[float, float]  # the heights of a page's lower and upper edge
Place = tuple[str, int]


def without_margins(pages: Sequence[list[Piece]], frames: Sequence[Frame]) -> list[list[Piece]]:
    """The pages without the lines that clearly belong to the paper and not to the text."""
    outer = [_outer(page, frame) for page, frame in zip(pages, frames, strict=True)]
    repeated = _repeated(outer)
    numbered = Counter(y for page in outer for y in _number_lines(page))
    found = []
    for page, near in zip(pages, outer, strict=True):
        lines = {
            y
            for y in _number_lines(near)
            if numbered[y] > 1 or all(_NUMBER.fullmatch(p.text) for p in near if _line(p) == y)
        }
        marked = [p for p in near if _line(p) in lines or _place(p) in repeated]
        found.append([p for p in page if not (p in marked and _stands_apart(p, page, marked))])
    return found


def _outer(page: Sequence[Piece], frame: Frame) -> list[Piece]:
    """The short pieces near a page's upper or lower edge."""
    bottom, top = frame
    zone = ZONE * (top - bottom)
    return [
        piece
        for piece in page
        if len(piece.text) <= 120
        and (bottom <= piece.y < bottom + zone or top - zone < piece.y <= top)
    ]


def _repeated(outer: Sequence[list[Piece]]) -> set[Place]:
    """What stands in one place on several pages."""
    seen = Counter(place for page in outer for place in {_place(piece) for piece in page})
    least = 2 if len(outer) <= 3 else max(3, len(outer) // 8)
    return {place for place, n in seen.items() if n >= least}


def _number_lines(near: Sequence[Piece]) -> set[int]:
    return {_line(piece) for piece in near if _NUMBER.fullmatch(piece.text)}


def _stands_apart(piece: Piece, page: Sequence[Piece], marked: Sequence[Piece]) -> bool:
    """Whether there is a wide space between it, and what is marked near it, and the text."""
    block = [p.y for p in marked if abs(p.y - piece.y) < 4 * piece.size]
    low, high = min(block), max(block)
    text = [p.y for p in page if p not in marked]
    return not any(low - APART * piece.size < y < high + APART * piece.size for y in text)


def _place(piece: Piece) -> Place:
    """Where it stands and what it says; in a short line, whatever its numbers."""
    words = piece.text.lower()
    return re.sub(r"\d+", "#", words) if len(words) <= 40 else words, _line(piece)


def _line(piece: Piece) -> int:
    return round(piece.y / 4)
