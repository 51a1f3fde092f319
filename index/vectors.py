"""Passages as vectors in Chroma, embedded or on a server. The only file that imports chromadb.

Chroma holds what a search by meaning needs and no more: id, vector, version, and a digest of the
text that was embedded. Words, headings and sentences are with tantivy and the texts: kept here too,
they would cost as much time again as the vectors, since Chroma indexes every string it is given.
"""

import itertools
import time
import warnings
import weakref
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import numpy as np
from numpy.typing import NDArray

from index.errors import IndexMissing, IndexProblem, IndexUnreachable, unusable
from index.records import place_of
from index.server import CLOUD, Server

try:
    import chromadb
    from chromadb.config import DEFAULT_DATABASE, DEFAULT_TENANT, Settings
    from chromadb.errors import InternalError, RateLimitError
    from chromadb.errors import NotFoundError as NotFoundError
except ValueError as error:
    # It reads .env in the current folder, whatever that was written for.
    raise IndexProblem(
        f"the file {Path('.env').absolute()} keeps Chroma from starting"
        f" ({str(error).splitlines()[0]}): correct it, or run from another folder"
    ) from error

T = TypeVar("T")

# Recall of the first 30 is above .999 at 20,000 passages; a graph built with 100 takes a fifth
# longer and finds no more, Chroma's own search width of 100 finds less.
HNSW = {"space": "cosine", "max_neighbors": 16, "ef_construction": 64, "ef_search": 200}
FLUSHED_AFTER = 1000  # records that Chroma writes to its log before it writes the graph
EXACT = 1000  # a filter that leaves fewer passages than this is searched without the graph
PAGE = 2000  # records read at once when all of them are
TIMEOUT = httpx.Timeout(60.0, connect=10.0)
PATIENCE = (0.2, 0.4, 0.8, 1.6)  # seconds between the attempts at a server that does not answer
PATIENCE_WRITING = (*PATIENCE, 3.2, 6.4, 12.8)

_openings = itertools.count()


class Vectors:
    """One collection. Vectors are of unit length; nearness is their cosine. Safe for many threads.

    A server that goes away is asked again for a while, longer where something is to be written.
    """

    def __init__(self, client: Any, collection: Any, place: Server | Path) -> None:
        self._client = client
        self._collection = collection
        self._place = place
        self._close = weakref.finalize(self, let_go, client)

    @classmethod
    def open(
        cls, folder: Path, server: Server | str | None, name: str, create: bool = False
    ) -> "Vectors":
        """The collection `name` in `folder`, or on the server.

        Raises IndexMissing when it is not there and `create` is not set, IndexDamaged,
        IndexUnreachable.
        """
        server = Server.at(server)
        where = server.url if server else folder
        with translated(server or folder):
            client = connect(server) if server else _embedded(folder)
            try:
                if create:
                    collection = _made(client, name)
                else:
                    collection = client.get_collection(name, embedding_function=None)
            except NotFoundError as error:
                let_go(client)
                raise IndexMissing(
                    f"{where} does not hold this index's vectors: run `footnote index` again"
                ) from error
            except BaseException:
                let_go(client)
                raise
        return cls(client, collection, server or folder)

    def close(self) -> None:
        """Lets go of the files or the connection; also done when nothing refers to this."""
        self._close()

    def count(self) -> int:
        """How many records there are, current or not."""
        return int(self._ask(lambda: self._collection.count()))

    def add(
        self,
        ids: Sequence[str],
        versions: Sequence[str],
        digests: Sequence[str],
        vectors: NDArray[np.float32],
    ) -> None:
        """Writes records; vectors of shape (len(ids), dimension)."""
        most = self._ask(lambda: int(self._client.get_max_batch_size()))
        for first in range(0, len(ids), most):
            part = slice(first, first + most)
            rows = [
                {"version": version, "digest": digest}
                for version, digest in zip(versions[part], digests[part], strict=True)
            ]
            upsert = partial(self._collection.upsert, list(ids[part]), vectors[part], rows)
            self._write(upsert)

    def delete(self, document: str, version: str) -> None:
        """Deletes the records of that version of that document."""
        same = self._ask(lambda: self._collection.get(where={"version": version}, include=[]))
        ids = [id for id in same["ids"] if place_of(id)[0] == document]
        for first in range(0, len(ids), PAGE):
            self._write(partial(self._collection.delete, ids[first : first + PAGE]))

    def query(
        self, vector: NDArray[np.float32], k: int, versions: Collection[str] | None = None
    ) -> list[tuple[str, float]]:
        """The ids of the `k` records nearest to `vector`, with their cosines, nearest first."""
        reply = self._ask(
            lambda: self._collection.query(
                query_embeddings=[vector],
                n_results=k,
                where=_among(versions),
                include=["distances"],
            )
        )
        pairs = zip(reply["ids"][0], reply["distances"][0], strict=True)
        return [(id, 1.0 - float(far)) for id, far in pairs]

    def query_exactly(
        self, vector: NDArray[np.float32], k: int, versions: Collection[str]
    ) -> list[tuple[str, float]]:
        """As query, by comparing with every record of the versions: right for small filters."""
        reply = self._ask(
            lambda: self._collection.get(where=_among(versions), include=["embeddings"])
        )
        if not reply["ids"]:
            return []
        cosines = np.asarray(reply["embeddings"], np.float32) @ vector
        best = np.argsort(-cosines, kind="stable")[:k]
        return [(reply["ids"][i], float(cosines[i])) for i in best]

    def known(
        self, digests: Collection[str]
    ) -> tuple[dict[str, NDArray[np.float32]], set[tuple[str, str]]]:
        """The vectors of texts with these digests; the (id, digest) of the records with them."""
        vectors: dict[str, NDArray[np.float32]] = {}
        there: set[tuple[str, str]] = set()
        if digests:
            where = {"digest": {"$in": sorted(digests)}}
            include = ["metadatas", "embeddings"]
            reply = self._ask(lambda: self._collection.get(where=where, include=include))
            for id, meta, vector in zip(
                reply["ids"], reply["metadatas"], reply["embeddings"], strict=True
            ):
                digest = str(meta["digest"])
                vectors.setdefault(digest, np.asarray(vector, np.float32))
                there.add((id, digest))
        return vectors, there

    def census(self) -> Counter[tuple[str, str]]:
        """How many records there are of each (document, version). Reads all of them."""
        found: Counter[tuple[str, str]] = Counter()
        for first in itertools.count(0, PAGE):
            page = partial(self._collection.get, limit=PAGE, offset=first, include=["metadatas"])
            reply = self._ask(page)
            for id, meta in zip(reply["ids"], reply["metadatas"], strict=True):
                found[place_of(id)[0], str(meta["version"])] += 1
            if len(reply["ids"]) < PAGE:
                break
        return found

    def settle(self) -> None:
        """Closes; an embedded Chroma, which nobody else has open, then writes its graph.

        Else whoever opens it next waits until the last records of its log are in the graph. The
        threshold holds from the next opening on; then any change will do to reach it.
        """
        if isinstance(self._place, Server):
            return self.close()
        with self._told(), warnings.catch_warnings():
            # It warns of what it wrote itself, that there is no embedding function of Chroma's.
            warnings.simplefilter("ignore", DeprecationWarning)
            name = self._collection.name
            self._collection.modify(configuration={"hnsw": {"sync_threshold": 2}})
            self.close()
            client = _embedded(self._place)
            try:
                collection = client.get_collection(name, embedding_function=None)
                one = collection.get(limit=1, include=["metadatas"])
                if one["ids"]:
                    collection.update(ids=one["ids"], metadatas=one["metadatas"])
                collection.modify(configuration={"hnsw": {"sync_threshold": FLUSHED_AFTER}})
            finally:
                let_go(client)

    def _ask(self, call: Callable[[], T]) -> T:
        return self._patiently(call, PATIENCE)

    def _write(self, call: Callable[[], T]) -> T:
        return self._patiently(call, PATIENCE_WRITING)

    def _patiently(self, call: Callable[[], T], pauses: Sequence[float]) -> T:
        with self._told():
            return patiently(call, pauses if isinstance(self._place, Server) else ())

    def _told(self) -> Any:
        return translated(self._place)


def patiently(call: Callable[[], T], pauses: Sequence[float]) -> T:
    """The call, made again after each pause while the server does not answer or is too busy.

    Everything that is asked of Chroma here may be asked twice.
    """
    for pause in pauses:
        try:
            return call()
        except (httpx.TransportError, RateLimitError, InternalError):
            time.sleep(pause)
        except Exception as error:
            # What a proxy before the server says is raised as a bare Exception.
            if type(error) is not Exception:
                raise
            time.sleep(pause)
    return call()


def connect(server: Server) -> Any:
    """A client of the server. Raises IndexUnreachable for what is not a URL, or Chroma's errors."""
    parts = urlsplit(server.url if "//" in server.url else f"http://{server.url}")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise IndexUnreachable(
            f"“{server.url}” is not the address of a Chroma server: http://HOST:PORT"
        )
    secure, cloud = parts.scheme == "https", parts.hostname == CLOUD
    settings = _settings()
    settings.chroma_overwrite_singleton_tenant_database_access_from_auth = cloud
    # Servers of one's own read the one header or the other, Chroma Cloud the second.
    headers = {"Authorization": f"Bearer {server.token}", "X-Chroma-Token": server.token}
    client = chromadb.HttpClient(
        host=parts.hostname,
        port=parts.port or (443 if secure else 8000),
        ssl=secure,
        headers=headers if server.token else None,
        settings=settings,
        tenant=server.tenant or DEFAULT_TENANT,
        database=server.database or DEFAULT_DATABASE,
    )
    client._server._session.timeout = TIMEOUT
    return client


def drop(server: Server, names: Sequence[str]) -> None:
    """Deletes those of these collections of the server that are there."""
    with translated(server):
        client = connect(server)
        try:
            for name in names:
                with suppress(NotFoundError):
                    patiently(partial(client.delete_collection, name), PATIENCE_WRITING)
        finally:
            let_go(client)


def let_go(client: Any) -> None:
    """Closes the client, and the connections that Chroma leaves open."""
    client.close()
    for owner in (client, getattr(client, "_admin_client", None)):
        session = getattr(getattr(owner, "_server", None), "_session", None)
        if session is not None:
            session.close()


def _made(client: Any, name: str) -> Any:
    return client.get_or_create_collection(
        name, embedding_function=None, configuration={"hnsw": HNSW}
    )


def _embedded(folder: Path) -> Any:
    folder.mkdir(parents=True, exist_ok=True)
    # Chroma shares one set of open files between clients of one path, and what another process
    # wrote is not seen through it. A path spelled anew gets files opened anew.
    path = f"{folder}{'/.' * (next(_openings) % 256)}"
    return chromadb.PersistentClient(path, settings=_settings())


def _settings() -> Any:
    """Chroma's own, with nothing taken from a .env file, and no telemetry."""
    return Settings(
        _env_file=None,
        anonymized_telemetry=False,
        chroma_api_impl="chromadb.api.rust.RustBindingsAPI",
    )


def _among(versions: Collection[str] | None) -> dict[str, object] | None:
    return None if versions is None else {"version": {"$in": sorted(versions)}}


@contextmanager
def translated(place: Server | Path) -> Iterator[None]:
    """Chroma's errors as ours: at this one place."""
    try:
        yield
    except IndexProblem:
        raise
    except Exception as error:
        raise _ours(error, place) from error
    except BaseException as error:
        # The Rust side panics on files that it cannot read.
        if type(error).__name__ != "PanicException":
            raise
        raise _ours(error, place) from error


def _ours(error: BaseException, place: Server | Path) -> IndexProblem:
    if isinstance(place, Path):
        return unusable(place, error)
    reason = " ".join(str(error).split()) or type(error).__name__
    if place.token:
        reason = reason.replace(place.token, "***")  # a server may repeat what it refuses
    return IndexUnreachable(
        f"the Chroma server at {place.url} failed ({reason[:200]}): see that it runs, and try again"
    )
