"""A file → a Document. Text is normalised here, once, and never again."""

import hashlib
import re
import stat
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path, PurePosixPath

import yaml

from corpus.blocks import blocks, plain
from corpus.errors import UnreadableDocument
from corpus.find import find, safe
from corpus.formats import FORMATS, REFUSED
from corpus.formats.apart import read_apart
from corpus.text import decode, normalise
from corpus.types import Document, Span

__all__ = ["BUILT_IN", "LARGEST", "SUFFIXES", "find", "read", "read_bytes"]

BUILT_IN = Path(__file__).parent / "documents"
LARGEST = 50_000_000  # bytes of a text; other formats have a bound of their own

_MARKDOWN = frozenset({".md", ".markdown"})
SUFFIXES = frozenset(FORMATS) | {".txt", ".text"} | _MARKDOWN

_NO_TEXT = {
    b"%PDF-": "a PDF",
    b"{\\rtf": "an RTF document",
    b"PK\3\4": "an office file or an archive",
    b"\xd0\xcf\x11\xe0": "an office file",
}

_FRONT_MATTER_END = re.compile(r"^(?:---|\.\.\.)$", re.M)


def read(path: Path, id: str) -> Document:
    """The file as a document. Raises UnreadableDocument with the reason."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise UnreadableDocument("a folder that cannot be opened")
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableDocument("not an ordinary file")
        _refuse_large(status.st_size, _suffix(path.name))
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise UnreadableDocument(f"cannot be opened: {_why(error)}") from error
    return read_bytes(data, id)


def read_bytes(data: bytes, id: str) -> Document:
    """The same for bytes in hand; the ending of `id` tells the format."""
    suffix = _suffix(id)
    _refuse_large(len(data), suffix)
    if suffix in FORMATS:
        return _formatted(data, id, suffix)
    if kind := next((kind for first, kind in _NO_TEXT.items() if data.startswith(first)), ""):
        raise UnreadableDocument(f"not text: it is {kind}; give it the ending of what it is")
    metadata, text = _front_matter(normalise(decode(data)))
    metadata.pop("unread", None)  # what a reader says, and no document of itself
    return _document(id, text, metadata, markdown=suffix in _MARKDOWN)


def _formatted(data: bytes, id: str, suffix: str) -> Document:
    """A file that a reader of `corpus.formats` turns into Markdown."""
    if not data.strip(b"\0 \t\r\n"):
        raise UnreadableDocument("empty")
    content = read_apart(suffix, data)
    text, ends = "", []
    for page in content.pages:
        words = normalise(page.text)
        if words:
            words = words.lstrip(" \t") if page.goes_on else words
            text += (" " if page.goes_on else "\n\n") * bool(text) + words
        ends.append(len(text))
    pages = tuple(Span(start, end) for start, end in pairwise([0, *ends])) if content.paged else ()
    metadata = {key: _one_line(value) for key, value in content.metadata.items()}
    title = _readable(id) if content.of_parts else ""
    return _document(id, text, metadata, markdown=True, pages=pages, title=title)


def _document(
    id: str,
    text: str,
    metadata: Mapping[str, str],
    markdown: bool,
    pages: tuple[Span, ...] = (),
    title: str = "",
) -> Document:
    if not text:
        raise UnreadableDocument("empty")
    if not any(map(str.isalnum, text)):
        raise UnreadableDocument("holds no words")
    return Document(
        id=id,
        version=hashlib.sha256(text.encode()).hexdigest(),
        title=metadata.get("title") or title or _title(text) or _readable(id),
        text=text,
        metadata=metadata,
        pages=pages,
        markdown=markdown,
    )


def _suffix(name: str) -> str:
    """The ending of a name, in small letters. Raises UnreadableDocument when it is not read."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in REFUSED:
        raise UnreadableDocument(REFUSED[suffix])
    if suffix not in SUFFIXES:
        kind = f"{safe(suffix)} files" if suffix else "files without an ending"
        raise UnreadableDocument(f"{kind} are not read (only {', '.join(sorted(SUFFIXES))})")
    return suffix


def _refuse_large(size: int, suffix: str) -> None:
    largest = FORMATS[suffix].largest if suffix in FORMATS else LARGEST
    if size > largest:
        raise UnreadableDocument(
            f"larger than {largest // 1_000_000} MB ({size / 1_000_000:.1f} MB); split it"
        )


def _why(error: OSError | ValueError) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()


def _front_matter(text: str) -> tuple[dict[str, str], str]:
    """The YAML between `---` and `---` at the top, and the text below it.

    Values stay strings as they were written (dates too); lists are joined, what is nested is left
    out. What is not such YAML is text.
    """
    if not text.startswith("---\n"):
        return {}, text
    end = _FRONT_MATTER_END.search(text, 4, 50_000)
    if end is None:
        return {}, text
    try:
        # BaseLoader makes strings, lists and dicts of them alone: no types, no merging, no objects.
        loaded = yaml.load(text[4 : end.start()], yaml.BaseLoader)  # noqa: S506
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}, text
    if not isinstance(loaded, dict):
        return {}, text
    metadata = {}
    for key, value in loaded.items():
        values = value if isinstance(value, list) else [value]
        if all(isinstance(part, str) for part in values):
            line = _one_line(", ".join(values))
            if line and (name := _one_line(str(key)).lower()):
                metadata[name] = line
    return metadata, text[end.end() :].strip("\n")


def _title(text: str) -> str:
    """The heading above all text, else the first of level 1, else ""."""
    found = blocks(text[:100_000])
    first = [block for i, block in enumerate(found) if block.level and (not i or block.level == 1)]
    return plain(text[first[0].start : first[0].end]) if first else ""


def _one_line(text: str) -> str:
    return " ".join(normalise(text).split())


def _readable(id: str) -> str:
    stem = PurePosixPath(id).stem
    name = " ".join(re.split(r"[\s_-]+", stem)).strip() or stem
    return name[:1].upper() + name[1:]
