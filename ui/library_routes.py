"""What the page asks of the library: its state, and changes. Everything is JSON but a file sent."""

import asyncio
import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import PurePosixPath
from threading import Lock
from typing import Annotated

from fastapi import APIRouter, Body, Request
from fastapi.responses import JSONResponse, Response
from starlette.requests import ClientDisconnect

from corpus.errors import FootnoteError
from corpus.read import LARGEST, SUFFIXES
from ui.door import USER
from ui.librarian import Entry, Librarian

UPLOADS = "/library/add"
AT_ONCE = 2  # files held in memory while they arrive
SILENCE = 30.0  # seconds without a byte after which a file is given up

_Id = Annotated[str, Body(embed=True, max_length=4_000)]


class _Told:
    """The entries as JSON, made once for everybody; the tag changes when they do."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: tuple[Entry, ...] | None = None
        self._start = secrets.token_hex(4)
        self._number = 0
        self._text = ""

    def tell(self, entries: tuple[Entry, ...]) -> tuple[str, str]:
        with self._lock:
            if entries is not self._entries:
                self._entries, self._number = entries, self._number + 1
                self._text = json.dumps([_plain(entry) for entry in entries], ensure_ascii=False)
            return f"{self._start}-{self._number}", self._text


def routes(librarian: Librarian) -> APIRouter:
    """`/library/…`: state, add, remove, restore, index."""
    router = APIRouter(prefix="/library")
    told = _Told()
    places = asyncio.Semaphore(AT_ONCE)

    @router.get("/state")
    def state(request: Request, since: str = "") -> Response:
        """How far the writer is, who asks, and the entries where they are others than at `since`.

        Where the index cannot be read, `work` says why and the entries stay as they were.
        """
        work, more = librarian.work, ""
        try:
            tag, entries = told.tell(librarian.entries())
            more = "" if tag == since else f', "entries": {entries}'
        except FootnoteError as error:
            tag, work = since, replace(work, problem=str(error))
        said = {"tag": tag, "work": asdict(work), "person": request.scope.get(USER)}
        text = f"{json.dumps(said)[:-1]}{more}}}"
        return Response(text, media_type="application/json")

    @router.post("/add")
    async def add(request: Request, name: str) -> JSONResponse:
        """Keeps the file that the body is."""
        if librarian.read_only:
            return _problem("the documents can be read here, and neither added nor removed", 403)
        if PurePosixPath(name).suffix.lower() not in SUFFIXES:
            return _problem(f"not a kind of file that is read: {', '.join(sorted(SUFFIXES))}", 415)
        async with places:
            try:
                data = await _received(request)
            except (ClientDisconnect, TimeoutError):
                return _problem("it did not arrive whole: send it again", 408)
            if data is None:
                return _problem(f"larger than {LARGEST // 1_000_000} MB: split it", 413)
            return await asyncio.to_thread(_done, lambda: {"id": librarian.add(name, data)})

    @router.post("/remove")
    def remove(id: _Id) -> JSONResponse:
        return _done(lambda: librarian.remove(id))

    @router.post("/restore")
    def restore(id: _Id) -> JSONResponse:
        return _done(lambda: librarian.restore(id))

    @router.post("/index")
    def index() -> JSONResponse:
        return _done(librarian.index)

    return router


async def _received(request: Request) -> bytes | None:
    """The body; None where it is larger than a document may be."""
    data = bytearray()
    chunks = aiter(request.stream())
    while True:
        chunk = await asyncio.wait_for(anext(chunks, None), SILENCE)
        if chunk is None:
            return bytes(data)
        data += chunk
        if len(data) > LARGEST:
            return None


def _done(change: Callable[[], object]) -> JSONResponse:
    try:
        return JSONResponse(change() or {})
    except FootnoteError as error:
        return _problem(str(error), 403 if "neither added" in str(error) else 422)


def _problem(reason: str, status: int) -> JSONResponse:
    return JSONResponse({"problem": reason}, status)


def _plain(entry: Entry) -> dict[str, object]:
    """The entry without what it does not have."""
    return {name: value for name, value in asdict(entry).items() if value}
