"""PDF → Content, by way of PDFium: pages, reading order, paragraphs made whole."""

import re
from collections.abc import Iterator, Sequence

import pypdfium2 as pdfium

from corpus.errors import UnreadableDocument
from corpus.formats.columns import regions
from corpus.formats.content import Content, Page
from corpus.formats.glyphs import Piece, pieces
from corpus.formats.margins import Frame, without_margins
from corpus.formats.paragraphs import (
    Block,
    Style,
    blocks,
    heading_key,
    join,
    style_of,
    with_notes_first,
)
from corpus.formats.properties import metadata
from corpus.formats.scans import is_scan

PAGES = 10_000
_ENDS = tuple('.!?:;…”"’)]。！？')
_STRANGE = re.compile("[\ue000-\uf8ff\ufffd\x00-\x08\x0e-\x1f]")


def read(data: bytes) -> Content:
    """A PDF. Raises UnreadableDocument."""
    if b"%PDF-" not in data[:1024]:
        raise UnreadableDocument("not a PDF: it is something else under this name")
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower() or "security" in str(error).lower():
            raise UnreadableDocument("encrypted: save a copy without a password") from error
        raise UnreadableDocument("damaged: the PDF is cut off or broken") from error
    if len(document) > PAGES:
        raise UnreadableDocument(f"has more than {PAGES:,} pages; split it")
    found: list[list[Piece]] = []
    frames: list[Frame] = []
    bare: list[int] = []
    has_words = False
    for number in range(len(document)):
        on_page, frame, scanned = _page(document, number)
        found.append(on_page)
        frames.append(frame)
        if scanned:
            bare.append(number + 1)
        elif on_page:
            has_words = True
    if not has_words:
        raise UnreadableDocument(
            "holds no text: it is scanned, or drawn; recognise its text first (OCR), for example"
            " with ocrmypdf"
            if bare
            else "empty"
        )
    _refuse_garbled(found)
    said = {key: str(value) for key, value in document.get_metadata_dict().items()}
    known = metadata(said.get("Title", ""), said.get("Author", ""), said.get("CreationDate", ""))
    if bare:
        known["unread"] = f"no text on {_numbers(bare)} (scanned, or drawn)"
    style = style_of(found, _outline(document))
    return Content(tuple(_pages(without_margins(found, frames), style)), known, paged=True)


def _page(document: pdfium.PdfDocument, number: int) -> tuple[list[Piece], Frame, bool]:
    """The pieces of a page, its lower and upper edge, and whether its words are in pictures."""
    frame = (0.0, 0.0)
    try:
        page = document[number]
    except pdfium.PdfiumError:
        return [], frame, True
    try:
        text = page.get_textpage()
        found = pieces(text)
        text.close()
        _, bottom, _, top = page.get_cropbox()
        frame = (float(bottom), float(top))
        return found, frame, is_scan(page, found)
    except pdfium.PdfiumError:
        return [], frame, True
    finally:
        page.close()


def _pages(found: Sequence[list[Piece]], style: Style) -> Iterator[Page]:
    """Each page's text; a paragraph that crosses to the next one goes on there."""
    before: Block | None = None
    pages: list[Page] = []
    for on_page in found:
        made = with_notes_first(_blocks(on_page, style), style)
        goes_on = False
        if made and before and pages and _continues(before, made[0]):
            text, rest = _handed_back(pages[-1].text, made[0].text, style)
            pages[-1] = Page(text, pages[-1].goes_on)
            made[0].text = rest
            goes_on = bool(rest)
        pages.append(Page(_text(made), goes_on))
        before = made[-1] if made else None
    return iter(pages)


def _blocks(on_page: Sequence[Piece], style: Style) -> list[Block]:
    """The blocks of a page; a paragraph that goes on in the next column is one."""
    found: list[Block] = []
    for region in regions(on_page):
        made = list(blocks(region, style))
        if found and made and _continues(found[-1], made[0]):
            found[-1].text = join(found[-1].text, made.pop(0).text, style.words)
        found += made
    return found


def _continues(before: Block, block: Block) -> bool:
    return (
        before.kind in ("text", "item")
        and block.kind == "text"
        and abs(before.size - block.size) < 0.08 * before.size
        and not before.text.endswith(_ENDS)
        and (block.text[0].islower() or len(before.text) > 60)
    )


def _handed_back(text: str, more: str, style: Style) -> tuple[str, str]:
    """A word that the page's end parts stands whole on the page where it begins."""
    if not text.endswith(("-", "\u2010", "\xad")):
        return text, more
    word, _, rest = more.partition(" ")
    return join(text, word, style.words), rest


def _text(made: Sequence[Block]) -> str:
    parts: list[str] = []
    for i, block in enumerate(made):
        close = i and block.kind in ("item", "row") and made[i - 1].kind == block.kind
        heading = block.kind == "heading" and len(block.text) <= 200  # else a lead in large letters
        words = block.text if block.kind == "row" else re.sub(r"^#{1,6}\s+", "", block.text)
        mark = "#" * block.level + " " if heading else ""
        parts.append(("\n" if close else "\n\n") + mark + words)
    return "".join(parts).strip()


def _outline(document: pdfium.PdfDocument) -> dict[str, int]:
    """The headings that the file lists, with their levels."""
    found: dict[str, int] = {}
    for bookmark in document.get_toc(max_depth=6):
        if len(found) > 5000:
            break
        key = heading_key(bookmark.get_title() or "")
        if len(key) > 2:
            found.setdefault(key, bookmark.level + 1)
    return found


def _refuse_garbled(found: Sequence[Sequence[Piece]]) -> None:
    text = "".join(piece.text for page in found for piece in page)
    if len(_STRANGE.findall(text)) > 0.3 * len(text):
        raise UnreadableDocument(
            "its letters cannot be told from its fonts; recognise its text (OCR), for example with"
            " ocrmypdf"
        )


def _numbers(pages: Sequence[int]) -> str:
    """`page 3`, `pages 3–5, 9`."""
    runs: list[list[int]] = []
    for page in pages:
        if runs and page == runs[-1][1] + 1:
            runs[-1][1] = page
        else:
            runs.append([page, page])
    shown = [str(a) if a == b else f"{a}–{b}" for a, b in runs[:20]]
    return f"page{'s' * (len(pages) > 1)} {', '.join(shown)}{', …' * (len(runs) > 20)}"
