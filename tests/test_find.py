"""What is taken from a folder, and what is left out: links, hidden files, ignored ones."""

from pathlib import Path

import pytest

from corpus.find import PathGone, find, walk


def tree(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Words of {name}.")
    return folder


def ids(*paths: Path) -> list[str]:
    return [id for id, _ in find(paths)]


def test_gitignore_is_nested_and_can_take_back(tmp_path: Path) -> None:
    tree(tmp_path, "a.txt", "b.log", "keep.log", "build/x.txt", "sub/build/y.txt")
    tree(tmp_path, "sub/c.log", "sub/c.txt", "sub/deep/d.log", "sub/deep/e.txt", "other/f.txt")
    (tmp_path / ".gitignore").write_text("*.log\n!keep.log\n/build/\n# a comment\nother\n")
    (tmp_path / "sub/.gitignore").write_text("!c.log\n/deep/e.txt\n")
    assert ids(tmp_path) == ["a.txt", "keep.log", "sub/build/y.txt", "sub/c.log", "sub/c.txt"]


def test_the_folder_itself_may_be_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(tmp_path, "a.txt", "b.log", "sub/c.txt", "sub/d.txt")
    (tmp_path / ".gitignore").write_text("*.log\n")
    (tmp_path / "sub/.gitignore").write_text("/c.txt\n")
    monkeypatch.chdir(tmp_path)
    assert ids(Path()) == ids(Path(tmp_path)) == ["a.txt", "sub/d.txt"]


def test_what_is_in_an_ignored_folder_cannot_be_taken_back(tmp_path: Path) -> None:
    tree(tmp_path, "data/a.txt", "data/.gitignore", "b.txt")
    (tmp_path / ".gitignore").write_text("data/\n!data/a.txt\n")
    (tmp_path / "data/.gitignore").write_text("!a.txt\n")
    assert ids(tmp_path) == ["b.txt"]


def test_the_own_ignore_file_has_the_last_word(tmp_path: Path) -> None:
    tree(tmp_path, "data/a.txt", "data/b.tmp", "c.txt", "drafts/d.txt")
    (tmp_path / ".gitignore").write_text("data/\n")
    (tmp_path / ".footnoteignore").write_text("!data/\ndata/*.tmp\ndrafts\n")
    assert ids(tmp_path) == ["c.txt", "data/a.txt"]
    (tmp_path / "data/.gitignore").write_text("*.txt\n")
    assert ids(tmp_path) == ["c.txt", "data/a.txt"]
    (tmp_path / "data/.footnoteignore").write_text("*.txt\n")
    assert ids(tmp_path) == ["c.txt"]


def test_a_file_that_is_named_itself_is_taken(tmp_path: Path) -> None:
    tree(tmp_path, "a.log", ".hidden.txt")
    (tmp_path / ".gitignore").write_text("*\n")
    assert ids(tmp_path) == []
    assert ids(tmp_path / "a.log", tmp_path / ".hidden.txt") == [".hidden.txt", "a.log"]


@pytest.mark.parametrize("bad", [b"!\n*.log\n", b"\xff\xfe\n*.log\n", b"\xef\xbb\xbf*.log\r\n"])
def test_bad_patterns_are_passed_over(tmp_path: Path, bad: bytes) -> None:
    tree(tmp_path, "a.log", "b.txt")
    (tmp_path / ".gitignore").write_bytes(bad)
    assert ids(tmp_path) == ["b.txt"]


def test_an_ignore_file_that_is_no_file_says_nothing(tmp_path: Path) -> None:
    tree(tmp_path, "docs/a.txt", "outside")
    (tmp_path / "outside").write_text("*\n")
    (tmp_path / "docs/.gitignore").symlink_to(tmp_path / "outside")
    (tmp_path / "docs/.footnoteignore").mkdir()
    assert ids(tmp_path / "docs") == ["a.txt"]


def test_what_was_left_out_is_counted(tmp_path: Path) -> None:
    tree(tmp_path, "docs/a.txt", "docs/b.log", "docs/out/c.txt", "docs/out/d.txt", "far/e.txt")
    (tmp_path / "docs/.gitignore").write_text("*.log\nout/\n")
    (tmp_path / "docs/link.txt").symlink_to(tmp_path / "far/e.txt")
    (tmp_path / "docs/far").symlink_to(tmp_path / "far")
    found = walk(tmp_path / "docs")
    assert [path.name for path, _, _ in found.files] == ["a.txt"]
    assert (found.ignored, found.links) == (2, 2)


def test_one_folder_can_be_left_out(tmp_path: Path) -> None:
    tree(tmp_path, "a.txt", "in/index/b.txt", "in/index2/c.txt")
    (tmp_path / "alias").symlink_to(tmp_path / "in")
    without = tmp_path / "alias/index"
    names = [path.name for path, _, _ in walk(tmp_path, without).files]
    assert sorted(names) == ["a.txt", "c.txt"]
    assert [path.name for path, _, _ in walk(tmp_path / "alias", without).files] == ["c.txt"]


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PathGone, match="give a folder or a file"):
        walk(tmp_path / "gone")
