import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from index.search import Index
from rag.assistant import Assistant
from rag.errors import BadCases
from rag.evals.cases import Case, load
from rag.evals.datasets import Dataset, DatasetQuestion
from rag.evals.report import as_json, summary, table
from rag.evals.results import Results
from rag.evals.run import KNOWN_FACTS, main, run, run_dataset, run_retrieval
from rag.settings import Settings
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
    measures = {n: m for n, m in results.measures.items() if not n.startswith("latency")}
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


def write_squad(folder: Path) -> Path:
    context = "The Wye rises on Plynlimon. It is 250 km long and enters the Severn at Chepstow."
    rows = [("Where does the Wye rise?", "Plynlimon"), ("How long is the Wye?", "250 km")]
    qas = [
        {"id": f"q{n}", "question": q, "answers": [{"text": a, "answer_start": context.index(a)}]}
        for n, (q, a) in enumerate(rows)
    ]
    qas.append({"id": "q2", "question": "Who owns the Wye?", "answers": [], "is_impossible": True})
    data = [{"title": "Wye", "paragraphs": [{"context": context, "qas": qas}]}]
    file = folder / "squad.json"
    file.write_text(json.dumps({"data": data}), "utf-8")
    return file


def test_a_data_set_is_indexed_asked_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    settings = Settings(index=tmp_path / "mine", answers="extractive")
    out = tmp_path / "out"
    for _ in range(2):
        code = main(settings, out=out, dataset="squad", data=write_squad(tmp_path))
        assert code == 0
    assert "first_evidence" in capsys.readouterr().out
    assert not settings.index.exists()
    measures = json.loads((out / "results.json").read_text())["measures"]
    assert measures["recall@5"]["value"] == 1
    assert measures["unlocated"]["value"] == 0
    assert (out / "summary.md").read_text().startswith("# Evaluation")


def test_known_facts_from_the_command_with_bars(
    built_in_index: Path,
    tmp_path: Path,
    cases: tuple[Case, ...],
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = KNOWN_FACTS.read_text("utf-8").splitlines()
    file = tmp_path / "cases.jsonl"
    file.write_text("\n".join(lines[:2]), "utf-8")
    settings = Settings(index=built_in_index, answers="extractive")
    assert main(settings, file, bars={"unlocated": 0.0, "facts_found": 0.0}) == 0
    assert main(settings, file, bars={"words_per_answer": 1}) == 1
    assert "words_per_answer is" in capsys.readouterr().err
    with pytest.raises(BadCases, match="no measure “fact”"):
        main(settings, file, bars={"fact": 1})


def test_cases_about_another_index_are_refused(
    built_in_index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "cases.jsonl"
    case = {"id": "a", "question": "Q?", "facts": [["x"]], "documents": ["elsewhere.md"]}
    file.write_text(json.dumps(case), "utf-8")
    settings = Settings(index=built_in_index, answers="extractive")
    with pytest.raises(BadCases, match="there is no document elsewhere"):
        main(settings, file)
    assert main(settings, file, check_only=True) == 1
    assert "case a: there is no document elsewhere.md" in capsys.readouterr().out
    assert main(replace(settings), check_only=True) == 0


@pytest.mark.parametrize(
    ("dataset", "data", "articles", "reason"),
    [
        ("nosuch", Path("x"), None, "they are beir, clapnq, mtrag, squad"),
        ("squad", None, None, "--data PATH"),
        ("clapnq", Path("x"), ["A"], "no articles to choose from"),
        ("squad", Path("nowhere.json"), None, "cannot read nowhere.json"),
    ],
)
def test_a_call_that_cannot_be_run_is_one_line(
    dataset: str, data: Path | None, articles: list[str] | None, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(BadCases, match=reason):
        main(Settings(index=tmp_path), dataset=dataset, data=data, articles=articles)
