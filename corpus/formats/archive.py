"""Zipped formats, looked at before anything unpacks them: no bomb, no password, no XML entity."""

import io
import re
import zipfile
import zlib

from corpus.errors import UnreadableDocument

UNPACKED = 400_000_000  # bytes that a file may hold when it is unpacked
MARKUP = 150_000_000  # bytes of it that may be XML or HTML
PARTS = 10_000

_OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENTITY = re.compile(rb"<!ENTITY", re.I)
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)
_MARKUP = (".xml", ".rels", ".xhtml", ".html", ".htm", ".opf", ".ncx")


def opened(data: bytes, what: str, needs: str) -> zipfile.ZipFile:
    """The archive, which holds the part `needs`. Raises UnreadableDocument.

    What it says of its sizes is not believed: markup is unpacked, and counted, while it is checked.
    """
    if data.startswith(_OLD):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise UnreadableDocument("encrypted: save a copy without a password")
        raise UnreadableDocument(f"not {what}: it is in an older format; save it again as one")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        if data.startswith(b"PK"):
            raise UnreadableDocument(f"damaged: cut off, or no whole {what[2:].strip()}") from error
        raise UnreadableDocument(f"not {what}: {_looks_like(data)}") from error
    if needs not in archive.NameToInfo:
        raise UnreadableDocument(f"not {what}: it has no {needs}")
    if any(part.flag_bits & 1 for part in parts):
        raise UnreadableDocument("encrypted: save a copy without a password")
    if len(parts) > PARTS:
        raise UnreadableDocument(f"holds more than {PARTS:,} parts")
    if sum(part.file_size for part in parts) > UNPACKED:
        raise UnreadableDocument(_swells(UNPACKED))
    left = MARKUP
    for part in parts:
        if part.filename.lower().endswith(_MARKUP):
            left -= _checked(archive, part, left)
    return archive


def part(archive: zipfile.ZipFile, name: str) -> bytes | None:
    """A part's bytes; None where there is none of that name."""
    found = archive.NameToInfo.get(name)
    if found is None:
        return None
    with archive.open(found) as file:
        data = file.read(MARKUP + 1)
    if len(data) > MARKUP:
        raise UnreadableDocument(_swells(MARKUP))
    return data


def _checked(archive: zipfile.ZipFile, part: zipfile.ZipInfo, left: int) -> int:
    size, tail = 0, b""
    try:
        with archive.open(part) as file:
            while piece := file.read(1 << 20):
                size += len(piece)
                if size > left:
                    raise UnreadableDocument(_swells(MARKUP))
                if _ENTITY.search(tail + piece.replace(b"\0", b"")):
                    raise UnreadableDocument("not safe to read: its XML declares entities")
                tail = piece[-16:]
    except _BROKEN as error:
        raise UnreadableDocument("damaged: a part of it cannot be unpacked") from error
    return size


def _swells(most: int) -> str:
    return f"unpacks to more than {most // 1_000_000} MB"


def _looks_like(data: bytes) -> str:
    if not data.strip():
        return "it is empty"
    begin = data[:512].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    for sign, kind in (
        (b"%pdf", "a PDF"),
        (b"{\\rtf", "RTF"),
        (b"<!doctype html", "a web page"),
        (b"<html", "a web page"),
        (b"<?xml", "XML"),
    ):
        if begin.startswith(sign):
            return f"it begins like {kind}; give it the ending of what it is"
    return "it is something else under this name"
