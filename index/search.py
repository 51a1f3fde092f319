"""Questions → Hits: dense and lexical search, fused; only what the manifest names is found."""

import re
from collections.abc import Callable, Collection, Sequence
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from corpus.types import Document
from index.errors import IndexProblem, UnknownDocument
from index.follower import Follower
from index.lexical import Words
from index.manifest import NAME, check_embedding, collection, read_manifest
from index.records import place_of
from index.seal import check_seal
from index.server import Server
from index.snapshots import Snapshots
from index.stores import CHROMA, LEXICAL, Hold, lost, place
from index.types import Embedder, Hit, Manifest
from index.vectors import EXACT, Vectors

CANDIDATES = 30
ALIKE = 0.82  # of 1.0, by difflib's ratio
_WORD = re.compile(r"[^\W\d_]+")
SMOOTHING = 60  # reciprocal rank fusion: Cormack, Clarke and Büttcher, SIGIR 2009

Ranked = list[tuple[str, float]]  # ids of passages with scores, the best first


class Index:
    """One state of the index, open for questions. Safe for many threads."""

    def __init__(
        self,
        folder: Path,
        embedder: Embedder,
        server: Server | None,
        follower: Follower | None,
        manifest: Manifest,
        stamp: tuple[int, int, int],
    ) -> None:
        self.folder = folder
        self.embedder = embedder
        self.server = server
        self.manifest = manifest
        self._stamp = stamp
        self._hold = Hold(folder, manifest.generation)
        check_seal(place(folder, manifest.generation))
        stores = self._hold.readable()
        name = collection(folder, server.url if server else None, manifest.editions[0])
        self._vectors = Vectors.open(stores / CHROMA, server, name)
        self._words = Words.open(stores / LEXICAL)
        self._snapshots = Snapshots(folder / "texts")
        self._follower = follower

    @classmethod
    def open(cls, folder: Path, embedder: Embedder, chroma: Server | str | None = None) -> "Index":
        """The index in `folder` as it stands; with `chroma`, as it stands on that server.

        Raises IndexMissing, IndexMismatch, IndexDamaged, IndexUnreachable.
        """
        server = Server.at(chroma)
        follower = Follower(folder, server) if server else None
        return cls._at_hand(folder, embedder, server, follower)

    @classmethod
    def _at_hand(
        cls, folder: Path, embedder: Embedder, server: Server | None, follower: Follower | None
    ) -> "Index":
        """The index as it stands in the folder."""
        while True:
            stamp = _stamp(folder)
            try:
                manifest = read_manifest(folder)
                check_embedding(folder, manifest, embedder)
                return cls(folder, embedder, server, follower, manifest, stamp)
            except (FileNotFoundError, IndexProblem) as error:
                if _stamp(folder) != stamp:
                    continue  # a run has ended meanwhile, and swept the old records away
                if isinstance(error, IndexProblem):
                    raise
                raise lost(folder) from error

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
        best = _fused(dense, lexical)[:k]
        records = self._words.records([id for id, _ in best])
        return tuple(
            Hit(record.passage(self.document(record.document, record.version)), *signals)
            for record, signals in ((records[id], signals) for id, signals in best if id in records)
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

    def nearest_word(self, word: str) -> str | None:
        """The word most like one that no passage holds, as a document writes it, or None."""
        ids = [id for id in self._words.alike(word, CANDIDATES) if self._names(id, None)]
        held = {
            other.lower(): other
            for record in self._words.records(ids).values()
            for other in _WORD.findall(record.span.of(self.document(record.document).text))
            if _may_be_meant(word.lower(), other.lower())
        }
        found = get_close_matches(word.lower(), held, n=1, cutoff=ALIKE)
        return held[found[0]] if found else None

    def refresh(self) -> "Index":
        """The newest state when the index has changed since this was opened, else this one."""
        if self._follower is not None:
            self._follower.look()
        if _stamp(self.folder) == self._stamp:
            return self
        return Index._at_hand(self.folder, self.embedder, self.server, self._follower)

    def _dense(self, query: str, k: int, documents: Collection[str] | None) -> Ranked:
        vector = self.embedder.embed([query])[0]
        if documents is None:
            return self._current(lambda n: self._vectors.query(vector, n), k, None)
        among = [self.manifest.documents[id] for id in documents]
        versions = {item.version for item in among}
        exactly = sum(item.passages for item in among) <= EXACT
        search = self._vectors.query_exactly if exactly else self._vectors.query
        return self._current(lambda n: search(vector, n, versions), k, documents)

    def _lexical(self, query: str, k: int, documents: Collection[str] | None) -> Ranked:
        return self._current(lambda n: self._words.query(query, n, documents), k, documents)

    def _current(
        self, search: Callable[[int], Ranked], k: int, documents: Collection[str] | None
    ) -> Ranked:
        """The first `k` that the manifest names; asks for more while others crowd them."""
        asked = k
        while True:
            found = search(asked)
            current = [item for item in found if self._names(item[0], documents)]
            if len(current) >= k or len(found) < asked:
                return current[:k]
            asked *= 4

    def _names(self, id: str, documents: Collection[str] | None) -> bool:
        document, version = place_of(id)
        known = self.manifest.documents.get(document)
        return (
            known is not None
            and known.version.startswith(version)
            and (documents is None or document in documents)
        )


Signals = tuple[float, int | None, int | None, float | None, float | None]


def _fused(dense: list[Ranked], lexical: list[Ranked]) -> list[tuple[str, Signals]]:
    """Ids by the sum of 1 / (60 + rank) over all lists; best rank and score of each kind."""
    fused: dict[str, float] = {}
    best: tuple[dict[str, tuple[int, float]], ...] = ({}, {})
    for kind, lists in enumerate((dense, lexical)):
        for ranked in lists:
            for rank, (id, score) in enumerate(ranked):
                fused[id] = fused.get(id, 0.0) + 1 / (SMOOTHING + rank + 1)
                old = best[kind].get(id, (rank, score))
                best[kind][id] = (min(rank, old[0]), max(score, old[1]))
    nothing = (None, None)
    found = []
    for id in sorted(fused, key=lambda id: (-fused[id], id)):
        near, worded = best[0].get(id, nothing), best[1].get(id, nothing)
        found.append((id, (fused[id], near[0], worded[0], near[1], worded[1])))
    return found


def _may_be_meant(word: str, other: str) -> bool:
    """The same first letter, and neither is only a longer form of the other."""
    return word[0] == other[0] and not (word.startswith(other) or other.startswith(word))


def _stamp(folder: Path) -> tuple[int, int, int]:
    """What changes when the manifest is replaced."""
    try:
        found = (folder / NAME).stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_ino, found.st_size)
