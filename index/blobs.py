"""Named bytes on a Chroma server, in a collection of their own."""

import base64
import hashlib
import weakref
import zlib
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from index.server import Server
from index.vectors import PAGE, PATIENCE, PATIENCE_WRITING, connect, let_go, patiently, translated

PIECE = 4000  # characters: Chroma Cloud takes 4,096 bytes in one value
ROWS = 500  # pieces in one request


class Blobs:
    """Bytes by name; compressed, in pieces, each a record. Written in any order, read whole.

    Raises IndexUnreachable when the server does not answer.
    """

    def __init__(self, client: Any, collection: Any, server: Server) -> None:
        self._collection = collection
        self._server = server
        self._close = weakref.finalize(self, let_go, client)

    @classmethod
    def open(cls, server: Server, name: str) -> "Blobs":
        """The collection `name` of the server; made when it is not there."""
        with translated(server):
            client = connect(server)
            try:
                collection = client.get_or_create_collection(name, embedding_function=None)
            except BaseException:
                let_go(client)
                raise
        return cls(client, collection, server)

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
            upsert = partial(
                self._collection.upsert,
                [id for id, _ in part],
                [_somewhere(id) for id, _ in part],
                [row for _, row in part],
            )
            with translated(self._server):
                patiently(upsert, PATIENCE_WRITING)

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

    def keep(self, names: Collection[str]) -> None:
        """Deletes all others."""
        kept = set(names)
        with translated(self._server):
            gone: list[str] = []
            first = 0
            while True:
                page = partial(self._collection.get, limit=PAGE, offset=first, include=[])
                ids = patiently(page, PATIENCE)["ids"]
                gone += [id for id in ids if id.rpartition("#")[0] not in kept]
                first += PAGE
                if len(ids) < PAGE:
                    break
            for at in range(0, len(gone), ROWS):
                patiently(partial(self._collection.delete, gone[at : at + ROWS]), PATIENCE_WRITING)

    def _rows(self, ids: list[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        with translated(self._server):
            for first in range(0, len(ids), ROWS):
                part = ids[first : first + ROWS]
                reply = patiently(
                    partial(self._collection.get, ids=part, include=["metadatas"]), PATIENCE
                )
                found |= zip(reply["ids"], reply["metadatas"], strict=True)
        return found


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
