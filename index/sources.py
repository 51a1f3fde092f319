"""Where the documents come from: the paths given, files that were added, what was left out."""

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from corpus.errors import FootnoteError
from corpus.find import safe
from corpus.read import LARGEST, SUFFIXES
from index.errors import IndexDamaged, IndexMismatch, IndexMissing, UnknownDocument
from index.files import is_below, read_files
from index.manifest import IDENTITY, read_manifest
from index.server import Server
from index.snapshots import write
from index.types import BuildReport, Embedder, Progress

ADDED = "added"
LEFT_OUT = "left-out.json"
LONGEST = 200  # bytes of a file's name; file systems take 255


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of the last run: `path` is absolute; `problem` says why it was not read, or "".

    `added`: it was uploaded, and lies in the index's own folder.
    """

    id: str
    path: Path
    problem: str
    added: bool


def sources(folder: Path) -> tuple[Path, ...]:
    """The paths that the index was last made from, absolute, without what was added.

    Raises IndexMissing, IndexMismatch, IndexDamaged.
    """
    return tuple(Path(path) for path in read_manifest(folder).sources)


def files(folder: Path) -> tuple[SourceFile, ...]:
    """The files that the last run looked at, sorted by id; those that failed too."""
    added = folder / ADDED
    return tuple(
        SourceFile(id, Path(file.path), file.problem, is_below(file.path, added))
        for id, file in sorted(read_files(folder).items())
    )


def add(folder: Path, name: str, data: bytes) -> str:
    """Keeps an uploaded file with the index, and gives the name it got; the next build takes it.

    No file is overwritten; the same file once more stays one. Raises FootnoteError for a file
    that cannot be a document, IndexMissing.
    """
    _check_index(folder)
    wanted = _safe_name(name)
    if PurePosixPath(wanted).suffix.lower() not in SUFFIXES:
        raise FootnoteError(f"“{wanted}” is not read: only {', '.join(sorted(SUFFIXES))}")
    if len(data) > LARGEST:
        raise FootnoteError(f"“{wanted}” is larger than {LARGEST // 1_000_000} MB: split it")
    home = folder / ADDED
    known = read_files(folder)
    scratch = home / f".{os.getpid()}.{os.urandom(4).hex()}.new"
    try:
        home.mkdir(exist_ok=True)
        write(scratch, data)
        try:
            for place in _names(wanted):
                elsewhere = place in known and not is_below(known[place].path, home)
                if not elsewhere and _claimed(home / place, scratch, data):
                    return place
        finally:
            scratch.unlink(missing_ok=True)
    except OSError as error:
        raise FootnoteError(
            f"“{wanted}” could not be kept in {home}: {(error.strerror or str(error)).lower()}"
        ) from error
    raise AssertionError


def remove(folder: Path, id: str) -> None:
    """Takes a document out at the next build: an added file is deleted, any other only left out.

    A file in a source folder is never touched. Raises UnknownDocument, IndexMissing.
    """
    _check_index(folder)
    known = read_files(folder)
    home = folder / ADDED
    path = Path(known[id].path) if id in known else home / PurePosixPath(id).name
    if is_below(str(path.absolute()), home) and path.is_file() and not path.is_symlink():
        path.unlink(missing_ok=True)
    elif id in known or id in read_manifest(folder).documents:
        _write_left_out(folder, {*left_out(folder), id})
    else:
        raise UnknownDocument(f"the index holds no document “{id}”")


def restore(folder: Path, id: str) -> None:
    """Takes a document that was left out in again, at the next build. Raises UnknownDocument."""
    left = set(left_out(folder))
    if id not in left:
        raise UnknownDocument(f"no document “{id}” is left out")
    _write_left_out(folder, left - {id})


def left_out(folder: Path) -> tuple[str, ...]:
    """The ids of the documents that are left out, sorted. Raises IndexDamaged."""
    try:
        found = json.loads((folder / LEFT_OUT).read_text(encoding="utf-8"))
        return tuple(sorted({str(id) for id in found}))
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except (OSError, ValueError, TypeError) as error:
        raise IndexDamaged(
            f"{folder / LEFT_OUT} cannot be read: delete it to take all documents in again"
        ) from error


def rebuild(
    folder: Path,
    embedder: Embedder,
    chroma: Server | str | None = None,
    progress: Progress | None = None,
) -> BuildReport:
    """Makes the index again from the files that it was last made from, and what was added.

    Raises what `build` raises, IndexMissing, IndexMismatch.
    """
    from index.build import build

    paths = sources(folder)
    if not paths:  # an earlier version made it: all its documents would be taken for gone
        raise IndexMismatch(
            f"the index in {folder} does not say what it was made from: run `footnote index` once"
            " with the paths of its documents"
        )
    return build(paths, folder, embedder, chroma, progress)


def _check_index(folder: Path) -> None:
    if not (folder / IDENTITY).is_file():
        raise IndexMissing(
            f"there is no index in {folder}: run `footnote index`, or name another with --index"
        )


def _write_left_out(folder: Path, ids: Iterable[str]) -> None:
    write(folder / LEFT_OUT, json.dumps(sorted(ids), indent=1).encode("ascii"))


def _safe_name(name: str) -> str:
    """The last part of a name that somebody sent, without what would hide it or lead elsewhere."""
    last = re.split(r"[/\\]", safe(name))[-1].strip().lstrip(".~$ ")
    path = PurePosixPath(last)
    stem, suffix = path.stem, path.suffix
    if not suffix:
        raise FootnoteError(f"“{last[:80]}” has no ending that says what it is, such as .pdf")
    room = LONGEST - len(suffix.encode())
    return stem.encode()[: max(0, room)].decode("utf-8", "ignore").strip() + suffix


def _names(wanted: str) -> Iterable[str]:
    """The name, then the name with numbers until one is free."""
    yield wanted
    path, number = PurePosixPath(wanted), 2
    while True:
        yield f"{path.stem} ({number}){path.suffix}"
        number += 1


def _claimed(place: Path, scratch: Path, data: bytes) -> bool:
    """Puts the file there unless another is; whether it is there now, with this very content."""
    try:
        place.hardlink_to(scratch)
        return True
    except FileExistsError:
        return place.is_file() and place.stat().st_size == len(data) and place.read_bytes() == data
    except OSError:  # a file system without hard links
        if place.exists():
            return place.is_file() and place.read_bytes() == data
        scratch.replace(place)
        return True
