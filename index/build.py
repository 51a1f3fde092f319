"""Documents → index: incremental, resumable, one writer at a time.

The order of a change: the texts, then the new records in Chroma and tantivy, then the manifest,
which makes them current in one step, then the records that are current no more. A run that is cut
off anywhere leaves the old state or the new one for readers; the next run takes over what the
last one embedded and sweeps away the rest.
"""

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from corpus.errors import FootnoteError, UnreadableDocument
from corpus.read import find, read
from corpus.split import passages
from corpus.types import Passage
from index.embed import count
from index.errors import IndexBusy, IndexMismatch, IndexMissing, IndexProblem
from index.lexical import Words
from index.manifest import (
    FORMAT,
    IDENTITY,
    check_embedding,
    collection,
    read_manifest,
    write_manifest,
)
from index.records import Record
from index.snapshots import Snapshots, write
from index.types import BuildReport, Embedder, Failure, IndexedDocument, Manifest
from index.vectors import Vectors

BATCH = 512  # passages that are written together
STEP = 32  # passages after which progress is told
LOCK = "writing.lock"
UNFINISHED = "unfinished"

Key = tuple[str, str]  # document and version
Progress = Callable[[int, int], None]


def build(
    paths: Sequence[Path],
    folder: Path,
    embedder: Embedder,
    chroma_url: str | None = None,
    progress: Progress | None = None,
) -> BuildReport:
    """Makes the index in `folder` equal to the documents at `paths`.

    `progress(done, total)` counts passages; the total is an estimate until the last one.
    A file that cannot be read is in the report's `failed`; what was indexed of it before stays.
    Raises FootnoteError when there are no documents, IndexBusy, IndexMismatch, IndexDamaged,
    IndexUnreachable.
    """
    started = time.monotonic()
    _refuse_others(folder)
    home = folder.resolve()
    files = [(id, path) for id, path in find(paths) if not path.resolve().is_relative_to(home)]
    if not files:
        places = ", ".join(str(path) for path in paths)
        raise FootnoteError(f"{places} holds no documents: nothing was changed")
    with _writing(folder):
        run = _Run(folder, embedder, chroma_url, progress or (lambda done, total: None))
        try:
            return run.make(files, started)
        finally:
            run.close()


@dataclass(slots=True)
class _Plan:
    """What is to be done, found before anything is changed but the texts."""

    documents: dict[str, IndexedDocument] = field(default_factory=dict)  # the new state
    fresh: list[IndexedDocument] = field(default_factory=list)  # added, changed or to be restored
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: list[Failure] = field(default_factory=list)


class _Run:
    """One run of indexing."""

    def __init__(
        self, folder: Path, embedder: Embedder, chroma_url: str | None, progress: Progress
    ) -> None:
        self._folder = folder
        self._embedder = embedder
        self._progress = progress
        try:
            self._old = read_manifest(folder)
        except IndexMissing:
            self._old = Manifest(FORMAT, embedder.name, 0, {})
        check_embedding(folder, self._old, embedder)
        self._snapshots = Snapshots(folder / "texts")
        self._words = Words.open(folder / "lexical", create=True)
        name = collection(folder, chroma_url)
        self._vectors = Vectors.open(folder / "chroma", chroma_url, name, create=True)
        self._dimension = self._old.dimension
        self._done = self._total = 0
        # Where vectors may be found again: what a run that was cut off has left, the texts embedded
        # in this run (digest → passage), the texts that were there before it (version → document).
        self._left: set[Key] = set()
        self._embedded: dict[bytes, str] = {}
        self._twins: dict[str, str] = {}

    def close(self) -> None:
        self._words.close()
        self._vectors.close()

    def make(self, files: Sequence[tuple[str, Path]], started: float) -> BuildReport:
        stale, intact = self._survey()
        plan = self._plan(files, intact)
        gone = [old for old in self._old.documents.values() if old.id not in plan.documents]
        documents = plan.documents
        if plan.fresh or gone or stale or documents != self._old.documents:
            (self._folder / UNFINISHED).touch()
            documents |= {indexed.id: indexed for indexed in self._index(plan.fresh)}
            self._commit(documents, stale)
            (self._folder / UNFINISHED).unlink(missing_ok=True)
        return BuildReport(
            documents=len(documents),
            passages=sum(item.passages for item in documents.values()),
            added=plan.added,
            changed=plan.changed,
            removed=len(gone),
            unchanged=plan.unchanged,
            failed=tuple(plan.failed),
            seconds=time.monotonic() - started,
        )

    def _commit(self, documents: dict[str, IndexedDocument], stale: set[Key]) -> None:
        """Makes `documents` the state of the index, then deletes what is current no more."""
        now = {(item.id, item.version) for item in documents.values()}
        before = {(item.id, item.version) for item in self._old.documents.values()}
        superseded = self._old.superseded
        if documents != self._old.documents:
            superseded = tuple(sorted(before - now))
            name = self._embedder.name
            self._snapshots.settle()
            manifest = Manifest(FORMAT, name, self._dimension, documents, superseded)
            write_manifest(self._folder, manifest)
        for document, version in sorted((before | stale) - now):
            self._vectors.delete(document, version)
            self._words.delete(document, version)
        self._words.commit()
        self._snapshots.keep(now.union(superseded))

    def _survey(self) -> tuple[set[Key], set[Key]]:
        """Records that the manifest does not name, and documents whose records are all there.

        Every record is looked at only when a run was cut off or the numbers do not agree.
        """
        named = {(item.id, item.version): item.passages for item in self._old.documents.values()}
        total = sum(named.values())
        agrees = self._vectors.count() == total and self._words.count() == total
        if agrees and not (self._folder / UNFINISHED).exists():
            intact, stale = set(named), set[Key]()
        else:
            vectors, words = self._vectors.census(), self._words.census()
            intact = {key for key, n in named.items() if vectors[key] == words[key] == n}
            stale = (set(vectors) | set(words)) - set(named)
            self._left = set(vectors) - intact
        self._twins = {version: document for document, version in sorted(intact)}
        return stale, intact

    def _plan(self, files: Sequence[tuple[str, Path]], intact: set[Key]) -> _Plan:
        """Reads every file, keeps the texts of those that are new or other than they were."""
        plan = _Plan()
        for id, path in files:
            old = self._old.documents.get(id)
            try:
                document = read(path, id)
            except UnreadableDocument as error:
                reason = str(error)
                if old is not None:
                    plan.documents[id] = old
                    reason += " (what was indexed of it before stays)"
                plan.failed.append(Failure(str(path), reason))
                continue
            indexed = IndexedDocument(
                id,
                document.version,
                document.title,
                old.passages if old else 0,
                len(document.text),
                dict(document.metadata),
            )
            plan.documents[id] = indexed
            if old == indexed:
                plan.unchanged += 1
                if (id, old.version) in intact:
                    continue
            elif old is None:
                plan.added += 1
            else:
                plan.changed += 1
            self._snapshots.put(document)
            plan.fresh.append(indexed)
        return plan

    def _index(self, fresh: Sequence[IndexedDocument]) -> Iterator[IndexedDocument]:
        """Embeds and writes the passages of the documents, in batches that cross documents."""
        characters = max(1, sum(item.characters for item in fresh))
        split = read = 0
        batch: list[Passage] = []
        for item in fresh:
            found = passages(self._snapshots.get(item.id, item.version), count)
            yield replace(item, passages=len(found))
            split += len(found)
            read += item.characters
            self._total = split * characters // max(1, read)
            for passage in found:
                batch.append(passage)
                if len(batch) == BATCH:
                    self._write(batch)
                    batch.clear()
        if batch:
            self._write(batch)
        self._words.commit()

    def _write(self, batch: Sequence[Passage]) -> None:
        """Embeds and writes passages; a text that has a vector already is not embedded again."""
        texts = [_embedded(p.document.title, p.heading, p.text) for p in batch]
        digests = [hashlib.sha256(text.encode("utf-8")).digest() for text in texts]
        places = [self._places(passage, d) for passage, d in zip(batch, digests, strict=True)]
        found = self._vectors.get(sorted({id for ids in places for id in ids}))
        known: dict[bytes, NDArray[np.float32]] = {}
        there = set()
        for passage, wanted, digest, ids in zip(batch, texts, digests, places, strict=True):
            for record, text, vector in (found[id] for id in ids if id in found):
                if _embedded(record.title, record.heading, text) == wanted:
                    known.setdefault(digest, vector)
                if record == Record.of(passage):
                    there.add(passage.id)
        new = {d: text for d, text in zip(digests, texts, strict=True) if d not in known}
        self._advance(len(batch) - len(new))
        known.update(self._vectors_of(new))
        for passage, digest in zip(batch, digests, strict=True):
            self._embedded[digest] = passage.id
        # What a run that was cut off has written stays as it is, to the last bit.
        rest = [(p, known[d]) for p, d in zip(batch, digests, strict=True) if p.id not in there]
        if rest:
            self._vectors.add([p for p, _ in rest], np.stack([vector for _, vector in rest]))
        self._words.add(batch)

    def _vectors_of(self, texts: dict[bytes, str]) -> Iterator[tuple[bytes, NDArray[np.float32]]]:
        items = list(texts.items())
        for first in range(0, len(items), STEP):
            part = items[first : first + STEP]
            made = self._embedder.embed([text for _, text in part])
            if self._dimension not in (0, made.shape[1]):
                raise IndexMismatch(
                    f"the embedding {self._embedder.name} now gives {made.shape[1]} numbers, the"
                    f" index in {self._folder} has {self._dimension}: remove the folder and run"
                    " `footnote index` again"
                )
            self._dimension = made.shape[1]
            yield from zip((digest for digest, _ in part), made, strict=True)
            self._advance(len(part))

    def _advance(self, passages: int) -> None:
        self._done += passages
        if passages:
            self._progress(self._done, max(self._done, self._total))

    def _places(self, passage: Passage, digest: bytes) -> list[str]:
        """The ids of records that may have this passage's vector, the likeliest first."""
        document, found = passage.document, []
        if (document.id, document.version) in self._left:
            found.append(passage.id)
        if digest in self._embedded:
            found.append(self._embedded[digest])
        if document.version in self._twins:
            found.append(passage.id.removesuffix(document.id) + self._twins[document.version])
        return found


def _embedded(title: str, heading: str, text: str) -> str:
    """What is embedded of a passage: the heading that it stands under, if any, and its text.

    Titles and the whole path of headings do harm: documents on one subject grow alike by them.
    """
    last = heading.removeprefix(title).rpartition(" › ")[2]
    return f"{last}\n{text}" if last else text


def _refuse_others(folder: Path) -> None:
    """Raises IndexProblem for a place that is something else than an index, or to be one."""
    try:
        if folder.exists() and not folder.is_dir():
            raise IndexProblem(f"{folder} is a file: name a folder with --index")
        if folder.exists() and not (folder / IDENTITY).exists() and any(folder.iterdir()):
            raise IndexProblem(
                f"{folder} is not an index and not empty: name another folder with --index"
            )
    except OSError as error:
        raise _unwritable(folder, error) from error


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Makes the folder an index's; one writer at a time. Raises IndexBusy, IndexProblem."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / IDENTITY).exists():
            name = f"footnote-{secrets.token_hex(6)}"
            data = json.dumps({"what": "a Footnote index", "collection": name})
            write(folder / IDENTITY, data.encode("utf-8"))
        lock = FileLock(folder / LOCK)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise IndexBusy(
            f"another process is writing the index in {folder}: try again when it is done"
        ) from error
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        yield
    except OSError as error:
        raise _unwritable(folder, error) from error
    finally:
        lock.release()


def _unwritable(folder: Path, error: OSError) -> IndexProblem:
    return IndexProblem(f"the index in {folder} cannot be written: {error.strerror or error}")
