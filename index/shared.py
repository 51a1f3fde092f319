"""An index on a Chroma server, for apps on many machines: what they need beside the vectors.

Each app has words and texts in a folder of its own and follows the server. There, beside the
vectors, lie the texts of every document with the places of its passages, the manifest, and a head
that names the manifest: written last, it makes a change one step for all of them. An app at an
older state finds nothing of a newer one, since its own manifest does not name it.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from corpus.split import passages
from corpus.types import Document, Passage
from index.blobs import Blobs, names
from index.embed import count
from index.errors import IndexBusy, IndexDamaged, IndexMismatch, IndexMissing, IndexProblem
from index.lexical import Words
from index.manifest import (
    IDENTITY,
    NAME,
    collection,
    dumps,
    loads,
    read_manifest,
    write_identity,
    write_manifest,
)
from index.records import Record
from index.seal import check_seal, seal
from index.server import Server
from index.snapshots import Snapshots, described, name_of, revived, write
from index.stores import LEXICAL, begin, last, note_texts, place, sweep
from index.types import IndexedDocument, Manifest

ENDING = "-texts"
HEAD = "head"
STATE = "server.json"
TOGETHER = 200  # documents that are sent or fetched at once
_A_STATE = re.compile("[0-9a-f]{32}")


class Shared:
    """The index of one folder, as the server has it."""

    def __init__(self, folder: Path, server: Server) -> None:
        self._folder = folder
        self._server = server
        self._blobs = Blobs.open(server, collection(folder, server.url) + ENDING)
        self._state = _state_of(folder)  # what this folder has of it
        self._outdated: list[str] = []  # records of the texts that the last change replaced

    def close(self) -> None:
        """Lets go of the connection."""
        self._blobs.close()

    def is_newer(self) -> bool:
        """Whether the server has another state than this folder."""
        head = self._head()
        return head is not None and head != self._state

    def is_lost(self) -> bool:
        """Whether the server has no state: none yet, or no more."""
        return self._head() is None

    def pull(self) -> None:
        """Makes the folder's words and texts equal to the server's state; in one step for readers.

        To be called by the one who writes the folder. Raises IndexUnreachable, IndexDamaged.
        """
        while (head := self._head()) is not None and head != self._state:
            try:
                self._take(self._manifest(head))
            except IndexDamaged:
                if self._head() == head:
                    raise
                continue  # replaced meanwhile
            self.mark(head)

    def publish(self, manifest: Manifest, fresh: Iterable[IndexedDocument]) -> str:
        """Sends the texts of the fresh documents, then makes the manifest the server's; its name.

        Raises IndexBusy when another machine has changed the index since this folder followed it.
        """
        snapshots, head = Snapshots(self._folder / "texts"), self._head()
        edition = manifest.editions[0]
        sent: dict[str, bytes] = {}
        for item in manifest.documents.values() if head is None else fresh:
            document = snapshots.get(item.id, item.version)
            sent[_text(item.id, item.version, edition)] = _written(document)
            if len(sent) == TOGETHER:
                self._blobs.put(sent)
                sent.clear()
        state = secrets.token_hex(16)
        self._blobs.put(sent | {_manifest(state): dumps(manifest)})
        kept = {(item.id, item.version) for item in manifest.documents.values()}
        texts = {_text(*key, edition) for key in kept.union(manifest.superseded)}
        # Found now: after the head, what another machine writes may be among the others.
        self._outdated = self._blobs.others(texts | {HEAD, _manifest(state)})
        if head not in {None, self._state} or self._head() != head:  # None: it has lost everything
            raise IndexBusy(
                f"another machine has changed the index on the Chroma server at {self._server.url}"
                " meanwhile: run `footnote index` again"
            )
        self._blobs.put({HEAD: state.encode("ascii")})
        return state

    def mark(self, state: str) -> None:
        """Notes that the folder's manifest is that state of the server's."""
        known = {"state": state, "manifest": _digest(self._folder)}
        write(self._folder / STATE, json.dumps(known).encode("ascii"))
        self._state = state

    def sweep(self) -> None:
        """Deletes what the manifest that was published last does not name."""
        self._blobs.delete(self._outdated)
        self._outdated = []

    def lost(self, what: str) -> IndexDamaged:
        """The error that says so, and what mends it."""
        return IndexDamaged(
            f"the Chroma server at {self._server.url} has lost {what}: run `footnote index"
            " --rebuild` where the index is made"
        )

    def _head(self) -> str | None:
        """The server's state; None where it has none, or none that can be read."""
        try:
            state = self._blobs.get([HEAD]).get(HEAD, b"").decode("ascii", "replace")
        except IndexDamaged:
            return None
        return state if _A_STATE.fullmatch(state) else None

    def _manifest(self, state: str) -> Manifest:
        data = self._blobs.get([_manifest(state)])
        if not data:
            raise self.lost("its manifest")
        where, advice = self._server.url, "install the newer Footnote that made it"
        try:
            return loads(data[_manifest(state)], where, advice)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self.lost("its manifest") from error

    def _take(self, new: Manifest) -> None:
        folder = self._folder
        old, before = self._local(new.editions[0])
        generation = last(folder) + 1
        with begin(folder, generation, before, vectors=False) as stores:
            words = Words.open(stores / LEXICAL, create=True)
            snapshots = Snapshots(folder / "texts")
            try:
                for item in old.values():
                    if new.documents.get(item.id) != item:
                        words.delete(item.id, item.version)
                missing = [item for id, item in new.documents.items() if old.get(id) != item]
                for first in range(0, len(missing), TOGETHER):
                    self._fetch(
                        missing[first : first + TOGETHER], new.editions[0], snapshots, words
                    )
                words.commit()
            finally:
                words.close()
            seal(stores, None if before is None else place(folder, before))
            snapshots.settle()
            now = {(item.id, item.version) for item in new.documents.values()}
            note_texts(folder, generation, now.union(new.superseded))
            write_manifest(folder, replace(new, generation=generation))
        sweep(folder, generation)

    def _local(self, edition: str) -> tuple[dict[str, IndexedDocument], int | None]:
        """The documents that the folder holds, and its generation.

        Nothing where it is damaged, or of another edition: its passages may have other ends.
        """
        try:
            manifest = read_manifest(self._folder)
            if manifest.editions[0] != edition:
                return {}, None
            stores = place(self._folder, manifest.generation)
            check_seal(stores)
            Words.open(stores / LEXICAL).close()
        except IndexProblem:
            return {}, None
        return dict(manifest.documents), manifest.generation

    def _fetch(
        self, items: list[IndexedDocument], edition: str, snapshots: Snapshots, words: Words
    ) -> None:
        found = self._blobs.get([_text(item.id, item.version, edition) for item in items])
        for item in items:
            data = found.get(_text(item.id, item.version, edition))
            if data is None:
                raise self.lost(f"the text of “{item.id}”")
            try:
                document, pieces = _read(item, data)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise self.lost(f"the text of “{item.id}”") from error
            snapshots.put(document)
            words.add(pieces)


def adopt(folder: Path, server: Server, makes: bool = False) -> None:
    """Has an empty folder follow the server's index: the only one, or the one that is named.

    `makes`: the one named need not be there yet, and none is taken by itself. Raises IndexMissing,
    IndexMismatch, IndexProblem.
    """
    wanted = server.collection
    if (folder / IDENTITY).exists():
        if wanted and collection(folder, server.url) != wanted:
            raise IndexMismatch(
                f"{folder} belongs to {collection(folder, server.url)}, not to {wanted}: name"
                " another folder with --index"
            )
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        return
    if not makes:
        there = names(server, ENDING)
        if wanted and wanted not in there:
            raise IndexMissing(
                f"the Chroma server at {server.url} holds no index “{wanted}”, or has lost its"
                " texts: run `footnote index`, or `footnote index --rebuild` where it was made"
            )
        if not there:
            raise IndexMissing(
                f"there is no index in {folder}, nor on the Chroma server at {server.url}: run"
                " `footnote index`"
            )
        if not wanted and len(there) > 1:
            raise IndexProblem(
                f"the Chroma server at {server.url} holds several indexes ({', '.join(there)}):"
                " name one with FOOTNOTE_CHROMA_COLLECTION"
            )
        wanted = wanted or there[0]
    if wanted:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_identity(folder, wanted)
        except OSError as error:
            raise IndexProblem(
                f"the index in {folder} cannot be written: {error.strerror or error}"
            ) from error


def _state_of(folder: Path) -> str | None:
    """The server's state that the folder is at; None where it has none, or went its own way."""
    try:
        known = json.loads((folder / STATE).read_bytes())
        return str(known["state"]) if known["manifest"] == _digest(folder) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _digest(folder: Path) -> str:
    return hashlib.sha256((folder / NAME).read_bytes()).hexdigest()


def _text(id: str, version: str, edition: str) -> str:
    return f"{name_of(id, version)}.{edition}" if edition else name_of(id, version)


def _manifest(state: str) -> str:
    return f"manifest:{state}"


def _written(document: Document) -> bytes:
    pieces = [[p.id, Record.of(p).metadata()] for p in passages(document, count)]
    found = described(document) | {"text": document.text, "passages": pieces}
    return json.dumps(found, ensure_ascii=True).encode("ascii")


def _read(item: IndexedDocument, data: bytes) -> tuple[Document, list[Passage]]:
    found = json.loads(data)
    document = revived(item.id, item.version, found["text"], found)
    pieces = [Record.read(id, meta).passage(document) for id, meta in found["passages"]]
    return document, pieces
