"""The index's folder: whose it is, and who writes it."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from index.errors import IndexBusy, IndexProblem
from index.manifest import IDENTITY, write_identity

LOCK = "writing.lock"
PATIENCE = 3.0  # seconds to wait for another writer


def refuse_others(folder: Path) -> None:
    """Raises IndexProblem for a place that is something else than an index, or to be one."""
    try:
        if folder.exists() and not folder.is_dir():
            raise IndexProblem(f"{folder} is a file: name a folder with --index")
        ours = not folder.exists() or (folder / IDENTITY).exists()
        if not ours and any(map(_other, folder.iterdir())):
            raise IndexProblem(
                f"{folder} is not an index and not empty: name another folder with --index"
            )
    except OSError as error:
        raise _unwritable(folder, error) from error


def _other(path: Path) -> bool:
    """Whether a file is none that a first run makes before the folder is an index."""
    return path.name != LOCK and not path.name.startswith(IDENTITY)


@contextmanager
def writing(folder: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Makes the folder an index's; one writer at a time, the next waits so many seconds.

    Raises IndexBusy, IndexProblem.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK)
        lock.acquire(timeout=patience, poll_interval=0.02)
    except Timeout as error:
        raise IndexBusy(
            f"another process is writing the index in {folder}: try again when it is done"
        ) from error
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        if not (folder / IDENTITY).exists():
            write_identity(folder, f"footnote-{secrets.token_hex(6)}")
        yield
    except OSError as error:
        raise _unwritable(folder, error) from error
    finally:
        lock.release()


def _unwritable(folder: Path, error: OSError) -> IndexProblem:
    return IndexProblem(f"the index in {folder} cannot be written: {error.strerror or error}")
