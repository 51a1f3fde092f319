"""Judgements of many cases → measures, each with its interval."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rag.evals import measures
from rag.evals.judge import Judgements
from rag.evals.names import LOWER, MEANINGS, STEPS

Better = Literal["higher", "lower"]
Table = NDArray[np.float64]
Curves = Mapping[str, tuple[tuple[str, ...], Callable[[Table], float]]]
RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure with its 95 % interval, over `n` cases, facts or citations."""

    value: float
    low: float
    high: float
    n: int
    better: Better


_INNER = frozenset({"answered", "answerable", "confidence", "right", "right_answer"})


@dataclass(frozen=True, slots=True)
class Statistic:
    """A measure as a function of the cases taken, so that a run can be resampled.

    `table` has a row for each case. Without a `curve` a row is (sum, count) and the measure is the
    one total by the other; a curve takes the rows that hold no NaN.
    """

    table: Table
    curve: Callable[[Table], float] | None = None

    def value(self) -> float:
        """The measure over all cases; NaN where there is nothing to go by."""
        return float(self.over(np.ones((1, len(self.table))))[0])

    def same(self, other: "Statistic") -> bool:
        """Whether the other has the very same rows."""
        return np.array_equal(self.table, other.table, equal_nan=True)

    def over(self, weights: Table) -> Table:
        """The measure for each row of weights: how often each case is taken."""
        if self.curve is None:
            totals, counts = (weights @ self.table).T
            with np.errstate(invalid="ignore"):
                return np.asarray(totals / counts, dtype=np.float64)
        whole = ~np.isnan(self.table).any(axis=1)
        table = self.table[whole]
        taken = (np.repeat(table, row, axis=0) for row in weights[:, whole].astype(int))
        return np.array([self.curve(rows) if len(rows) else math.nan for rows in taken])


@lru_cache(maxsize=8)
def resamples(n: int, seed: int) -> Table:
    """How often each of `n` cases is drawn, for each of the bootstrap's samples."""
    drawn = np.random.default_rng(seed).multinomial(n, [1 / n] * n, size=RESAMPLES)
    return drawn.astype(np.float64)


def interval(values: Table) -> tuple[float, float]:
    """From the 2.5th to the 97.5th percentile, NaN left out."""
    given = values[~np.isnan(values)]
    return measures.percentile(list(given), 0.025), measures.percentile(list(given), 0.975)


def score(judged: Sequence[Judgements], seed: int = 0, least: int = 0) -> dict[str, Measure]:
    """Every measure for which there is something to go by, in a fixed order.

    Rates (True and False) have Wilson intervals, all else the percentile bootstrap over cases with
    the seed given, so that the same judgements give the same figures. What is measured over many
    cases together (curves, calibration, percentiles) is left out for fewer than `least` cases.
    """
    found: dict[str, Measure] = {}
    for name, statistic in statistics(judged, curves=len(judged) >= least).items():
        value = statistic.value()
        if statistic.curve is None:
            n = int(statistic.table[:, 1].sum())
        else:
            n = int((~np.isnan(statistic.table).any(axis=1)).sum())
        if any(_truths(one.get(name)) for one in judged):
            low, high = measures.wilson(float(statistic.table[:, 0].sum()), n)
        else:
            low, high = interval(statistic.over(resamples(len(judged), seed)))
        found[name] = Measure(value, low, high, n, better(name))
    return found


def statistics(judged: Sequence[Judgements], curves: bool = True) -> dict[str, Statistic]:
    """The measures for which the judgements hold something; `curves` are those over many cases."""
    found: dict[str, Statistic] = {}
    if not judged:
        return found
    for name in dict.fromkeys(name for one in judged for name in one):
        if name in _INNER or name.startswith("ms_"):
            continue
        table = np.array([_total(one.get(name)) for one in judged], dtype=float)
        if table[:, 1].any():
            found[name] = Statistic(table)
    for name, (columns, curve) in _curves(judged).items() if curves else ():
        rows = [[one.get(column) for column in columns] for one in judged]
        statistic = Statistic(np.array(rows, dtype=float), curve)
        if not math.isnan(statistic.value()):
            found[name] = statistic
    return {name: found[name] for name in MEANINGS if name in found}


def better(name: str) -> Better:
    """Whether more or less of a measure is good."""
    return "lower" if name in LOWER else "higher"


def _truths(value: object) -> tuple[bool, ...]:
    if isinstance(value, bool):
        return (value,)
    return value if isinstance(value, tuple) else ()


def _total(value: object) -> tuple[float, int]:
    truths = _truths(value)
    if isinstance(value, int | float) and not truths:
        return float(value), 1
    return float(sum(truths)), len(truths)


def _curves(judged: Sequence[Judgements]) -> Curves:
    steps = [step for step in STEPS if any(f"ms_{step}" in one for one in judged)]
    timed = {"latency": "ms_total"} | {step: f"ms_{step}" for step in steps}
    return {**_CURVES} | {
        f"{name}_p{share}_ms": ((column,), at)
        for name, column in timed.items()
        for share, at in ((50, _p50), (95, _p95))
    }


def _p50(table: Table) -> float:
    return float(np.quantile(table[:, 0], 0.5))


def _p95(table: Table) -> float:
    return float(np.quantile(table[:, 0], 0.95))


_OUTCOME, _RIGHT = ("confidence", "answerable"), ("confidence", "right")
_CURVES: Curves = {
    "auroc": (_OUTCOME, lambda t: measures.auroc(list(t[:, 0]), list(t[:, 1] > 0))),
    "refused_at_4_percent": (
        _OUTCOME,
        lambda t: measures.refused_at(0.04, list(t[:, 0]), list(t[:, 1] > 0)),
    ),
    "ece": (_RIGHT, lambda t: measures.ece(list(t[:, 0]), list(t[:, 1] > 0))),
    "ece_answered": (
        ("confidence", "right_answer"),
        lambda t: measures.ece(list(t[:, 0]), list(t[:, 1] > 0)),
    ),
    "aurc": (_RIGHT, lambda t: measures.aurc(list(t[:, 0]), list(t[:, 1] > 0))),
}
