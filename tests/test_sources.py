"""Files that are added, left out and taken in again; the index made from its sources once more."""

from pathlib import Path

import pytest

from corpus.errors import FootnoteError
from index import sources
from index.build import build
from index.errors import IndexMissing, UnknownDocument
from index.manifest import read_manifest
from tests.test_index import Fast


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    (folder / "deep").mkdir(parents=True)
    (folder / "mill.txt").write_text("The mill burned down.")
    (folder / "deep" / "ferry.txt").write_text("The ferry sank.")
    return folder


@pytest.fixture
def folder(docs: Path, tmp_path: Path) -> Path:
    build([docs], tmp_path / "index", Fast())
    return tmp_path / "index"


def held(folder: Path) -> list[str]:
    return sorted(read_manifest(folder).documents)


def test_the_paths_are_remembered(
    docs: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sources.sources(folder) == (docs,)
    monkeypatch.chdir(docs)
    build([Path("deep"), Path("mill.txt")], folder, Fast())
    assert sources.sources(folder) == (docs / "deep", docs / "mill.txt")
    with pytest.raises(IndexMissing):
        sources.sources(folder / "nowhere")


def test_an_added_file_is_a_document_from_the_next_build_on(docs: Path, folder: Path) -> None:
    assert sources.add(folder, "note.txt", b"A note.") == "note.txt"
    assert held(folder) == ["deep/ferry.txt", "mill.txt"]
    report = sources.rebuild(folder, Fast())
    assert (report.added, report.unchanged) == (1, 2)
    assert held(folder) == ["deep/ferry.txt", "mill.txt", "note.txt"]
    assert sources.sources(folder) == (docs,)
    assert [file.id for file in sources.files(folder) if file.added] == ["note.txt"]
    build([docs], folder, Fast())
    assert "note.txt" in held(folder)


def test_nothing_is_overwritten_and_nothing_kept_twice(folder: Path) -> None:
    assert sources.add(folder, "a.txt", b"One.") == "a.txt"
    assert sources.add(folder, "a.txt", b"Two.") == "a (2).txt"
    assert sources.add(folder, "a.txt", b"One.") == "a.txt"
    # One of that name is in the folder of documents: both keep their names.
    assert sources.add(folder, "mill.txt", b"Another mill.") == "mill (2).txt"
    sources.rebuild(folder, Fast())
    assert held(folder) == ["a (2).txt", "a.txt", "deep/ferry.txt", "mill (2).txt", "mill.txt"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\me\\plan.md", "plan.md"),
        (".hidden.txt", "hidden.txt"),
        ("~$open.md", "open.md"),
        ("a\nb\0c.txt", "a_b_c.txt"),
        ("\ud800.txt", "\ufffd.txt"),
        ("é" * 300 + ".txt", "é" * 98 + ".txt"),
    ],
)
def test_names_are_made_safe(folder: Path, given: str, kept: str) -> None:
    assert sources.add(folder, given, b"Words.") == kept
    assert [path.name for path in (folder / "added").iterdir()] == [kept]
    sources.rebuild(folder, Fast())
    assert kept in held(folder)


@pytest.mark.parametrize("name", ["", "..", "/", "none", ".txt", "tool.exe", "all.zip"])
def test_what_cannot_be_a_document_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(FootnoteError) as caught:
        sources.add(folder, name, b"Words.")
    assert "\n" not in str(caught.value)
    assert not (folder / "added").exists() or not list((folder / "added").iterdir())


def test_where_no_index_is_nothing_is_kept(tmp_path: Path) -> None:
    for call in (
        lambda: sources.add(tmp_path, "a.txt", b"Words."),
        lambda: sources.remove(tmp_path, "a.txt"),
    ):
        with pytest.raises(IndexMissing):
            call()
    assert list(tmp_path.iterdir()) == []


def test_an_added_file_is_deleted_and_another_only_left_out(docs: Path, folder: Path) -> None:
    sources.add(folder, "note.txt", b"A note.")
    sources.rebuild(folder, Fast())
    sources.remove(folder, "note.txt")
    sources.remove(folder, "mill.txt")
    assert sources.left_out(folder) == ("mill.txt",)
    report = sources.rebuild(folder, Fast())
    assert (report.removed, report.left_out) == (2, 1)
    assert held(folder) == ["deep/ferry.txt"]
    assert (docs / "mill.txt").read_text() == "The mill burned down."
    assert list((folder / "added").iterdir()) == []

    assert build([docs], folder, Fast()).left_out == 1
    sources.restore(folder, "mill.txt")
    assert sources.rebuild(folder, Fast()).added == 1
    assert held(folder) == ["deep/ferry.txt", "mill.txt"]
    for call in (sources.restore, sources.remove):
        with pytest.raises(UnknownDocument):
            call(folder, "nowhere.txt")


@pytest.mark.parametrize("id", ["../mill.txt", "/etc/hosts", "..", "", "deep/../mill.txt"])
def test_remove_leads_nowhere_else(docs: Path, folder: Path, id: str) -> None:
    sources.add(folder, "note.txt", b"A note.")
    with pytest.raises(UnknownDocument):
        sources.remove(folder, id)
    assert (docs / "mill.txt").exists()
    assert (folder / "added" / "note.txt").exists()


def test_a_file_that_fails_can_be_seen_and_left_out(docs: Path, folder: Path) -> None:
    (docs / "broken.txt").write_bytes(bytes(range(32)) * 50)
    assert len(build([docs], folder, Fast()).failed) == 1
    (failed,) = [file for file in sources.files(folder) if file.problem]
    assert (failed.id, failed.path, failed.added) == ("broken.txt", docs / "broken.txt", False)
    sources.remove(folder, "broken.txt")
    assert sources.rebuild(folder, Fast()).failed == ()
    assert [file.id for file in sources.files(folder)] == ["deep/ferry.txt", "mill.txt"]
