"""What a run sees of a change, and what it does not even look at."""

import os
import shutil
import threading
import time
from pathlib import Path

import pytest

import index.plan
from corpus.errors import FootnoteError, UnreadableDocument
from corpus.find import PathGone
from corpus.types import Document
from index.build import build
from index.embed import embedder
from index.errors import IndexDamaged
from index.files import Stamp, settled
from index.manifest import read_manifest
from index.plan import SourceGone
from index.search import Index
from tests.places import only_embedded, place  # noqa: F401
from tests.test_index import Counting, Fast, counts

pytestmark = pytest.mark.usefixtures("place")

SECOND = 1_000_000_000


class Reading:
    """Counts the files that are read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.read: list[str] = []
        inner = index.plan.read

        def read(path: Path, id: str) -> Document:
            self.read.append(id)
            return inner(path, id)

        monkeypatch.setattr(index.plan, "read", read)


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """Three documents that are some minutes old."""
    folder = tmp_path / "docs"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.txt", "b.txt", "deep/c.txt"):
        (folder / name).write_text(f"The text of {name}.")
        age(folder / name)
    return folder


def age(path: Path) -> None:
    """As if it had been changed minutes ago, but for the ctime, which nobody can set."""
    then = time.time_ns() - 300 * SECOND
    os.utime(path, ns=(then + 123_456, then + 123_456))


def rest() -> None:
    """Until the ctimes of the files are far enough in the past."""
    time.sleep(0.15)


def test_a_file_that_looks_as_it_did_is_not_read(
    docs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = Reading(monkeypatch)
    rest()
    build([docs], tmp_path / "index", Fast())
    assert len(reading.read) == 3
    reading.read.clear()
    assert counts(build([docs], tmp_path / "index", Fast())) == (0, 0, 0, 3)
    assert reading.read == []

    (docs / "a.txt").touch()
    report = build([docs], tmp_path / "index", Fast())
    assert (reading.read, counts(report)) == (["a.txt"], (0, 0, 0, 3))

    reading.read.clear()
    assert build([docs], tmp_path / "index", Fast(), checksum=True).unchanged == 3
    assert len(reading.read) == 3


def test_a_change_that_hides_is_seen(docs: Path, tmp_path: Path) -> None:
    """Of the same length, with the old time put back: the ctime tells."""
    rest()
    build([docs], tmp_path / "index", Fast())
    before = (docs / "a.txt").stat()
    (docs / "a.txt").write_text("The test of a.txt.")
    os.utime(docs / "a.txt", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert build([docs], tmp_path / "index", Fast()).changed == 1


@only_embedded  # the clock of the documents' file system
def test_a_change_within_the_same_tick_is_seen(
    docs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file system's clock stands still: both contents have the same times and the same size."""
    frozen = index.plan.stamp_of(docs / "a.txt")
    assert frozen is not None
    times = (time.time_ns(), time.time_ns())
    monkeypatch.setattr(index.plan, "stamp_of", lambda path: (frozen[0], *times, frozen[3]))
    build([docs], tmp_path / "index", Fast())
    (docs / "a.txt").write_text("The test of a.txt.")
    assert build([docs], tmp_path / "index", Fast()).changed == 1


@only_embedded  # no index at all
@pytest.mark.parametrize(
    ("changed", "now", "trusted"),
    [
        (100 * SECOND + 5, 100 * SECOND + 6, False),  # just now
        (100 * SECOND + 5, 101 * SECOND, True),
        (100 * SECOND, 101 * SECOND, False),  # perhaps by a clock of whole seconds
        (100 * SECOND, 103 * SECOND, True),
        (100 * SECOND + 5, 50 * SECOND, False),  # in the future: a clock was set back
        (100 * SECOND + 5, 9_000_000 * SECOND, True),
    ],
)
def test_only_what_was_changed_long_enough_ago_is_trusted(
    changed: int, now: int, trusted: bool
) -> None:
    stamp = (10, changed, changed, 7)
    assert settled(stamp, now) == (stamp if trusted else None)


def test_a_clock_that_jumps_changes_nothing(
    docs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are stamped by it, and of the same time and size before and after some changes."""
    start, years = time.time_ns(), 10 * 365 * 24 * 3600 * SECOND
    inner, file, text = index.plan.stamp_of, docs / "a.txt", ""

    def stamp_of(path: Path) -> Stamp | None:
        found = inner(path)  # but for the ctime, which nobody can set
        return found and (found[0], found[1], found[1], found[3])

    monkeypatch.setattr(index.plan, "stamp_of", stamp_of)
    for jump, version in (
        (0, 1),
        (-years, None),  # the file is of the future now
        (0, 2),
        (years, 3),
        (0, None),
        (years, 4),
        (-years, 5),
        (0, 6),
    ):
        moment = start + jump
        monkeypatch.setattr(time, "time_ns", lambda moment=moment: moment)
        monkeypatch.setattr(time, "time", lambda moment=moment: moment / SECOND)
        if version is not None:
            text = f"Version {version} of the text."
            file.write_text(text)
            os.utime(file, ns=(moment, moment))
        build([docs], tmp_path / "index", Fast())
        assert Index.open(tmp_path / "index", Fast()).document("a.txt").text == text


def test_a_file_that_is_changed_while_it_is_read(
    docs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner, reads = index.plan.read, []

    def read(path: Path, id: str) -> Document:
        document = inner(path, id)
        reads.append(id)
        if id == "a.txt" and reads.count(id) <= restless:
            path.write_text(f"The text after {reads.count(id)} readings.")
        return document

    monkeypatch.setattr(index.plan, "read", read)
    restless = 1
    build([docs], tmp_path / "index", Fast())
    text = Index.open(tmp_path / "index", Fast()).document("a.txt").text
    assert text == (docs / "a.txt").read_text() == "The text after 1 readings."

    restless = 99
    report = build([docs], tmp_path / "index", Fast(), checksum=True)
    assert [(Path(f.path).name, f.reason) for f in report.failed] == [
        (
            "a.txt",
            "it is changed while it is read: index again when it is at rest"
            " (what was indexed of it before stays)",
        )
    ]
    assert report.documents == 3


def test_a_file_that_could_not_be_read_is_not_read_again(
    docs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading one may take a minute: a PDF that is given up, at every update while watching."""
    folder = tmp_path / "index"
    build([docs], folder, Fast())
    for name in ("a.txt", "damaged.txt"):
        (docs / name).write_bytes(b"\0\0\0")
        age(docs / name)
    rest()
    first = build([docs], folder, Fast())
    assert [(Path(f.path).name, f.reason) for f in first.failed] == [
        ("a.txt", "not text: it holds NUL bytes (what was indexed of it before stays)"),
        ("damaged.txt", "not text: it holds NUL bytes"),
    ]
    reading = Reading(monkeypatch)
    again = build([docs], folder, Fast())
    assert (again.failed, again.documents, reading.read) == (first.failed, 3, [])

    assert build([docs], folder, Fast(), checksum=True).failed == first.failed
    assert "damaged.txt" in reading.read
    (docs / "damaged.txt").write_text("The text, mended.")
    assert counts(build([docs], folder, Fast())) == (1, 0, 0, 2)


@pytest.mark.parametrize("cause", ["it is changed meanwhile", "it cannot be opened"])
def test_a_failure_that_may_pass_is_tried_again(
    docs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cause: str
) -> None:
    def read(path: Path, id: str) -> Document:
        if cause == "it cannot be opened":
            raise UnreadableDocument(cause) from PermissionError(13, "Permission denied")
        path.write_bytes(path.read_bytes() + b".")
        age(path)
        raise UnreadableDocument(cause)

    rest()
    with monkeypatch.context() as patch:
        patch.setattr(index.plan, "read", read)
        assert len(build([docs], tmp_path / "index", Fast()).failed) == 3
    rest()
    assert counts(build([docs], tmp_path / "index", Fast())) == (3, 0, 0, 0)


def test_moved_and_renamed_texts_are_embedded_once(docs: Path, tmp_path: Path) -> None:
    model = Counting()
    build([docs], tmp_path / "index", model)
    model.texts.clear()
    (docs / "a.txt").rename(docs / "renamed.txt")
    (docs / "deep").rename(docs / "deeper")
    shutil.copy(docs / "b.txt", docs / "copy.txt")
    report = build([docs], tmp_path / "index", model)
    assert (counts(report), report.moved, model.texts) == ((3, 0, 2, 1), 2, [])
    found = Index.open(tmp_path / "index", model).search(["The text of deep/c.txt."], 1)
    assert found[0].passage.document.id == "deeper/c.txt"


def test_what_is_newly_ignored_is_removed(docs: Path, tmp_path: Path) -> None:
    build([docs], tmp_path / "index", Fast())
    (docs / ".footnoteignore").write_text("deep/\n")
    report = build([docs], tmp_path / "index", Fast())
    assert (counts(report), report.ignored) == ((0, 0, 1, 2), 1)
    (docs / ".footnoteignore").unlink()
    assert build([docs], tmp_path / "index", Fast()).added == 1


def test_a_folder_that_vanished_or_is_empty(docs: Path, tmp_path: Path) -> None:
    other, folder = tmp_path / "other", tmp_path / "index"
    other.mkdir()
    (other / "d.txt").write_text("The text of d.txt.")
    build([docs, other], folder, Fast())
    before = (folder / "manifest.json").read_bytes()

    other.rename(tmp_path / "away")
    with pytest.raises(SourceGone, match=r"other is gone, with 1 document: .*--forget"):
        build([docs, other], folder, Fast())
    other.mkdir()
    with pytest.raises(SourceGone, match="other is empty, which held 1 document"):
        build([docs, other], folder, Fast())
    assert (folder / "manifest.json").read_bytes() == before

    other.rmdir()
    with pytest.raises(PathGone):
        build([docs, tmp_path / "misspelt"], folder, Fast(), forget=True)
    assert counts(build([docs, other], folder, Fast(), forget=True)) == (0, 0, 1, 3)
    shutil.rmtree(docs)
    assert counts(build([docs], folder, Fast(), forget=True)) == (0, 0, 3, 0)
    index = Index.open(folder, Fast())
    assert (index.passages, index.search(["text"])) == (0, ())


def test_a_path_of_its_own_may_vanish_too(docs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    build([docs / "a.txt", docs / "b.txt"], folder, Fast())
    (docs / "a.txt").unlink()
    with pytest.raises(SourceGone, match=r"a\.txt is gone"):
        build([docs / "a.txt", docs / "b.txt"], folder, Fast())
    assert build([docs / "b.txt"], folder, Fast()).removed == 1


def test_another_path_replaces_without_asking(docs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    build([docs], folder, Fast())
    assert counts(build([docs / "deep"], folder, Fast())) == (1, 0, 3, 0)


def test_links_lead_nowhere(docs: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("Nobody should find this.")
    (docs / "link.txt").symlink_to(tmp_path / "secret.txt")
    (docs / "up").symlink_to(tmp_path)
    report = build([docs], tmp_path / "index", Fast())
    assert (report.documents, report.links) == (3, 2)


def test_another_version_of_footnote_reads_everything_again(
    docs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest()
    build([docs], tmp_path / "index", Fast())
    monkeypatch.setattr("index.files._reader", lambda: "a later one")
    reading = Reading(monkeypatch)
    assert build([docs], tmp_path / "index", Fast()).unchanged == 3
    assert len(reading.read) == 3


def test_a_damaged_left_out_list_is_said(docs: Path, tmp_path: Path) -> None:
    build([docs], tmp_path / "index", Fast())
    (tmp_path / "index" / "left-out.json").write_text("{")
    with pytest.raises(IndexDamaged, match="delete it"):
        build([docs], tmp_path / "index", Fast())


def test_the_second_writer_waits_a_moment(docs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    build([docs], folder, Fast())
    (docs / "d.txt").write_text("The text of d.txt.")
    reports = []
    threads = [
        threading.Thread(target=lambda: reports.append(build([docs], folder, Fast())))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts(report) for report in reports) == [(0, 0, 0, 4)] * 2 + [(1, 0, 0, 3)]


@only_embedded  # Footnote 0.1 laid its files out so
def test_an_index_that_knew_no_sources_is_taken_over(docs: Path, tmp_path: Path) -> None:
    """As Footnote 0.1 left it: its files in the folder itself, a manifest of format 1."""
    import json

    folder = tmp_path / "index"
    build([docs], folder, embedder("minilm"))
    for name in ("chroma", "lexical"):
        (folder / name).unlink()
        (folder / "stores" / "1" / name).rename(folder / name)
    shutil.rmtree(folder / "stores")
    (folder / "files.json").unlink()
    old = json.loads((folder / "manifest.json").read_text()) | {"format": 1}
    del old["sources"], old["generation"]
    (folder / "manifest.json").write_text(json.dumps(old))

    index = Index.open(folder, embedder("minilm"))
    assert index.search(["The text of deep/c.txt."], 1)[0].passage.document.id == "deep/c.txt"
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(FootnoteError, match="holds no documents"):
        build([empty], folder, embedder("minilm"))
    model = Counting()
    (docs / "b.txt").write_text("Another text.")
    assert counts(build([docs], folder, model)) == (0, 1, 0, 2)
    assert len(model.texts) == 3  # records of another format are written anew
    manifest = read_manifest(folder)
    assert (manifest.format, manifest.sources) == (2, (str(docs),))
    # What was opened before is still whole.
    assert index.search(["The text of b.txt."], 1)[0].passage.text == "The text of b.txt."
    del index
    build([docs], folder, model)
    assert (folder / "chroma").is_symlink()


def test_a_folder_that_goes_while_it_is_walked_empties_nothing(
    docs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "index"
    build([docs], folder, Fast())
    inner = os.walk

    def walk(top: str, onerror: object) -> object:
        docs.rename(tmp_path / "away")
        return inner(top, onerror=onerror)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "walk", walk)
    with pytest.raises(SourceGone):
        build([docs], folder, Fast())
    assert len(read_manifest(folder).documents) == 3


def test_what_was_indexed_of_a_folder_that_is_closed_now_stays(
    docs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, inner = tmp_path / "index", os.scandir
    build([docs], folder, Fast())

    def scandir(path: str | int) -> object:
        # As root every folder can be opened.
        if not isinstance(path, int) and Path(path).name == "deep":
            raise PermissionError(13, "Permission denied", str(path))
        return inner(path)

    monkeypatch.setattr(os, "scandir", scandir)
    report = build([docs], folder, Fast())
    assert (report.removed, report.documents) == (0, 3)
    assert [Path(failure.path).name for failure in report.failed] == ["deep"]
    monkeypatch.undo()
    assert counts(build([docs], folder, Fast())) == (0, 0, 0, 3)
