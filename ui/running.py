"""An answer on its way: its pieces as they arrive, and the switch that stops it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from rag.types import Delta

EVERY = 0.05  # seconds between two looks at a stream: what arrives in between is shown together


class Run:
    """One question being answered in a thread of a pool. `stop` may be called from anywhere."""

    def __init__(self, begin: Callable[[], Iterator[Delta]], pool: ThreadPoolExecutor) -> None:
        """`begin` gives the stream; it is called in the pool."""
        self.stopped = False
        self._begin = begin
        self._pool = pool
        self._stream: Iterator[Delta] | None = None
        self._over = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._arrived: asyncio.Queue[Delta | Exception | None] = asyncio.Queue()

    def stop(self) -> None:
        """Ends the pieces at once, and the request behind them as soon as it can be ended."""
        self.stopped = True
        self._end()

    async def pieces(self) -> AsyncIterator[Delta]:
        """What has arrived, at most every `EVERY` seconds. Raises what the stream raises."""
        self._pool.submit(self._pump)
        try:
            while True:
                piece = await self._arrived.get()
                text = ""
                while isinstance(piece, Delta) and piece.answer is None:
                    text += piece.text
                    if self._arrived.empty():
                        break
                    piece = self._arrived.get_nowait()
                if piece is None or isinstance(piece, Exception):
                    if text:
                        yield Delta(text)
                    if piece is not None:
                        raise piece
                    return
                if piece.answer is not None:
                    yield Delta(text + piece.text, piece.answer)
                    return
                yield Delta(text)
                if text:
                    await asyncio.sleep(EVERY)
        finally:
            self._end()

    def _end(self) -> None:
        self._over.set()
        self._put(None)
        self._close()

    def _pump(self) -> None:
        try:
            if not self._over.is_set():
                self._stream = self._begin()
                for piece in self._stream:
                    self._put(piece)
                    if self._over.is_set():
                        break
        except Exception as error:  # it is raised again where the pieces are read
            self._put(error)
        finally:
            self._close()
            self._put(None)

    def _close(self) -> None:
        close = getattr(self._stream, "close", None)
        if close is not None:
            with suppress(ValueError):  # it is at work: the pump closes it after this piece
                close()

    def _put(self, piece: Delta | Exception | None) -> None:
        with suppress(RuntimeError):  # the app is being closed
            self._loop.call_soon_threadsafe(self._arrived.put_nowait, piece)


class Running:
    """The one run that a person's window has at a time."""

    def __init__(self) -> None:
        self._run: Run | None = None
        self._unwanted = ""  # a run that was stopped before it began

    def __deepcopy__(self, memo: dict[int, Any]) -> "Running":
        return Running()  # every window gets its own

    def begin(self, name: str, run: Run) -> bool:
        """Whether the run may go on: not where it was stopped already. It takes another's place."""
        self.leave()
        if name and name == self._unwanted:
            return False
        self._run = run
        return True

    def end(self, run: Run) -> bool:
        """Whether the run was still the one that the window waited for."""
        if self._run is not run:
            return False
        self._run = None
        return True

    def stop(self, name: str = "") -> None:
        """Stops what is on its way; what it has so far stays."""
        self._unwanted = name
        if self._run is not None:
            self._run.stop()

    def leave(self) -> None:
        """Stops what is on its way, and forgets it."""
        if self._run is not None:
            self._run.stop()
            self._run = None
