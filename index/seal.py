"""Checksums of Chroma's and tantivy's files, so that damage is found before it is read.

Their libraries trust what they find: a damaged file makes them answer wrongly, or crash. Files
that look as they did when they were sealed are taken to be so; others are read and compared.
Chroma's database is not sealed: it is written at each opening, and checks itself.
"""

import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

from index.errors import IndexDamaged
from index.snapshots import write
from index.stores import CHROMA, LEXICAL, SEAL, STORES

BLOCK = 1 << 20

Seen = tuple[int, int, int]  # size, mtime in nanoseconds, checksum


def seal(stores: Path, before: Path | None = None) -> None:
    """Has the files reach the disk, and writes down what they are."""
    known = _read(before) if before is not None and (before / SEAL).exists() else {}
    found: dict[str, Seen] = {}
    for name, path in _files(stores):
        status = path.stat()
        old = known.get(name)
        if old is not None and old[:2] == (status.st_size, status.st_mtime_ns):
            found[name] = old  # a link to the very same file
        else:
            found[name] = (status.st_size, status.st_mtime_ns, _checksum(path, sync=True))
    write(stores / SEAL, json.dumps(found).encode("ascii"))


def check_seal(stores: Path, closely: bool = False, present: bool = False) -> None:
    """Raises IndexDamaged when a file is not as it was sealed. `closely`: reads every file.

    `present`: of what is there at all, Chroma's folder or tantivy's.
    """
    try:
        known = _read(stores)
    except FileNotFoundError as error:
        if _may_be_unsealed(stores, present):
            return
        raise _damaged(stores / SEAL, "is missing") from error
    except (OSError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise _damaged(stores / SEAL, "cannot be read") from error
    for name, (size, changed, checksum) in known.items():
        path = stores / name
        if present and not (stores / path.relative_to(stores).parts[0]).exists():
            continue
        try:
            status = path.stat()
            if status.st_size != size:
                raise _damaged(path, f"has {status.st_size} bytes, not {size}")
            looked_at = closely or status.st_mtime_ns != changed
            if looked_at and _checksum(path) != checksum:
                raise _damaged(path, "has other content than was written")
        except FileNotFoundError as error:
            raise _damaged(path, "is missing") from error


def _files(stores: Path) -> Iterator[tuple[str, Path]]:
    segments = stores / CHROMA
    for folder in [stores / LEXICAL, *(sorted(segments.iterdir()) if segments.is_dir() else ())]:
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.suffix != ".lock" and path.is_file():
                yield str(path.relative_to(stores)), path


def _may_be_unsealed(stores: Path, present: bool) -> bool:
    """Footnote 0.1 knew no generations and no seals; `present`: so may be what is gone wholly."""
    gone = not any((stores / name).exists() for name in (CHROMA, LEXICAL))
    return stores.parent.name != STORES or (present and gone)


def _read(stores: Path) -> dict[str, Seen]:
    found = json.loads((stores / SEAL).read_bytes())
    return {str(name): (int(a), int(b), int(c)) for name, (a, b, c) in found.items()}


def _checksum(path: Path, sync: bool = False) -> int:
    value = 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            value = zlib.crc32(block, value)
        if sync:
            os.fsync(file.fileno())
    return value


def _damaged(path: Path, how: str) -> IndexDamaged:
    return IndexDamaged(f"{path} is damaged ({how}): run `footnote index --rebuild`")
