"""The values that the index gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from corpus.types import Passage

Progress = Callable[[int, int], None]  # (done, total), in passages


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that search found. Ranks count from 0; None where that search did not find it.

    `score` is the fused score, higher is better; `dense` is the cosine of question and passage,
    `lexical` the BM25 score; each None where that search did not find the passage.
    """

    passage: Passage
    score: float
    dense_rank: int | None
    lexical_rank: int | None
    dense: float | None
    lexical: float | None


@dataclass(frozen=True, slots=True)
class IndexedDocument:
    """What the manifest says of one document."""

    id: str
    version: str
    title: str
    passages: int
    characters: int
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def unread(self) -> str:
        """What of its file has no text, such as scanned pages; "" where all of it was read."""
        return self.metadata.get("unread", "")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the index holds; the one statement of which versions are current.

    A record in Chroma or tantivy whose document and version are not named here does not exist for
    a reader: the manifest, replaced in one step, is what makes a change of the index one step.
    `superseded` are the (document, version) that the last change took away: their texts are kept,
    so that an answer given before it can still be shown. `sources` are the paths that the index
    was made from, absolute. `generation` says where the records lie (see index.stores).
    `editions` names the last writing of all records, "" the first one: on a server their names have
    it. The edition that the last change replaced follows it: its vectors are still there. So are
    `replaced` vectors of the versions that it replaced.
    """

    format: int
    embedding: str
    dimension: int
    documents: Mapping[str, IndexedDocument]
    superseded: tuple[tuple[str, str], ...] = ()
    sources: tuple[str, ...] = ()
    generation: int = 0
    editions: tuple[str, ...] = ("",)
    replaced: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be indexed, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What one run of indexing did.

    `moved`: how many of the added are texts under a new name, of those removed or still there
    under another. `left_out`: documents that were taken out one by one; `ignored` and `links`:
    what else in the folders was not looked at. `unread`: the ids of the documents of which only a
    part could be read, with what is missing.
    """

    documents: int
    passages: int
    added: int
    changed: int
    removed: int
    unchanged: int
    failed: tuple[Failure, ...]
    seconds: float
    moved: int = 0
    left_out: int = 0
    ignored: int = 0
    links: int = 0
    unread: tuple[tuple[str, str], ...] = ()


class Embedder(Protocol):
    """Texts to vectors."""

    @property
    def name(self) -> str:
        """What the manifest calls it, for example `minilm`."""
        ...

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        ...

    def embed(self, texts: list[str]) -> NDArray[np.float32]:
        """Vectors of unit length, shape (len(texts), dimension), in the order of the texts."""
        ...
