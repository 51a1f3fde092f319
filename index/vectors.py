"""Passages as vectors in Chroma, embedded or on a server. The only file that imports chromadb.

Chroma holds what a search by meaning needs and no more: id, vector, version, and a digest of the
text that was embedded. Words, headings and sentences are with tantivy and the texts: kept here too,
they would cost as much time again as the vectors, since Chroma indexes every string it is given.
"""

import hashlib
import itertools
import math
import time
import warnings
import weakref
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
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
    from chromadb.api.client import Client
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
PAGE = 2000  # records read or written at once
SERVED = 300  # on a server: Chroma Cloud takes, and gives, no more
LONGEST = 128  # bytes of an id that Chroma Cloud takes
MANY = 10_000  # versions in one question: SQLite takes no more than 32,766
TIMEOUT, CONNECTING = 60.0, 10.0  # seconds for one attempt at a server
PATIENCE = (0.2, 0.4, 0.8, 1.6)  # seconds between the attempts at a server that does not answer
PATIENCE_WRITING = (*PATIENCE, 3.2, 6.4, 12.8)
ASKING, WRITING = 15.0, 120.0  # seconds for all attempts together

_openings = itertools.count()
_until: ContextVar[float] = ContextVar("until", default=math.inf)  # when the attempts end


class Vectors:
    """One collection. Vectors are of unit length; nearness is their cosine. Safe for many threads.

    A server that goes away is asked again for a while, longer where something is to be written.
    """

    def __init__(self, client: Any, collection: Any, place: Server | Path) -> None:
        self._client = client
        self._collection = collection
        self._place = place
        self._page = SERVED if isinstance(place, Server) else PAGE
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
            client = connect(server, create) if server else _embedded(folder)
            find = partial(_made if create else _found, client, name)
            try:
                collection = patiently(find, create) if server else find()
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
        return int(self._write(lambda: self._collection.count()))

    def add(
        self,
        ids: Sequence[str],
        versions: Sequence[str],
        digests: Sequence[str],
        vectors: NDArray[np.float32],
    ) -> None:
        """Writes records; vectors of shape (len(ids), dimension)."""
        most = min(self._page, self._write(lambda: int(self._client.get_max_batch_size())))
        for first in range(0, len(ids), most):
            part = slice(first, first + most)
            kept = [_kept(id) for id in ids[part]]
            rows = [
                more | {"version": version, "digest": digest}
                for (_, more), version, digest in zip(
                    kept, versions[part], digests[part], strict=True
                )
            ]
            short = [id for id, _ in kept]
            self._write(partial(self._collection.upsert, short, vectors[part], rows))

    def delete(self, document: str, version: str) -> None:
        """Deletes the records of that version of that document."""
        ids = [
            id
            for reply in self._pages(self._write, {"version": version})
            for id, whole in zip(reply["ids"], _ids(reply), strict=True)
            if place_of(whole)[0] == document
        ]
        for first in range(0, len(ids), self._page):
            self._write(partial(self._collection.delete, ids[first : first + self._page]))

    def query(
        self, vector: NDArray[np.float32], k: int, versions: Collection[str] | None = None
    ) -> list[tuple[str, float]]:
        """The ids of the `k` records nearest to `vector`, with their cosines, nearest first.

        A server gives 300 at most.
        """
        found: list[tuple[str, float]] = []
        for where in [None] if versions is None else _among(versions):
            reply = self._ask(
                partial(
                    self._collection.query,
                    query_embeddings=[vector],
                    n_results=min(k, self._page) if self._is_served else k,
                    where=where,
                    include=["metadatas", "distances"],
                )
            )
            ids = map(_whole, reply["ids"][0], reply["metadatas"][0])
            found += zip(ids, (1.0 - float(far) for far in reply["distances"][0]), strict=True)
        return sorted(found, key=lambda pair: -pair[1])[:k]

    def query_exactly(
        self, vector: NDArray[np.float32], k: int, versions: Collection[str]
    ) -> list[tuple[str, float]]:
        """As query, by comparing with every record of the versions: right for small filters."""
        found: list[tuple[str, float]] = []
        for where in _among(versions):
            for reply in self._pages(self._ask, where, vectors=True):
                cosines = np.asarray(reply["embeddings"], np.float32) @ vector
                found += zip(_ids(reply), map(float, cosines), strict=True)
        return sorted(found, key=lambda pair: -pair[1])[:k]

    def known(
        self, digests: Collection[str]
    ) -> tuple[dict[str, NDArray[np.float32]], set[tuple[str, str]]]:
        """The vectors of texts with these digests; the (id, digest) of the records with them."""
        vectors: dict[str, NDArray[np.float32]] = {}
        there: set[tuple[str, str]] = set()
        wanted = sorted(digests)
        for first in range(0, len(wanted), self._page):
            where = {"digest": {"$in": wanted[first : first + self._page]}}
            for reply in self._pages(self._write, where, vectors=True):
                for id, meta, vector in zip(
                    _ids(reply), reply["metadatas"], reply["embeddings"], strict=True
                ):
                    digest = str(meta["digest"])
                    vectors.setdefault(digest, np.asarray(vector, np.float32))
                    there.add((id, digest))
        return vectors, there

    def census(self) -> Counter[tuple[str, str]]:
        """How many records there are of each (document, version). Reads all of them."""
        found: Counter[tuple[str, str]] = Counter()
        for reply in self._pages(self._write):
            for id, meta in zip(_ids(reply), reply["metadatas"], strict=True):
                found[place_of(id)[0], str(meta["version"])] += 1
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

    def _pages(
        self,
        ask: Callable[[Callable[[], Any]], Any],
        where: Mapping[str, object] | None = None,
        vectors: bool = False,
    ) -> Iterator[Any]:
        """All records that there are, page by page, with their metadata."""
        include = ["metadatas", "embeddings"] if vectors else ["metadatas"]
        get = partial(self._collection.get, where=where, include=include)
        return pages(lambda **page: ask(partial(get, **page)), self._page)

    def _ask(self, call: Callable[[], T]) -> T:
        """What is asked while somebody waits for an answer."""
        return self._patiently(call, writing=False)

    def _write(self, call: Callable[[], T]) -> T:
        """What is asked while the index is written or checked."""
        return self._patiently(call, writing=True)

    def _patiently(self, call: Callable[[], T], writing: bool) -> T:
        with self._told():
            return patiently(call, writing) if self._is_served else call()

    @property
    def _is_served(self) -> bool:
        return isinstance(self._place, Server)

    def _told(self) -> Any:
        return translated(self._place)


def patiently(call: Callable[[], T], writing: bool = False) -> T:
    """The call, made again after each pause while the server does not answer or is too busy.

    Everything that is asked of Chroma here may be asked twice. No attempt goes on for longer than
    all of them may.
    """
    pauses = PATIENCE_WRITING if writing else PATIENCE
    until = time.monotonic() + (WRITING if writing else ASKING)
    before = _until.set(until)
    try:
        for pause in pauses:
            try:
                return call()
            except (httpx.TransportError, RateLimitError, InternalError):
                if time.monotonic() + pause >= until:
                    raise
            except Exception as error:
                # What a proxy before the server says is raised as a bare Exception.
                if type(error) is not Exception or time.monotonic() + pause >= until:
                    raise
            time.sleep(pause)
        return call()
    finally:
        _until.reset(before)


def pages(get: Callable[..., Any], most: int) -> Iterator[Any]:
    """The replies to `get` with a limit and an offset, until one is empty.

    A short one is not the last: a server may give fewer than it was asked for.
    """
    offset = 0
    while (reply := get(limit=most, offset=offset)) and reply["ids"]:
        yield reply
        offset += len(reply["ids"])


class _Client(Client):  # type: ignore[misc]  # Chroma's types are not followed
    """Chroma's, which would ask without a time limit, and hide what failed, when it is made."""

    def get_user_identity(self) -> Any:
        """The first that is asked of the server."""
        self._server._session.event_hooks = {"request": [_limited]}
        return self._server.get_user_identity()

    def _validate_tenant_database(self, tenant: str, database: str) -> None:
        self._admin_client.get_tenant(name=tenant)
        self._admin_client.get_database(name=database, tenant=tenant)


def _limited(request: httpx.Request) -> None:
    """Has an attempt end when all of them are to."""
    left = max(0.1, min(TIMEOUT, _until.get() - time.monotonic()))
    request.extensions["timeout"] = httpx.Timeout(left, connect=min(CONNECTING, left)).as_dict()


def connect(server: Server, writing: bool = False) -> Any:
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
    settings.chroma_api_impl = "chromadb.api.fastapi.FastAPI"
    settings.chroma_server_host = parts.hostname
    settings.chroma_server_http_port = parts.port or (443 if secure else 8000)
    settings.chroma_server_ssl_enabled = secure
    settings.chroma_server_headers = headers if server.token else None
    tenant, database = server.tenant or DEFAULT_TENANT, server.database or DEFAULT_DATABASE
    return patiently(lambda: _Client(tenant, database, settings), writing)


def drop(server: Server, names: Sequence[str]) -> None:
    """Deletes those of these collections of the server that are there."""
    with translated(server):
        client = connect(server, writing=True)
        try:
            for name in names:
                with suppress(NotFoundError):
                    patiently(partial(client.delete_collection, name), writing=True)
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


def _found(client: Any, name: str) -> Any:
    return client.get_collection(name, embedding_function=None)


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


def _among(versions: Collection[str]) -> Iterator[dict[str, object]]:
    """Filters that let through these versions; parts alike, as the graph finds little in a few."""
    found = sorted(versions)
    parts = math.ceil(len(found) / MANY)
    for part in range(parts):
        yield {"version": {"$in": found[part::parts]}}


def _kept(id: str) -> tuple[str, dict[str, str]]:
    """The id under which a record is kept; where it is another, what makes it whole again."""
    if len(id.encode("utf-8", "surrogatepass")) <= LONGEST:
        return id, {}
    document, _ = place_of(id)
    digest = hashlib.sha256(document.encode("utf-8", "surrogatepass")).hexdigest()
    return id.removesuffix(document) + digest, {"document": document}


def _whole(id: str, metadata: Mapping[str, object]) -> str:
    """The id of the passage whose record is kept under `id`."""
    if "document" not in metadata:
        return id
    return id.removesuffix(place_of(id)[0]) + str(metadata["document"])


def _ids(reply: Any) -> list[str]:
    """The passages whose records are in the reply."""
    return list(map(_whole, reply["ids"], reply["metadatas"]))


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
