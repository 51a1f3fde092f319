"""Runs that are kept beside the index, to compare later ones with."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from index.snapshots import write
from rag.errors import BadCases
from rag.evals.compare import saved
from rag.evals.results import Judged, Results, load_run

FOLDER = "runs"
MOST = 20
_NAME = re.compile(r"(\d{8}-\d{6})\.([a-z0-9-]{1,40})\.(\d{1,7})\.json")


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept run: its file's name, when it began, the cases it asked and how many they are."""

    name: str
    started: datetime
    what: str
    cases: int


def keep(results: Results, index: Path, what: str) -> Kept:
    """Keep the judgements of a run beside the index; only the newest `MOST` stay.

    Raises OSError where the folder cannot be written to.
    """
    started = datetime.fromisoformat(str(results.run["started"]))
    slug = re.sub(r"[^a-z0-9]+", "-", what.lower()).strip("-")[:40] or "cases"
    name = f"{started:%Y%m%d-%H%M%S}.{slug}.{len(results.cases)}.json"
    (index / FOLDER).mkdir(exist_ok=True)
    write(index / FOLDER / name, saved(results))
    for old in kept(index)[MOST:]:
        (index / FOLDER / old.name).unlink(missing_ok=True)
    return Kept(name, started, slug, len(results.cases))


def kept(index: Path) -> tuple[Kept, ...]:
    """The runs kept beside an index, newest first."""
    found = []
    for file in (index / FOLDER).glob("*.json"):
        if match := _NAME.fullmatch(file.name):
            started = datetime.strptime(f"{match[1]}+0000", "%Y%m%d-%H%M%S%z")
            found.append(Kept(file.name, started, match[2], int(match[3])))
    return tuple(sorted(found, key=lambda one: one.name, reverse=True))


def read(index: Path, name: str) -> tuple[tuple[Judged, ...], Mapping[str, Any]]:
    """A kept run by its name. Raises BadCases."""
    if not _NAME.fullmatch(name):
        raise BadCases("there is no such run: choose one from the list")
    return load_run(index / FOLDER / name)
