"""Judgements of many cases → measures, each with its interval."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rag.evals import measures
from rag.evals.judge import Judgements

Better = Literal["higher", "lower"]
RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure with its 95 % interval, over `n` cases, facts or citations."""

    value: float
    low: float
    high: float
    n: int
    better: Better


LOWER = frozenset(
    {
        "answered_unanswerable",
        "aurc",
        "ece",
        "ece_answered",
        "failures",
        "false_refusals",
        "latency_p50_ms",
        "latency_p95_ms",
        "tokens",
        "unlocated",
        "words_per_answer",
        "wrong_document",
    }
)
_INNER = frozenset({"answered", "answerable", "confidence", "right", "right_answer"})

Table = NDArray[np.float64]
_CURVES: Mapping[str, tuple[tuple[str, ...], Callable[[Table], float]]] = {
    "auroc": (
        ("confidence", "answerable"),
        lambda t: measures.auroc(list(t[:, 0]), list(t[:, 1] > 0)),
    ),
    "refused_at_4_percent": (
        ("confidence", "answerable"),
        lambda t: measures.refused_at(0.04, list(t[:, 0]), list(t[:, 1] > 0)),
    ),
    "ece": (("confidence", "right"), lambda t: measures.ece(list(t[:, 0]), list(t[:, 1] > 0))),
    "ece_answered": (
        ("confidence", "right_answer"),
        lambda t: measures.ece(list(t[:, 0]), list(t[:, 1] > 0)),
    ),
    "aurc": (("confidence", "right"), lambda t: measures.aurc(list(t[:, 0]), list(t[:, 1] > 0))),
    "latency_p50_ms": (("ms_total",), lambda t: measures.percentile(list(t[:, 0]), 0.5)),
    "latency_p95_ms": (("ms_total",), lambda t: measures.percentile(list(t[:, 0]), 0.95)),
}


def score(judged: Sequence[Judgements], seed: int = 0, least: int = 0) -> dict[str, Measure]:
    """Every measure for which there is something to go by, in a fixed order.

    Rates (True and False) have Wilson intervals, all else the percentile bootstrap over cases with
    the seed given, so that the same judgements give the same figures. What is measured over many
    cases together (curves, calibration, percentiles) is left out for fewer than `least` cases.
    """
    found: dict[str, Measure] = {}
    for name in dict.fromkeys(name for one in judged for name in one):
        values = [one[name] for one in judged if one.get(name) is not None]
        if name in _INNER or name.startswith("ms_") or not values:
            continue
        truths = [truth for value in values for truth in _truths(value)]
        if truths:
            low, high = measures.wilson(sum(truths), len(truths))
            measure = Measure(sum(truths) / len(truths), low, high, len(truths), _better(name))
            found[name] = measure
        elif numbers := [value for value in values if isinstance(value, float)]:
            found[name] = _mean(name, np.array(numbers), seed)
    for name, (columns, statistic) in _CURVES.items() if len(judged) >= least else ():
        rows = [[one.get(column) for column in columns] for one in judged]
        full = [row for row in rows if None not in row]
        if full and not math.isnan(statistic(table := np.array(full, dtype=float))):
            found[name] = _bootstrapped(name, table, statistic, seed)
    return found


def _truths(value: object) -> tuple[bool, ...]:
    if isinstance(value, bool):
        return (value,)
    return value if isinstance(value, tuple) else ()


def _better(name: str) -> Better:
    return "lower" if name in LOWER else "higher"


def _mean(name: str, values: NDArray[np.float64], seed: int) -> Measure:
    rng = np.random.default_rng(seed)
    n = len(values)
    means = [float(values[rng.integers(0, n, n)].mean()) for _ in range(RESAMPLES)]
    low, high = measures.percentile(means, 0.025), measures.percentile(means, 0.975)
    return Measure(float(values.mean()), low, high, n, _better(name))


def _bootstrapped(
    name: str, table: Table, statistic: Callable[[Table], float], seed: int
) -> Measure:
    """The statistic of the rows, with the 2.5th and 97.5th percentile over resampled rows."""
    rng = np.random.default_rng(seed)
    n = len(table)
    resampled = [statistic(table[rng.integers(0, n, n)]) for _ in range(RESAMPLES)]
    values = [value for value in resampled if not math.isnan(value)]
    low, high = measures.percentile(values, 0.025), measures.percentile(values, 0.975)
    return Measure(statistic(table), low, high, n, _better(name))
