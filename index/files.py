"""What the files were when they were last read: a file that is still so is not read again.

Only a help: without it, or when it is damaged, every file is read again and nothing is lost.
"""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from corpus.read import SUFFIXES
from index.snapshots import write

NAME = "files.json"
COARSE = 2_000_000_000  # nanoseconds: the ticks of file systems that count in seconds, or in two
FINE = 100_000_000  # more than the ticks of all others

Stamp = tuple[int, int, int, int]  # size, changed (mtime, ctime; in nanoseconds), inode


@dataclass(frozen=True, slots=True)
class FileState:
    """One file as it was last read.

    `version` is the document's that it gave, "" where it could not be read; then `problem` says
    why. `stamp` is None where the file must be read again whatever it looks like.
    """

    path: str
    version: str
    stamp: Stamp | None
    problem: str = ""


def stamp_of(path: Path) -> Stamp | None:
    """What changes when the file does; None where there is no file."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def settled(stamp: Stamp | None, now: int) -> Stamp | None:
    """The stamp if a change of the file after `now` (time.time_ns) would show in it, else None.

    A file that is changed twice within a tick of its file system's clock looks the same after each,
    so one that was changed just now, or in the future, is not to be trusted yet.
    """
    if stamp is None:
        return None
    changed = max(stamp[1], stamp[2])
    tick = FINE if stamp[1] % 1_000_000_000 and stamp[2] % 1_000_000_000 else COARSE
    return stamp if changed + tick < now else None


def read_files(folder: Path) -> dict[str, FileState]:
    """The files by document id; none where this Footnote reads files otherwise than that one."""
    try:
        found = json.loads((folder / NAME).read_bytes())
        if found["reader"] != _reader():
            return {}
        return {
            id: FileState(path, version, tuple(stamp) if stamp else None, problem)
            for id, (path, version, stamp, problem) in found["files"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def write_files(folder: Path, files: Mapping[str, FileState]) -> None:
    """Keeps what the files were. To be called when the manifest names what was read of them."""
    rows = {id: (f.path, f.version, f.stamp, f.problem) for id, f in sorted(files.items())}
    data = json.dumps({"reader": _reader(), "files": rows}).encode("ascii")
    write(folder / NAME, data, durable=False)


def is_below(path: str, folder: Path) -> bool:
    """Whether the path, absolute, is `folder` or lies in it."""
    top = os.path.abspath(folder)  # noqa: PTH100
    return path == top or path.startswith(os.path.join(top, ""))  # noqa: PTH118


def now() -> int:
    """The clock that files are stamped by, in nanoseconds."""
    return time.time_ns()


def _reader() -> str:
    """What reads files; another one may read other words from the same file."""
    return f"{version('footnote')} {' '.join(sorted(SUFFIXES))}"
