"""Keeps an app's folder at the newest state of a Chroma server, beside the questions."""

import time
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread

from index.errors import IndexBusy, IndexUnreachable
from index.folder import writing
from index.manifest import NAME
from index.server import Server
from index.shared import Shared, adopt

POLL = 2.0  # seconds after which the server is asked for a newer state again
PATIENCE = 1.0  # seconds that a question waits for it; later ones are answered from the old state


class Follower:
    """Takes the server's newest state into the folder, again and again."""

    def __init__(self, folder: Path, server: Server) -> None:
        """Takes the newest state. Raises IndexMissing, IndexMismatch, IndexProblem."""
        self._folder, self._server = folder, server
        self._shared = _followed(folder, server)
        self._lock = Lock()
        self._looked_at = time.monotonic()
        self._taken: Future[None] | None = None

    def look(self) -> None:
        """Takes a newer state where there is one; what takes long goes on in the background.

        A server that is away changes nothing. Raises IndexProblem where its state is damaged.
        """
        with self._lock:
            at_work = self._taken is not None and not self._taken.done()
            if at_work or time.monotonic() < self._looked_at + POLL:
                return
            self._looked_at = time.monotonic()
            taken: Future[None] = Future()
            self._taken = taken
            Thread(target=self._take, args=(taken,), name="follower", daemon=True).start()
        with suppress(TimeoutError, IndexUnreachable):
            taken.result(PATIENCE)

    def _take(self, taken: Future[None]) -> None:
        try:
            if self._shared.is_newer():
                newest = _followed(self._folder, self._server)
                self._shared.close()
                self._shared = newest
        except Exception as error:  # for the question that waits
            taken.set_exception(error)
        else:
            taken.set_result(None)


def _followed(folder: Path, server: Server) -> Shared:
    """The server's index, with the folder at its newest state.

    While somebody else writes the folder it stays at the state that it has.
    """
    adopt(folder, server)
    shared = Shared(folder, server)
    try:
        if shared.is_lost() and (folder / NAME).exists():
            raise shared.lost("the texts of the documents")
        if shared.is_newer():
            with writing(folder):
                shared.close()
                shared = Shared(folder, server)  # another process may have followed meanwhile
                shared.pull()
    except IndexBusy:
        if not (folder / NAME).exists():
            shared.close()
            raise
    except BaseException:
        shared.close()
        raise
    return shared
