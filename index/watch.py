"""Files that change → the index follows: waits until it is quiet, then updates once."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event

from corpus.errors import FootnoteError
from corpus.find import IGNORE_FILES
from index.plan import SourceGone

QUIET = 300  # milliseconds without a change before an update
LONGEST = 2000  # milliseconds of changes after which it is updated anyway
LOOK = 500  # milliseconds after which the folders themselves are looked at
RETRY = 5.0  # seconds until an update that failed is tried again


def follow(
    paths: Sequence[Path],
    folder: Path,
    update: Callable[[], None],
    say: Callable[[str], None],
    stop: Event | None = None,
) -> None:
    """Calls `update` after every change at the paths, and once at the start, until `stop` is set.

    An update that fails is said once, and tried again: at the next change, when a folder is back,
    or after a while. `folder` is the index's own: what changes there is nothing. Raises
    KeyboardInterrupt on Ctrl-C.
    """
    failed, said = 0.0, ""
    for changed in _changes(paths, folder, stop or Event()):
        if not changed and not (failed and time.monotonic() - failed >= RETRY):
            continue
        try:
            update()
            failed, said = 0.0, ""
        except FootnoteError as error:
            failed = time.monotonic()
            line = str(error)
            if isinstance(error, SourceGone):
                line = f"{error.places}: the index stays as it is until that is back"
            if line != said:
                say(line)
            said = line


def _changes(paths: Sequence[Path], folder: Path, stop: Event) -> Iterator[bool]:
    """Whether something has changed: at each change, and every half second."""
    from watchfiles import watch

    seen: tuple[object, ...] = ()
    while not stop.is_set():
        seen = tuple(map(_identity, paths))
        there = [path for path, identity in zip(paths, seen, strict=True) if identity]
        caught_up = False  # with what changed before the watching began
        if not there:
            yield True
            while not stop.wait(LOOK / 1000) and tuple(map(_identity, paths)) == seen:
                yield False
            continue
        for changes in watch(
            *there,
            watch_filter=_Telling(paths, folder),
            debounce=LONGEST,
            step=QUIET,
            rust_timeout=LOOK,
            yield_on_timeout=True,
            stop_event=stop,
            ignore_permission_denied=True,
        ):
            yield bool(changes) or not caught_up
            caught_up = True
            if tuple(map(_identity, paths)) != seen:
                break  # a folder went, or is another one now: it must be watched anew


class _Telling:
    """Which changes can matter: none in the index's own folder, and none of hidden files."""

    def __init__(self, paths: Sequence[Path], folder: Path) -> None:
        self._tops = sorted({os.path.realpath(path) for path in paths}, key=len, reverse=True)
        self._home = os.path.join(os.path.realpath(folder), "")  # noqa: PTH118

    def __call__(self, change: object, path: str) -> bool:
        path = os.path.realpath(path)
        if path.startswith(self._home):
            return False
        for top in self._tops:
            if path.startswith(top):
                parts = Path(path[len(top) :].lstrip(os.sep)).parts
                return not any(p.startswith((".", "~$")) and p not in IGNORE_FILES for p in parts)
        return True


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return (found.st_dev, found.st_ino)
