"""Named bytes on a Chroma server, in a collection of their own."""

import base64
import hashlib
import weakref
import zlib
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from index.errors import IndexDamaged
from index.server import Server
from index.vectors import SERVED, NotFoundError, connect, let_go, pages, patiently, translated

PIECE = 4000  # characters: Chroma Cloud takes 4,096 bytes in one value


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
        for first in range(0, len(rows), SERVED):
            part = rows[first : first + SERVED]
            ids = [id for id, _ in part]
            places = [_somewhere(id) for id in ids]
            self._ask("upsert", ids, places, [row for _, row in part])

    def get(self, names: Collection[str]) -> dict[str, bytes]:
        """Those of them that are there, whole. Raises IndexDamaged for what was changed."""
        try:
            pieces = self._rows([_id(name, 0) for name in names])
            of = {
                name: [_id(name, n) for n in range(int(pieces[_id(name, 0)]["pieces"]))]
                for name in names
                if _id(name, 0) in pieces
            }
            pieces |= self._rows([id for ids in of.values() for id in ids[1:]])
            return {
                name: zlib.decompress(
                    base64.b64decode("".join(str(pieces[id]["data"]) for id in ids))
                )
                for name, ids in of.items()
                if all(id in pieces for id in ids)
            }
        except (zlib.error, ValueError, KeyError, TypeError) as error:
            raise IndexDamaged(
                f"the texts on the Chroma server at {self._server.url} are damaged: run `footnote"
                " index --rebuild` where the index is made"
            ) from error

    def others(self, names: Collection[str]) -> list[str]:
        """The records of all others, for `delete`."""
        kept = set(names)
        return [
            id
            for reply in pages(partial(self._ask, "get", include=[]), SERVED)
            for id in reply["ids"]
            if id.rpartition("#")[0] not in kept
        ]

    def delete(self, records: Sequence[str]) -> None:
        """Deletes these records."""
        for first in range(0, len(records), SERVED):
            self._ask("delete", records[first : first + SERVED])

    def _rows(self, ids: list[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for first in range(0, len(ids), SERVED):
            reply = self._ask("get", ids=ids[first : first + SERVED], include=["metadatas"])
            if reply:
                found |= zip(reply["ids"], reply["metadatas"], strict=True)
        return found

    def _ask(self, what: str, *values: Any, **named: Any) -> Any:
        """What the collection replies; None where there is none. An upsert makes it.

        One that was lost and made again is another one under the same name.
        """
        client, collection = self._client, self._collection
        find = client.get_or_create_collection if what == "upsert" else client.get_collection
        writing = what != "get"
        with translated(self._server):
            try:
                if collection is None:
                    named_so = partial(find, self._name, embedding_function=None)
                    self._collection = collection = patiently(named_so, writing)
                return patiently(partial(getattr(collection, what), *values, **named), writing)
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
            found = [collection.name for collection in patiently(client.list_collections)]
        finally:
            let_go(client)
    return sorted(name.removesuffix(ending) for name in found if name.endswith(ending))


def _id(name: str, number: int) -> str:
    return f"{name}#{number}"


def _somewhere(id: str) -> list[float]:
    """Chroma wants a vector of every record; nobody searches these."""
    return [byte / 256 for byte in hashlib.sha256(id.encode("utf-8", "replace")).digest()[:2]]
