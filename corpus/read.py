"""A file → a Document. Text is normalised here, once, and never again."""

import hashlib
import os
import re
import stat
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

import yaml

from corpus.blocks import blocks, plain
from corpus.errors import FootnoteError, UnreadableDocument
from corpus.text import SURROGATES, UNSEEN, decode, normalise
from corpus.types import Document

BUILT_IN = Path(__file__).parent / "documents"
LARGEST = 50_000_000

_SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini"})
_FRONT_MATTER_END = re.compile(r"^(?:---|\.\.\.)$", re.M)


def find(paths: Sequence[Path]) -> tuple[tuple[str, Path], ...]:
    """Every file under `paths` with its document id, sorted by id; files of any kind, each once.

    Hidden files and links inside folders are left out. Where two files would get the same id, the
    names of their folders are put in front until they differ. Raises FootnoteError.
    """
    found: dict[Path, tuple[Path, int]] = {}
    for given in paths:
        for file, depth in _files(given):
            found.setdefault(Path(os.path.realpath(file)), (file, depth))
    return tuple(sorted(_named(list(found.values())), key=lambda pair: pair[0]))


def read(path: Path, id: str) -> Document:
    """The file as a document. Raises UnreadableDocument with the reason."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise UnreadableDocument("a folder that cannot be opened")
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableDocument("not an ordinary file")
        _reader(path.name)
        if status.st_size > LARGEST:
            raise UnreadableDocument(_too_large(status.st_size))
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise UnreadableDocument(f"cannot be opened: {_why(error)}") from error
    return read_bytes(data, id)


def read_bytes(data: bytes, id: str) -> Document:
    """The same for bytes in hand; the ending of `id` tells the format."""
    reader = _reader(id)
    if len(data) > LARGEST:
        raise UnreadableDocument(_too_large(len(data)))
    return reader(data, id)


def _plain(data: bytes, id: str) -> Document:
    """Text and Markdown, its markup kept; front matter goes into the metadata."""
    metadata, text = _front_matter(normalise(decode(data)))
    if not text:
        raise UnreadableDocument("empty")
    if not any(map(str.isalnum, text)):
        raise UnreadableDocument("holds no words")
    return Document(
        id=id,
        version=hashlib.sha256(text.encode()).hexdigest(),
        title=metadata.get("title") or _title(text) or _readable(id),
        text=text,
        metadata=metadata,
    )


# The one place where a format is chosen: add a reader here.
_READERS: Mapping[str, Callable[[bytes, str], Document]] = {
    ".txt": _plain,
    ".text": _plain,
    ".md": _plain,
    ".markdown": _plain,
}
SUFFIXES = frozenset(_READERS)


def _reader(name: str) -> Callable[[bytes, str], Document]:
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in _READERS:
        kind = f"{_safe(suffix)} files" if suffix else "files without an ending"
        raise UnreadableDocument(f"{kind} are not read (only {', '.join(sorted(_READERS))})")
    return _READERS[suffix]


def _too_large(size: int) -> str:
    return f"larger than {LARGEST // 1_000_000} MB ({size / 1_000_000:.1f} MB); split it"


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


def _files(given: Path) -> list[tuple[Path, int]]:
    """The files of one path, each with how many parts of its path make its id."""
    try:
        mode = given.stat().st_mode
        if stat.S_ISDIR(mode):
            os.scandir(given).close()
    except (OSError, ValueError) as error:
        raise FootnoteError(
            f"{_safe(str(given))} cannot be opened ({_why(error)}); give a folder or a file"
        ) from error
    if stat.S_ISREG(mode):
        return [(given, 1)]
    if not stat.S_ISDIR(mode):
        raise FootnoteError(f"{_safe(str(given))} is neither a folder nor a file; give one of them")
    files: list[Path] = []

    def closed(error: OSError) -> None:
        files.append(Path(error.filename))  # listed itself, so that reading it says why

    for folder, below, names in os.walk(given, onerror=closed):
        below[:] = sorted(name for name in below if not _hidden(name))
        files += [Path(folder, name) for name in names if not _hidden(name)]
    depth = len(given.parts)
    return [(file, len(file.parts) - depth) for file in files if not file.is_symlink()]


def _hidden(name: str) -> bool:
    return name.startswith((".", "~$")) or name.lower() in _SYSTEM_FILES


def _named(files: list[tuple[Path, int]]) -> list[tuple[str, Path]]:
    parts = [Path(os.path.abspath(file)).parts[1:] for file, _ in files]  # noqa: PTH100
    depths = [depth for _, depth in files]
    whole = [_safe("/".join(p)) for p in parts]
    while True:
        ids = [_safe("/".join(p[-d:])) for p, d in zip(parts, depths, strict=True)]
        taken = Counter(id for id, _ in set(zip(ids, whole, strict=True)))
        clash = [i for i, id in enumerate(ids) if taken[id] > 1 and depths[i] < len(parts[i])]
        if not clash:
            break
        for i in clash:
            depths[i] += 1
    seen: set[str] = set()
    for i, id in enumerate(ids):  # only names that differ in nothing a person can see get here
        path, number = PurePosixPath(id), 2
        while ids[i] in seen:
            ids[i] = str(path.with_stem(f"{path.stem} ({number})"))
            number += 1
        seen.add(ids[i])
    return [(id, file) for id, (file, _) in zip(ids, files, strict=True)]


def _safe(name: str) -> str:
    """A file name that can be shown, stored and typed: bytes that are not UTF-8 become U+FFFD."""
    name = SURROGATES.sub("\ufffd", name)
    return unicodedata.normalize("NFC", re.sub(r"[\n\r\t\v\f]|" + UNSEEN.pattern, "_", name))
