"""Pieces of lines → the order in which a page is read, in one column or several."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from corpus.formats.glyphs import Piece

LINES = 4  # that a column has at least
WORDS = 18  # characters in the middle line of a column at least: cells of a table are shorter

Line = tuple[Piece, ...]  # pieces side by side, from the left


def regions(pieces: Sequence[Piece]) -> list[list[Line]]:
    """Stretches of lines, each in one column, in the order in which they are read."""
    gutter = _gutter(pieces)
    if gutter is None:
        return [lines(pieces)] if pieces else []
    found: list[list[Line]] = []
    band: list[Piece] = []
    across: list[Piece] = []
    for piece in sorted(pieces, key=lambda piece: -piece.y):
        if piece.x0 < gutter - 1 and piece.x1 > gutter + 1:
            found += _band(band, gutter)
            band = []
            across.append(piece)
        else:
            if across:
                found.append(lines(across))
                across = []
            band.append(piece)
    return [*found, *([lines(across)] if across else []), *_band(band, gutter)]


def lines(pieces: Sequence[Piece]) -> list[Line]:
    """From the top, pieces on one baseline together."""
    found: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda piece: (-piece.y, piece.x0)):
        if found and abs(found[-1][0].y - piece.y) < 0.35 * min(found[-1][0].size, piece.size):
            found[-1].append(piece)
        else:
            found.append([piece])
    return [_joined(sorted(line, key=lambda piece: piece.x0)) for line in found]


def _joined(line: list[Piece]) -> Line:
    """Pieces that touch are one: a program may draw each word on its own, in any order."""
    result = [line[0]]
    for piece in line[1:]:
        last = result[-1]
        gap = piece.x0 - last.x1
        alike = abs(piece.size - last.size) < 0.2 * last.size
        if alike and -0.5 * last.size < gap < 0.8 * last.size:
            words = last.text + (" " if gap > 0.12 * last.size else "") + piece.text
            result[-1] = replace(last, x1=max(last.x1, piece.x1), text=words)
        else:
            result.append(piece)
    return tuple(result)


def _band(band: list[Piece], gutter: float) -> list[list[Line]]:
    left = [piece for piece in band if (piece.x0 + piece.x1) / 2 < gutter]
    right = [piece for piece in band if (piece.x0 + piece.x1) / 2 >= gutter]
    return [*regions(left), *regions(right)]


def _gutter(pieces: Sequence[Piece]) -> float | None:
    """Where a white strip runs down between two columns of prose; None where none does."""
    if len(pieces) < 2 * LINES:
        return None
    start, end = min(p.x0 for p in pieces), max(p.x1 for p in pieces)
    narrow = [p for p in pieces if p.x1 - p.x0 < 0.62 * (end - start)]
    if len(narrow) < 2 * LINES or sum(len(p.text) for p in narrow) < 0.4 * sum(
        len(p.text) for p in pieces
    ):
        return None
    size = median(p.size for p in narrow)
    few = max(1, len(narrow) // 20)  # lines that may cross: a title, a caption
    for middle in _strips(narrow, start, end, few, 0.5 * size):
        sides = [p for p in narrow if p.x1 <= middle], [p for p in narrow if p.x0 >= middle]
        if all(_is_column(side) for side in sides):
            return middle
    return None


def _strips(
    pieces: Sequence[Piece], start: float, end: float, few: int, least: float
) -> list[float]:
    """The middles of strips, `least` wide, that at most `few` pieces cross; the whitest first."""
    marks = sorted([(p.x0, 1) for p in pieces] + [(p.x1, -1) for p in pieces])
    found: list[tuple[int, float, float]] = []
    crossing = 0
    for (x, step), (following, _) in pairwise(marks):
        crossing += step
        if crossing <= few and following - x > least and start < x and following < end:
            found.append((crossing, x - following, (x + following) / 2))
    return [middle for _, _, middle in sorted(found)[:12]]


def _is_column(side: list[Piece]) -> bool:
    heights = sorted(piece.y for piece in side)
    rows = 1 + sum(two - one > 0.35 * side[0].size for one, two in pairwise(heights))
    return rows >= LINES and median(len(piece.text) for piece in side) >= WORDS
