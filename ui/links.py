"""Links that stand alone: to the words of a citation, or to a document.

`at-DOC@VERSION:START-END` is what follows the `#`, with DOC escaped as in addresses; `doc-DOC` is a
document as it is now. Whoever wrote one by hand gets a clear line.
"""

import re
from urllib.parse import unquote

from corpus.errors import FootnoteError
from corpus.types import Span
from index.errors import UnknownDocument
from index.search import Index
from rag.types import Citation
from ui import pane

LONGEST = 8_000
_AT = re.compile(r"at-(.+)@([0-9a-f]{64}):(\d{1,9})-(\d{1,9})", re.DOTALL | re.ASCII)
_BROKEN = "This link does not point at words of a document: copy it again, whole."
_GONE = (
    "The version that this link points at is no longer kept. "
    "This is the document as it is now, and its words may be others."
)


def follow(index: Index, link: str) -> str:
    """The source pane that a link opens: never more than the documents of the index."""
    try:
        return _followed(index, link)
    except FootnoteError as error:
        return pane.missing(str(error), link[:LONGEST])


def _followed(index: Index, link: str) -> str:
    if len(link) > LONGEST:
        raise UnknownDocument(_BROKEN)
    if link.startswith("doc-"):
        id = _id(link.removeprefix("doc-"))
        return pane.shelf([index.document(id)], link=link)
    match = _AT.fullmatch(link)
    if match is None:
        raise UnknownDocument(_BROKEN)
    id, version = _id(match[1]), match[2]
    start, end = int(match[3]), int(match[4])
    try:
        document = index.document(id, version)
    except UnknownDocument:
        return pane.shelf([index.document(id)], link=link, notice=_GONE)
    if not start < end <= len(document.text):
        raise UnknownDocument(_BROKEN)
    span = Span(start, end)
    words = span.of(document.text)
    page = document.page_of(span)
    cited = Citation(1, id, version, document.title, span, words, page=page)
    return pane.shelf([document], [cited], 0, index.manifest.documents, link)


def _id(written: str) -> str:
    try:
        return unquote(written, errors="strict")
    except UnicodeDecodeError as error:
        raise UnknownDocument(_BROKEN) from error
