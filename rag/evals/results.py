"""What a run comes to: every case as it was judged, and the measures over them."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from corpus.types import Document
from index.types import Hit, Manifest
from rag.evals.judge import Judgements
from rag.evals.score import Measure, score
from rag.evals.support import JUDGE

Item = TypeVar("Item")
Progress = Callable[[int, int], None]
_MANY = 30


class Searches(Protocol):
    """What of an index an evaluation needs."""

    @property
    def manifest(self) -> Manifest:
        """What it holds."""
        ...

    def document(self, id: str, version: str | None = None) -> Document:
        """A document's indexed text."""
        ...

    def search(self, queries: Sequence[str], k: int = 10) -> tuple[Hit, ...]:
        """The passages nearest to the queries."""
        ...


@dataclass(frozen=True, slots=True)
class Judged:
    """One case with its answer, or the error in its place, and what was judged of it."""

    id: str
    question: str
    tags: tuple[str, ...]
    answer: Mapping[str, Any] | None
    judgements: Judgements
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Results:
    """The measures of a run, over all cases and by tag, every case, and what was run."""

    measures: Mapping[str, Measure]
    by_tag: Mapping[str, Mapping[str, Measure]]
    cases: tuple[Judged, ...]
    run: Mapping[str, Any]


def collect(
    index: Searches,
    items: Sequence[Item],
    judged: Callable[[Item], Judged],
    on_progress: Progress | None,
    seed: int,
) -> Results:
    """Judge every item, in order, and score the judgements."""
    started = datetime.now(UTC).isoformat(timespec="seconds")
    done = []
    for number, item in enumerate(items, start=1):
        done.append(judged(item))
        if on_progress:
            on_progress(number, len(items))
    tags = dict.fromkeys(tag for one in done for tag in one.tags)
    manifest = index.manifest
    models = {one.answer["model"] for one in done if one.answer}
    return Results(
        measures=score([one.judgements for one in done], seed),
        by_tag={
            tag: score([one.judgements for one in done if tag in one.tags], seed, _MANY)
            for tag in tags
        },
        cases=tuple(done),
        run={
            "commit": _commit(),
            "index": {
                "embedding": manifest.embedding,
                "documents": len(manifest.documents),
                "passages": sum(one.passages for one in manifest.documents.values()),
            },
            "model": ", ".join(sorted(models)) or None,
            "seed": seed,
            "started": started,
            "judge": JUDGE,
        },
    )


def _commit() -> str | None:
    """The commit of the project's own checkout, where it is one."""
    command = ("git", "-C", str(Path(__file__).parents[2]), "rev-parse", "HEAD")
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=5)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
