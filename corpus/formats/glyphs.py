"""A page of a PDF → pieces of lines: characters that follow one another on one baseline."""

import ctypes
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import hypot, pi
from typing import Any, NamedTuple

import pypdfium2.raw as pdfium

GAP = 1.0  # times the size of the letters: a wider space parts two pieces
SPACE = 0.16  # the same: a narrower space parts no words
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_LETTERS = dict(zip("ﬀﬁﬂﬃﬄﬅﬆ", ("ff", "fi", "fl", "ffi", "ffl", "st", "st"), strict=True))
_BOLD = ("bold", "black", "heavy", "demi")
_FORCED_BOLD = 1 << 18
_NOT_SHOWN = (0, 10, 13, 0xFFFE, 0xFFFF)
_HYPHEN = 2  # what PDFium makes of a hyphen at a line's end


@dataclass(frozen=True, slots=True)
class Piece:
    """Words on one line with no wide space between them. Lengths are in points, `y` counts up."""

    x0: float
    x1: float
    y: float
    size: float
    text: str
    bold: bool = False


@dataclass(frozen=True, slots=True)
class _Look:
    """What the characters of one drawing have in common."""

    size: float
    bold: bool
    turn: int  # quarters of a circle; -1 for any other angle
    y: float  # of the baseline


class _Glyph(NamedTuple):
    character: str
    x0: float
    x1: float
    y: float
    look: _Look


def pieces(text: Any) -> list[Piece]:
    """The pieces of a page, in the order in which the file draws them."""
    glyphs = list(_glyphs(text.raw, pdfium.FPDFText_CountChars(text.raw)))
    turns = Counter(glyph.look.turn for glyph in glyphs if glyph.character != " ")
    turn = turns.most_common(1)[0][0] if turns else 0
    runs: list[list[_Glyph]] = []
    for glyph in glyphs:
        if glyph.look.turn != turn:  # what stands across the page is a watermark, or a label
            continue
        if runs and _follows(runs[-1], glyph):
            runs[-1].append(glyph)
        elif glyph.character != " ":
            runs.append([glyph])
    return [piece for piece in map(_piece, runs) if piece.text]


def _glyphs(text: Any, count: int) -> Iterator[_Glyph]:
    box = pdfium.FS_RECTF()
    looks: dict[int, _Look] = {}
    for i in range(count):
        code = pdfium.FPDFText_GetUnicode(text, i)
        if code in _NOT_SHOWN or (code == 32 and pdfium.FPDFText_IsGenerated(text, i) == 1):
            continue
        if not pdfium.FPDFText_GetLooseCharBox(text, i, box):
            continue
        drawing = ctypes.cast(pdfium.FPDFText_GetTextObject(text, i), ctypes.c_void_p).value or 0
        look = looks.get(drawing) or looks.setdefault(drawing, _look(text, i))
        if look.turn in (1, 3):
            sign = 1 if look.turn == 3 else -1
            left, right = sorted((sign * box.bottom, sign * box.top))
        else:
            sign = -1 if look.turn == 2 else 1
            left, right = sorted((sign * box.left, sign * box.right))
        character = "-" if code == _HYPHEN else chr(code) if code < 0x110000 else "\ufffd"
        yield _Glyph(character, left, right, look.y, look)


def _look(text: Any, index: int) -> _Look:
    quarters = pdfium.FPDFText_GetCharAngle(text, index) / (pi / 2)
    turn = round(quarters) % 4 if abs(quarters - round(quarters)) < 0.05 else -1
    # The nominal size of a font says nothing where the text is scaled.
    matrix = pdfium.FS_MATRIX()
    pdfium.FPDFText_GetMatrix(text, index, matrix)
    size = pdfium.FPDFText_GetFontSize(text, index) * hypot(matrix.c, matrix.d)
    x, y = ctypes.c_double(), ctypes.c_double()
    pdfium.FPDFText_GetCharOrigin(text, index, x, y)
    line = {1: x.value, 2: -y.value, 3: -x.value}.get(turn, y.value)
    return _Look(size, _is_bold(text, index), turn, line)


def _is_bold(text: Any, index: int) -> bool:
    if pdfium.FPDFText_GetFontWeight(text, index) >= 600:
        return True
    name, flags = ctypes.create_string_buffer(128), ctypes.c_int()
    pdfium.FPDFText_GetFontInfo(text, index, name, 128, flags)
    font = name.value.decode("utf-8", "replace").lower()
    return any(word in font for word in _BOLD) or bool(flags.value & _FORCED_BOLD)


def _follows(run: Sequence[_Glyph], glyph: _Glyph) -> bool:
    last = run[-1]
    size, least = max(last.look.size, glyph.look.size), min(last.look.size, glyph.look.size)
    if abs(glyph.y - last.y) > (0.7 if least < 0.9 * size else 0.3) * size:
        return False
    # The letters of a ligature all have its place.
    return -0.6 * size < glyph.x0 - last.x1 < GAP * size or abs(glyph.x0 - last.x0) < 0.01


def _piece(run: Sequence[_Glyph]) -> Piece:
    shown = [glyph for glyph in run if glyph.character != " "]
    size = Counter(glyph.look.size for glyph in shown).most_common(1)[0][0]
    y = Counter(glyph.y for glyph in shown if glyph.look.size == size).most_common(1)[0][0]
    words: list[str] = []
    before: _Glyph | None = None
    for glyph in run:
        character = glyph.character
        if 0.1 * size < glyph.y - y < 0.7 * size and glyph.look.size < 0.9 * size:
            character = character.translate(_RAISED)  # "17,700²" is not "17,7002"
        if before and glyph.x0 - before.x1 > SPACE * size:
            words.append(" ")
        words.append(_LETTERS.get(character, character))
        before = glyph
    bold = sum(glyph.look.bold for glyph in shown) > 0.8 * len(shown)
    end = max(glyph.x1 for glyph in shown)
    return Piece(shown[0].x0, end, y, size, " ".join("".join(words).split()), bold)
