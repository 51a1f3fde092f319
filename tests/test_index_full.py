"""A disk that is full: one line, the old state still answers, and room is all that is needed."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Done, Footnote, assert_one_line, obeying_permissions, only_readable

SIZE = 4_000_000
TALL = "How tall is the grey heron?"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own; the documents lie elsewhere."""
    docs, place = tmp_path / "docs", tmp_path / "disk"
    docs.mkdir()
    place.mkdir()
    write(docs, 98)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)]
    try:
        mounted = subprocess.run(mount, capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("no file system can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def write(docs: Path, tall: int) -> None:
    (docs / "heron.md").write_text(f"# The heron\n\nThe grey heron stands {tall} cm tall.\n")
    for n in range(20):
        lines = (f"The lantern {n * i} hung in tower {n + i + tall}." for i in range(30))
        (docs / f"{n}.md").write_text(f"# Lantern {n}\n\n{' '.join(lines)}\n")


def fill(disk: Path, room: int) -> Path:
    """A file that leaves so many bytes free."""
    found = os.statvfs(disk)
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(found.f_bavail * found.f_frsize - room))
    return ballast


def assert_full(done: Done) -> None:
    assert_one_line(done, "cannot be written: ")
    assert re.search("the disk is full|No space left on device", done.stderr), done.stderr


@pytest.mark.parametrize("room", [0, 500_000])
def test_a_first_index(process: Footnote, disk: Path, room: int) -> None:
    index = disk / "index"
    ballast = fill(disk, room)
    assert_full(process("index", "docs", "--index", index))
    assert_one_line(process("ask", TALL, "--index", index), "footnote index")
    ballast.unlink()
    report = process.json("index", "docs", "--index", index, "--json")
    assert (report["documents"], report["failed"]) == (21, [])
    assert process("status", "--check", "--index", index).returncode == 0


@pytest.mark.parametrize("room", [50_000, 500_000])
def test_a_change(process: Footnote, disk: Path, tmp_path: Path, room: int) -> None:
    index = disk / "index"
    process.json("index", "docs", "--index", index, "--json")
    ballast = fill(disk, room)
    write(tmp_path / "docs", 99)
    assert_full(process("index", "docs", "--index", index))
    assert "98 cm" in process.json("ask", TALL, "--index", index, "--json")["answer"]
    ballast.unlink()
    report = process.json("index", "docs", "--index", index, "--json")
    assert (report["changed"], report["unchanged"], report["failed"]) == (21, 0, [])
    assert "99 cm" in process.json("ask", TALL, "--index", index, "--json")["answer"]
    assert process("status", "--check", "--index", index).returncode == 0


@pytest.mark.parametrize("room", [0, 40_000])
def test_asking_needs_no_room(process: Footnote, disk: Path, room: int) -> None:
    index = disk / "index"
    process.json("index", "docs", "--index", index, "--json")
    fill(disk, room)
    assert "98 cm" in process.json("ask", TALL, "--index", index, "--json")["answer"]
    assert process("status", "--check", "--index", index).returncode == 0


def test_no_room_for_a_copy_either(process: Footnote, disk: Path) -> None:
    index = disk / "index"
    process.json("index", "docs", "--index", index, "--json")
    fill(disk, 100_000)
    temporary = {"TMPDIR": str(disk)}
    assert "98 cm" in process.json("ask", TALL, "--index", index, "--json", env=temporary)["answer"]


def test_a_read_only_index_whose_copy_does_not_fit(process: Footnote, disk: Path) -> None:
    index = disk.parent / "index"
    process.json("index", "docs", "--index", index, "--json")
    fill(disk, 100_000)
    bound = Footnote(process.folder, before=obeying_permissions())
    with only_readable(index):
        done = bound("ask", TALL, "--index", index, env={"TMPDIR": str(disk)})
    assert_one_line(done, "set TMPDIR")
