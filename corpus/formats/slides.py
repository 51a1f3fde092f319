"""PPTX → Content: a slide is a page, its title a heading, its notes below it."""

import io
from collections.abc import Iterator
from typing import Any

from pptx import Presentation
from pptx.enum.shapes import MSO_SHAPE_TYPE, PP_PLACEHOLDER

from corpus.formats.archive import opened
from corpus.formats.content import Content, Page
from corpus.formats.properties import office
from corpus.formats.tables import table

_NOT_READ = (PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER)
_ROW = 200_000  # EMU within which shapes stand side by side, half a centimetre


def read(data: bytes) -> Content:
    """A presentation. Raises UnreadableDocument."""
    with opened(data, "a PowerPoint presentation", "ppt/presentation.xml") as archive:
        metadata = office(archive)
    slides = list(Presentation(io.BytesIO(data)).slides)
    pages = tuple(Page("\n\n".join(_slide(slide, not i))) for i, slide in enumerate(slides))
    bare = [str(i) for i, page in enumerate(pages, start=1) if not page.text.strip()]
    if bare and len(bare) < len(pages):
        metadata["unread"] = f"no text on slide {', '.join(bare[:20])}"
    return Content(pages, metadata, paged=True)


def _slide(slide: Any, first: bool) -> Iterator[str]:
    title = slide.shapes.title
    if title is not None and (words := " ".join(title.text_frame.text.split())):
        yield ("# " if first else "## ") + words
    for shape in _shapes(slide.shapes):
        if title is None or shape.shape_id != title.shape_id:
            yield from _words(shape)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        notes = [line.strip() for line in slide.notes_slide.notes_text_frame.text.split("\n")]
        if any(notes):
            yield "### Notes"
            yield from filter(None, notes)


def _shapes(shapes: Any) -> Iterator[Any]:
    """In the order in which they are read: from the top, and from the left in a row."""
    placed = sorted(
        (shape for shape in shapes if not _is_around(shape)),
        key=lambda shape: ((shape.top or 0) // _ROW, shape.left or 0),
    )
    for shape in placed:
        if shape.shape_type == MSO_SHAPE_TYPE.GROUP:
            yield from _shapes(shape.shapes)
        else:
            yield shape


def _is_around(shape: Any) -> bool:
    return bool(shape.is_placeholder and shape.placeholder_format.type in _NOT_READ)


def _words(shape: Any) -> Iterator[str]:
    if shape.has_text_frame:
        listed = shape.is_placeholder and shape.placeholder_format.type in (
            PP_PLACEHOLDER.BODY,
            PP_PLACEHOLDER.OBJECT,
        )
        lines = [
            (" ".join(paragraph.text.split()), paragraph.level)
            for paragraph in shape.text_frame.paragraphs
        ]
        lines = [(words, level) for words, level in lines if words]
        if listed and (len(lines) > 1 or any(level for _, level in lines)):
            yield "\n".join(f"{'  ' * level}- {words}" for words, level in lines)
        else:
            yield from (words for words, _ in lines)
    elif getattr(shape, "has_table", False) and shape.has_table:
        rows = [[cell.text for cell in row.cells] for row in shape.table.rows]
        yield "\n".join(table(rows, True if shape.table.first_row else None))
    elif getattr(shape, "has_chart", False) and shape.has_chart:
        yield from _chart(shape.chart)


def _chart(chart: Any) -> Iterator[str]:
    if chart.has_title and chart.chart_title.has_text_frame:
        yield chart.chart_title.text_frame.text
    for plot in chart.plots:
        series = list(plot.series)
        names = ["", *(one.name or "" for one in series)]
        rows = [
            [str(category), *("" if v is None else f"{v:g}" for v in values)]
            for category, *values in zip(
                plot.categories, *(one.values for one in series), strict=False
            )
        ]
        yield "\n".join(table([names, *rows], header=True))
