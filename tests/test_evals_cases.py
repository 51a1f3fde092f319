import json
from pathlib import Path

import pytest

from corpus.read import BUILT_IN, find, read
from rag.errors import BadCases
from rag.evals.cases import Case, check_cases, load
from rag.evals.run import KNOWN_FACTS
from rag.types import Turn

CASE = {"id": "a", "question": "How many?", "facts": [["12", "twelve"]], "documents": ["a.md"]}
DOCUMENTS = {"a.md": "There were twelve of them. Nobody saw a thirteenth.", "b.md": "Nothing."}


def written(folder: Path, *lines: object) -> Path:
    file = folder / "cases.jsonl"
    file.write_text("\n".join(s if isinstance(s, str) else json.dumps(s) for s in lines), "utf-8")
    return file


def test_cases_are_read_with_their_history(tmp_path: Path) -> None:
    refusal = {"id": "b", "question": "Who?", "facts": [], "history": ["How many?"], "tags": ["t"]}
    first, second = load(written(tmp_path, CASE, "", refusal))
    assert first == Case("a", "How many?", (("12", "twelve"),), ("a.md",))
    assert first.answerable
    assert second.history == (Turn("user", "How many?"),)
    assert not second.answerable
    assert load(tmp_path) == (first, second)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "line 2"),
        ("[]", "a case is a JSON object"),
        ({"id": "x", "facts": []}, "“question” must be a string"),
        ({"id": "", "question": "Q?", "facts": []}, "“id” must be a string"),
        ({"id": "x", "question": "Q?"}, "“facts” must be a list"),
        ({"id": "x", "question": "Q?", "facts": ["12"]}, "every entry of “facts”"),
        ({"id": "x", "question": "Q?", "facts": [], "tags": "t"}, "“tags” must be"),
        ({"id": "x", "question": "Q?", "facts": [], "history": [1]}, "a turn of history"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: object, reason: str) -> None:
    with pytest.raises(BadCases, match=reason) as raised:
        load(written(tmp_path, CASE, line))
    assert "line 2" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("content", [None, b"", b"\n\n", b"\xff\xfe\xff"])
def test_a_file_without_cases_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "cases.jsonl"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BadCases):
        load(file)


@pytest.mark.parametrize(
    ("case", "problem"),
    [
        (Case("x", "Q?", (("12",),), ("c.md",)), "there is no document c.md"),
        (Case("x", "Q?", ((),), ("a.md",)), "a fact has no alias"),
        (Case("x", "Q?", (("12", "–"),), ("a.md",)), "an alias has no words: '–'"),
        (Case("x", "Q?", (("13",),), ("a.md",)), "its documents do not state the fact '13'"),
        (Case("x", "Q?", (("12",),), ("a.md",), ("Nothing.",)), "the quote is not in its document"),
        (Case("x", "Q?", (("12",),), ("a.md",), (" ",)), "a quote is empty"),
        (Case("x", "Q?", (), (), ("Nothing.",)), "it has quotes and no facts"),
    ],
)
def test_a_broken_case_is_found(case: Case, problem: str) -> None:
    found = check_cases([case], DOCUMENTS)
    assert [str(p)[: len(problem) + 8] for p in found] == [f"case x: {problem}"]


def test_sound_cases_have_no_problems_and_ids_are_unique() -> None:
    sound = Case("x", "Q?", (("12",), ("nobody",)), ("a.md",), ("There were twelve of them.",))
    assert check_cases([sound, Case("y", "Q?", ())], DOCUMENTS) == ()
    assert [p.case for p in check_cases([sound, sound], DOCUMENTS)] == ["x"]


def test_the_known_facts_of_the_built_in_corpus_are_sound() -> None:
    documents = {id: read(file, id).text for id, file in find([BUILT_IN])}
    assert check_cases(load(KNOWN_FACTS), documents) == ()
