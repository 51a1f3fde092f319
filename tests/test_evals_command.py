import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag.assistant import Assistant
from rag.errors import BadCases, BadSettings
from rag.evals.command import UNFINISHED, Call, main
from rag.evals.run import KNOWN_FACTS
from rag.settings import Settings
from tests.openai_server import Raw, serving


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
        code = main(settings, Call(out=out, dataset="squad", data=write_squad(tmp_path)))
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
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = KNOWN_FACTS.read_text("utf-8").splitlines()
    file = tmp_path / "cases.jsonl"
    file.write_text("\n".join(lines[:2]), "utf-8")
    settings = Settings(index=built_in_index, answers="extractive")
    assert main(settings, Call(file, bars=(("unlocated", 0.0), ("facts", 0.0)))) == 0
    assert main(settings, Call(file, bars=(("words_per_answer", 1),))) == 1
    assert "words_per_answer is" in capsys.readouterr().err
    with pytest.raises(BadCases, match="there is no measure “fact”"):
        main(settings, Call(Path("nowhere"), bars=(("fact", 1),)))
    with pytest.raises(BadCases, match="this run has no measure “exact_match”"):
        main(settings, Call(file, bars=(("exact_match", 1),)))


def test_cases_about_another_index_are_refused(
    built_in_index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "cases.jsonl"
    case = {"id": "a", "question": "Q?", "facts": [["x"]], "documents": ["elsewhere.md"]}
    file.write_text(json.dumps(case), "utf-8")
    settings = Settings(index=built_in_index, answers="extractive")
    with pytest.raises(BadCases, match="there is no document elsewhere"):
        main(settings, Call(file))
    assert main(settings, Call(file, check_only=True)) == 1
    assert "case a: there is no document elsewhere.md" in capsys.readouterr().out
    assert main(settings, Call(check_only=True)) == 0


@pytest.mark.parametrize(
    ("dataset", "data", "articles", "reason"),
    [
        ("nosuch", Path("x"), (), "they are beir, clapnq, llama-rag, mtrag, squad"),
        ("squad", None, (), "--data PATH"),
        ("clapnq", Path("x"), ("A",), "no articles to choose from"),
        ("squad", Path("nowhere.json"), (), "cannot read nowhere.json"),
        ("mtrag", Path(__file__).parents[1] / "ui", (), "holds no questions of mtrag"),
    ],
)
def test_a_call_that_cannot_be_run_is_one_line(
    dataset: str, data: Path | None, articles: tuple[str, ...], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(BadCases, match=reason):
        main(Settings(index=tmp_path), Call(dataset=dataset, data=data, articles=articles))


@pytest.fixture
def settings(built_in_index: Path) -> Settings:
    return Settings(index=built_in_index, answers="extractive")


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """A file of three known facts."""
    file = tmp_path / "three.jsonl"
    file.write_text("\n".join(KNOWN_FACTS.read_text("utf-8").splitlines()[:3]), "utf-8")
    return file


def written(out: Path) -> Any:
    return json.loads((out / "results.json").read_text("utf-8"))


def test_the_reports_are_written(settings: Settings, three: Path, tmp_path: Path) -> None:
    assert main(settings, Call(three, out=tmp_path / "out")) == 0
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert names == {"results.json", "summary.md", "report.html", "junit.xml"}
    run = written(tmp_path / "out")["run"]
    assert run["cases"] == str(three)
    assert "resumed_after" not in run


@pytest.fixture
def stops(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The assistant is interrupted at its third question; the list holds what it was asked."""
    asked: list[str] = []
    answer = Assistant.ask

    def ask(self: Assistant, question: str, *rest: Any, **named: Any) -> Any:
        asked.append(question)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return answer(self, question, *rest, **named)

    monkeypatch.setattr(Assistant, "ask", ask)
    return asked


def test_an_interrupted_run_goes_on(
    settings: Settings, three: Path, tmp_path: Path, stops: list[str]
) -> None:
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        main(settings, Call(three, out=out))
    with (out / UNFINISHED).open("a") as file:
        file.write('{"id": "torn')
    main(settings, Call(three, out=out))
    assert len(stops) == 4  # two answered, one interrupted, and that one again
    assert len(written(out)["cases"]) == 3
    assert written(out)["run"]["resumed_after"] == 2
    assert not (out / UNFINISHED).exists()


def test_another_run_takes_nothing_from_an_interrupted_one(
    settings: Settings, three: Path, tmp_path: Path, stops: list[str]
) -> None:
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        main(settings, Call(three, out=out))
    main(settings, Call(three, out=out, seed=1))
    assert len(stops) == 6
    assert "resumed_after" not in written(out)["run"]


def test_a_run_is_compared_with_a_saved_one(
    settings: Settings, three: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    baseline, again = tmp_path / "baseline.json", tmp_path / "again.json"
    assert main(settings, Call(three, save=baseline)) == 0
    gate = Call(three, compare=baseline, fail_on_regression=True, save=again)
    assert main(settings, gate) == 0
    assert baseline.read_bytes() == again.read_bytes()
    assert "3 cases compared with extractive" in capsys.readouterr().out


def test_a_regression_fails_the_run(
    settings: Settings, three: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    baseline, answers = tmp_path / "baseline.json", tmp_path / "answers.jsonl"
    cases = [json.loads(line) for line in three.read_text("utf-8").splitlines()]
    say = [{"question": case["question"], "answer": case["facts"][0][0]} for case in cases]
    answers.write_text("\n".join(map(json.dumps, say)), "utf-8")
    assert main(settings, Call(three, answers=answers, save=baseline)) == 0
    silent = [{"question": case["question"], "answer": "I do not know."} for case in cases]
    answers.write_text("\n".join(map(json.dumps, silent)), "utf-8")
    worse = Call(three, answers=answers, compare=baseline, out=tmp_path / "out")
    assert main(settings, worse) == 0
    assert (
        main(
            settings, Call(three, None, answers=answers, compare=baseline, fail_on_regression=True)
        )
        == 1
    )
    shown = capsys.readouterr()
    assert "false_refusals went from 0.000 to 1.000" in shown.err
    assert "latency" not in shown.err
    assert "now not right  " in shown.out
    assert "What differs" in (tmp_path / "out" / "report.html").read_text("utf-8")


def test_what_cannot_be_compared_is_one_line(
    settings: Settings, three: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.json").write_text('{"cases": [{}]}')
    (tmp_path / "empty.json").write_text('{"cases": [], "run": {}}')
    for call, reason in (
        (Call(three, fail_on_regression=True), "needs a run to compare with"),
        (Call(three, compare=tmp_path / "nowhere.json"), "cannot read"),
        (Call(three, compare=tmp_path / "bad.json"), "is no run"),
        (Call(three, compare=tmp_path / "empty.json"), "no case in common"),
    ):
        with pytest.raises(BadCases, match=reason):
            main(settings, call)


def test_a_language_model_may_judge_too(settings: Settings, three: Path, tmp_path: Path) -> None:
    yes = {"role": "assistant", "content": "YES"}
    reply = {"id": "1", "object": "chat.completion", "created": 0, "model": "m"}
    choices = [{"index": 0, "message": yes, "finish_reason": "stop"}]
    body = json.dumps({**reply, "choices": choices}).encode()
    call = Call(three, judge_with_model=True, out=tmp_path / "out")
    with serving(Raw(body, "application/json")) as server:
        assert main(replace(settings, base_url=server.url), call) == 0
    run, measures = written(tmp_path / "out")["run"], written(tmp_path / "out")["measures"]
    assert "FaithfulnessEvaluator" in run["model_judge"]
    assert measures["model_faithful"]["value"] == 1
    assert measures["judge_failures"]["value"] == 0.5  # “YES” is no grade from 1 to 5
    with pytest.raises(BadSettings, match="there is no model to ask"):
        main(settings, call)


def test_a_question_may_be_asked_of_its_own_paragraph(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = write_squad(tmp_path)
    whole = json.loads(file.read_text())
    other = {"context": "The Usk rises elsewhere, and is a shorter river.", "qas": []}
    whole["data"][0]["paragraphs"].append(other)
    file.write_text(json.dumps(whole))
    settings = Settings(index=tmp_path / "mine", answers="extractive")
    seen = {}
    for given in (False, True):
        call = Call(dataset="squad", data=file, given=given, out=tmp_path / f"out{given}")
        assert main(settings, call) == 0
        cases = written(tmp_path / f"out{given}")["cases"]
        seen[given] = {e["document"] for case in cases for e in case["answer"]["evidence"]}
    assert {len(seen[False]), len(seen[True])} == {2, 1}
    with pytest.raises(BadCases, match="leave --given out"):
        main(settings, Call(dataset="mtrag", data=file, given=True))
