"""The indexed text of every document version, by content hash: what citations are shown from."""

import hashlib
import json
import os
import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from corpus.types import Document, Span
from index.errors import IndexDamaged, UnknownDocument

FEW = 64  # files that reach the disk sooner one by one
IN_MEMORY = 20_000_000  # characters of documents that are kept at hand


class Snapshots:
    """A folder with `<version>.txt`, the text, and `<version>.<document>.json`, what else is known.

    Safe for many threads.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._recent: OrderedDict[tuple[str, str], Document] = OrderedDict()
        self._characters = 0
        self._lock = threading.Lock()
        self._written: list[Path] = []  # and not yet on the disk for certain

    def put(self, document: Document) -> None:
        """Writes the document, unless it is there already."""
        self._folder.mkdir(parents=True, exist_ok=True)
        text = self._folder / f"{document.version}.txt"
        data = document.text.encode("utf-8")
        if not text.exists() or text.read_bytes() != data:
            self._write(text, data)
        known = {"document": document.id} | described(document)
        beside = self._beside(document.id, document.version)
        data = json.dumps(known, ensure_ascii=False).encode("utf-8")
        if not beside.exists() or beside.read_bytes() != data:
            self._write(beside, data)
        self._remember(document)

    def get(self, id: str, version: str) -> Document:
        """That version of that document. Raises UnknownDocument, IndexDamaged."""
        key = (id, version)
        with self._lock:
            if key in self._recent:
                self._recent.move_to_end(key)
                return self._recent[key]
        document = self._read(id, version)
        self._remember(document)
        return document

    def settle(self) -> None:
        """Has what was put reach the disk; many files all at once."""
        if len(self._written) > FEW and hasattr(os, "sync"):
            os.sync()
        else:
            for path in self._written:
                with path.open("rb") as file:
                    os.fsync(file.fileno())
        self._written.clear()

    def keep(self, current: Collection[tuple[str, str]]) -> None:
        """Deletes all but these (document, version)."""
        kept = {self._beside(id, version).name for id, version in current}
        kept |= {f"{version}.txt" for _, version in current}
        for file in self._folder.iterdir() if self._folder.exists() else ():
            if file.name not in kept:
                file.unlink(missing_ok=True)

    def _remember(self, document: Document) -> None:
        with self._lock:
            key = (document.id, document.version)
            if (known := self._recent.pop(key, None)) is not None:
                self._characters -= len(known.text)
            self._recent[key] = document
            self._characters += len(document.text)
            while self._characters > IN_MEMORY and len(self._recent) > 1:
                _, old = self._recent.popitem(last=False)
                self._characters -= len(old.text)

    def _write(self, path: Path, data: bytes) -> None:
        write(path, data, durable=False)
        self._written.append(path)

    def _read(self, id: str, version: str) -> Document:
        # A version is asked for by whoever follows a link: nothing but a hash may become a path.
        beside = self._beside(id, version)
        if len(version) != 64 or not set(version) <= set("0123456789abcdef"):
            raise UnknownDocument(f"“{id}” has no version “{version[:80]}”")
        advice = "run `footnote index --rebuild`"
        try:
            known = json.loads(beside.read_text(encoding="utf-8"))
            data = (self._folder / f"{version}.txt").read_bytes()
        except FileNotFoundError as error:
            raise UnknownDocument(f"the index does not hold that version of “{id}”") from error
        except (OSError, ValueError) as error:
            raise IndexDamaged(f"the text of “{id}” cannot be read: {advice}") from error
        if hashlib.sha256(data).hexdigest() != version:
            raise IndexDamaged(f"the text of “{id}” is not the one that was indexed: {advice}")
        try:
            return revived(id, version, data.decode("utf-8"), known)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise IndexDamaged(f"what is known of “{id}” cannot be read: {advice}") from error

    def _beside(self, id: str, version: str) -> Path:
        return self._folder / f"{name_of(id, version)}.json"


def name_of(id: str, version: str) -> str:
    """What that version of that document is kept under; any id makes a plain name."""
    return f"{version}.{hashlib.sha256(id.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def described(document: Document) -> dict[str, Any]:
    """What is known of a document beside its id, version and text; for JSON."""
    return {
        "title": document.title,
        "metadata": dict(document.metadata),
        "pages": [[page.start, page.end] for page in document.pages],
        "markdown": document.markdown,
    }


def revived(id: str, version: str, text: str, known: Mapping[str, Any]) -> Document:
    """The document that was described. KeyError, TypeError, ValueError, AttributeError: not one."""
    return Document(
        id,
        version,
        str(known["title"]),
        text,
        {str(key): str(value) for key, value in known["metadata"].items()},
        tuple(Span(start, end) for start, end in known["pages"]),
        bool(known.get("markdown", id.lower().endswith((".md", ".markdown")))),
    )


def write(path: Path, data: bytes, durable: bool = True) -> None:
    """Puts `data` in the place of the file in one step: a reader sees the old or the new.

    `durable`: also after a power cut.
    """
    scratch = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with scratch.open("wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        scratch.replace(path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
