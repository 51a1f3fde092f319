"""Two runs on the same cases: what differs, how sure that is, which cases flipped."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rag.errors import BadCases
from rag.evals.names import TIMED
from rag.evals.results import Judged, Results, case_json
from rag.evals.score import Better, better, interval, resamples, statistics

Verdict = Literal["better", "worse", "no clear difference"]
# A shift too small to matter: other processors round the models' figures in another way.
_NEGLIGIBLE = 0.005


@dataclass(frozen=True, slots=True)
class Difference:
    """A measure before and after, over `n` cases that both runs have; the interval of the change.

    The interval is the paired bootstrap's: both runs are resampled by the same cases.
    """

    before: float
    after: float
    low: float
    high: float
    n: int
    better: Better

    @property
    def verdict(self) -> Verdict:
        """Clear where the interval excludes zero, and the difference is not negligible."""
        change = self.after - self.before
        small = abs(change) < _NEGLIGIBLE * max(1.0, abs(self.before))
        if small or not (self.low > 0 or self.high < 0):
            return "no clear difference"
        return "better" if (change > 0) == (self.better == "higher") else "worse"


@dataclass(frozen=True, slots=True)
class Flip:
    """A case that is right in one run and not in the other; `why` says what was not right."""

    case: str
    question: str
    better: bool
    why: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs from an earlier run, over all cases that both have and by tag.

    `alone` counts the cases that only one of the runs has; they are left out.
    """

    differences: Mapping[str, Difference]
    by_tag: Mapping[str, Mapping[str, Difference]]
    flips: tuple[Flip, ...]
    paired: int
    alone: int
    before: Mapping[str, Any]

    @property
    def regressions(self) -> tuple[str, ...]:
        """What got worse, one line each. What is timed is not among it: machines differ."""
        everywhere = [("", self.differences)]
        everywhere += [(f" of {tag}", found) for tag, found in self.by_tag.items()]
        return tuple(
            f"{name}{where} went from {one.before:.3f} to {one.after:.3f}"
            f" (difference {one.low:+.3f} to {one.high:+.3f}, {one.n} cases)"
            for where, found in everywhere
            for name, one in found.items()
            if one.verdict == "worse" and name not in TIMED
        )


def compare(
    before: Sequence[Judged], after: Sequence[Judged], run: Mapping[str, Any], seed: int = 0
) -> Comparison:
    """Compare two runs case by case; `run` says what the one before was. Raises BadCases."""
    old = {case.id: case for case in before}
    pairs = [
        (old[case.id], case)
        for case in after
        if case.id in old and old[case.id].question == case.question
    ]
    if not pairs:
        raise BadCases("the two runs have no case in common: compare runs of the same cases")
    tags = dict.fromkeys(tag for _, case in pairs for tag in case.tags)
    by_tag = {
        tag: differences([pair for pair in pairs if tag in pair[1].tags], seed, curves=False)
        for tag in tags
    }
    return Comparison(
        differences(pairs, seed),
        by_tag,
        tuple(_flips(pairs)),
        len(pairs),
        len(before) + len(after) - 2 * len(pairs),
        run,
    )


def differences(
    pairs: Sequence[tuple[Judged, Judged]], seed: int = 0, curves: bool = True
) -> dict[str, Difference]:
    """For every measure that both have, how it differs: 1,000 paired resamples, one seed."""
    old = statistics([one.judgements for one, _ in pairs], curves)
    new = statistics([other.judgements for _, other in pairs], curves)
    draws = resamples(len(pairs), seed)
    found = {}
    for name in new:
        if name in old:
            if old[name].same(new[name]):
                low = high = 0.0
            else:
                low, high = interval(new[name].over(draws) - old[name].over(draws))
            found[name] = Difference(
                old[name].value(), new[name].value(), low, high, len(pairs), better(name)
            )
    return found


def _flips(pairs: Sequence[tuple[Judged, Judged]]) -> Iterator[Flip]:
    for before, after in pairs:
        if bool(before.wrong) != bool(after.wrong):
            yield Flip(after.id, after.question, not after.wrong, before.wrong or after.wrong)


def save(results: Results, path: Path) -> None:
    """Write what `compare` needs and no more."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(saved(results))


def saved(results: Results) -> bytes:
    """What `compare` needs and no more: the judgements, without answers and timings.

    The same judgements give the same bytes, so that a baseline can be kept under version control.
    """
    lines = []
    for case in results.cases:
        row = case_json(case)
        del row["answer"], row["expected"]
        row["judgements"] = {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in case.judgements.items()
            if value is not None and not name.startswith("ms_")
        }
        lines.append(json.dumps(row, ensure_ascii=False))
    run = {name: value for name, value in results.run.items() if name not in ("started", "commit")}
    text = f'{{"run": {json.dumps(run, ensure_ascii=False)},\n"cases": [\n'
    text += ",\n".join(lines) + "\n]}\n"
    return text.encode(errors="backslashreplace")  # half characters have no UTF-8
