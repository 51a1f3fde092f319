"""EPUB → Content: the chapters in the order in which they are read."""

import posixpath
import zipfile
from collections.abc import Iterator
from urllib.parse import unquote

from lxml import etree, html

from corpus.errors import UnreadableDocument
from corpus.formats.archive import opened, part
from corpus.formats.content import Content, Page
from corpus.formats.markup import markdown
from corpus.formats.properties import metadata

_DC = "{http://purl.org/dc/elements/1.1/}"
_CONTAINER = "META-INF/container.xml"


def read(data: bytes) -> Content:
    """A book. Raises UnreadableDocument."""
    with opened(data, "an EPUB book", _CONTAINER) as archive:
        if part(archive, "META-INF/rights.xml") or (
            b"EncryptedData" in (part(archive, "META-INF/encryption.xml") or b"")
            and b"obfuscation" not in (part(archive, "META-INF/encryption.xml") or b"").lower()
        ):
            raise UnreadableDocument("protected (DRM): it can be read in its own program only")
        root = _tree(part(archive, _CONTAINER))
        place = next((e.get("full-path") for e in root.iter("{*}rootfile")), None)
        package = _tree(part(archive, place or ""))
        chapters = [*filter(None, map(_chapter, _spine(archive, package, place or "")))]
    said = [package.findtext(f".//{_DC}{name}") or "" for name in ("title", "creator", "date")]
    return Content((Page("\n\n".join(chapters)),), metadata(*said))


def _spine(archive: zipfile.ZipFile, package: etree._Element, place: str) -> Iterator[bytes]:
    """The bytes of each chapter; the table of contents is none."""
    items = {item.get("id"): item for item in package.iter("{*}item")}
    for reference in package.iter("{*}itemref"):
        item = items.get(reference.get("idref"))
        if item is None or "nav" in (item.get("properties") or "").split():
            continue
        path = posixpath.join(posixpath.dirname(place), unquote(item.get("href") or ""))
        if data := part(archive, posixpath.normpath(path)):
            yield data


def _chapter(data: bytes) -> str:
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
        tree = etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        tree = None
    if tree is None or len(tree) == 0:
        tree = html.document_fromstring(data)
    body = next(tree.iter("{*}body"), tree)
    return markdown(body, dropped=("nav",))


def _tree(data: bytes | None) -> etree._Element:
    if not data:
        raise UnreadableDocument("not an EPUB book: it has no list of its chapters")
    try:
        return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise UnreadableDocument("damaged: its list of chapters is not XML") from error
