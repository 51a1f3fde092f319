"""Questions → Hits: dense and lexical search, fused; only what the manifest names is found."""

from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from pathlib import Path

from corpus.types import Document
from index.errors import UnknownDocument
from index.lexical import Words
from index.manifest import NAME, check_embedding, collection, read_manifest
from index.records import Record
from index.snapshots import Snapshots
from index.types import Embedder, Hit, Manifest
from index.vectors import EXACT, Vectors

CANDIDATES = 30
SMOOTHING = 60  # reciprocal rank fusion: Cormack, Clarke and Büttcher, SIGIR 2009

Ranked = list[tuple[Record, float]]


class Index:
    """One state of the index, open for questions. Safe for many threads."""

    def __init__(
        self,
        folder: Path,
        embedder: Embedder,
        chroma_url: str | None,
        manifest: Manifest,
        stamp: tuple[int, int, int],
    ) -> None:
        self.folder = folder
        self.embedder = embedder
        self.chroma_url = chroma_url
        self.manifest = manifest
        self._stamp = stamp
        self._vectors = Vectors.open(folder / "chroma", chroma_url, collection(folder, chroma_url))
        self._words = Words.open(folder / "lexical")
        self._snapshots = Snapshots(folder / "texts")

    @classmethod
    def open(cls, folder: Path, embedder: Embedder, chroma_url: str | None = None) -> "Index":
        """The index in `folder` as it stands.

        Raises IndexMissing, IndexMismatch, IndexDamaged, IndexUnreachable.
        """
        stamp = _stamp(folder)
        manifest = read_manifest(folder)
        check_embedding(folder, manifest, embedder)
        return cls(folder, embedder, chroma_url, manifest, stamp)

    @cached_property
    def passages(self) -> int:
        """How many passages there are."""
        return sum(document.passages for document in self.manifest.documents.values())

    def search(
        self, queries: Sequence[str], k: int = 10, documents: Collection[str] | None = None
    ) -> tuple[Hit, ...]:
        """The `k` passages best for the queries, each searched by meaning and by words, fused.

        `documents` limits the search to those ids.
        """
        if documents is not None:
            documents = self.manifest.documents.keys() & set(documents)
        queries = [query for query in queries if query.strip()]
        if not queries or not self.passages or (documents is not None and not documents):
            return ()
        wanted = max(CANDIDATES, k)
        dense = [self._dense(query, wanted, documents) for query in queries]
        lexical = [self._lexical(query, wanted, documents) for query in queries]
        return tuple(
            Hit(record.passage(self.document(record.document, record.version)), *signals)
            for record, signals in _fused(dense, lexical)[:k]
        )

    def document(self, id: str, version: str | None = None) -> Document:
        """The document as it was indexed. Raises UnknownDocument, IndexDamaged."""
        if version is None:
            if id not in self.manifest.documents:
                raise UnknownDocument(f"the index holds no document “{id}”")
            version = self.manifest.documents[id].version
        return self._snapshots.get(id, version)

    def frequency(self, word: str) -> int:
        """How many passages hold the word, in any of its forms."""
        return self._words.frequency(word)

    def refresh(self) -> "Index":
        """The newest state when the index has changed since this was opened, else this one."""
        if _stamp(self.folder) == self._stamp:
            return self
        return Index.open(self.folder, self.embedder, self.chroma_url)

    def _dense(self, query: str, k: int, documents: Collection[str] | None) -> Ranked:
        vector = self.embedder.embed([query])[0]
        if documents is not None:
            size = sum(self.manifest.documents[id].passages for id in documents)
            if size <= EXACT:
                return self._current(lambda n: self._vectors.query_exactly(vector, n, documents), k)
        return self._current(lambda n: self._vectors.query(vector, n, documents), k)

    def _lexical(self, query: str, k: int, documents: Collection[str] | None) -> Ranked:
        return self._current(lambda n: self._words.query(query, n, documents), k)

    def _current(self, search: Callable[[int], Ranked], k: int) -> Ranked:
        """The first `k` records that the manifest names; asks for more while others crowd them."""
        asked = k
        while True:
            found = search(asked)
            current = [item for item in found if self._names(item[0])]
            if len(current) >= k or len(found) < asked:
                return current[:k]
            asked *= 4

    def _names(self, record: Record) -> bool:
        known = self.manifest.documents.get(record.document)
        return known is not None and known.version == record.version


Signals = tuple[float, int | None, int | None, float | None, float | None]


def _fused(dense: list[Ranked], lexical: list[Ranked]) -> list[tuple[Record, Signals]]:
    """Records by the sum of 1 / (60 + rank) over all lists; best rank and score of each kind."""
    records: dict[str, Record] = {}
    fused: dict[str, float] = {}
    best: tuple[dict[str, tuple[int, float]], ...] = ({}, {})
    for kind, lists in enumerate((dense, lexical)):
        for ranked in lists:
            for rank, (record, score) in enumerate(ranked):
                records[record.id] = record
                fused[record.id] = fused.get(record.id, 0.0) + 1 / (SMOOTHING + rank + 1)
                old = best[kind].get(record.id, (rank, score))
                best[kind][record.id] = (min(rank, old[0]), max(score, old[1]))
    order = sorted(fused, key=lambda id: (-fused[id], id))
    nothing = (None, None)
    return [
        (
            records[id],
            (
                fused[id],
                (near := best[0].get(id, nothing))[0],
                (worded := best[1].get(id, nothing))[0],
                near[1],
                worded[1],
            ),
        )
        for id in order
    ]


def _stamp(folder: Path) -> tuple[int, int, int]:
    """What changes when the manifest is replaced."""
    try:
        found = (folder / NAME).stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_ino, found.st_size)
