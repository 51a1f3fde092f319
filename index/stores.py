"""Where Chroma's and tantivy's files lie: one place for each generation of the index.

A run that changes something writes into a copy; the manifest then names the copy. So who reads
sees the generation that it opened, to the end, and a run that is cut off has touched nothing. Each
lies in `stores/<number>`; `chroma` and `lexical` in the index's folder are links to the current
one. Beside them a generation says whose texts its readers may look up: these are kept as long as
it. Footnote 0.1 knew no generations: its files, number 0, lie in the index's folder itself.
"""

import json
import os
import shutil
import sqlite3
import tempfile
import weakref
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from index.errors import IndexDamaged, IndexProblem, unusable
from index.manifest import read_manifest
from index.snapshots import Snapshots, write

try:
    import fcntl
except ImportError:  # a system where files in use cannot be deleted anyway
    fcntl = None  # type: ignore[assignment]

CHROMA = "chroma"
LEXICAL = "lexical"
STORES = "stores"
HELD = "reading.lock"
SEAL = "seal.json"
TEXTS = "texts.json"
DATABASE = "chroma.sqlite3"
WRITTEN_WHILE_READING = 1 << 17  # bytes: SQLite's shared memory and tantivy's locks, with a margin


def place(folder: Path, generation: int) -> Path:
    """Where the files of that generation lie."""
    return folder / STORES / str(generation) if generation else folder


@contextmanager
def begin(folder: Path, generation: int, before: int | None, vectors: bool) -> Iterator[Path]:
    """An empty place for that generation, or a copy of the generation `before`.

    Without `vectors`, those of a folder that moved to a server stay behind: they are of another
    state. An error within takes the place away again, unless the manifest names it by then.
    """
    new = place(folder, generation)
    _clear(folder, generation)
    try:
        new.mkdir(parents=True, exist_ok=True)
        if before is not None:
            old = place(folder, before)
            _copy_words(old / LEXICAL, new / LEXICAL)
            if vectors:
                _copy_vectors(old / CHROMA, new / CHROMA)
        (new / HELD).touch()
        yield new
    except BaseException:
        if not _is_current(folder, generation):
            _clear(folder, generation)
        raise


def lost(folder: Path) -> IndexDamaged:
    """The error that says that the current generation is not there."""
    return IndexDamaged(f"the index in {folder} has lost its files: run `footnote index --rebuild`")


def note_texts(folder: Path, generation: int, texts: Collection[tuple[str, str]]) -> None:
    """Writes down whose texts, (document, version), the readers of that generation may look up."""
    data = json.dumps(sorted(texts)).encode("ascii")
    write(place(folder, generation) / TEXTS, data)


class Hold:
    """Keeps one generation from being swept away as long as it lives."""

    def __init__(self, folder: Path, generation: int) -> None:
        """Raises FileNotFoundError when the generation was swept away already."""
        self._stores = stores = place(folder, generation)
        try:
            file = os.open(stores / HELD, os.O_RDONLY)
        except FileNotFoundError:
            if (stores / LEXICAL).exists():  # made by a Footnote that had no such file
                return
            raise
        weakref.finalize(self, os.close, file)
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError as error:  # it is being swept away
                raise FileNotFoundError(str(stores)) from error
            except OSError:  # a file system that knows no locks
                return
        if os.fstat(file).st_nlink == 0:
            raise FileNotFoundError(str(stores))

    def readable(self) -> Path:
        """Where Chroma and tantivy can open the generation's files: they write when they read.

        Where they may not, or the disk has no room left for it, it is a copy in the system's
        temporary folder that lives as long as this.
        """
        stores = self._stores
        needed = [stores / LEXICAL, stores / CHROMA, stores / CHROMA / DATABASE]
        writable = all(os.access(path, os.W_OK) for path in needed if path.exists())
        if writable and shutil.disk_usage(stores).free >= WRITTEN_WHILE_READING:
            return stores
        copy = Path(tempfile.mkdtemp(prefix="footnote-"))
        drop = weakref.finalize(self, shutil.rmtree, copy, ignore_errors=True)
        try:
            for name in (LEXICAL, CHROMA):
                if (stores / name).is_dir():
                    _copy_plainly(stores / name, copy / name)
        except OSError as error:
            drop()
            if writable:
                return stores
            raise IndexProblem(
                f"the index in {stores.parents[1]} cannot be written, and a copy to read it does"
                f" not fit in {copy.parent} ({error.strerror}): make room there, or set TMPDIR"
            ) from error
        return copy


def sweep(folder: Path, current: int) -> None:
    """Deletes the other generations but those that somebody reads, and the texts that none needs.

    What is still read goes with a later run.
    """
    for generation in {0, *_numbers(folder)} - {current}:
        _clear_unless_held(folder, generation)
    texts = _needed_texts(folder)
    if texts is not None:
        Snapshots(folder / "texts").keep(texts)
    if current:
        for name in (CHROMA, LEXICAL):
            _link(folder / name, Path(STORES) / str(current) / name)


def last(folder: Path) -> int:
    """The highest number of a generation of which there is something."""
    return max(_numbers(folder), default=0)


def _copy_plainly(old: Path, new: Path) -> None:
    """A copy without the permissions of what is copied."""
    new.mkdir()
    for path in old.iterdir():
        if path.is_dir():
            _copy_plainly(path, new / path.name)
        elif path.suffix != ".lock":
            shutil.copyfile(path, new / path.name)


def _is_current(folder: Path, generation: int) -> bool:
    try:
        return read_manifest(folder).generation == generation
    except IndexProblem:
        return False


def _numbers(folder: Path) -> list[int]:
    found = (folder / STORES).iterdir() if (folder / STORES).is_dir() else ()
    return [int(path.name) for path in found if path.name.isdigit()]


def _needed_texts(folder: Path) -> set[tuple[str, str]] | None:
    """The texts that the generations need; None where one does not say: an older Footnote's."""
    oldest = folder / LEXICAL
    found: set[tuple[str, str]] = set()
    if oldest.is_dir() and not oldest.is_symlink():
        return None
    try:
        for generation in _numbers(folder):
            needed = json.loads((place(folder, generation) / TEXTS).read_bytes())
            found |= {(str(document), str(version)) for document, version in needed}
    except (OSError, ValueError, TypeError):
        return None
    return found


def _copy_words(old: Path, new: Path) -> None:
    """Tantivy replaces its files and never changes one: links will do."""
    new.mkdir()
    for file in old.iterdir() if old.is_dir() else ():
        if file.suffix == ".lock" or not file.is_file():
            continue
        try:
            (new / file.name).hardlink_to(file)
        except OSError:
            shutil.copyfile(file, new / file.name)


def _copy_vectors(old: Path, new: Path) -> None:
    new.mkdir()
    if not (old / DATABASE).is_file():
        return
    try:
        with (
            closing(sqlite3.connect(old / DATABASE, timeout=30)) as source,
            closing(sqlite3.connect(new / DATABASE)) as target,
        ):
            source.backup(target)
    except sqlite3.Error as error:
        raise unusable(old, error) from error
    for segment in old.iterdir():
        if segment.is_dir():
            _copy_plainly(segment, new / segment.name)


def _clear_unless_held(folder: Path, generation: int) -> None:
    try:
        with (place(folder, generation) / HELD).open("rb") as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _clear(folder, generation)
    except FileNotFoundError:
        _clear(folder, generation)
    except OSError:
        return


def _clear(folder: Path, generation: int) -> None:
    stores = place(folder, generation)
    for name in (HELD, SEAL):
        (stores / name).unlink(missing_ok=True)
    for name in (CHROMA, LEXICAL):
        if not (stores / name).is_symlink():
            shutil.rmtree(stores / name, ignore_errors=True)
    if generation:
        shutil.rmtree(stores, ignore_errors=True)


def _link(path: Path, target: Path) -> None:
    """A help for people who look; nothing reads it."""
    if path.is_symlink() and path.readlink() == target:
        return
    scratch = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        if path.is_symlink() or not path.exists():
            scratch.symlink_to(target)
            scratch.replace(path)
    except OSError:
        scratch.unlink(missing_ok=True)
