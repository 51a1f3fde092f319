"""Folders → the files in them, each with its document id; what is ignored is left out.

Left out are hidden files, links, and what `.gitignore` and `.footnoteignore` in the folder given or
below it say, in git's syntax. Where both say something, `.footnoteignore` has the last word.
"""

import os
import re
import stat
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pathspec import GitIgnoreSpec

from corpus.errors import FootnoteError
from corpus.text import SURROGATES, UNSEEN

IGNORE_FILES = (".footnoteignore", ".gitignore")  # in the order in which they are asked
LARGEST_IGNORE_FILE = 1_000_000

_SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini"})


class PathGone(FootnoteError):
    """A path that was given is not there, or is neither a folder nor a file."""


@dataclass(frozen=True, slots=True)
class Walk:
    """What one path holds: its files, and how many entries were left out.

    `files`: each with its real path and how many parts of its path make its id. A folder that is
    left out counts once.
    """

    files: tuple[tuple[Path, Path, int], ...]
    ignored: int = 0
    links: int = 0


def find(paths: Sequence[Path]) -> tuple[tuple[str, Path], ...]:
    """Every file under `paths` with its document id, sorted by id; files of any kind, each once.

    Where two files would get the same id, the names of their folders are put in front until they
    differ. Raises PathGone.
    """
    return named(walk(path) for path in paths)


def walk(given: Path, without: Path | None = None) -> Walk:
    """The files at one path, a folder or a file. `without`: a folder that is left out.

    Raises PathGone.
    """
    try:
        mode = given.stat().st_mode
        if stat.S_ISDIR(mode):
            os.scandir(given).close()
            _enter(str(given))
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise PathGone(
            f"{safe(str(given))} cannot be opened ({reason}); give a folder or a file"
        ) from error
    real = Path(os.path.realpath(given))
    if stat.S_ISREG(mode):
        return Walk(((given, real, 1),))
    if not stat.S_ISDIR(mode):
        raise PathGone(f"{safe(str(given))} is neither a folder nor a file; give one of them")
    return _below(given, real, os.path.realpath(without) if without is not None else None)


def named(walks: Iterable[Walk]) -> tuple[tuple[str, Path], ...]:
    """The files of all walks, each once, with their ids; sorted by id."""
    found: dict[Path, tuple[Path, int]] = {}
    for one in walks:
        for file, real, depth in one.files:
            found.setdefault(real, (file, depth))
    return tuple(sorted(_named(list(found.values())), key=lambda pair: pair[0]))


def safe(name: str) -> str:
    """A file name that can be shown, stored and typed: bytes that are not UTF-8 become U+FFFD."""
    name = SURROGATES.sub("\ufffd", name)
    return unicodedata.normalize(
        "NFC", re.sub(r"[\n\r\t\v\f\u2028\u2029]|" + UNSEEN.pattern, "_", name)
    )


def _below(given: Path, real: Path, without: str | None) -> Walk:
    files: list[tuple[Path, Path, int]] = []
    seen: Counter[str] = Counter()
    top = str(given)
    rules = {top: _rules_of(top, None)}

    def closed(error: OSError) -> None:
        if str(Path(error.filename)) == top:
            raise PathGone(f"{safe(top)} is gone; give a folder or a file") from error
        if not isinstance(error, FileNotFoundError):
            add(str(error.filename))  # listed itself, so that reading it says why

    def add(path: str) -> None:
        parts = Path(path).relative_to(given).parts
        files.append((Path(path), real.joinpath(*parts), len(parts)))

    def taken(folder: str, name: str, is_folder: bool) -> bool:
        path, rule = Path(folder, name), rules[folder]
        if _hidden(name) or (is_folder and without == str(real / path.relative_to(given))):
            return False
        kind = "links" if path.is_symlink() else "files"
        if kind == "files" and rule and rule.ignores(f"{path}{'/' * is_folder}"):
            kind = "ignored"
        seen[kind] += 1
        return kind == "files"

    for place, below, names in os.walk(top, onerror=closed):
        folder = str(Path(place))
        try:
            _enter(folder)
        except OSError as error:
            below.clear()
            closed(error)
            continue
        below[:] = sorted(name for name in below if taken(folder, name, True))
        for name in below:
            path = str(Path(folder, name))
            rules[path] = _rules_of(path, rules[folder])
        for name in names:
            if taken(folder, name, False):
                add(str(Path(folder, name)))
        del rules[folder]
    return Walk(tuple(files), seen["ignored"], seen["links"])


def _enter(folder: str) -> None:
    """Raises OSError where what the folder lists cannot be looked at."""
    os.stat(f"{folder}/.")  # noqa: PTH116 (a Path would drop the dot)


class _Rules:
    """The ignore files of one folder, and of those above it."""

    def __init__(self, folder: str, own: dict[str, GitIgnoreSpec], above: "_Rules | None") -> None:
        self._start = 0 if folder == "." else len(folder.rstrip("/")) + 1
        self._own = own
        self._above = above

    def ignores(self, path: str) -> bool:
        """Whether they leave `path` out; a folder ends in `/`. The nearest word counts."""
        for name in IGNORE_FILES:
            rules: _Rules | None = self
            while rules is not None:
                if name in rules._own:
                    word = rules._own[name].check_file(path[rules._start :]).include
                    if word is not None:
                        return word
                rules = rules._above
        return False


def _rules_of(folder: str, above: _Rules | None) -> _Rules | None:
    own = {name: spec for name in IGNORE_FILES if (spec := _spec(Path(folder, name))) is not None}
    return _Rules(folder, own, above) if own else above


def _spec(path: Path) -> GitIgnoreSpec | None:
    """The patterns of an ignore file; those that are none are passed over, as git does."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        with path.open("rb") as file:
            data = file.read(LARGEST_IGNORE_FILE)
    except (OSError, ValueError):
        return None
    lines = data.decode("utf-8-sig", "surrogateescape").splitlines()
    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError:
        return GitIgnoreSpec.from_lines(line for line in lines if _is_pattern(line))


def _is_pattern(line: str) -> bool:
    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True


def _hidden(name: str) -> bool:
    return name.startswith((".", "~$")) or name.lower() in _SYSTEM_FILES


def _named(files: list[tuple[Path, int]]) -> list[tuple[str, Path]]:
    parts = [Path(os.path.abspath(file)).parts[1:] for file, _ in files]  # noqa: PTH100
    depths = [depth for _, depth in files]
    whole = [safe("/".join(p)) for p in parts]
    while True:
        ids = [safe("/".join(p[-d:])) for p, d in zip(parts, depths, strict=True)]
        taken = Counter(id for id, _ in set(zip(ids, whole, strict=True)))
        clash = [i for i, id in enumerate(ids) if taken[id] > 1 and depths[i] < len(parts[i])]
        if not clash:
            break
        for i in clash:
            depths[i] += 1
    seen: set[str] = set()
    for i, id in enumerate(ids):  # only names that differ in nothing a person can see get here
        path, number = PurePosixPath(id), 2
        while ids[i] in seen:
            ids[i] = str(path.with_stem(f"{path.stem} ({number})"))
            number += 1
        seen.add(ids[i])
    return [(id, file) for id, (file, _) in zip(ids, files, strict=True)]
