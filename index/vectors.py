"""Passages as vectors in Chroma, embedded or behind a URL. The only file that imports chromadb."""

import itertools
import weakref
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from corpus.types import Passage
from index.errors import IndexMissing, IndexProblem, IndexUnreachable, unusable
from index.records import Record

try:
    import chromadb
    from chromadb.config import Settings
    from chromadb.errors import NotFoundError
except ValueError as error:
    # It reads .env in the current folder, whatever that was written for.
    raise IndexProblem(
        f"the file {Path('.env').absolute()} keeps Chroma from starting"
        f" ({str(error).splitlines()[0]}): correct it, or run from another folder"
    ) from error

# Recall of the first 30 is .996 with ef_search 200 and .976 with Chroma's 100; denser graphs
# (24, 200) reach 1.000 and take more than twice as long to build.
HNSW = {"space": "cosine", "max_neighbors": 16, "ef_construction": 100, "ef_search": 200}
EXACT = 1000  # a filter that leaves fewer passages than this is searched without the graph
PAGE = 2000  # records read at once when all of them are

_openings = itertools.count()


class Vectors:
    """One collection. Vectors are of unit length; nearness is their cosine."""

    def __init__(self, client: Any, collection: Any, where: str, remote: bool) -> None:
        self._client = client
        self._collection = collection
        self._where = where
        self._remote = remote
        self._close = weakref.finalize(self, _let_go, client)

    @classmethod
    def open(cls, folder: Path, url: str | None, name: str, create: bool = False) -> "Vectors":
        """The collection `name` in `folder`, or on the server at `url`.

        Raises IndexMissing when it is not there and `create` is not set, IndexDamaged,
        IndexUnreachable.
        """
        where = url or str(folder)
        with _translated(where, url is not None):
            client = _server(url) if url else _embedded(folder)
            try:
                if create:
                    collection = client.get_or_create_collection(
                        name, embedding_function=None, configuration={"hnsw": HNSW}
                    )
                else:
                    collection = client.get_collection(name, embedding_function=None)
            except NotFoundError as error:
                _let_go(client)
                raise IndexMissing(
                    f"{where} does not hold this index's vectors: run `footnote index` again"
                ) from error
            except BaseException:
                _let_go(client)
                raise
        return cls(client, collection, where, url is not None)

    def close(self) -> None:
        """Lets go of the files or the connection; also done when nothing refers to this."""
        self._close()

    def count(self) -> int:
        """How many records there are, current or not."""
        with self._told():
            return int(self._collection.count())

    def add(self, passages: Sequence[Passage], vectors: NDArray[np.float32]) -> None:
        """Writes the passages; vectors of shape (len(passages), dimension)."""
        with self._told():
            most = int(self._client.get_max_batch_size())
            for first in range(0, len(passages), most):
                part = passages[first : first + most]
                self._collection.upsert(
                    ids=[passage.id for passage in part],
                    embeddings=vectors[first : first + most],
                    documents=[passage.text for passage in part],
                    metadatas=[Record.of(passage).metadata() for passage in part],
                )

    def delete(self, document: str, version: str) -> None:
        """Deletes the records of that version of that document."""
        with self._told():
            self._collection.delete(
                where={"$and": [{"document": {"$eq": document}}, {"version": {"$eq": version}}]}
            )

    def query(
        self, vector: NDArray[np.float32], k: int, documents: Collection[str] | None = None
    ) -> list[tuple[Record, float]]:
        """The `k` records nearest to `vector` with their cosines, nearest first."""
        where = _among(documents)
        with self._told():
            reply = self._collection.query(
                query_embeddings=[vector],
                n_results=k,
                where=where,
                include=["metadatas", "distances"],
            )
            rows = zip(reply["ids"][0], reply["metadatas"][0], reply["distances"][0], strict=True)
            # A record that another process deleted since this was opened has no metadata any more.
            return [(Record.read(id, meta), 1.0 - float(far)) for id, meta, far in rows if meta]

    def query_exactly(
        self, vector: NDArray[np.float32], k: int, documents: Collection[str]
    ) -> list[tuple[Record, float]]:
        """As query, by comparing with every record of the documents: right for small filters."""
        with self._told():
            reply = self._collection.get(
                where=_among(documents), include=["metadatas", "embeddings"]
            )
            if not reply["ids"]:
                return []
            cosines = np.asarray(reply["embeddings"], np.float32) @ vector
            best = np.argsort(-cosines, kind="stable")[:k]
            return [
                (Record.read(reply["ids"][i], reply["metadatas"][i]), float(cosines[i]))
                for i in best
            ]

    def get(self, ids: Sequence[str]) -> dict[str, tuple[Record, str, NDArray[np.float32]]]:
        """Record, text and vector of those ids that there are."""
        found = {}
        with self._told():
            for first in range(0, len(ids), PAGE):
                reply = self._collection.get(
                    ids=list(ids[first : first + PAGE]),
                    include=["metadatas", "documents", "embeddings"],
                )
                for id, meta, text, vector in zip(
                    reply["ids"],
                    reply["metadatas"],
                    reply["documents"],
                    reply["embeddings"],
                    strict=True,
                ):
                    found[id] = (Record.read(id, meta), str(text), np.asarray(vector, np.float32))
        return found

    def census(self) -> Counter[tuple[str, str]]:
        """How many records there are of each (document, version). Reads all of them."""
        found: Counter[tuple[str, str]] = Counter()
        with self._told():
            for first in itertools.count(0, PAGE):
                reply = self._collection.get(limit=PAGE, offset=first, include=["metadatas"])
                found.update((str(m["document"]), str(m["version"])) for m in reply["metadatas"])
                if len(reply["ids"]) < PAGE:
                    return found
        raise AssertionError

    def _told(self) -> Any:
        return _translated(self._where, self._remote)


def _embedded(folder: Path) -> Any:
    folder.mkdir(parents=True, exist_ok=True)
    # Chroma shares one set of open files between clients of one path, and what another process
    # wrote is not seen through it. A path spelled anew gets files opened anew.
    path = f"{folder}{'/.' * (next(_openings) % 256)}"
    return chromadb.PersistentClient(path, settings=_settings())


def _server(url: str) -> Any:
    parts = urlsplit(url if "//" in url else f"http://{url}")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise IndexUnreachable(f"“{url}” is not the address of a Chroma server: http://HOST:PORT")
    secure = parts.scheme == "https"
    return chromadb.HttpClient(
        host=parts.hostname,
        port=parts.port or (443 if secure else 8000),
        ssl=secure,
        settings=_settings(),
    )


def _settings() -> Any:
    """Chroma's own, with nothing taken from a .env file, and no telemetry."""
    return Settings(
        _env_file=None,
        anonymized_telemetry=False,
        chroma_api_impl="chromadb.api.rust.RustBindingsAPI",
    )


def _let_go(client: Any) -> None:
    client.close()
    # Chroma leaves its connections to a server open: its own, and those of a client within.
    for owner in (client, getattr(client, "_admin_client", None)):
        session = getattr(getattr(owner, "_server", None), "_session", None)
        if session is not None:
            session.close()


def _among(documents: Collection[str] | None) -> dict[str, object] | None:
    return None if documents is None else {"document": {"$in": sorted(documents)}}


@contextmanager
def _translated(where: str, remote: bool) -> Iterator[None]:
    """Chroma's errors as ours: at this one place."""
    try:
        yield
    except IndexProblem:
        raise
    except Exception as error:
        raise _ours(error, where, remote) from error
    except BaseException as error:
        # The Rust side panics on files that it cannot read.
        if type(error).__name__ != "PanicException":
            raise
        raise _ours(error, where, remote) from error


def _ours(error: BaseException, where: str, remote: bool) -> IndexProblem:
    if not remote:
        return unusable(Path(where), error)
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return IndexUnreachable(
        f"the Chroma server at {where} failed ({reason}): see that it runs, and try again"
    )
