"""Documents → index: incremental, resumable, one writer at a time.

The order of a change: the texts, then the new records, into a copy of Chroma's and tantivy's files,
then the manifest, which makes all of it current in one step. So a run that is cut off anywhere
leaves the old state or the new one; the next run takes over what it embedded. On a Chroma server
there is no copy: new records lie beside those that they replace. Where all are written anew, an
edition, they have a collection of their own.
"""

import os
import secrets
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from index.errors import IndexDamaged, IndexMismatch, IndexMissing
from index.files import read_files, write_files
from index.folder import refuse_others, writing
from index.journal import Remembering
from index.lexical import Words
from index.manifest import FORMAT, check_embedding, collection, read_manifest, write_manifest
from index.pipeline import Key, Pipeline
from index.plan import Found, Plan, Planner, look
from index.seal import check_seal, seal
from index.server import Server
from index.shared import Shared, adopt
from index.snapshots import Snapshots, write
from index.sources import ADDED, left_out
from index.stores import CHROMA, DATABASE, LEXICAL, begin, last, note_texts, place, sweep
from index.types import BuildReport, Embedder, IndexedDocument, Manifest, Progress
from index.vectors import Vectors, drop

UNFINISHED = "unfinished"  # while a run changes a Chroma server: the edition that it writes


def build(
    paths: Sequence[Path],
    folder: Path,
    embedder: Embedder,
    chroma: Server | str | None = None,
    progress: Progress | None = None,
    *,
    forget: bool = False,
    checksum: bool = False,
    anew: bool = False,
) -> BuildReport:
    """Makes the index in `folder` equal to the documents at `paths`, and those added to it.

    A file that looks as it did when it was last read is not read again; with `checksum` every file
    is. `progress(done, total)` counts passages; the total is an estimate until the last one.
    A file that cannot be read is in the report's `failed`; what was indexed of it before stays.
    A path that is gone or empty raises SourceGone when documents of it are indexed; with `forget`
    they are taken out. `anew` embeds and writes every record again, whatever there is; with no
    paths then, from the texts that the index keeps.
    Raises FootnoteError when there are no documents, IndexBusy, IndexMismatch, IndexDamaged,
    IndexUnreachable.
    """
    started = time.monotonic()
    refuse_others(folder)
    if anew and not paths:
        read_manifest(folder)
    server = Server.at(chroma)
    if server and server.collection:
        adopt(folder, server, makes=True)
    with writing(folder), _shared(folder, server) as shared:
        run = _Run(folder, embedder, shared, server, progress or (lambda done, total: None), anew)
        found = None
        if paths or not anew:
            known, out = read_files(folder), left_out(folder)
            found = look(paths, folder, folder / ADDED, out, known, run.indexed, forget)
        return run.make(paths, found, checksum, started)


class _Run:
    """One run of indexing."""

    def __init__(
        self,
        folder: Path,
        embedder: Embedder,
        shared: Shared | None,
        server: Server | None,
        progress: Progress,
        anew: bool,
    ) -> None:
        self._folder = folder
        self._embedder = embedder
        self._shared = shared
        self._server = server
        self._progress = progress
        self._snapshots = Snapshots(folder / "texts")
        self._first = False  # whether there is no index yet
        try:
            self._old = read_manifest(folder)
        except (IndexMissing, IndexDamaged, IndexMismatch) as error:
            self._first = isinstance(error, IndexMissing)
            if not (self._first or anew):
                raise
            before = 0 if self._first else last(folder)
            self._old = Manifest(FORMAT, embedder.name, 0, {}, generation=before)
        if not anew:
            check_embedding(folder, self._old, embedder)
        # Records of an older format are read as they are, and all written anew by the first run.
        self._anew = anew or self._old.format != FORMAT
        self._editions = self._old.editions
        self._replaced = self._old.replaced
        # Records on a server that no manifest names; documents whose records are all there.
        self._stale: set[Key] = set()
        self._intact: set[Key] = set()

    @property
    def indexed(self) -> Collection[str]:
        """The ids of the documents that the index holds."""
        return self._old.documents.keys()

    def make(
        self, paths: Sequence[Path], found: Found | None, checksum: bool, started: float
    ) -> BuildReport:
        """The whole run; where nothing has changed, nothing is written."""
        old, known = self._old, read_files(self._folder)
        if self._server is not None:
            self._drop_unfinished(self._server)
        if not (self._first or self._anew):
            self._survey()
        planner = Planner(old.documents, self._intact, known, self._snapshots, checksum)
        plan = Plan()
        fresh = planner.read_texts(plan) if found is None else planner.read(found.files, plan)
        sources = old.sources if found is None else tuple(map(os.path.abspath, paths))
        generation = old.generation
        first = next(fresh, None)  # the rest is read while these are embedded
        if first is not None:
            generation = self._change(plan, chain([first], fresh), sources)
        elif self._stale or plan.documents != old.documents or self._anew:
            generation = self._change(plan, fresh, sources)
        elif not self._first and (sources != old.sources or self._is_lost()):
            self._commit(plan.documents, sources, old.dimension, generation)
        if self._server is not None:
            (self._folder / UNFINISHED).unlink(missing_ok=True)
        if plan.files != known:
            write_files(self._folder, plan.files)
        sweep(self._folder, generation)
        gone = [id for id in old.documents if id not in plan.documents]
        return BuildReport(
            documents=len(plan.documents),
            passages=sum(item.passages for item in plan.documents.values()),
            added=plan.added,
            changed=plan.changed,
            removed=len(gone),
            unchanged=plan.unchanged,
            failed=tuple(plan.failed),
            seconds=time.monotonic() - started,
            moved=plan.moved,
            left_out=found.left_out if found else 0,
            ignored=found.ignored if found else 0,
            links=found.links if found else 0,
            unread=tuple((id, item.unread) for id, item in plan.documents.items() if item.unread),
        )

    def _change(
        self, plan: Plan, fresh: Iterator[IndexedDocument], sources: tuple[str, ...]
    ) -> int:
        """Writes a generation that holds the plan's documents, and makes it current.

        The plan is whole when all the fresh documents were read.
        """
        old = self._old
        generation = old.generation + 1
        before = None if self._first or self._anew else old.generation
        self._editions = ((secrets.token_hex(6),) if self._anew else ()) + old.editions[:1]
        with begin(self._folder, generation, before, vectors=self._server is None) as stores:
            memory = Remembering(self._embedder, self._folder)
            words = Words.open(stores / LEXICAL, create=True)
            name = self._collection(self._editions[0])
            if self._server is not None:
                write(self._folder / UNFINISHED, self._editions[0].encode())
            vectors = Vectors.open(stores / CHROMA, self._server, name, create=True)
            try:
                dimension = 0 if self._anew else old.dimension
                pipeline = Pipeline(
                    memory, self._snapshots, words, vectors, self._progress, dimension
                )
                plan.documents |= {
                    indexed.id: indexed for indexed in pipeline.run(fresh, lambda: plan.part)
                }
                now = {(item.id, item.version) for item in plan.documents.values()}
                keys = {(item.id, item.version): item.passages for item in old.documents.values()}
                gone = set() if self._anew else keys.keys() - now
                for document, version in sorted((gone | self._stale) - now):
                    words.delete(document, version)
                    if self._server is None:
                        vectors.delete(document, version)
                words.commit()
                words.close()
                if self._server is None:
                    vectors.settle()
                seal(stores, None if before is None else place(self._folder, before))
                self._replaced = 0
                if self._server is not None:
                    # Who opened the old state asks it until the next look at the head.
                    self._replaced = sum(keys[key] for key in gone)
                    drop(self._server, [self._collection(edition) for edition in old.editions[1:]])
                self._commit(plan.documents, sources, pipeline.dimension, generation, plan.fresh)
                if self._server is not None and not self._anew:
                    for document, version in {*old.superseded, *self._stale} - now - gone:
                        vectors.delete(document, version)
                memory.forget()
            finally:
                words.close()
                vectors.close()
                memory.close()
        return generation

    def _commit(
        self,
        documents: dict[str, IndexedDocument],
        sources: tuple[str, ...],
        dimension: int,
        generation: int,
        fresh: Sequence[IndexedDocument] = (),
    ) -> None:
        """Makes `documents` the state of the index; the texts that it replaces are still needed."""
        superseded = self._old.superseded
        now = {(item.id, item.version) for item in documents.values()}
        if documents != self._old.documents:
            before = {(item.id, item.version) for item in self._old.documents.values()}
            superseded = tuple(sorted(before - now))
        self._snapshots.settle()
        if generation != self._old.generation:
            note_texts(self._folder, generation, now.union(superseded))
        manifest = Manifest(
            FORMAT,
            self._embedder.name,
            dimension,
            documents,
            superseded,
            sources,
            generation,
            self._editions,
            self._replaced,
        )
        state = self._shared.publish(manifest, fresh) if self._shared else None
        write_manifest(self._folder, manifest)
        if self._shared and state:
            self._shared.mark(state)
            self._shared.sweep()

    def _collection(self, edition: str) -> str:
        return collection(self._folder, self._server.url if self._server else None, edition)

    def _is_lost(self) -> bool:
        return self._shared is not None and self._shared.is_lost()

    def _drop_unfinished(self, server: Server) -> None:
        """Deletes what a rebuild that was cut off wrote: nobody reads it."""
        unfinished = self._folder / UNFINISHED
        edition = unfinished.read_text("utf-8") if unfinished.exists() else ""
        if edition and edition not in self._old.editions:
            drop(server, [self._collection(edition)])
            unfinished.unlink()

    def _survey(self) -> None:
        """Finds the documents whose records are all there, and records that nobody names.

        Every record is looked at only when the numbers do not agree, or a run on a server was cut
        off. Raises IndexDamaged.
        """
        old = self._old
        named = {(item.id, item.version): item.passages for item in old.documents.values()}
        total = sum(named.values())
        stores = place(self._folder, old.generation)
        check_seal(stores, present=True)
        if not (stores / LEXICAL).is_dir():
            return
        if self._server is None and not (stores / CHROMA / DATABASE).is_file():
            return
        words = Words.open(stores / LEXICAL)
        name = self._collection(old.editions[0])
        try:
            vectors = Vectors.open(stores / CHROMA, self._server, name)
        except IndexMissing:
            return
        try:
            kept = old.replaced if self._server else 0
            agrees = vectors.count() == total + kept and words.count() == total
            if agrees and not (self._server and (self._folder / UNFINISHED).exists()):
                self._intact = set(named)
                return
            found, worded = vectors.census(), words.census()
            self._intact = {key for key, n in named.items() if found[key] == worded[key] == n}
            self._stale = (set(found) | set(worded)) - set(named)
            if kept and kept == sum(found[key] for key in old.superseded):
                self._stale -= set(old.superseded)
        finally:
            words.close()
            vectors.close()


@contextmanager
def _shared(folder: Path, server: Server | None) -> Iterator[Shared | None]:
    """What the server has of the index, with the folder at its newest state."""
    if server is None:
        yield None
        return
    shared = Shared(folder, server)
    try:
        shared.pull()
        yield shared
    finally:
        shared.close()
