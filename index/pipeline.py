"""Documents → records in Chroma and tantivy: split, embed what has no vector yet, write.

Three steps at once: this thread has files read and splits, as many others as there are cores embed,
one more writes. The caller has kept the texts; what is written is seen when the manifest names it.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from corpus.split import passages
from corpus.types import Passage
from index.embed import cores, count
from index.errors import IndexMismatch
from index.lexical import Words
from index.snapshots import Snapshots
from index.types import Embedder, IndexedDocument, Progress
from index.vectors import Vectors

BATCH = 512  # passages that are written together
STEP = 64  # texts that one thread embeds at a time, and after which progress is told
AHEAD = 2  # batches that are embedded while another one is written

Key = tuple[str, str]  # document and version
Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Batch:
    """Passages on their way, with the digests of what is embedded of them.

    `known` are the vectors that there are, `there` the records (id, digest) that are written
    already, `coming` the vectors that are being made: a step's rows, and which of them.
    """

    passages: tuple[Passage, ...]
    digests: tuple[str, ...]
    known: dict[str, Vector]
    there: set[tuple[str, str]]
    coming: dict[str, tuple[Future[Vector], int]]


class Pipeline:
    """One run of splitting, embedding and writing.

    A text that has a vector anywhere in the index is not embedded again. `dimension`: of the
    vectors that the index has, 0 where it has none.
    """

    def __init__(
        self,
        embedder: Embedder,
        snapshots: Snapshots,
        words: Words,
        vectors: Vectors,
        progress: Progress,
        dimension: int,
    ) -> None:
        self.dimension = dimension
        self._embedder = embedder
        self._snapshots = snapshots
        self._words = words
        self._vectors = vectors
        self._progress = progress
        # What is embedded and not yet written, so that no other batch embeds it too.
        self._coming: dict[str, tuple[Future[Vector], int]] = {}
        self._done = self._total = 0
        self._embedding = ThreadPoolExecutor(cores(), thread_name_prefix="embedding")
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="writing")

    def run(
        self, fresh: Iterable[IndexedDocument], part: Callable[[], float]
    ) -> Iterator[IndexedDocument]:
        """Writes the passages of the documents; gives each with the number of its passages.

        All is written when the last was given. The documents are taken while those before them are
        embedded; `part` tells how much of what they come from has been looked at. Raises
        IndexMismatch, IndexDamaged, IndexUnreachable, EmbeddingUnavailable.
        """
        split = 0
        batch: list[Passage] = []
        writes: deque[tuple[_Batch, Future[None]]] = deque()
        try:
            for item in fresh:
                found = passages(self._snapshots.get(item.id, item.version), count)
                yield replace(item, passages=len(found))
                split += len(found)
                self._total = round(split / (part() or 1.0))
                batch += found
                while len(batch) >= BATCH:
                    writes.append(self._start(batch[:BATCH]))
                    del batch[:BATCH]
                    while len(writes) > AHEAD:
                        self._end(*writes.popleft())
            if batch:
                writes.append(self._start(batch))
            while writes:
                self._end(*writes.popleft())
            self._words.commit()
        finally:
            self._embedding.shutdown(cancel_futures=True)
            self._writing.shutdown(cancel_futures=True)

    def _start(self, passages: Sequence[Passage]) -> tuple[_Batch, Future[None]]:
        """Has the passages embedded and then written, after those before them."""
        texts = [embedded(passage) for passage in passages]
        digests = tuple(map(_digest, texts))
        text_of = dict(zip(digests, texts, strict=True))
        coming = {digest: self._coming[digest] for digest in text_of.keys() & self._coming.keys()}
        known, there = self._vectors.known(text_of.keys() - coming.keys())
        new = [digest for digest in text_of if digest not in coming and digest not in known]
        for first in range(0, len(new), STEP):
            part = new[first : first + STEP]
            rows = self._embedding.submit(self._embedder.embed, [text_of[d] for d in part])
            coming |= {digest: (rows, row) for row, digest in enumerate(part)}
        batch = _Batch(tuple(passages), digests, known, there, coming)
        self._coming |= coming
        return batch, self._writing.submit(self._write, batch)

    def _write(self, batch: _Batch) -> None:
        rest = []
        for done, (passage, digest) in enumerate(zip(batch.passages, batch.digests, strict=True)):
            if digest not in batch.known:
                rows, row = batch.coming[digest]
                batch.known[digest] = self._checked(rows.result())[row]
            if (passage.id, digest) not in batch.there:
                rest.append((passage, digest))
            if done % STEP == STEP - 1:
                self._advance(STEP)
        self._advance(len(batch.passages) % STEP)
        if rest:
            self._vectors.add(
                [passage.id for passage, _ in rest],
                [passage.document.version for passage, _ in rest],
                [digest for _, digest in rest],
                np.stack([batch.known[digest] for _, digest in rest]),
            )
        self._words.add(batch.passages)

    def _end(self, batch: _Batch, written: Future[None]) -> None:
        written.result()
        for digest in batch.coming:
            self._coming.pop(digest, None)

    def _checked(self, rows: Vector) -> Vector:
        if self.dimension not in (0, rows.shape[1]):
            raise IndexMismatch(
                f"the embedding {self._embedder.name} now gives {rows.shape[1]} numbers, the"
                f" index has {self.dimension}: remove its folder and run `footnote index` again"
            )
        self.dimension = rows.shape[1]
        return rows

    def _advance(self, passages: int) -> None:
        self._done += passages
        if passages:
            self._progress(self._done, max(self._done, self._total))


def embedded(passage: Passage) -> str:
    """What is embedded of a passage: the heading that it stands under, if any, and its text.

    Titles and the whole path of headings do harm: documents on one subject grow alike by them.
    """
    last = passage.heading.removeprefix(passage.document.title).rpartition(" › ")[2]
    return f"{last}\n{passage.text}" if last else passage.text


def digest_of(passage: Passage) -> str:
    """What its vector is kept by: the same for every passage of which the same is embedded."""
    return _digest(embedded(passage))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:32]
