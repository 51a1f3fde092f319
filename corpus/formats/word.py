"""DOCX → Content, by way of mammoth: what its styles mean, without deleted text or comments."""

import io
from typing import Any

import mammoth
from lxml import html

from corpus.errors import UnreadableDocument
from corpus.formats.archive import opened
from corpus.formats.content import Content, Page
from corpus.formats.markup import markdown
from corpus.formats.properties import office

_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='Subtitle'] => p:fresh
p[style-name='Quote'] => blockquote > p:fresh
p[style-name='Intense Quote'] => blockquote > p:fresh
p[style-name='Heading 7'] => h6:fresh
p[style-name='TOC Heading'] => !
p[style-name^='toc '] => !
p[style-name^='TOC '] => !
"""


def read(data: bytes) -> Content:
    """A Word document. Raises UnreadableDocument."""
    with opened(data, "a Word document", "word/document.xml") as archive:
        metadata = office(archive)
    result: Any = mammoth.convert_to_html(
        io.BytesIO(data), style_map=_STYLES, convert_image=_no_image, external_file_access=False
    )
    if not result.value.strip():
        raise UnreadableDocument("empty")
    tree = html.document_fromstring(f"<body>{result.value}</body>")
    for link in tree.iter("a"):
        if (link.get("href") or "").startswith("#footnote-ref"):
            link.text = ""  # an arrow back to where the note is called
    return Content((Page(markdown(tree)),), metadata)


def _no_image(_: object) -> list[object]:
    return []
