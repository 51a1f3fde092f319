"""What a run comes to: every case as it was judged, and the measures over them."""

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from corpus.types import Document
from index.types import Hit, Manifest
from rag.errors import BadCases
from rag.evals.judge import Judgement, Judgements
from rag.evals.score import Measure, score
from rag.evals.support import JUDGE

Item = TypeVar("Item")
Progress = Callable[[int, int], None]
_MANY = 30
_MUST_HOLD = ("all_facts_found", "avna", "first_evidence", "gold_cited")


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
    """One case with its answer, or the error in its place, and what was judged of it.

    `expected` says in a few words what a right answer says.
    """

    id: str
    question: str
    tags: tuple[str, ...]
    answer: Mapping[str, Any] | None
    judgements: Judgements
    error: str | None = None
    expected: str = ""

    @property
    def wrong(self) -> str:
        """What is not right about it, in a word; "" where nothing is."""
        if self.error:
            return "failed"
        unlocated = self.judgements.get("unlocated")
        if isinstance(unlocated, tuple) and any(unlocated):
            return "unlocated"
        if self.judgements.get("answered_unanswerable"):
            return "answered"
        return next((name for name in _MUST_HOLD if self.judgements.get(name) is False), "")


@dataclass(frozen=True, slots=True)
class Results:
    """The measures of a run, over all cases and by tag, every case, and what was run."""

    measures: Mapping[str, Measure]
    by_tag: Mapping[str, Mapping[str, Measure]]
    cases: tuple[Judged, ...]
    run: Mapping[str, Any]

    @property
    def failing(self) -> tuple[Judged, ...]:
        """The cases that are not right."""
        return tuple(case for case in self.cases if case.wrong)


class Journal(Protocol):
    """Keeps what is finished, so that an interrupted run goes on where it stopped."""

    def begin(self, total: int) -> Sequence[Judged]:
        """The cases that are finished already: the first ones, in order."""
        ...

    def add(self, judged: Judged) -> None:
        """Keep a finished case."""
        ...


def collect(
    index: Searches,
    items: Sequence[Item],
    judged: Callable[[Item], Judged],
    on_progress: Progress | None = None,
    seed: int = 0,
    journal: Journal | None = None,
) -> Results:
    """Judge every item, in order, and score the judgements."""
    started = datetime.now(UTC).isoformat(timespec="seconds")
    done = list(journal.begin(len(items))) if journal else []
    for item in items[len(done) :]:
        done.append(judged(item))
        if journal:
            journal.add(done[-1])
        if on_progress:
            on_progress(len(done), len(items))
    return scored(done, what_ran(index, done, started, seed), seed)


def what_ran(
    index: Searches, done: Sequence[Judged], started: str, seed: int = 0
) -> dict[str, Any]:
    """What a run says of itself: over which index, by which model, when."""
    manifest = index.manifest
    models = {str(one.answer["model"]) for one in done if one.answer and one.answer.get("model")}
    return {
        "commit": commit(),
        "index": {
            "embedding": manifest.embedding,
            "documents": len(manifest.documents),
            "passages": sum(one.passages for one in manifest.documents.values()),
        },
        "model": ", ".join(sorted(models)) or None,
        "seed": seed,
        "started": started,
        "judge": JUDGE,
    }


def scored(cases: Sequence[Judged], run: Mapping[str, Any], seed: int = 0) -> Results:
    """The measures of judged cases; what needs many cases is left out of small tags."""
    tags = dict.fromkeys(tag for one in cases for tag in one.tags)
    return Results(
        measures=score([one.judgements for one in cases], seed),
        by_tag={
            tag: score([one.judgements for one in cases if tag in one.tags], seed, _MANY)
            for tag in tags
        },
        cases=tuple(cases),
        run=run,
    )


def case_json(case: Judged) -> dict[str, Any]:
    """A case in the contract's form, ready for `json.dumps`."""
    return {
        "id": case.id,
        "question": case.question,
        "tags": list(case.tags),
        "expected": case.expected,
        "answer": case.answer,
        "judgements": case.judgements,
        **({"error": case.error} if case.error else {}),
    }


def case_of(row: Mapping[str, Any]) -> Judged:
    """The case that `case_json` wrote. Raises KeyError, TypeError for something else."""
    judgements = {name: _judgement(value) for name, value in row["judgements"].items()}
    tags = tuple(row.get("tags", ()))
    if not all(isinstance(text, str) for text in (row["id"], row["question"], *tags)):
        raise TypeError("id, question and tags are strings")
    return Judged(
        row["id"],
        row["question"],
        tags,
        row.get("answer"),
        judgements,
        row.get("error"),
        row.get("expected", ""),
    )


def _judgement(value: object) -> Judgement:
    if isinstance(value, list):
        return tuple(map(bool, value))
    if value is None or isinstance(value, int | float):
        return value
    raise TypeError("a judgement is a number, true, false, null or a list")


def load_run(path: Path) -> tuple[tuple[Judged, ...], Mapping[str, Any]]:
    """The cases of a `results.json` or of a saved run, and what was run. Raises BadCases."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadCases(f"cannot read {path}: {error.strerror}") from error
    return parse_run(data, str(path))


def parse_run(data: bytes | str, name: str) -> tuple[tuple[Judged, ...], Mapping[str, Any]]:
    """The same from what such a file holds; `name` is what errors call it. Raises BadCases."""
    try:
        whole = json.loads(data)
        return tuple(map(case_of, whole["cases"])), dict(whole["run"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadCases(
            f"{name} is no run: name the results.json of an earlier one, or what --save wrote"
        ) from error


def commit() -> str | None:
    """The commit of the project's own checkout, where it is one."""
    command = ("git", "-C", str(Path(__file__).parents[2]), "rev-parse", "HEAD")
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=5)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
