import json
from pathlib import Path
from typing import Any

import pytest

from rag.errors import BadCases
from rag.evals.compare import Difference, compare, save
from rag.evals.results import Judged, load_run, scored
from rag.evals.score import Better

RUN = {"model": "before", "started": "now", "commit": None}


def cases(found: list[bool], tag: str = "t", **more: float) -> list[Judged]:
    return [
        Judged(f"{tag}{n}", f"Question {n}?", (tag,), None, {"all_facts_found": one, **more})
        for n, one in enumerate(found)
    ]


def test_a_run_does_not_differ_from_itself() -> None:
    same = compare(cases([True, False]), cases([True, False]), RUN)
    one = same.differences["all_facts_found"]
    assert (one.before, one.after, one.low, one.high) == (0.5, 0.5, 0, 0)
    assert same.regressions == same.flips == ()


def test_the_difference_is_paired_by_hand() -> None:
    # 20 of 40 cases flip to wrong, none to right: every resample of the pairs is worse.
    before, after = cases([True] * 40), cases([True, False] * 20)
    found = compare(before, after, RUN)
    one = found.differences["all_facts_found"]
    assert one.after - one.before == -0.5
    # The share flipped has a standard error of .079.
    assert (one.low, one.high) == pytest.approx(
        (-0.5 - 1.96 * 0.079, -0.5 + 1.96 * 0.079), abs=0.03
    )
    assert one.verdict == "worse"
    assert found.regressions[0].startswith("all_facts_found went from 1.000 to 0.500")
    assert "all_facts_found of t" in found.regressions[1]
    assert [flip.case for flip in found.flips] == [f"t{n}" for n in range(1, 40, 2)]
    assert not any(flip.better for flip in found.flips)
    assert compare(before, after, RUN) == found


def test_half_a_character_in_a_question_can_be_saved(tmp_path: Path) -> None:
    case = Judged("a", "Who is \ud83d?", (), None, {"all_facts_found": True})
    save(scored([case], RUN), tmp_path / "runs" / "run.json")
    assert load_run(tmp_path / "runs" / "run.json")[0] == (case,)


@pytest.mark.parametrize(
    "wrong",
    [{"id": ["a"]}, {"question": None}, {"tags": [{}]}, {"judgements": {"confidence": "high"}}],
)
def test_a_run_with_a_case_that_is_none_is_no_run(tmp_path: Path, wrong: dict[str, Any]) -> None:
    case = {"id": "a", "question": "Who?", "tags": [], "judgements": {}, **wrong}
    (tmp_path / "run.json").write_text(json.dumps({"cases": [case], "run": {}}), "utf-8")
    with pytest.raises(BadCases, match="is no run"):
        load_run(tmp_path / "run.json")


def test_chance_is_no_regression() -> None:
    found = compare(cases([True] * 40), cases([True] * 39 + [False]), RUN)
    assert found.differences["all_facts_found"].verdict == "no clear difference"
    assert found.regressions == ()
    assert len(found.flips) == 1


def test_a_tag_alone_can_get_worse() -> None:
    before = cases([True] * 200, "easy") + cases([True] * 10, "hard")
    after = cases([True] * 200, "easy") + cases([False] * 8 + [True] * 2, "hard")
    regressions = compare(before, after, RUN).regressions
    assert any("of hard" in line for line in regressions)
    assert not any("of easy" in line for line in regressions)


@pytest.mark.parametrize(
    ("before", "after", "low", "high", "better", "verdict"),
    [
        (0.5, 0.6, 0.02, 0.2, "higher", "better"),
        (0.5, 0.6, 0.02, 0.2, "lower", "worse"),
        (0.5, 0.4, -0.2, -0.02, "lower", "better"),
        (0.5, 0.6, 0.0, 0.2, "higher", "no clear difference"),
        (0.5, 0.501, 0.0005, 0.002, "higher", "no clear difference"),
        (100.0, 100.3, 0.1, 0.5, "lower", "no clear difference"),
    ],
)
def test_verdicts(
    before: float, after: float, low: float, high: float, better: Better, verdict: str
) -> None:
    assert Difference(before, after, low, high, 9, better).verdict == verdict


def test_time_is_shown_and_is_no_regression() -> None:
    found = compare(cases([True] * 9, ms_total=10.0), cases([True] * 9, ms_total=90.0), RUN)
    assert found.differences["latency_p50_ms"].verdict == "worse"
    assert found.regressions == ()


def test_cases_that_one_run_lacks_are_left_out_and_counted() -> None:
    before, after = cases([True] * 3), cases([True] * 4)
    after[0] = Judged("t0", "Asked in other words?", ("t",), None, {"all_facts_found": True})
    found = compare(before, after, RUN)
    assert (found.paired, found.alone) == (2, 3)
    with pytest.raises(BadCases, match="no case in common"):
        compare(before, cases([True], "other"), RUN)


def test_what_is_saved_is_enough_and_the_same_each_time(tmp_path: Path) -> None:
    done = cases([True, False, True], ms_total=1.0, confidence=0.123456)
    results = scored(done, RUN)
    save(results, tmp_path / "a" / "run.json")
    again = scored(cases([True, False, True], ms_total=2.0, confidence=0.123456), RUN)
    save(again, tmp_path / "b.json")
    text = (tmp_path / "b.json").read_text("utf-8")
    assert (tmp_path / "a" / "run.json").read_text("utf-8") == text
    assert set(json.loads(text)["run"]) == {"model"}
    loaded, run = load_run(tmp_path / "b.json")
    assert compare(loaded, done, run).differences["all_facts_found"].before == pytest.approx(2 / 3)
