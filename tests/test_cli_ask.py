"""footnote ask as a process: one question, a conversation, a file of questions."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Footnote, assert_one_line, seconds

DETAINED = "How many suspects did the police detain in last year's campaign?"


@pytest.fixture
def footnote(footnote: Footnote, built_in_index: Path, tmp_path: Path) -> Footnote:
    """The command line in a folder whose settings name the built-in index."""
    (tmp_path / "footnote.toml").write_text(f"index = '{built_in_index}'\n", encoding="utf-8")
    return footnote


def test_as_a_process(footnote: Footnote, process: Footnote) -> None:
    shown = process("ask", DETAINED)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout == footnote("ask", DETAINED).stdout
    odd = process("ask", "\udcff\udc80", "--json")
    assert (odd.returncode, odd.stderr) == (0, "")


def test_for_a_person(footnote: Footnote) -> None:
    shown = footnote("ask", DETAINED)
    assert (shown.returncode, shown.stderr) == (0, "")
    answer, source, *_ = shown.stdout.split("\n\n")
    assert "21,566" in answer
    assert "[1]" in answer
    assert source.startswith("[1] ")
    assert "campaign-plan-no-01.md" in source
    assert "“" in source
    assert all(len(line) <= 88 for line in shown.stdout.splitlines())


def test_as_json(footnote: Footnote) -> None:
    answer = footnote.json("ask", DETAINED, "--json")
    text = footnote("text", answer["citations"][0]["document"]).stdout
    assert answer["outcome"] == "answered"
    assert "trace" not in answer
    for citation in answer["citations"]:
        assert text[citation["start"] : citation["end"]] == citation["quote"]


def test_the_trace(footnote: Footnote) -> None:
    assert footnote.json("ask", DETAINED, "--json", "--trace")["trace"]
    shown = footnote("ask", DETAINED, "--trace").stdout
    assert "standalone_question: " in shown


def test_a_refusal_is_no_error(footnote: Footnote) -> None:
    answer = footnote.json("ask", "How should I prune an apple tree in winter?", "--json")
    assert answer["outcome"] == "not_in_corpus"
    assert answer["citations"] == []


def test_a_cold_question_is_answered_in_three_seconds(
    footnote: Footnote, process: Footnote
) -> None:
    assert min(seconds(process, "ask", DETAINED) for _ in range(3)) < 3


@pytest.mark.parametrize("question", ["", "   \n", "why " * 5000])
def test_a_question_that_cannot_be_asked(footnote: Footnote, question: str) -> None:
    assert_one_line(footnote("ask", question), "question")


@pytest.mark.parametrize(
    "question",
    [
        "?",
        "🦩🦩🦩",
        "\u202eolleh",
        "a\x07b",
        "\udcff\udc80",
        "ሰላም ለዓለም",
        "1",
    ],
)
def test_an_odd_question_gets_an_answer(footnote: Footnote, question: str) -> None:
    assert footnote.json("ask", question, "--json")["outcome"] in ("answered", "not_in_corpus")


@pytest.mark.parametrize(
    "history",
    [
        "Who is Heng Sayhong?\n",
        '["Who is Heng Sayhong?"]',
        '[{"role": "user", "content": "Who is Heng Sayhong?"},'
        ' {"role": "assistant", "content": "An official."}]',
    ],
)
def test_history(footnote: Footnote, tmp_path: Path, history: str) -> None:
    (tmp_path / "before.txt").write_text(history, encoding="utf-8")
    answer = footnote.json("ask", "What did he say?", "--history", "before.txt", "--json")
    assert answer["question"] == "What did he say?"
    assert answer["standalone_question"] != answer["question"]


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (b"[1, 2]", "turn"),
        (b"[{", "JSON"),
        (b"\xff\xfe\xfa", "UTF-8"),
        (b'[{"role": "x"}]', "turn"),
    ],
)
def test_a_history_that_cannot_be_read(
    footnote: Footnote, tmp_path: Path, written: bytes, says: str
) -> None:
    (tmp_path / "before.txt").write_bytes(written)
    refused = footnote("ask", "What did he say?", "--history", "before.txt")
    assert_one_line(refused, says)
    assert "before.txt" in refused.stderr
    assert_one_line(footnote("ask", "What?", "--history", "none.txt"), "none.txt")


def test_a_batch_keeps_its_order_and_goes_on_after_bad_lines(
    footnote: Footnote, tmp_path: Path
) -> None:
    lines: list[bytes] = [
        json.dumps({"id": "a", "question": DETAINED}).encode(),
        b"not json",
        b"",
        b'{"id": "b"}',
        b'{"id": "c", "question": ""}',
        b'{"id": "d", "question": "What did he say?", "history": ["Who is Heng Sayhong?"]}',
        b'{"id": "e", "question": "What?", "history": 7}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"id": 12, "question": "' + b"why " * 5000 + b'"}',
        b'{"id": {"n": 1}, "question": "How should I prune an apple tree?"}',
        b'{"question": "Who is \\ud800?"}',
    ]
    (tmp_path / "in.jsonl").write_bytes(b"\n".join(lines))
    done = footnote("ask", "--batch", "in.jsonl", "--out", "out.jsonl")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    answers = _lines(tmp_path / "out.jsonl")
    assert [a["id"] for a in answers] == [
        *("a", None, "b", "c", "d", "e", None, None, 12, {"n": 1}, None)
    ]
    bad = [set(a) == {"id", "error"} for a in answers]
    assert bad == [False, True, True, True, False, True, True, True, True, False, False]
    assert all("\n" not in a["error"] for a in answers if "error" in a)
    assert "21,566" in answers[0]["answer"]
    assert answers[4]["standalone_question"] != answers[4]["question"]
    alone = footnote.json("ask", DETAINED, "--json")
    for timed in (alone, answers[0]):
        del timed["timings_ms"]
    assert {"id": "a", **alone} == answers[0]


def test_a_batch_from_stdin_to_stdout(footnote: Footnote, process: Footnote) -> None:
    line = json.dumps({"id": "x", "question": DETAINED}).encode()
    done = process("ask", "--batch", "-", stdin=b"\xef\xbb\xbf" + line + b"\r\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["id"] == "x"


def test_a_batch_that_cannot_be_read_or_written(footnote: Footnote, tmp_path: Path) -> None:
    assert_one_line(footnote("ask", "--batch", "none.jsonl", "--out", "out.jsonl"), "none.jsonl")
    assert not (tmp_path / "out.jsonl").exists()
    questions = tmp_path / "in.jsonl"
    questions.write_text('{"id": 1, "question": "Who?"}\n', encoding="utf-8")
    assert_one_line(footnote("ask", "--batch", "in.jsonl", "--out", "a/b.jsonl"), "a/b.jsonl")
    assert_one_line(footnote("ask", "--batch", "in.jsonl", "--out", "./in.jsonl"), "in.jsonl")
    assert questions.read_text(encoding="utf-8") == '{"id": 1, "question": "Who?"}\n'


def _lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
