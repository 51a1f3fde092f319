"""The command line as a process: what every command shares, and the calls that are wrong."""

import os
import re
import signal
import socket
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import Footnote, assert_one_line, seconds

COMMANDS = ("index", "ask", "text", "serve", "eval", "status")
README = Path(__file__).parents[1] / "README.md"


def test_help_names_every_command(process: Footnote) -> None:
    shown = process("--help")
    assert shown.returncode == 0
    assert all(re.search(rf"^    {command} ", shown.stdout, re.M) for command in COMMANDS)


def test_help_answers_at_once(process: Footnote) -> None:
    assert min(seconds(process, "--help") for _ in range(4)) < 0.3


@pytest.mark.parametrize("command", COMMANDS)
def test_what_help_offers_is_in_the_readme(footnote: Footnote, command: str) -> None:
    shown = footnote(command, "--help")
    assert shown.returncode == 0
    readme = README.read_text(encoding="utf-8")
    usage = re.search(rf"^footnote {command}\b.*$", readme, re.M)
    assert usage, f"README.md does not show footnote {command}"
    offered = set(re.findall(r"--[a-z][a-z-]+", shown.stdout)) - {"--help"}
    assert {option for option in offered if option not in readme} == set()


def test_version(process: Footnote) -> None:
    shown = process("--version")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert re.fullmatch(r"footnote \d+\.\d+\.\d+\n", shown.stdout)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "footnote --help"),
        (["nonsense"], "nonsense"),
        (["index", "--bogus"], "--bogus"),
        (["ask"], "QUESTION"),
        (["ask", "Who?", "--batch", "in.jsonl"], "--batch"),
        (["ask", "Who?", "--out", "out.jsonl"], "--batch"),
        (["ask", "--batch", "in.jsonl", "--history", "h.txt"], "history"),
        (["text"], "DOCUMENT"),
        (["serve", "--port", "many"], "many"),
        (["serve", "--auth", "nobody"], "USER:PASSWORD"),
        (["eval", "--bar", "much"], "MEASURE=VALUE"),
        (["eval", "cases.jsonl", "--dataset", "squad"], "not both"),
    ],
)
def test_a_wrong_call_is_told_in_one_line(
    footnote: Footnote, arguments: list[str], says: str
) -> None:
    assert_one_line(footnote(*arguments), says)


@pytest.mark.parametrize(
    "arguments", [["ask", "Who?"], ["text", "a.md"], ["status"], ["serve"], ["eval"]]
)
def test_without_an_index_it_says_how_to_make_one(footnote: Footnote, arguments: list[str]) -> None:
    assert_one_line(footnote(*arguments), "footnote index")


def test_a_wrong_setting_is_told_in_one_line(footnote: Footnote, tmp_path: Path) -> None:
    assert_one_line(footnote("status", env={"FOOTNOTE_ANSWERS": "perhaps"}), "perhaps")
    assert_one_line(footnote("status", env={"FOOTNOTE_EMBEDDING": "word2vec"}), "word2vec")
    (tmp_path / "footnote.toml").write_text("answers = 3\n", encoding="utf-8")
    assert_one_line(footnote("status"), "footnote.toml")


def test_status(footnote: Footnote, built_in_index: Path) -> None:
    shown = footnote("status", "--index", built_in_index)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "5 documents" in shown.stdout
    assert "minilm" in shown.stdout
    assert "extractive" in shown.stdout
    status = footnote.json("status", "--json", env={"FOOTNOTE_INDEX": str(built_in_index)})
    assert status["index"] == str(built_in_index)
    assert status["documents"] == 5
    assert status["passages"] > 5
    assert status["embedding"] == "minilm"
    assert status["answers"] == "extractive"
    assert status["bytes"] > 1000


def test_status_names_the_model_and_never_the_key(footnote: Footnote, built_in_index: Path) -> None:
    env = {"OPENAI_API_KEY": "sk-very-secret", "FOOTNOTE_MODEL": "some-model"}
    shown = footnote("status", "--index", built_in_index, env=env)
    assert "openai:some-model" in shown.stdout
    assert "sk-very-secret" not in shown.stdout + shown.stderr


def test_text_is_the_indexed_text_and_nothing_more(footnote: Footnote, tmp_path: Path) -> None:
    text = "# A bell\r\n\r\nThe bell of Saint Ouen weighs 9,400 kg – said “the warden”.\r\n"
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "bell.md").write_bytes(text.encode())
    footnote.json("index", "docs", "--json")
    assert footnote("text", "bell.md").stdout == text.replace("\r\n", "\n").strip()
    assert_one_line(footnote("text", "gong.md"), "gong.md")


def test_a_reader_who_leaves_early_is_no_error(process: Footnote, built_in_index: Path) -> None:
    running = process.start("text", "campaign-plan-no-01.md", "--index", built_in_index)
    assert running.stdout is not None
    running.stdout.close()
    _, stderr = running.communicate(timeout=60)
    assert stderr == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_told_in_one_line(process: Footnote, built_in_index: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        running = process.start("status", "--index", built_in_index, stdout=full)
        _, stderr = running.communicate(timeout=60)
    assert running.returncode == 2
    assert stderr.decode() == "footnote: no space left on device\n"


def test_serve_prints_its_address_answers_and_stops(
    footnote: Footnote, process: Footnote, built_in_index: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = footnote("serve", "--index", built_in_index, "--port", str(port))
        assert_one_line(refused, str(port))
    running = process.start("serve", "--index", built_in_index, "--port", str(port))
    try:
        assert running.stdout is not None
        line = running.stdout.readline().decode()
        address = f"http://127.0.0.1:{port}/"
        assert address in line
        with urllib.request.urlopen(address, timeout=10) as page:
            assert page.status == 200
    finally:
        running.send_signal(signal.SIGINT)
        stdout, stderr = running.communicate(timeout=60)
    assert running.returncode in (0, 130)
    assert stdout == b""
    assert b"Traceback" not in stderr


def test_an_interrupt_leaves_no_traceback(process: Footnote, built_in_index: Path) -> None:
    running = process.start("ask", "--batch", "-", "--index", built_in_index, stdin=subprocess.PIPE)
    assert running.stdin is not None
    assert running.stdout is not None
    running.stdin.write(b'{"id": 1, "question": "Who is Heng Sayhong?"}\n')
    running.stdin.flush()
    assert b'"id": 1' in running.stdout.readline()
    running.send_signal(signal.SIGINT)
    _, stderr = running.communicate(timeout=60)
    assert (running.returncode, stderr) == (130, b"")


def test_a_place_in_the_environment_or_the_file(
    footnote: Footnote, tmp_path: Path, built_in_index: Path
) -> None:
    (tmp_path / "footnote.toml").write_text(f"index = '{built_in_index}'\n", encoding="utf-8")
    assert footnote.json("status", "--json")["documents"] == 5
    elsewhere = {"FOOTNOTE_INDEX": str(tmp_path / "none")}
    assert_one_line(footnote("status", env=elsewhere), "footnote index")
    chosen = footnote("status", "--index", built_in_index, env=elsewhere)
    assert chosen.returncode == 0, chosen.stderr


def test_the_suite_starts_from_a_clean_environment() -> None:
    assert [name for name in os.environ if name.startswith("OPENAI_")] == []
