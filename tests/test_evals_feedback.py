"""What people say of answers becomes cases; the evaluation runs them."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from rag.assistant import Assistant
from rag.errors import NotKept
from rag.evals.cases import check_cases, load
from rag.evals.command import Documents
from rag.evals.feedback import (
    KEPT,
    LARGEST,
    LONGEST,
    OPEN,
    Opinion,
    case_id,
    case_row,
    given,
    keep,
    take_back,
    writable,
)
from rag.evals.run import run
from rag.types import Answer, Turn

DETAINED = "How many suspects did the police detain in last year's campaign?"
PANCAKES = "How do I make pancakes without eggs?"


def row(answer: Answer, verdict: str, who: str = "me", **more: str) -> dict[str, object]:
    opinion = Opinion(verdict, **more)  # type: ignore[arg-type]
    return case_row(case_id(who, answer), answer, opinion)


def test_a_good_answer_becomes_a_case_that_it_meets(assistant: Assistant, tmp_path: Path) -> None:
    answers = [assistant.ask(DETAINED), assistant.ask(PANCAKES)]
    for answer in answers:
        keep(tmp_path, row(answer, "good"))
    cases = load(tmp_path / KEPT)
    assert check_cases(cases, Documents(assistant.index)) == ()
    assert [case.facts for case in cases] == [(("21,566",),), ()]
    assert cases[0].quotes == tuple(citation.quote for citation in answers[0].citations)
    assert cases[0].tags == ("feedback", "good")
    results = run(assistant, cases)
    assert results.failing == ()
    assert results.measures["quote_overlap"].value == 1


def test_a_bad_answer_becomes_a_case_that_it_misses(assistant: Assistant, tmp_path: Path) -> None:
    keep(tmp_path, row(assistant.ask(DETAINED), "bad", right="10,461 cases\n\n21,566"))
    keep(tmp_path, row(assistant.ask("Who is Heng Sayhong?"), "bad", reason="refuse"))
    keep(tmp_path, row(assistant.ask(PANCAKES), "bad", reason="says", right="with bananas"))
    cases = load(tmp_path / KEPT)
    assert [case.facts for case in cases] == [
        (("10,461 cases",), ("21,566",)),
        (),
        (("with bananas",),),
    ]
    wrong = [case.wrong for case in run(assistant, cases).cases]
    assert wrong == ["", "answered", "all_facts_found"]


def test_without_a_right_answer_it_is_kept_and_is_no_case(
    assistant: Assistant, tmp_path: Path
) -> None:
    answer = assistant.ask(DETAINED)
    keep(tmp_path, row(answer, "bad", reason="wrong", note="  Not so.  "))
    assert not (tmp_path / KEPT).exists()
    (line,) = (tmp_path / OPEN).read_text("utf-8").splitlines()
    assert "facts" not in json.loads(line)
    assert json.loads(line)["feedback"]["note"] == "Not so."
    keep(tmp_path, row(answer, "bad", right="21,566"))
    assert (tmp_path / OPEN).read_text("utf-8") == ""
    assert len(load(tmp_path / KEPT)) == 1


def test_a_changed_mind_replaces_ones_own_and_nobody_elses(
    assistant: Assistant, tmp_path: Path
) -> None:
    answer = assistant.ask(DETAINED)
    keep(tmp_path, row(answer, "good", who="one"))
    keep(tmp_path, row(answer, "good", who="another"))
    before = (tmp_path / KEPT).read_bytes().splitlines()[1]
    keep(tmp_path, row(answer, "bad", who="one", right="none"))
    assert (tmp_path / KEPT).read_bytes().splitlines()[0] == before
    mine = case_id("one", answer)
    assert given(tmp_path, {mine})[mine]["tags"] == ["feedback", "bad"]
    take_back(tmp_path, mine)
    assert given(tmp_path, {mine}) == {}
    assert len(load(tmp_path / KEPT)) == 1


def test_what_was_asked_before_is_part_of_the_case(assistant: Assistant, tmp_path: Path) -> None:
    before = tuple(Turn("user" if n % 2 == 0 else "assistant", f"{n} " * 900) for n in range(30))
    answer = assistant.ask(DETAINED)
    line = case_row("x", answer, Opinion("good"), before)
    keep(tmp_path, line)
    (case,) = load(tmp_path / KEPT)
    assert len(case.history) == 12
    assert case.history[-1].content == before[-1].content[:LONGEST]


def test_feedback_is_bounded(assistant: Assistant, tmp_path: Path) -> None:
    answer = assistant.ask(DETAINED)
    many = "\n".join(f"fact {n}" for n in range(500))
    line = row(answer, "bad", right=many, note="n" * 9000, reason="no such reason")
    assert len(json.dumps(line)) < 10_000
    assert line["feedback"]["reason"] == ""  # type: ignore[index]
    (tmp_path / KEPT).write_bytes(b"{}\n" * (LARGEST // 3))
    with pytest.raises(NotKept, match="full"):
        keep(tmp_path, row(answer, "good"))


def test_what_was_said_before_stays_where_a_changed_mind_cannot_be_kept(
    assistant: Assistant, tmp_path: Path
) -> None:
    answer = assistant.ask(DETAINED)
    keep(tmp_path, before := row(answer, "bad"))
    (tmp_path / KEPT).write_bytes(b"{}\n" * (LARGEST // 3))
    with pytest.raises(NotKept, match="full"):
        keep(tmp_path, row(answer, "good"))
    assert given(tmp_path, [str(before["id"])]) == {before["id"]: before}


def test_a_line_that_was_cut_off_does_not_spoil_the_file(
    assistant: Assistant, tmp_path: Path
) -> None:
    keep(tmp_path, row(assistant.ask(DETAINED), "good"))
    whole = (tmp_path / KEPT).read_bytes()
    (tmp_path / KEPT).write_bytes(whole + whole[: len(whole) // 2])
    keep(tmp_path, row(assistant.ask(PANCAKES), "good"))
    assert len(load(tmp_path / KEPT)) == 2
    (tmp_path / KEPT).write_bytes(whole.rstrip())  # written by hand, and whole
    keep(tmp_path, row(assistant.ask(PANCAKES), "good"))
    assert len(load(tmp_path / KEPT)) == 2


def test_many_at_once_lose_nothing(assistant: Assistant, tmp_path: Path) -> None:
    answer = assistant.ask(DETAINED)

    def say(who: int) -> None:
        for verdict in ("good", "bad", "good"):
            keep(tmp_path, row(answer, verdict, who=str(who), right="21,566"))

    threads = [threading.Thread(target=say, args=(who,)) for who in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({case.id for case in load(tmp_path / KEPT)}) == 8


def test_where_nothing_can_be_written_it_is_said(assistant: Assistant, tmp_path: Path) -> None:
    assert writable(tmp_path)
    (tmp_path / KEPT).mkdir()  # whoever runs this may write everywhere else
    with pytest.raises(NotKept, match="cannot be kept beside this index: is a directory"):
        keep(tmp_path, row(assistant.ask(DETAINED), "good"))
    assert not writable(tmp_path)


def test_a_models_answer_that_states_no_cited_words_is_no_case(assistant: Assistant) -> None:
    answer = assistant.ask(DETAINED)
    told = replace(answer, text="A good many. [1]", model="openai:m")
    assert "facts" not in row(told, "good")
