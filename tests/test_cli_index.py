"""footnote index as a process: what it adds, what it refuses, and that nothing is lost."""

import json
import os
import pty
import re
import shutil
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from index import sources
from tests.conftest import Footnote, assert_one_line, obeying_permissions, only_readable

HERON = "# The heron\n\nThe grey heron stands 98 cm tall. It hunts at dawn.\n"
OTTER = "# The otter\n\nThe otter of Lake Ammer was last seen in 1974.\n"


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    (folder / "water").mkdir(parents=True)
    (folder / "heron.md").write_text(HERON, encoding="utf-8")
    (folder / "water" / "otter.md").write_text(OTTER, encoding="utf-8")
    return folder


def test_the_summary_as_the_contract_has_it(
    footnote: Footnote, process: Footnote, docs: Path
) -> None:
    first = process.json("index", docs, "--json")
    assert set(first) == {
        *("documents", "passages", "added", "changed", "removed"),
        *("unchanged", "failed", "seconds"),
    }
    assert (first["documents"], first["added"], first["failed"]) == (2, 2, [])
    assert first["passages"] >= 2
    assert first["seconds"] > 0
    assert footnote("text", "water/otter.md").stdout.startswith("# The otter")


def test_the_index_becomes_equal_to_what_is_given(footnote: Footnote, docs: Path) -> None:
    footnote.json("index", docs, "--json")
    (docs / "heron.md").write_text(HERON.replace("98", "99"), encoding="utf-8")
    (docs / "water" / "otter.md").unlink()
    (docs / "newt.txt").write_text("Newts sleep under stones.", encoding="utf-8")
    report = footnote.json("index", docs, "--json")
    counts = {name: report[name] for name in ("added", "changed", "removed", "unchanged")}
    assert counts == {"added": 1, "changed": 1, "removed": 1, "unchanged": 0}
    assert "99 cm" in footnote("text", "heron.md").stdout
    again = footnote.json("index", docs, "--json")
    assert (again["unchanged"], again["added"], again["changed"]) == (2, 0, 0)


def test_for_a_person(footnote: Footnote, docs: Path) -> None:
    (docs / "empty.txt").touch()
    shown = footnote("index", docs, "--index", "place")
    assert (shown.returncode, shown.stderr) == (0, "")
    summary, *failed = shown.stdout.splitlines()
    assert "place" in summary
    assert "2 documents" in summary
    assert "2 added" in summary
    assert len(failed) == 1
    assert "empty.txt" in failed[0]


def test_without_a_path_it_takes_the_built_in_documents(footnote: Footnote) -> None:
    report = footnote.json("index", "--json")
    assert (report["documents"], report["failed"]) == (5, [])


def test_what_cannot_be_read_is_reported_and_the_rest_is_indexed(
    footnote: Footnote, docs: Path
) -> None:
    (docs / "empty.txt").touch()
    (docs / "binary.txt").write_bytes(bytes(range(256)) * 40)
    (docs / "garbled.txt").write_bytes("Старый дом у реки. ".encode("koi8-r") * 50)
    (docs / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    report = footnote.json("index", docs, "--json")
    assert report["documents"] == 2
    failed = {Path(one["path"]).name: one["reason"] for one in report["failed"]}
    assert set(failed) == {"empty.txt", "binary.txt", "garbled.txt", "picture.png"}
    assert all(reason and "\n" not in reason for reason in failed.values())


def test_a_document_that_becomes_unreadable_is_said_to_be(footnote: Footnote, docs: Path) -> None:
    footnote.json("index", docs, "--json")
    (docs / "heron.md").write_bytes(bytes(500))
    report = footnote.json("index", docs, "--json")
    assert [Path(one["path"]).name for one in report["failed"]] == ["heron.md"]
    assert report["documents"] == footnote.json("status", "--json")["documents"]


def test_where_nothing_can_be_indexed(footnote: Footnote, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    done = footnote("index", "empty.txt", "--json")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("footnote: ")


@pytest.mark.parametrize("given", ["nothing-here", "nowhere/at-all.txt", "void"])
def test_a_path_with_nothing_in_it_loses_nothing(
    footnote: Footnote, docs: Path, tmp_path: Path, given: str
) -> None:
    (tmp_path / "void").mkdir()
    footnote.json("index", docs, "--json")
    assert_one_line(footnote("index", given), given)
    assert footnote.json("status", "--json")["documents"] == 2


@pytest.mark.parametrize("command", ["index", "status", "serve"])
def test_a_folder_that_is_no_index(
    footnote: Footnote, docs: Path, tmp_path: Path, command: str
) -> None:
    other = tmp_path / "photographs"
    other.mkdir()
    (other / "holiday.jpg").write_bytes(b"a picture")
    (other / "manifest.json").write_text('{"mine": true}', encoding="utf-8")
    paths = [docs] if command == "index" else []
    assert_one_line(footnote(command, *paths, "--index", other), "photographs")
    assert sorted(file.name for file in other.iterdir()) == ["holiday.jpg", "manifest.json"]
    assert (other / "manifest.json").read_text(encoding="utf-8") == '{"mine": true}'


@pytest.mark.parametrize("command", ["index", "status"])
def test_a_file_where_the_index_should_be(
    footnote: Footnote, docs: Path, tmp_path: Path, command: str
) -> None:
    (tmp_path / "notes").write_text("mine", encoding="utf-8")
    paths = [docs] if command == "index" else []
    assert_one_line(footnote(command, *paths, "--index", "notes"), "notes")
    assert (tmp_path / "notes").read_text(encoding="utf-8") == "mine"


def test_an_index_that_may_only_be_read(footnote: Footnote, docs: Path, tmp_path: Path) -> None:
    footnote.json("index", docs, "--json")
    folder = tmp_path / ".footnote"
    bound = Footnote(tmp_path, before=obeying_permissions())
    with only_readable(folder):
        (docs / "newt.txt").write_text("Newts sleep under stones.", encoding="utf-8")
        assert_one_line(bound("index", docs), ".footnote")
        assert bound.json("status", "--json")["documents"] == 2
        answer = bound.json("ask", "How tall is the grey heron?", "--json")
        assert "98 cm" in answer["answer"]
    assert footnote.json("status", "--json")["documents"] == 2


def test_a_folder_that_may_be_listed_but_not_entered(
    footnote: Footnote, docs: Path, tmp_path: Path
) -> None:
    bound = Footnote(tmp_path, before=obeying_permissions())
    shut = docs / "water"
    (shut / "deep").mkdir()
    shut.chmod(0o444)
    failed = [{"path": str(shut), "reason": "a folder that cannot be opened"}]
    try:
        report = bound.json("index", docs, "--json")
        assert (report["documents"], report["failed"]) == (1, failed)
        assert_one_line(bound("index", shut), "permission denied")
        shut.chmod(0o755)
        assert footnote.json("index", docs, "--json")["added"] == 1
        shut.chmod(0o444)
        report = bound.json("index", docs, "--json")
        assert (report["documents"], report["removed"], report["failed"]) == (2, 0, failed)
    finally:
        shut.chmod(0o755)


def test_documents_of_the_same_name_are_told_apart(footnote: Footnote, tmp_path: Path) -> None:
    for folder in ("north", "south"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "log.txt").write_text(f"The {folder} gate is open.", encoding="utf-8")
    report = footnote.json("index", "north", "south", "--json")
    assert report["documents"] == 2
    assert footnote("text", "north/log.txt").stdout == "The north gate is open."


def test_a_folder_that_is_gone_is_asked_about_on_a_terminal(
    footnote: Footnote, docs: Path, tmp_path: Path
) -> None:
    footnote.json("index", docs, "--json")
    shutil.rmtree(docs)
    assert_one_line(footnote("index", docs), "--forget")
    assert _on_a_terminal(tmp_path, docs, b"n\n")[0] == 2
    assert footnote.json("status", "--json")["documents"] == 2
    assert _on_a_terminal(tmp_path, docs, b"y\n")[0] == 0
    assert footnote.json("status", "--json")["documents"] == 0


def test_a_bar_on_a_terminal_shows_how_fast_and_how_long(docs: Path, tmp_path: Path) -> None:
    lines = (f"Lantern {n} hung in tower {n * n}, and was lit at six.\n\n" for n in range(1500))
    (docs / "lanterns.txt").write_text("".join(lines), encoding="utf-8")
    code, shown = _on_a_terminal(tmp_path, docs)
    assert code == 0
    # Passages done of how many, passages a second, time left.
    bars = re.findall(r"Indexing \S+ +([\d,]+)/([\d,]+) ([\d,]+)/s (\d+:\d\d:\d\d)", shown)
    assert bars, shown
    done, total, rate, _ = bars[-1]
    assert done == total
    assert int(rate.replace(",", "")) > 0


def _on_a_terminal(folder: Path, docs: Path, typed: bytes = b"") -> tuple[int, str]:
    """The exit code, and what stood on the terminal, without its colours."""
    ours, theirs = pty.openpty()
    shown = bytearray()

    def read() -> None:
        with suppress(OSError):  # the end, when nobody has the terminal open any more
            while part := os.read(ours, 4096):
                shown.extend(part)

    reading = threading.Thread(target=read)
    try:
        os.write(ours, typed)
        script = str(Path(sys.executable).with_name("footnote"))
        running = subprocess.Popen(
            [script, "index", str(docs)],
            cwd=folder,
            env=os.environ | {"TERM": "xterm"},
            stdin=theirs,
            stderr=theirs,
            stdout=subprocess.DEVNULL,
        )
        os.close(theirs)
        reading.start()
        code = running.wait(120)
        reading.join(10)
    finally:
        os.close(ours)
    return code, re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", shown.decode("utf-8", "replace"))


def test_forget_takes_them_out_without_asking(footnote: Footnote, docs: Path) -> None:
    footnote.json("index", docs, "--json")
    shutil.rmtree(docs)
    assert footnote.json("index", docs, "--forget", "--json")["removed"] == 2


def test_status_says_where_it_comes_from_and_what_was_not_taken(
    footnote: Footnote, docs: Path, tmp_path: Path
) -> None:
    (docs / "empty.txt").touch()
    footnote("index", docs)
    sources.add(tmp_path / ".footnote", "newt.txt", b"Newts sleep under stones.")
    sources.remove(tmp_path / ".footnote", "heron.md")
    shown = footnote("index", docs).stdout.splitlines()
    assert "(1 added, 0 changed, 1 removed, 1 unchanged, 1 left out)" in shown[0]
    said = footnote.json("status", "--json")
    assert (said["sources"], said["left_out"], said["added"]) == ([str(docs)], ["heron.md"], 1)
    assert said["failed"] == [{"path": str(docs / "empty.txt"), "reason": "empty"}]
    lines = footnote("status").stdout.splitlines()
    for line in (
        f"from       {docs}",
        "added      1 file in the app",
        "left out   heron.md",
        f"not read   {docs / 'empty.txt'}: empty",
    ):
        assert line in lines


def test_status_checks_and_rebuild_repairs(footnote: Footnote, docs: Path, tmp_path: Path) -> None:
    footnote("index", docs)
    checked = footnote("status", "--check")
    assert checked.returncode == 0
    assert checked.stdout.splitlines()[-1] == "checked    2 records, all as they were indexed"
    (text, *_) = (tmp_path / ".footnote" / "texts").glob("*.txt")
    text.write_text("Other words.")
    checked = footnote("status", "--check", "--json")
    assert checked.returncode == 1
    (problem,) = json.loads(checked.stdout)["problems"]
    assert "not the one that was indexed" in problem
    report = footnote.json("index", "--rebuild", "--json")
    assert (report["documents"], report["unchanged"], report["failed"]) == (2, 2, [])
    assert footnote("status", "--check").returncode == 0


def test_a_name_forges_no_line(footnote: Footnote, docs: Path, tmp_path: Path) -> None:
    bad = docs / "x\nnot indexed: heron.md: lost\u2028\x1b[2J\udcff.txt"
    bad.touch()
    (tmp_path / "place\nholds").mkdir()
    (tmp_path / "place\nholds" / "newt.txt").write_text("Newts sleep.", encoding="utf-8")
    name = docs / "x_not indexed: heron.md: lost__[2J\ufffd.txt"
    shown = footnote("index", docs, "place\nholds").stdout.splitlines()
    assert shown[1:] == [f"not indexed: {name}: empty"]
    lines = footnote("status").stdout.splitlines()
    assert f"not read   {name}: empty" in lines
    assert f"from       {tmp_path}/place_holds" in lines
    assert footnote.json("status", "--json")["failed"][0]["path"] == str(bad)


def test_what_was_passed_over_is_counted(footnote: Footnote, docs: Path) -> None:
    assert footnote("index", docs).stderr == ""
    (docs / ".gitignore").write_text("*.log\n*.tmp\n", encoding="utf-8")
    (docs / "a.log").touch()
    (docs / "link.md").symlink_to(docs / "heron.md")
    shown = footnote("index", docs)
    assert (
        "passed over: 1 link, 1 ignored (.gitignore, .footnoteignore)" in shown.stdout.splitlines()
    )
    (docs / "b.tmp").touch()
    (docs / "link.md").unlink()
    shown = footnote("index", docs)
    assert "passed over: 2 ignored (.gitignore, .footnoteignore)" in shown.stdout.splitlines()
    assert "passed over" not in str(footnote.json("index", docs, "--json"))


def test_checksum_reads_what_looks_unchanged(footnote: Footnote, docs: Path) -> None:
    footnote("index", docs)
    assert footnote.json("index", docs, "--checksum", "--json")["unchanged"] == 2
