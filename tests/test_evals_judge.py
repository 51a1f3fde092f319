from collections.abc import Mapping
from typing import Any

import pytest

from corpus.types import Span
from rag.evals.cases import Case
from rag.evals.datasets import DatasetQuestion, Gold
from rag.evals.judge import Judgements, failed, judge_case, judge_question
from rag.evals.names import LOWER, MEANINGS
from rag.evals.score import score

WYE = "The Wye rises on Plynlimon. It is 250 km long. Salmon swim in it."
USK = "The Usk is shorter. It is 125 km long."
TEXTS = {"wye.txt": WYE, "usk.txt": USK}
CASE = Case("length", "How long is the Wye?", (("250 km",),), ("wye.txt",), ("It is 250 km long.",))
REFUSAL = Case("depth", "How deep is the Wye?", ())
SPAN = Span(WYE.index("250"), WYE.index("250") + len("250 km"))
QUESTION = DatasetQuestion(
    "q", "How long is the Wye?", True, (Gold("wye.txt", SPAN),), ("250 km",), ("wye.txt",)
)


def text_of(id: str, version: str | None) -> str | None:
    return TEXTS.get(id)


def located(document: str, words: str, marked: str = "") -> dict[str, Any]:
    """Words of a document as an item of evidence."""
    start = TEXTS[document].index(words)
    at = words.index(marked)
    return {
        "document": document,
        "start": start,
        "end": start + len(words),
        "text": words,
        "answer_span": [at, at + len(marked)] if marked else None,
    }


RIGHT = located("wye.txt", "It is 250 km long.", "250 km")
WRONG = located("usk.txt", "It is 125 km long.", "125 km")


def answered(*cited: Mapping[str, Any], said: str | None = None, **more: Any) -> dict[str, Any]:
    texts = [said] if said is not None else [item["text"] for item in cited]
    return {
        "outcome": "answered",
        "answer": " ".join(f"{text} [{n}]" for n, text in enumerate(texts, start=1)),
        "confidence": 0.9,
        "sentences": [{"text": text, "citations": [n]} for n, text in enumerate(texts, start=1)],
        "citations": [
            {**item, "n": n, "version": None, "quote": item["text"]}
            for n, item in enumerate(cited, start=1)
        ],
        "evidence": [*cited, RIGHT, WRONG],
        "timings_ms": {"total": 12.0},
        "tokens": None,
    } | more


def refused(**more: Any) -> dict[str, Any]:
    nothing: dict[str, Any] = {"sentences": [], "citations": [], "evidence": [WRONG, RIGHT]}
    return (
        answered()
        | nothing
        | {"outcome": "not_in_corpus", "answer": "The documents do not say.", "confidence": 0.2}
        | more
    )


def differences(judged: Judgements) -> dict[str, object]:
    """What differs from the judgements of a right answer."""
    right = judge_case(answered(RIGHT), CASE, text_of)
    return {name: value for name, value in judged.items() if right.get(name) != value}


def test_a_right_answer() -> None:
    judged = judge_case(answered(RIGHT), CASE, text_of)
    assert judged["facts_found"] == (True,)
    assert judged["all_facts_found"] is judged["first_sentence"] is judged["avna"] is True
    assert judged["false_refusals"] is judged["failures"] is False
    assert judged["answered_unanswerable"] is None
    assert judged["wrong_document"] == judged["unlocated"] == (False,)
    assert judged["quote_overlap"] == judged["recall@5"] == judged["mrr"] == 1.0
    assert judged["words_per_answer"] == 5
    assert judged["right"] is judged["right_answer"] is True


def test_a_wrong_number_is_a_fact_not_found() -> None:
    judged = judge_case(answered(RIGHT, said="It is 260 km long."), CASE, text_of)
    assert differences(judged) == {
        "facts_found": (False,),
        "all_facts_found": False,
        "first_sentence": False,
        "first_two_sentences": False,
        "right": False,
        "right_answer": False,
        "citation_recall": (False,),
        "citation_precision": (False,),
    }


def test_a_number_in_a_marker_is_no_fact() -> None:
    case = Case("one", "How many?", (("1",),), ("wye.txt",))
    assert judge_case(answered(RIGHT), case, text_of)["all_facts_found"] is False
    bare = answered(RIGHT, sentences=None)
    assert judge_case(bare, case, text_of)["all_facts_found"] is False
    assert judge_case(bare, CASE, text_of)["all_facts_found"] is True


def test_numbers_of_two_sentences_stay_two() -> None:
    case = Case("n", "How much?", (("300 kg",),), ("wye.txt",))
    answer = answered(RIGHT)
    answer["sentences"] = [
        {"text": "There were 12", "citations": []},
        {"text": "300 kg of it", "citations": []},
    ]
    assert judge_case(answer, case, text_of)["all_facts_found"] is True


def test_a_fact_in_a_later_sentence() -> None:
    late = answered(WRONG, located("usk.txt", "The Usk is shorter."), RIGHT)
    judged = judge_case(late, CASE, text_of)
    assert judged["all_facts_found"] is True
    assert judged["first_sentence"] is judged["first_two_sentences"] is False
    assert judged["wrong_document"] == (True, True, False)


def test_a_citation_of_another_document() -> None:
    judged = differences(judge_case(answered(WRONG, said=RIGHT["text"]), CASE, text_of))
    assert judged["wrong_document"] == (True,)
    assert judged["quote_overlap"] == 0.0
    assert "unlocated" not in judged
    assert "all_facts_found" not in judged


def test_a_quote_that_is_not_where_it_says() -> None:
    answer = answered(RIGHT)
    answer["citations"][0]["start"] += 1
    assert differences(judge_case(answer, CASE, text_of))["unlocated"] == (True,)
    answer = answered(RIGHT)
    answer["citations"][0]["document"] = "gone.txt"
    assert differences(judge_case(answer, CASE, text_of))["unlocated"] == (True,)


def test_a_quote_shifted_by_a_sentence() -> None:
    shifted = answered(located("wye.txt", "Salmon swim in it."), said=RIGHT["text"])
    judged = differences(judge_case(shifted, CASE, text_of))
    assert judged == {
        "quote_overlap": 0.0,
        "citation_recall": (False,),
        "citation_precision": (False,),
    }


def test_a_citation_that_is_missing_and_one_too_many() -> None:
    answer = answered(RIGHT)
    answer["sentences"][0]["citations"] = []
    judged = differences(judge_case(answer, CASE, text_of))
    assert judged == {"citation_recall": (False,), "citation_precision": None}
    answer = answered(RIGHT, located("wye.txt", "Salmon swim in it."), said=RIGHT["text"])
    answer["sentences"][0]["citations"] = [1, 2]
    judged = differences(judge_case(answer, CASE, text_of))
    assert judged["citation_precision"] == (True, False)
    assert "citation_recall" not in judged


def test_a_false_refusal() -> None:
    judged = judge_case(refused(), CASE, text_of)
    assert judged["false_refusals"] is True
    assert judged["avna"] is judged["all_facts_found"] is judged["right"] is False
    assert judged["words_per_answer"] is judged["right_answer"] is None


def test_refusals_and_answers_to_the_unanswerable() -> None:
    right = judge_case(refused(), REFUSAL, text_of)
    wrong = judge_case(answered(RIGHT), REFUSAL, text_of)
    assert (right["avna"], right["answered_unanswerable"]) == (True, False)
    assert (wrong["avna"], wrong["answered_unanswerable"]) == (False, True)
    assert right["facts_found"] is right["all_facts_found"] is right["false_refusals"] is None


def test_a_failure_is_wrong_and_no_refusal() -> None:
    measures = score([judge_case(answered(RIGHT), CASE, text_of), failed(True, 1)])
    assert measures["failures"].value == 0.5
    assert measures["all_facts_found"].value == measures["facts_found"].value == 0.5
    assert measures["false_refusals"].n == 1
    assert measures["avna"].value == 0.5


def test_a_question_with_gold_spans() -> None:
    judged = judge_question(answered(RIGHT), QUESTION, text_of)
    for name in ("first_evidence", "first_evidence_text", "gold_cited", "exact_match", "right"):
        assert judged[name] is True, name
    assert judged["token_f1"] == judged["squad_f1"] == 1.0


def test_the_words_of_another_document_are_not_the_gold() -> None:
    other = DatasetQuestion("q", "?", True, (Gold("usk.txt", SPAN),), ("250 km",), ("usk.txt",))
    judged = judge_question(answered(RIGHT), other, text_of)
    assert judged["first_evidence"] is judged["first_three_evidence"] is False
    assert judged["first_evidence_text"] is True
    assert judged["hit@1"] is False
    assert judged["mrr"] == 0.5


def test_marked_words_of_a_refused_question_are_the_evidence() -> None:
    judged = judge_question(refused(evidence=[RIGHT]), QUESTION, text_of)
    assert judged["exact_match"] is judged["exact_match_evidence"] is True
    assert judged["squad_exact"] is False
    assert judged["right"] is True
    assert judged["gold_cited"] is False
    assert judged["gold_cited_if_answered"] is None


def test_squad_counts_a_refusal_of_the_unanswerable_as_exact() -> None:
    nothing = DatasetQuestion("q", "How deep is it?", False)
    assert judge_question(refused(), nothing, text_of)["squad_exact"] is True
    unmarked = answered(located("wye.txt", "It is 250 km long."))
    judged = judge_question(unmarked, nothing, text_of)
    assert judged["squad_exact"] is judged["right"] is judged["right_answer"] is False
    assert "exact_match" not in judged


def test_gold_longer_than_a_sentence_is_met_by_a_sentence_in_it() -> None:
    whole = DatasetQuestion("q", "?", True, (Gold("wye.txt", Span(0, 46)),), (), ("wye.txt",))
    assert judge_question(answered(RIGHT), whole, text_of)["gold_cited"] is True
    outside = answered(located("wye.txt", "Salmon swim in it."))
    assert judge_question(outside, whole, text_of)["gold_cited"] is False


def test_measures_have_intervals_and_say_what_is_better() -> None:
    judged = [judge_case(answered(RIGHT), CASE, text_of)] * 3
    judged += [judge_case(answered(WRONG), CASE, text_of), judge_case(refused(), REFUSAL, text_of)]
    measures = score(judged)
    found = measures["all_facts_found"]
    assert (found.value, found.n, found.better) == (0.75, 4, "higher")
    assert (found.low, found.high) == pytest.approx((0.3006, 0.9544), abs=1e-4)
    assert measures["wrong_document"].value == 0.25
    assert measures["wrong_document"].better == "lower"
    assert measures["auroc"].value == 1.0
    assert measures["latency_p50_ms"].value == 12.0
    assert all(m.low <= m.value <= m.high for m in measures.values())
    assert score(judged) == measures
    assert "answered" not in measures


def test_no_judgements_are_no_measures() -> None:
    assert score([]) == {}
    assert score([{"tokens": None}]) == {}


def test_every_judgement_is_a_measure_with_a_meaning() -> None:
    passage = DatasetQuestion("q", "?", True, QUESTION.gold, ("250 km",), reference="250 km")
    judged = judge_case(answered(RIGHT), CASE, text_of) | failed(True, 1)
    judged |= judge_question(answered(RIGHT), passage, text_of)
    inner = {"answered", "answerable", "confidence", "right", "right_answer"}
    assert {name for name in judged if not name.startswith("ms_")} - inner <= set(MEANINGS)
    assert set(MEANINGS) >= LOWER
