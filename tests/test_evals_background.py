"""One evaluation at a time in the background, and the runs and case sets around it."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from corpus.read import BUILT_IN
from index.build import build
from index.embed import embedder
from rag.assistant import Assistant
from rag.errors import BadCases, Busy
from rag.evals import background, kept, sets
from rag.evals.background import Run, Runs
from rag.evals.cases import Case, load
from rag.evals.feedback import KEPT, OPEN
from rag.evals.results import load_run
from rag.evals.run import KNOWN_FACTS
from rag.settings import Settings
from rag.traffic import Traffic
from rag.types import Delta

CASES = load(KNOWN_FACTS)[:6]
WRONG = Case("wrong", "Who is Heng Sayhong?", (("nobody at all",),), tags=("name",))


def until(done: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)


def finished(assistant: Assistant, *rest: object) -> Run:
    run = Run(assistant, (*CASES, WRONG), "Known facts", *rest)  # type: ignore[arg-type]
    run.work()
    assert run.state == "done"
    return run


def test_a_run_measures_and_keeps_every_answer(assistant: Assistant, tmp_path: Path) -> None:
    run = finished(assistant, None, tmp_path)
    assert run.results is not None
    assert [case.id for case in run.results.failing] == ["wrong"]
    assert run.answers[CASES[0].id].text == assistant.ask(CASES[0].question).text
    (one,) = kept.kept(tmp_path)
    assert (one.what, one.cases) == ("known-facts", 7)
    again = finished(assistant, kept.read(tmp_path, one.name))
    assert again.comparison is not None
    assert again.comparison.flips == ()


def test_only_the_newest_runs_are_kept(
    assistant: Assistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "MOST", 3)
    run = finished(assistant)
    assert run.results is not None
    for day in range(1, 6):
        run.results.run["started"] = f"2026-01-0{day}T00:00:00+00:00"  # type: ignore[index]
        kept.keep(run.results, tmp_path, "Ünïcode / of … names")
    assert [one.started.day for one in kept.kept(tmp_path)] == [5, 4, 3]
    assert len(load_run(tmp_path / kept.FOLDER / kept.kept(tmp_path)[0].name)[0]) == 7
    with pytest.raises(BadCases, match="no such run"):
        kept.read(tmp_path, "../../feedback.jsonl")


def test_one_runs_at_a_time_and_can_be_stopped(assistant: Assistant) -> None:
    runs = Runs()
    first = Run(assistant, CASES * 400, "Known facts")
    runs.start(first)
    until(lambda: len(first.done) >= 3)
    with pytest.raises(Busy, match="an evaluation is running on this server"):
        runs.start(Run(assistant, CASES, "Known facts"))
    assert runs.find("another") is None
    assert runs.find(None) is None
    assert runs.find(first.token) is first
    first.stop()
    until(lambda: first.state == "stopped")
    assert first.results is not None
    assert 3 <= len(first.results.cases) == len(first.done) < 2400
    assert runs.current is None
    for _ in range(background.FINISHED):
        run = Run(assistant, CASES[:1], "Known facts")
        runs.start(run)
        until(lambda run=run: run.state == "done")  # type: ignore[misc]
    assert runs.find(first.token) is None


def test_a_run_that_nobody_looks_at_stops(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "ABANDONED", 0.2)
    run = Run(assistant, CASES * 400, "Known facts")
    run.work()
    assert run.state == "stopped"


def test_an_index_that_is_gone_ends_a_run_and_is_said(tmp_path: Path) -> None:
    shutil.copytree(BUILT_IN, tmp_path / "d")
    build([tmp_path / "d"], tmp_path / "i", embedder("minilm"))
    assistant = Assistant.open(Settings(index=tmp_path / "i", answers="extractive"))
    shutil.rmtree(tmp_path / "i")
    runs = Runs()
    run = Run(assistant, CASES, "Known facts")
    runs.start(run)
    until(lambda: runs.current is None)
    assert run.state == "failed"
    assert "footnote index" in run.notes[0]


def test_somebody_who_looks_again_too_late_makes_no_failed_case_of_the_stop(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "ABANDONED", 0.5)
    run = Run(assistant, CASES, "Known facts")
    answer = assistant.stream

    def slow(*asked: Any) -> Iterator[Delta]:
        time.sleep(0.6)
        try:
            yield from answer(*asked)
        finally:
            run.looked()

    monkeypatch.setattr(assistant, "stream", slow)
    run.work()
    assert (run.state, run.done) == ("stopped", [])


def test_what_cannot_be_compared_or_kept_is_said(assistant: Assistant, tmp_path: Path) -> None:
    (tmp_path / kept.FOLDER).write_text("no folder", "utf-8")
    other = finished(assistant)
    assert other.results is not None
    run = Run(assistant, [WRONG], "mine", (other.results.cases[:2], other.results.run), tmp_path)
    run.work()
    assert run.state == "done"
    assert run.results is not None
    assert "no case in common" in run.notes[0]
    assert "could not be kept beside the index" in run.notes[1]


def test_it_waits_while_people_ask(assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "PATIENCE", 30.0)
    run = Run(assistant, CASES[:1], "Known facts")
    with assistant.traffic:
        thread = threading.Thread(target=run.work)
        thread.start()
        time.sleep(0.3)
        assert not run.done
    thread.join(20)
    assert len(run.done) == 1


def test_traffic_counts() -> None:
    traffic = Traffic()
    with traffic:
        with traffic:
            assert not traffic.quiet(0.01)
        assert not traffic.quiet(0.01)
    assert traffic.quiet(0.01)


def test_the_built_in_cases_are_offered_where_they_fit(
    assistant: Assistant, built_in_index: Path, tmp_path: Path
) -> None:
    (found,) = sets.beside(tmp_path, assistant.index)
    assert (found.name, len(found.cases)) == (sets.BUILT_IN, len(load(KNOWN_FACTS)))
    (tmp_path / "d").mkdir()
    shutil.copy(BUILT_IN / "campaign-plan-no-01.md", tmp_path / "d")
    build([tmp_path / "d"], tmp_path / "i", embedder("minilm"))
    other = Assistant.open(Settings(index=tmp_path / "i", answers="extractive"))
    assert tuple(sets.beside(tmp_path / "i", other.index)) == ()


def test_of_a_file_what_does_not_fit_is_left_out(assistant: Assistant, tmp_path: Path) -> None:
    good = '{"id": "a", "question": "Who?", "facts": [], "tags": ["x"]}\n'
    lost = '{"id": "b", "question": "Who?", "facts": [["y"]], "documents": ["gone.md"]}\n'
    (tmp_path / KEPT).write_text(good + lost, "utf-8")
    (tmp_path / OPEN).write_text("{}\n", "utf-8")
    (tmp_path / "mine.jsonl").write_text(good + "{\n", "utf-8")
    _, feedback, mine = sets.beside(tmp_path, assistant.index)
    assert ([case.id for case in feedback.cases], dict(feedback.tags)) == (["a"], {"x": 1})
    assert feedback.problems == ("case b: there is no document gone.md; it is left out",)
    assert mine.cases == ()
    assert mine.problems[0].startswith("mine.jsonl, line 2: ")
    with pytest.raises(BadCases, match="holds no cases"):
        sets.uploaded("brought.jsonl", "\n", assistant.index)
    with pytest.raises(BadCases, match="line 1"):
        sets.uploaded("brought.jsonl", "[" * 100_000, assistant.index)


def test_cases_are_chosen_by_tag_and_sample() -> None:
    found = sets.CaseSet("all", load(KNOWN_FACTS))
    numbers = found.chosen(("number",), None)
    assert len(numbers) == found.tags["number"]
    few = found.chosen((), 10)
    assert few == found.chosen((), 10)
    assert len(few) == 10
    assert list(few) == [case for case in found.cases if case in few]
