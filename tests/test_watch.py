"""The index follows its folders while they change, vanish and come back."""

import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.errors import FootnoteError
from index.build import build
from index.errors import IndexBusy
from index.manifest import read_manifest
from index.watch import follow
from tests.conftest import Footnote
from tests.test_index import Fast


class Following:
    """An index that follows `docs`, in a thread; `said` are the lines, `updates` the runs."""

    def __init__(self, docs: Path, folder: Path) -> None:
        self.docs, self.folder = docs, folder
        self.said: list[str] = []
        self.updates = 0
        self.trouble: list[FootnoteError] = []
        self.stop = threading.Event()
        self._thread = threading.Thread(
            target=follow, args=([docs], folder, self._update, self.said.append, self.stop)
        )
        self._thread.start()

    def _update(self) -> None:
        self.updates += 1
        if self.trouble:
            raise self.trouble.pop()
        build([self.docs], self.folder, Fast())

    def holds(self, *names: str) -> None:
        """Waits until the index holds these documents and no others."""
        self.until(lambda: sorted(read_manifest(self.folder).documents) == sorted(names))

    def until(self, holds: object) -> None:
        assert callable(holds)
        end = time.monotonic() + 30
        while not holds():
            assert time.monotonic() < end, (self.said, sorted(read_manifest(self.folder).documents))
            time.sleep(0.05)

    def end(self) -> None:
        self.stop.set()
        self._thread.join(20)
        assert not self._thread.is_alive()


@pytest.fixture(params=["index"])
def following(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Following]:
    docs, folder = tmp_path / "docs", tmp_path / request.param
    docs.mkdir()
    (docs / "a.txt").write_text("The text of a.")
    build([docs], folder, Fast())
    following = Following(docs, folder)
    try:
        yield following
    finally:
        following.end()


def test_every_change_is_followed(following: Following) -> None:
    docs = following.docs
    (docs / "b.txt").write_text("The text of b.")
    following.holds("a.txt", "b.txt")
    (docs / "deep").mkdir()
    (docs / "deep" / "c.txt").write_text("The text of c.")
    following.holds("a.txt", "b.txt", "deep/c.txt")
    (docs / "a.txt").unlink()
    (docs / "b.txt").rename(docs / "d.txt")
    following.holds("d.txt", "deep/c.txt")
    (docs / ".gitignore").write_text("deep\n")
    following.holds("d.txt")


@pytest.mark.parametrize("following", ["docs/index"], indirect=True)
def test_many_changes_make_one_update_and_hidden_ones_none(following: Following) -> None:
    following.until(lambda: following.updates >= 1)
    time.sleep(1)
    before = following.updates
    for n in range(100):
        (following.docs / f"n{n}.txt").write_text("The same text.")
    following.holds("a.txt", *(f"n{n}.txt" for n in range(100)))
    assert following.updates - before <= 5
    time.sleep(1)
    before = following.updates
    (following.docs / ".hidden").write_text("Nothing.")
    time.sleep(1.5)  # its own writing into the index is no change either
    assert following.updates == before


def test_a_folder_that_is_gone_for_a_moment_empties_nothing(following: Following) -> None:
    docs, away = following.docs, following.docs.with_name("away")
    following.until(lambda: following.updates >= 1)
    docs.rename(away)
    following.until(lambda: bool(following.said))
    assert len(following.said) == 1
    assert following.said[0].endswith(
        "gone, with 1 document: the index stays as it is until that is back"
    )
    assert sorted(read_manifest(following.folder).documents) == ["a.txt"]
    (away / "b.txt").write_text("The text of b.")
    away.rename(docs)
    following.holds("a.txt", "b.txt")
    (docs / "c.txt").write_text("The text of c.")
    following.holds("a.txt", "b.txt", "c.txt")


def test_an_update_that_fails_is_said_and_tried_again(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    following.until(lambda: following.updates >= 1)
    monkeypatch.setattr("index.watch.RETRY", 0.1)
    following.trouble += [IndexBusy("another process writes")] * 2
    (following.docs / "b.txt").write_text("The text of b.")
    following.until(lambda: not following.trouble)
    following.holds("a.txt", "b.txt")
    following.until(lambda: following.said == ["another process writes"])


def test_the_command_says_a_line_for_each_update_and_ends_with_ctrl_c(
    process: Footnote, tmp_path: Path
) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.txt").write_text("The text of a.")
    running = process.start("index", docs, "--watch")
    lines: list[str] = []
    out = running.stdout
    assert out is not None
    reader = threading.Thread(
        target=lambda: lines.extend(iter(lambda: out.readline().decode(), ""))
    )
    reader.start()
    try:
        _until(lambda: len(lines) == 2, running)
        (docs / "b.txt").write_text("The text of b.")
        _until(lambda: len(lines) == 3, running)
        (docs / "c.pdf").write_text("No PDF.")
        _until(lambda: len(lines) == 5, running)
        (docs / "c.pdf").unlink()
        _until(lambda: len(lines) == 6, running)
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(30)
    reader.join(10)
    assert running.stderr is not None
    assert (running.returncode, running.stderr.read()) == (130, b"")
    out.close()
    running.stderr.close()
    assert lines[0].startswith(".footnote: 1 document, 1 passage (1 added,")
    assert lines[1] == f"following {docs}; Ctrl-C ends it\n"
    assert "(1 added, 0 changed, 0 removed, 1 unchanged)" in lines[2]
    none = "(0 added, 0 changed, 0 removed, 2 unchanged)"
    assert [none in line for line in lines[3:]] == [True, False, True]
    assert lines[4].startswith(f"not indexed: {docs / 'c.pdf'}: not a PDF")
    assert process.json("status", "--json")["documents"] == 2


def _until(holds: object, running: "subprocess.Popen[bytes]") -> None:
    assert callable(holds)
    end = time.monotonic() + 60
    while not holds():
        assert running.poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)
