import math
import random
from itertools import product

import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

from rag.evals import measures as m

RATES = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40)


def test_exact_match_ignores_case_punctuation_and_articles() -> None:
    assert m.exact_match("The Eiffel Tower!", ["eiffel tower"])
    assert not m.exact_match("Eiffel", ["Eiffel Tower"])
    assert m.exact_match("Denver", ["Denver Broncos", "Denver"])
    assert m.exact_match("", [])
    assert not m.exact_match("something", [])


def test_token_f1_counts_shared_words() -> None:
    # 2 shared words, 3 predicted, 2 gold: P = 2/3, R = 1, F1 = 0.8.
    assert m.token_f1("the Denver Broncos team", ["Denver Broncos"]) == pytest.approx(0.8)
    assert m.token_f1("a", ["the"]) == 1.0
    assert m.token_f1("", ["Denver"]) == 0.0
    assert m.token_f1("", []) == 1.0
    assert m.token_f1("no no yes", ["no yes yes"]) == pytest.approx(2 / 3)


@given(st.text(), st.text())
def test_token_f1_is_one_exactly_for_an_exact_bag_of_words(a: str, b: str) -> None:
    assert m.token_f1(a, [b]) == pytest.approx(m.token_f1(b, [a]))
    assert (m.token_f1(a, [b]) == 1) == (sorted(m.squad_words(a)) == sorted(m.squad_words(b)))


def test_ranking_measures_by_hand() -> None:
    ranking, relevant = ["a", "b", "c", "d"], {"b", "d", "x"}
    assert m.recall_at(3, ranking, relevant) == pytest.approx(1 / 3)
    assert not m.hit_at(1, ranking, relevant)
    assert m.hit_at(2, ranking, relevant)
    assert m.reciprocal_rank(ranking, relevant) == 0.5
    assert m.reciprocal_rank(ranking, {"x"}) == 0.0
    # (1/log2 3 + 1/log2 5) / (1/log2 2 + 1/log2 3 + 1/log2 4): the ideal has three, not ten.
    assert m.ndcg_at(10, ranking, dict.fromkeys(relevant, 1.0)) == pytest.approx(0.498189)
    # Linear gain: (1 + 3/log2 3) / (3 + 1/log2 3).
    assert m.ndcg_at(10, ["a", "b"], {"a": 1.0, "b": 3.0}) == pytest.approx(0.796708)


def test_ranking_measures_agree_with_trec_eval() -> None:
    rng = random.Random(0)
    documents = [f"d{i}" for i in range(50)]
    grades = {
        f"q{n}": {"d0": 1} | {d: rng.randint(0, 3) for d in documents if rng.random() < 0.15}
        for n in range(300)
    }
    grades = {query: found | {"d1": 1} for query, found in grades.items()}
    rankings = {query: rng.sample(documents, 30) for query in grades}
    scores = {q: {d: float(-at) for at, d in enumerate(r)} for q, r in rankings.items()}
    names = {"ndcg_cut.10", "recip_rank", "recall.5", "success.1"}
    expected = pytrec_eval.RelevanceEvaluator(grades, names).evaluate(scores)
    for query, ranking in rankings.items():
        gains = {d: float(grade) for d, grade in grades[query].items() if grade}
        theirs = expected[query]
        assert m.ndcg_at(10, ranking, gains) == pytest.approx(theirs["ndcg_cut_10"], abs=1e-9)
        assert m.reciprocal_rank(ranking, gains) == pytest.approx(theirs["recip_rank"], abs=1e-9)
        assert m.recall_at(5, ranking, gains) == pytest.approx(theirs["recall_5"], abs=1e-9)
        assert m.hit_at(1, ranking, gains) == theirs["success_1"]


def test_auroc_counts_ties_half() -> None:
    # Pairs: (.9, .5) won, (.9, .1) won, (.5, .5) tied, (.5, .1) won.
    assert m.auroc([0.9, 0.5, 0.5, 0.1], [True, True, False, False]) == pytest.approx(3.5 / 4)
    assert math.isnan(m.auroc([0.5], [True]))


@given(RATES)
def test_auroc_is_the_share_of_pairs_won(rows: list[tuple[float, bool]]) -> None:
    positives = [score for score, positive in rows if positive]
    negatives = [score for score, positive in rows if not positive]
    won = [(a > b) + (a == b) / 2 for a, b in product(positives, negatives)]
    area = m.auroc([score for score, _ in rows], [positive for _, positive in rows])
    if won:
        assert area == pytest.approx(sum(won) / len(won))
    else:
        assert math.isnan(area)


def test_refused_at_by_hand() -> None:
    scores = [0.9, 0.8, 0.7, 0.3, 0.75, 0.5, 0.2]
    positive = [True, True, True, True, False, False, False]
    assert m.refused_at(0.0, scores, positive) == pytest.approx(1 / 3)
    assert m.refused_at(0.25, scores, positive) == pytest.approx(2 / 3)
    assert m.refused_at(0.5, scores, positive) == 1.0
    assert math.isnan(m.refused_at(0.5, [0.1], [True]))


def test_risk_coverage_by_hand() -> None:
    confidence, right = [0.9, 0.8, 0.7, 0.6], [True, False, True, False]
    curve = m.risk_coverage(confidence, right)
    assert [coverage for coverage, _ in curve] == [0.25, 0.5, 0.75, 1.0]
    assert [risk for _, risk in curve] == pytest.approx([0, 1 / 2, 1 / 3, 1 / 2])
    assert m.aurc(confidence, right) == pytest.approx(1 / 3)
    assert m.aurc([0.5, 0.5], [True, False]) == m.aurc([0.5, 0.5], [False, True]) == 0.5


@given(RATES)
def test_risk_ends_at_the_share_of_wrong_ones(rows: list[tuple[float, bool]]) -> None:
    right = [is_right for _, is_right in rows]
    curve = m.risk_coverage([confidence for confidence, _ in rows], right)
    assert curve[-1] == (1.0, pytest.approx(right.count(False) / len(right)))


def test_ece_by_hand() -> None:
    # (.6, .7] holds .65 and .7, one right: |.5 - .675|; (.9, 1] holds .95, right: |1 - .95|.
    assert m.ece([0.65, 0.7, 0.95], [True, False, True]) == pytest.approx(
        2 / 3 * 0.175 + 1 / 3 * 0.05
    )
    assert m.reliability([0.0, 0.1, 1.0], [False, False, True]) == ((0.05, 0.0, 2), (1.0, 1.0, 1))


@given(RATES)
def test_ece_is_a_share_and_zero_for_an_oracle(rows: list[tuple[float, bool]]) -> None:
    right = [is_right for _, is_right in rows]
    assert 0 <= m.ece([confidence for confidence, _ in rows], right) <= 1
    assert m.ece([float(is_right) for is_right in right], right) == 0


def test_avna_by_hand() -> None:
    assert m.avna([True, False, True, False], [True, False, False, True]) == 0.5


def test_wilson_by_hand() -> None:
    # Newcombe (1998), table I: 81 of 263, and 0 of 20.
    assert m.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert m.wilson(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)
    assert m.wilson(0, 0) == (0, 1)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_rate(pair: tuple[int, int]) -> None:
    hits, n = pair
    low, high = m.wilson(hits, n)
    assert 0 <= low <= hits / n + 1e-12
    assert hits / n - 1e-12 <= high <= 1


def test_percentile_by_hand() -> None:
    assert m.percentile([4, 1, 3, 2], 0.5) == 2.5
    assert m.percentile([1, 2, 3, 4], 0.95) == pytest.approx(3.85)
    assert m.percentile([7], 0.95) == 7
    assert math.isnan(m.percentile([], 0.5))
