import json
from pathlib import Path

import pytest

from rag.assistant import Assistant
from rag.errors import BadCases
from rag.evals.answers import Answers, refuses
from rag.evals.cases import load
from rag.evals.run import KNOWN_FACTS, run
from rag.wire import as_json


def written(folder: Path, *rows: object) -> Path:
    file = folder / "answers.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    return file


def test_words_alone_are_an_answer_or_a_refusal(tmp_path: Path) -> None:
    answers = Answers(
        written(
            tmp_path,
            {"question": "How long? ", "answer": "It is 250 km long."},
            {"question": "How deep?", "answer": "The context does not mention its depth."},
            {"id": "c", "question": "Who?", "answer": None},
            {"id": "d", "error": "timed out"},
        )
    )
    found, error = answers("a", "How long?", ())
    assert found is not None
    assert (found["outcome"], error) == ("answered", None)
    for id, question in (("b", "How deep?"), ("c", "Who?")):
        found, _ = answers(id, question)
        assert found is not None
        assert found["outcome"] == "not_in_corpus"
    assert answers("d", "When?") == (None, "timed out")
    assert answers("e", "Why?") == (None, "answers.jsonl has no answer for it")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("I don’t know.", True),
        ("I'm sorry, but I cannot answer that.", True),
        ("The provided documents do not contain this.", True),
        ("There is no information about it.", True),
        ("Empty Response", True),
        ("His e-mail address is not given in the text.", True),
        ("It is 250 km long.", False),
        ("Nobody was hurt.", False),
        ("They did not arrest him until 2017.", False),
        ("None of the 12 houses was searched.", False),
    ],
)
def test_what_reads_as_a_refusal(text: str, expected: bool) -> None:
    assert refuses(text) is expected


PLACE = {"document": "a.md", "start": 0, "end": 1}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([], "a JSON object"),
        ({"answer": "x"}, "“id” or a “question”"),
        ({"id": "a", "answer": 3}, "must be a string"),
        ({"id": "a", "answer": "x", "outcome": "maybe"}, "answered or not_in_corpus"),
        ({"id": "a", "answer": "x", "confidence": 2}, "from 0 to 1"),
        ({"id": "a", "answer": "x", "citations": [{}]}, "document, start, end and quote"),
        ({"id": "a", "answer": "x", "sentences": [{"text": "x"}]}, "text and citations"),
        ({"id": "a", "answer": "x", "tokens": {"in": "many"}}, "numbers by name"),
        ({"id": "a", "answer": "x", "citations": [{**PLACE, "quote": "x", "n": [1]}]}, "number"),
        (
            {"id": "a", "answer": "x", "citations": [{**PLACE, "quote": "x", "version": []}]},
            "“version” of citations",
        ),
        (
            {"id": "a", "answer": "x", "evidence": [{**PLACE, "text": "x", "answer_span": "0-1"}]},
            "“answer_span” of evidence",
        ),
        (
            {"id": "a", "answer": "x", "sentences": [{"text": "x", "citations": [[1]]}]},
            "text and citations",
        ),
    ],
)
def test_what_is_no_answer_is_named(tmp_path: Path, row: object, reason: str) -> None:
    with pytest.raises(BadCases, match=f"answer 2: .*{reason}"):
        Answers(written(tmp_path, {"id": "z", "answer": "fine"}, row))


def test_two_answers_for_a_case_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadCases, match="a second answer for 'z'"):
        Answers(written(tmp_path, {"id": "z", "answer": "1"}, {"id": "z", "answer": "2"}))


def test_recorded_answers_are_judged_like_asked_ones(assistant: Assistant, tmp_path: Path) -> None:
    cases = load(KNOWN_FACTS)[:3]
    rows = [{"id": c.id, **as_json(assistant.ask(c.question, c.history))} for c in cases]
    recorded = run(assistant, cases, ask=Answers(written(tmp_path, *rows)))
    asked = run(assistant, cases)
    timed = {name for name in asked.measures if name.endswith("_ms")}
    for name in asked.measures.keys() - timed:
        assert recorded.measures[name] == asked.measures[name], name
    assert recorded.run["model"] == "extractive"


def test_words_alone_are_judged_for_what_they_have(assistant: Assistant, tmp_path: Path) -> None:
    cases = load(KNOWN_FACTS)[:3]
    facts = [" and ".join(aliases[0] for aliases in case.facts) for case in cases]
    rows = [{"id": c.id, "answer": said} for c, said in zip(cases, facts, strict=True)]
    measures = run(assistant, cases, ask=Answers(written(tmp_path, *rows[:2]))).measures
    assert measures["all_facts_found"].value == pytest.approx(2 / 3)
    assert measures["failures"].value == pytest.approx(1 / 3)
    for name in ("recall@5", "ece", "quote_overlap", "citation_recall", "unlocated"):
        assert name not in measures
