import json
from collections.abc import Sequence

import pytest

from index.search import Index
from rag.assistant import Assistant
from rag.evals.cases import Case, load
from rag.evals.datasets import Dataset, DatasetQuestion
from rag.evals.names import TIMED
from rag.evals.report import as_json, summary, table
from rag.evals.results import Results
from rag.evals.run import KNOWN_FACTS, run, run_dataset, run_retrieval
from rag.types import Answer, Turn


@pytest.fixture(scope="module")
def cases() -> tuple[Case, ...]:
    known = load(KNOWN_FACTS)
    unanswerable = tuple(case for case in known if not case.answerable)
    return tuple(case for case in known if case.answerable)[:3] + unanswerable[:2]


@pytest.fixture(scope="module")
def results(assistant: Assistant, cases: tuple[Case, ...]) -> Results:
    return run(assistant, cases)


def without_timings(results: Results) -> object:
    measures = {n: m for n, m in results.measures.items() if n not in TIMED}
    answers = [{**(case.answer or {}), "timings_ms": 0, "trace": 0} for case in results.cases]
    return measures, answers


def test_known_facts_are_asked_and_judged(
    assistant: Assistant, cases: tuple[Case, ...], results: Results
) -> None:
    assert [case.id for case in results.cases] == [case.id for case in cases]
    assert results.measures["failures"].value == 0
    assert results.measures["unlocated"].value == 0
    assert results.measures["all_facts_found"].n == 3
    assert results.measures["answered_unanswerable"].n == 2
    assert results.measures["latency_p50_ms"].value > 0
    assert set(results.by_tag) == {tag for case in cases for tag in case.tags}
    assert results.run["index"]["documents"] == 5
    assert results.run["model"] == "extractive"


def test_two_runs_are_the_same_but_for_timings(
    assistant: Assistant, cases: tuple[Case, ...], results: Results
) -> None:
    done = []
    again = run(assistant, cases, on_progress=lambda n, total: done.append((n, total)))
    assert without_timings(again) == without_timings(results)
    assert done == [(n, 5) for n in range(1, 6)]


def test_results_are_in_the_contracts_form(results: Results) -> None:
    written = json.loads(json.dumps(as_json(results), allow_nan=False))
    assert set(written) == {"measures", "by_tag", "cases", "run"}
    for measure in written["measures"].values():
        assert set(measure) == {"value", "low", "high", "n", "better"}
    for case in written["cases"]:
        assert {"id", "question", "answer", "judgements"} <= set(case)
    assert {"commit", "index", "model", "seed", "started", "judge"} <= set(written["run"])


class Stumbling:
    """An assistant that cannot answer one question."""

    def __init__(self, assistant: Assistant, question: str) -> None:
        self._assistant = assistant
        self._question = question

    @property
    def index(self) -> Index:
        return self._assistant.index

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        if question == self._question:
            raise TimeoutError("too | late")
        return self._assistant.ask(question, history)


def test_a_failure_is_counted_and_the_rest_goes_on(
    assistant: Assistant, cases: tuple[Case, ...]
) -> None:
    results = run(Stumbling(assistant, cases[0].question), cases)
    assert results.measures["failures"].value == pytest.approx(1 / 5)
    assert results.measures["all_facts_found"].n == 3
    assert results.cases[0].error == "TimeoutError: too | late"
    assert results.cases[1].answer
    assert "failed 1 times: TimeoutError: too | late" in table(results)
    assert "too \\| late | failed |" in summary(results)


def a_dataset(assistant: Assistant) -> Dataset:
    documents = {id: assistant.index.document(id).text for id in assistant.index.manifest.documents}
    known = [case for case in load(KNOWN_FACTS) if case.answerable and not case.history][:2]
    earlier = (Turn("user", "What do the documents say?"),)
    questions = tuple(
        DatasetQuestion(case.id, case.question, True, documents=case.documents, history=earlier)
        for case in known
    )
    return Dataset("built-in", documents, questions)


def test_a_conversation_is_compared_with_its_last_turn_alone(assistant: Assistant) -> None:
    measures = run_dataset(assistant, a_dataset(assistant)).measures
    with_history, alone = measures["recall@5"].value, measures["recall@5_last_turn"].value
    assert measures["recall@5_gain"].value == pytest.approx(with_history - alone)
    assert "aurc" not in measures
    assert "squad_exact" not in measures


def test_search_alone_is_measured_lexical_and_dense(assistant: Assistant) -> None:
    measures = run_retrieval(assistant, a_dataset(assistant)).measures
    for name in ("ndcg@10", "ndcg@10_lexical", "ndcg@10_dense", "recall@10"):
        assert 0 < measures[name].value <= 1
