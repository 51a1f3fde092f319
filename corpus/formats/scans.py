"""Pages of a PDF that are pictures: scanned, or drawn."""

from collections.abc import Iterator, Sequence

import pypdfium2 as pdfium

from corpus.formats.glyphs import Piece

STAMP = 30  # letters: fewer are a stamp, a watermark or a page number where a picture is the page
_IMAGE, _FORM = pdfium.raw.FPDF_PAGEOBJ_IMAGE, pdfium.raw.FPDF_PAGEOBJ_FORM


def is_scan(page: pdfium.PdfPage, pieces: Sequence[Piece]) -> bool:
    """Whether what the page says is in pictures, and not in its `pieces`."""
    if not pieces:
        return bool(pdfium.raw.FPDFPage_CountObjects(page.raw) > 0)
    letters = sum(character.isalnum() for piece in pieces for character in piece.text)
    return letters < STAMP and _covered(page) > 0.5


def _covered(page: pdfium.PdfPage) -> float:
    """The share of the page under pictures, counted as if none lay over another."""
    left, bottom, right, top = page.get_cropbox()
    area = 0.0
    for x0, y0, x1, y1 in _pictures(page):
        wide, high = min(x1, right) - max(x0, left), min(y1, top) - max(y0, bottom)
        area += max(0.0, wide) * max(0.0, high)
    return area / ((right - left) * (top - bottom) or 1.0)


def _pictures(page: pdfium.PdfPage) -> Iterator[tuple[float, float, float, float]]:
    """The bounds of each picture, or of the form that holds it: only those are in page's points."""
    for drawn in page.get_objects(max_depth=1):
        within = drawn.type == _FORM and page.get_objects(filter=[_IMAGE], form=drawn, level=1)
        if drawn.type == _IMAGE or (within and any(within)):
            yield drawn.get_bounds()
