"""Answers spoiled on purpose: each fault changes the measures that it should, and no others."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from rag.evals.cases import Case
from rag.evals.judge import failed, judge_case
from rag.evals.score import score

TEXTS = {
    "wye.txt": "The Wye rises on Plynlimon. It is 250 km long. Salmon swim in its upper reaches.",
    "usk.txt": "The Usk is a shorter river. It is 125 km long. Otters live on its banks.",
    "bridge.txt": "The bridge opened on 8 September 1966. It spans the estuary of the Severn.",
    "copy.txt": "From another book. It is 250 km long. Nothing else is said of it.",
}
LENGTH, BOTH, SPRING, OPENING, DEPTH, OWNER = range(6)
CASES = (
    Case("length", "How long is the Wye?", (("250 km",),), ("wye.txt",), ("It is 250 km long.",)),
    Case(
        "both",
        "How long are the two rivers?",
        (("250 km",), ("125 km",)),
        ("wye.txt", "usk.txt"),
        ("It is 250 km long.", "It is 125 km long."),
    ),
    Case("spring", "Where does it rise?", (("Plynlimon",),), ("wye.txt",)),
    Case("opening", "When did it open?", (("8 September 1966",),), ("bridge.txt",)),
    Case("depth", "How deep is the Wye?", ()),
    Case("owner", "Who owns the Usk?", ()),
)
Answer = dict[str, Any]


def text_of(id: str, version: str | None) -> str | None:
    return TEXTS.get(id)


def item(document: str, number: int) -> Answer:
    """A sentence of a document as evidence."""
    words = [f"{part.rstrip('.')}." for part in TEXTS[document].split(". ")][number]
    start = TEXTS[document].index(words)
    return {"document": document, "start": start, "end": start + len(words), "text": words}


def citing(*items: Answer) -> list[Answer]:
    return [{**one, "n": n, "quote": one["text"]} for n, one in enumerate(items, start=1)]


def answer(*items: Answer) -> Answer:
    """The sentences as an answer, each citing itself."""
    numbered = list(enumerate(items, start=1))
    return {
        "outcome": "answered",
        "answer": " ".join(f"{one['text']} [{n}]" for n, one in numbered),
        "confidence": 0.9,
        "sentences": [{"text": one["text"], "citations": [n]} for n, one in numbered],
        "citations": citing(*items),
        "evidence": [*items, item("usk.txt", 2), item("copy.txt", 0)],
        "timings_ms": {"total": 10.0},
        "tokens": {"in": 100, "out": 20, "cost": 0.002},
    }


def refusal() -> Answer:
    nothing: Answer = {"sentences": [], "citations": [], "confidence": 0.1}
    words = {"outcome": "not_in_corpus", "answer": "The documents do not say."}
    return answer(item("usk.txt", 0)) | nothing | words


def right() -> list[Answer]:
    return [
        answer(item("wye.txt", 1)),
        answer(item("wye.txt", 1), item("usk.txt", 1)),
        answer(item("wye.txt", 0)),
        answer(item("bridge.txt", 0)),
        refusal(),
        refusal(),
    ]


def figures(answers: list[Answer]) -> dict[str, float]:
    """Every measure's value; an empty answer stands for a failure to answer."""
    judged = [
        judge_case(given, case, text_of) if given else failed(case.answerable, len(case.facts))
        for given, case in zip(answers, CASES, strict=True)
    ]
    return {name: measure.value for name, measure in score(judged).items()}


RIGHT = figures(right())

Fault = Callable[[Answer], object]


def says(old: str, new: str) -> Fault:
    """Other words in the answer's first sentence."""

    def fault(given: Answer) -> None:
        sentence = given["sentences"][0]
        assert old in sentence["text"]
        sentence["text"] = sentence["text"].replace(old, new)

    return fault


def cites(*items: Answer) -> Fault:
    """Other words cited for the first sentence."""

    def fault(given: Answer) -> None:
        given["citations"] = citing(*items)
        given["sentences"][0]["citations"] = list(range(1, len(items) + 1))

    return fault


def cited(**changes: Any) -> Fault:
    """The first citation changed."""
    return lambda given: given["citations"][0].update(changes)


def moved(by: int) -> Fault:
    def fault(given: Answer) -> None:
        first = given["citations"][0]
        first.update(start=first["start"] + by, end=first["end"] + by)

    return fault


def after(*items: Answer) -> Fault:
    """The answer begins with other sentences."""

    def fault(given: Answer) -> None:
        given.update(answer(*items, item("wye.txt", 1)), evidence=given["evidence"])

    return fault


def gives(**changes: Any) -> Fault:
    return lambda given: given.update(changes)


def drops_a_sentence(given: Answer) -> None:
    del given["sentences"][1], given["citations"][1]


def cites_nothing(given: Answer) -> None:
    given["sentences"][0]["citations"] = []


def refuses(given: Answer) -> None:
    given.update(refusal(), evidence=given["evidence"], confidence=given["confidence"])


def answers(uncited: bool) -> Fault:
    def fault(given: Answer) -> None:
        given.update(answer(item("usk.txt", 2)), evidence=given["evidence"], confidence=0.1)
        if uncited:
            given["sentences"][0]["citations"] = []

    return fault


FACTS = {"facts_found", "all_facts_found", "first_sentence", "first_two_sentences"}
# The answer that is wrong was a sure one.
SURE = {"ece", "ece_answered", "aurc"}
SUPPORT = {"citation_recall", "citation_precision"}
SEARCH = {"hit@1", "mrr", "ndcg@10"}
SALMON, OTTERS = item("wye.txt", 2), item("usk.txt", 2)

FAULTS: dict[str, tuple[int, Fault, set[str]]] = {
    "another number": (LENGTH, says("250", "260"), FACTS | SUPPORT | SURE),
    "a digit too many": (LENGTH, says("250", "2500"), FACTS | SUPPORT | SURE),
    "the number in a longer one": (LENGTH, says("250", "1,250"), FACTS | SUPPORT | SURE),
    "the number as a fraction": (LENGTH, says("250", "0.250"), FACTS | SUPPORT | SURE),
    "another unit": (LENGTH, says("km", "m"), FACTS | SUPPORT | SURE),
    "another day": (OPENING, says("8 Sep", "9 Sep"), FACTS | SUPPORT | SURE),
    "another year": (OPENING, says("1966", "1967"), FACTS | SUPPORT | SURE),
    "another month": (OPENING, says("September", "December"), FACTS | SURE),
    "another name": (SPRING, says("Plynlimon", "Snowdon"), FACTS | SURE),
    "a name in a longer word": (SPRING, says("Plynlimon", "Plynlimonshire"), FACTS | SURE),
    "one of two facts left out": (
        BOTH,
        drops_a_sentence,
        {"facts_found", "all_facts_found", "first_two_sentences", "words_per_answer"}
        | {"quote_overlap"}
        | SURE,
    ),
    "the fact in the second sentence": (
        LENGTH,
        after(SALMON),
        {"first_sentence", "words_per_answer"},
    ),
    "the fact in the third sentence": (
        LENGTH,
        after(SALMON, item("wye.txt", 0)),
        {"first_sentence", "first_two_sentences", "words_per_answer"},
    ),
    "more words than it takes": (
        LENGTH,
        says("It is", "It is, it really is,"),
        {"words_per_answer"},
    ),
    "the right fact uncited": (LENGTH, cites_nothing, {"citation_recall"}),
    "the citation missing": (LENGTH, cites(), {"citation_recall", "quote_overlap"}),
    "the quote shifted by a sentence": (LENGTH, cites(SALMON), SUPPORT | {"quote_overlap"}),
    "the quote shifted back by a sentence": (
        LENGTH,
        cites(item("wye.txt", 0)),
        SUPPORT | {"quote_overlap"},
    ),
    "another document cited": (
        LENGTH,
        cites(item("usk.txt", 1)),
        SUPPORT | {"quote_overlap", "wrong_document"},
    ),
    "the same words in another document": (
        LENGTH,
        cites(item("copy.txt", 1)),
        {"quote_overlap", "wrong_document"},
    ),
    "a document that is not there": (
        LENGTH,
        cited(document="gone.txt"),
        {"quote_overlap", "wrong_document", "unlocated"},
    ),
    "a place one character off": (SPRING, moved(1), {"unlocated"}),
    "a quote that is not verbatim": (
        LENGTH,
        cited(quote="It is 250 km long!"),
        {"unlocated"},
    ),
    "an empty quote": (LENGTH, cited(quote=""), SUPPORT | {"unlocated"}),
    "a citation too many": (LENGTH, cites(item("wye.txt", 1), SALMON), {"citation_precision"}),
    "a citation too many of another document": (
        LENGTH,
        cites(item("wye.txt", 1), OTTERS),
        {"citation_precision", "wrong_document"},
    ),
    "a refusal of the answerable": (
        SPRING,
        refuses,
        {"false_refusals", "avna", "words_per_answer"} | FACTS,
    ),
    "an answer to the unanswerable": (
        OWNER,
        answers(uncited=False),
        {"answered_unanswerable", "avna", "words_per_answer"},
    ),
    "an uncited answer to the unanswerable": (
        OWNER,
        answers(uncited=True),
        {"answered_unanswerable", "avna", "words_per_answer", "citation_recall"},
    ),
    "a sure refusal called unsure": (
        DEPTH,
        gives(confidence=0.95),
        {"ece", "aurc", "auroc", "refused_at_4_percent"},
    ),
    "a right answer called unsure": (
        SPRING,
        gives(confidence=0.05),
        {"ece", "ece_answered", "aurc", "auroc", "refused_at_4_percent"},
    ),
    "the right document found late": (
        SPRING,
        gives(evidence=[OTTERS, item("copy.txt", 0), item("wye.txt", 0)]),
        SEARCH,
    ),
    "the right document not found": (SPRING, gives(evidence=[OTTERS]), SEARCH | {"recall@5"}),
    "no answer at all": (
        SPRING,
        dict.clear,
        {"failures", "avna", "words_per_answer", "aurc"} | FACTS,
    ),
    "a slow answer": (
        SPRING,
        gives(timings_ms={"total": 900.0}),
        {"latency_p95_ms"},
    ),
    "a dear answer": (
        SPRING,
        gives(tokens={"in": 900, "out": 20, "cost": 0.02}),
        {"tokens", "money"},
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_changes_its_measures_and_no_others(name: str) -> None:
    at, fault, expected = FAULTS[name]
    given = deepcopy(right())
    fault(given[at])
    spoiled = figures(given)
    changed = {
        measure
        for measure in RIGHT.keys() | spoiled.keys()
        if RIGHT.get(measure) != pytest.approx(spoiled.get(measure), abs=1e-9)
    }
    assert changed == expected


def test_right_answers_are_right() -> None:
    perfect = {"facts_found", "all_facts_found", "citation_recall", "citation_precision", "avna"}
    assert all(RIGHT[name] == 1 for name in perfect | {"quote_overlap", "recall@5", "auroc"})
    assert RIGHT["unlocated"] == RIGHT["wrong_document"] == RIGHT["false_refusals"] == 0
    assert len(FAULTS) >= 30
