"""The measures, each a pure function; the formula and where it comes from stand in its docstring.

A relevance ranking is given as the ids found, best first, and the set of relevant ids. Nothing
here knows of cases, answers or files.
"""

import math
import re
import string
from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np


def squad_words(text: str) -> list[str]:
    """The words of an answer as SQuAD's evaluation script (v2.0) normalises them.

    Lower case, no ASCII punctuation, no articles (a, an, the), white space collapsed.
    """
    text = "".join(ch for ch in text.lower() if ch not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def exact_match(prediction: str, golds: Sequence[str]) -> bool:
    """Whether the normalised prediction is one of the normalised golds (Rajpurkar et al. 2016).

    No golds stand for "no answer", which the empty prediction alone matches.
    """
    return squad_words(prediction) in [squad_words(gold) for gold in golds or ("",)]


def token_f1(prediction: str, golds: Sequence[str]) -> float:
    """The best F1 of shared words over the golds (Rajpurkar et al. 2016), from 0 to 1.

    F1 = 2PR / (P + R), words counted as often as they occur. Where either side has no words it is
    1 if both have none, else 0, as in SQuAD 2.0's script.
    """
    return max(_f1(squad_words(prediction), squad_words(gold)) for gold in golds or ("",))


def _f1(prediction: list[str], gold: list[str]) -> float:
    if not prediction or not gold:
        return float(prediction == gold)
    shared = (Counter(prediction) & Counter(gold)).total()
    return 2 * shared / (len(prediction) + len(gold))


def recall_at(k: int, ranking: Sequence[str], relevant: Collection[str]) -> float:
    """|relevant in the first k| / |relevant| (trec_eval's recall_k); relevant must not be empty."""
    return len(set(ranking[:k]) & set(relevant)) / len(set(relevant))


def hit_at(k: int, ranking: Sequence[str], relevant: Collection[str]) -> bool:
    """Whether one of the first k is relevant (trec_eval's success_k)."""
    return not set(ranking[:k]).isdisjoint(relevant)


def reciprocal_rank(ranking: Sequence[str], relevant: Collection[str]) -> float:
    """1 / rank of the first relevant one, 0 if there is none (trec_eval's recip_rank)."""
    wanted = set(relevant)
    return next((1 / rank for rank, id in enumerate(ranking, start=1) if id in wanted), 0.0)


def ndcg_at(k: int, ranking: Sequence[str], gains: dict[str, float]) -> float:
    """DCG@k / ideal DCG@k (Järvelin & Kekäläinen 2002, as trec_eval's ndcg_cut_k).

    DCG@k = Σ gain / log2(rank + 1) over the first k, the gain being the grade itself; the ideal is
    taken over all relevant ones sorted by grade, cut at k, not over k full slots. `gains` holds
    the grades above 0 and must hold one.
    """
    ideal = _dcg(sorted(gains.values(), reverse=True)[:k])
    return _dcg([gains.get(id, 0.0) for id in ranking[:k]]) / ideal


def _dcg(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def auroc(scores: Sequence[float], positive: Sequence[bool]) -> float:
    """The chance that a positive scores above a negative, ties counting half.

    U / (positives x negatives) of Mann & Whitney (1947), by average ranks. NaN where either kind
    is missing.
    """
    is_positive = np.asarray(positive, dtype=bool)
    positives = int(is_positive.sum())
    negatives = len(is_positive) - positives
    if not positives or not negatives:
        return math.nan
    _, place, counts = np.unique(
        np.asarray(scores, dtype=float), return_inverse=True, return_counts=True
    )
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    above = ranks[is_positive].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def refused_at(share: float, scores: Sequence[float], positive: Sequence[bool]) -> float:
    """The share of negatives refused where at most `share` of the positives are.

    1 - the false positive rate at a true positive rate of 1 - share: what scores below the
    threshold is refused, and the threshold is the highest that the positives allow. NaN where
    either kind is missing.
    """
    kept = sorted(score for score, good in zip(scores, positive, strict=True) if good)
    negatives = [score for score, good in zip(scores, positive, strict=True) if not good]
    if not kept or not negatives:
        return math.nan
    threshold = kept[min(int(share * len(kept) + 1e-9), len(kept) - 1)]
    return sum(score < threshold for score in negatives) / len(negatives)


def risk_coverage(
    confidence: Sequence[float], right: Sequence[bool]
) -> tuple[tuple[float, float], ...]:
    """(coverage, risk) for answering the 1, 2, … n most confident (Geifman & El-Yaniv 2017).

    Risk is the share of wrong ones among those answered. Equal confidences share their errors
    evenly, so that the order of the questions does not matter.
    """
    values, place, counts = np.unique(
        -np.asarray(confidence, dtype=float), return_inverse=True, return_counts=True
    )
    wrong = np.bincount(place, ~np.asarray(right, dtype=bool), minlength=len(values))
    expected = np.repeat(wrong / np.maximum(counts, 1), counts)
    answered = np.arange(1, len(expected) + 1)
    risks = np.cumsum(expected) / answered
    return tuple(zip((answered / len(expected)).tolist(), risks.tolist(), strict=True))


def aurc(confidence: Sequence[float], right: Sequence[bool]) -> float:
    """The area under the risk-coverage curve: the mean of its risks (Geifman & El-Yaniv 2017).

    0 is best; always answering in an order that knows nothing gives the share of wrong ones.
    """
    curve = risk_coverage(confidence, right)
    return sum(risk for _, risk in curve) / len(curve) if curve else math.nan


def reliability(
    confidence: Sequence[float], right: Sequence[bool], bins: int = 10
) -> tuple[tuple[float, float, int], ...]:
    """(mean confidence, share right, count) of each non-empty bin of equal width, lowest first.

    Bin m of M holds confidences in ((m - 1)/M, m/M]; 0 belongs to the first (Guo et al. 2017).
    """
    values = np.asarray(confidence, dtype=float)
    place = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], values)
    counts = np.bincount(place, minlength=bins)
    sums = np.bincount(place, values, minlength=bins)
    rights = np.bincount(place, np.asarray(right, dtype=float), minlength=bins)
    return tuple(
        (float(sums[bin] / counts[bin]), float(rights[bin] / counts[bin]), int(counts[bin]))
        for bin in range(bins)
        if counts[bin]
    )


def ece(confidence: Sequence[float], right: Sequence[bool], bins: int = 10) -> float:
    """Expected calibration error (Guo et al. 2017): Σ n_m / n · |share right - mean confidence|.

    Over bins of equal width, see `reliability`. 0 is best.
    """
    table = reliability(confidence, right, bins)
    total = sum(count for _, _, count in table)
    if not total:
        return math.nan
    return sum(count * abs(share - mean) for mean, share, count in table) / total


def avna(answered: Sequence[bool], answerable: Sequence[bool]) -> float:
    """Answer versus no answer: the share in which answering and being answerable agree.

    As in Stanford CS224N's SQuAD 2.0 project.
    """
    pairs = list(zip(answered, answerable, strict=True))
    return sum(said == could for said, could in pairs) / len(pairs) if pairs else math.nan


def wilson(hits: float, n: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """The interval of a rate of `hits` in `n`, 95 % by default (Wilson 1927).

    (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n). (0, 1) where n is 0.
    """
    if not n:
        return 0.0, 1.0
    rate = hits / n
    middle = rate + z * z / (2 * n)
    half = z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # The interval holds the rate and ends at 0 and 1; the rounding of floats would let it slip.
    low, high = (middle - half) / scale, (middle + half) / scale
    return max(0.0, min(rate, low)), min(1.0, max(rate, high))


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values lie, linear between neighbours.

    Type 7 of Hyndman & Fan (1996), what numpy and R do by default. NaN for no values.
    """
    ordered = sorted(values)
    if not ordered:
        return math.nan
    at = share * (len(ordered) - 1)
    low = min(int(at), len(ordered) - 1)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)
