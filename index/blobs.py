"""Named bytes on a Chroma server, in a collection of their own."""

import base64
import hashlib
import itertools
import weakref
import zlib
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from index.server import Server
from index.vectors import (
    PAGE,
    PATIENCE,
    PATIENCE_WRITING,
    NotFoundError,
    connect,
    let_go,
    patiently,
    translated,
)

PIECE = 4000  # characters: Chroma Cloud takes 4,096 bytes in one value
ROWS = 500  # pieces in one request


class Blobs:
    """Bytes by name; compressed, in pieces, each a record. Written in any order, read whole.

    Raises IndexUnreachable when the server does not answer.
    """

    def __init__(self, client: Any, name: str, server: Server) -> None:
        self._client = client
        self._name = name
        self._server = server
        self._collection: Any = None
        self._close = weakref.finalize(self, let_go, client)

    @classmethod
    def open(cls, server: Server, name: str) -> "Blobs":
        """The collection `name` of the server; made when something is put."""
        with translated(server):
            return cls(connect(server), name, server)

    def close(self) -> None:
        """Lets go of the connection; also done when nothing refers to this."""
        self._close()

    def put(self, blobs: Mapping[str, bytes]) -> None:
        """Writes them, in the place of what has their names."""
        rows: list[tuple[str, dict[str, str | int]]] = []
        for name, data in blobs.items():
            text = base64.b64encode(zlib.compress(data)).decode("ascii")
            pieces = [text[at : at + PIECE] for at in range(0, len(text), PIECE)]
            for number, piece in enumerate(pieces):
                rows.append((_id(name, number), {"data": piece, "pieces": len(pieces)}))
        for first in range(0, len(rows), ROWS):
            part = rows[first : first + ROWS]
            ids = [id for id, _ in part]
            places = [_somewhere(id) for id in ids]
            self._ask("upsert", ids, places, [row for _, row in part])

    def get(self, names: Collection[str]) -> dict[str, bytes]:
        """Those of them that are there, whole."""
        pieces = self._rows([_id(name, 0) for name in names])
        more = [
            _id(name, number)
            for name in names
            if _id(name, 0) in pieces
            for number in range(1, int(pieces[_id(name, 0)]["pieces"]))
        ]
        pieces |= self._rows(more)
        found = {}
        for name in names:
            if _id(name, 0) not in pieces:
                continue
            ids = [_id(name, n) for n in range(int(pieces[_id(name, 0)]["pieces"]))]
            if all(id in pieces for id in ids):
                text = "".join(str(pieces[id]["data"]) for id in ids)
                found[name] = zlib.decompress(base64.b64decode(text))
        return found

    def others(self, names: Collection[str]) -> list[str]:
        """The records of all others, for `delete`."""
        kept, found = set(names), []
        for first in itertools.count(0, PAGE):
            reply = self._ask("get", limit=PAGE, offset=first, include=[])
            ids = reply["ids"] if reply else []
            found += [id for id in ids if id.rpartition("#")[0] not in kept]
            if len(ids) < PAGE:
                break
        return found

    def delete(self, records: Sequence[str]) -> None:
        """Deletes these records."""
        for first in range(0, len(records), ROWS):
            self._ask("delete", records[first : first + ROWS])

    def _rows(self, ids: list[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for first in range(0, len(ids), ROWS):
            reply = self._ask("get", ids=ids[first : first + ROWS], include=["metadatas"])
            if reply:
                found |= zip(reply["ids"], reply["metadatas"], strict=True)
        return found

    def _ask(self, what: str, *values: Any, **named: Any) -> Any:
        """What the collection replies; None where there is none. An upsert makes it.

        One that was lost and made again is another one under the same name.
        """
        client, collection = self._client, self._collection
        find = client.get_or_create_collection if what == "upsert" else client.get_collection
        pauses = PATIENCE if what == "get" else PATIENCE_WRITING
        with translated(self._server):
            try:
                if collection is None:
                    named_so = partial(find, self._name, embedding_function=None)
                    self._collection = collection = patiently(named_so, pauses)
                return patiently(partial(getattr(collection, what), *values, **named), pauses)
            except NotFoundError:
                self._collection = None
                if collection is None:
                    return None
        return self._ask(what, *values, **named)


def names(server: Server, ending: str) -> list[str]:
    """The names, without the ending, of the server's collections that end so."""
    with translated(server):
        client = connect(server)
        try:
            found = [collection.name for collection in client.list_collections()]
        finally:
            let_go(client)
    return sorted(name.removesuffix(ending) for name in found if name.endswith(ending))


def _id(name: str, number: int) -> str:
    return f"{name}#{number}"


def _somewhere(id: str) -> list[float]:
    """Chroma wants a vector of every record; nobody searches these."""
    return [byte / 256 for byte in hashlib.sha256(id.encode("utf-8", "replace")).digest()[:2]]
