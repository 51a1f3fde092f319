"""Documents → index: what a run does, what it leaves alone, and what it refuses."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from numpy.typing import NDArray

from corpus.errors import FootnoteError
from index.build import build
from index.embed import embedder
from index.errors import (
    IndexBusy,
    IndexDamaged,
    IndexMismatch,
    IndexMissing,
    IndexProblem,
    UnknownDocument,
)
from index.manifest import read_manifest
from index.search import Index
from index.types import BuildReport, Embedder
from tests.places import only_embedded, place  # noqa: F401

pytestmark = pytest.mark.usefixtures("place")

TEXTS = {
    "harbour.md": "# The harbour\n\nThe harbour was dredged in 1911. It took nine months.\n",
    "mill.txt": "The mill stands on the river Orle. Its wheel turned until 1954.\n",
    "people/weaver.txt": "Ada Lindqvist wove sails. She taught forty apprentices.\n",
}


class Counting:
    """The packaged embedder, which remembers what it was asked."""

    def __init__(self, name: str = "minilm") -> None:
        self.name = name
        self.texts: list[str] = []
        self._inner: Embedder = embedder("minilm")
        self.dimension = self._inner.dimension

    def embed(self, texts: list[str]) -> NDArray[np.float32]:
        self.texts += texts
        return self._inner.embed(texts)


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    for name, text in TEXTS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


def counts(report: BuildReport) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.removed, report.unchanged


def found(folder: Path, query: str) -> list[str]:
    hits = Index.open(folder, embedder("minilm")).search([query])
    return [hit.passage.document.id for hit in hits]


def test_counts_and_embeds_only_what_is_new(docs: Path, folder: Path) -> None:
    model = Counting()
    first = build([docs], folder, model)
    assert counts(first) == (3, 0, 0, 0)
    assert (first.documents, first.passages, first.failed) == (3, 3, ())
    assert len(model.texts) == 3

    model.texts.clear()
    assert counts(build([docs], folder, model)) == (0, 0, 0, 3)
    assert model.texts == []

    (docs / "mill.txt").write_text("The mill burned down in 1961.\n")
    (docs / "harbour.md").unlink()
    (docs / "ferry.txt").write_text("The ferry crosses twice a day.\n")
    assert counts(build([docs], folder, model)) == (1, 1, 1, 1)
    assert sorted(model.texts) == [
        "The ferry crosses twice a day.",
        "The mill burned down in 1961.",
    ]
    assert found(folder, "mill") == found(folder, "burned down in 1961")
    assert "harbour.md" not in found(folder, "harbour dredged")
    assert Index.open(folder, model).frequency("dredged") == 0


def test_a_new_name_or_a_copy_embeds_nothing(docs: Path, folder: Path) -> None:
    model = Counting()
    build([docs], folder, model)
    model.texts.clear()
    (docs / "mill.txt").rename(docs / "watermill.txt")
    shutil.copy(docs / "people" / "weaver.txt", docs / "copy.txt")
    assert counts(build([docs], folder, model)) == (2, 0, 1, 2)
    assert model.texts == []
    assert found(folder, "the river Orle")[0] == "watermill.txt"
    assert set(found(folder, "Ada Lindqvist")[:2]) == {"copy.txt", "people/weaver.txt"}


def test_equal_texts_are_embedded_once(tmp_path: Path, folder: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    for n in range(5):
        (docs / f"{n}.txt").write_text("The same notice hangs on every door.\n")
    model = Counting()
    assert build([docs], folder, model).passages == 5
    assert len(model.texts) == 1


def test_front_matter_alone_changes_the_title(docs: Path, folder: Path) -> None:
    model = Counting()
    build([docs], folder, model)
    text = (docs / "mill.txt").read_text()
    (docs / "mill.md").write_text(f"---\ntitle: The old mill\ndate: 1954\n---\n{text}")
    (docs / "mill.txt").unlink()
    build([docs], folder, model)
    (docs / "mill.md").write_text(f"---\ntitle: The mill on the Orle\ndate: 1955\n---\n{text}")
    assert counts(build([docs], folder, model)) == (0, 1, 0, 2)
    document = Index.open(folder, model).document("mill.md")
    assert (document.title, document.metadata["date"]) == ("The mill on the Orle", "1955")


def test_the_manifest_says_what_there_is(docs: Path, folder: Path) -> None:
    build([docs], folder, embedder("minilm"))
    manifest = read_manifest(folder)
    assert (manifest.embedding, manifest.dimension) == ("minilm", 384)
    assert list(manifest.documents) == sorted(TEXTS)
    harbour = manifest.documents["harbour.md"]
    assert (harbour.title, harbour.passages) == ("The harbour", 1)
    assert len(harbour.version) == 64


def test_a_file_that_cannot_be_read_is_named_and_its_old_text_stays(
    docs: Path, folder: Path
) -> None:
    (docs / "broken.txt").write_bytes(bytes(range(32)) * 50)
    report = build([docs], folder, embedder("minilm"))
    assert [Path(failure.path).name for failure in report.failed] == ["broken.txt"]
    assert report.documents == 3
    (docs / "mill.txt").write_bytes(bytes(range(32)) * 50)
    report = build([docs], folder, embedder("minilm"))
    assert len(report.failed) == 2
    assert report.documents == 3
    assert found(folder, "the river Orle")[0] == "mill.txt"


def test_only_unreadable_files_make_no_index(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "a.txt").write_bytes(bytes(range(32)) * 50)
    report = build([tmp_path / "a.txt"], folder, embedder("minilm"))
    assert (report.documents, len(report.failed)) == (0, 1)
    with pytest.raises(IndexMissing):
        Index.open(folder, embedder("minilm"))


def test_no_documents_is_refused_and_loses_nothing(docs: Path, folder: Path) -> None:
    build([docs], folder, embedder("minilm"))
    empty = docs.parent / "empty"
    empty.mkdir()
    with pytest.raises(FootnoteError, match="holds no documents"):
        build([empty], folder, embedder("minilm"))
    assert found(folder, "the river Orle")[0] == "mill.txt"


def test_an_index_inside_the_documents_does_not_index_itself(docs: Path) -> None:
    for _ in range(2):
        assert build([docs], docs / "index", embedder("minilm")).documents == 3


def test_another_embedding_is_refused(docs: Path, folder: Path) -> None:
    build([docs], folder, embedder("minilm"))
    before = (folder / "manifest.json").read_bytes()
    other = Counting("openai:other")
    with pytest.raises(IndexMismatch, match="--index OTHER"):
        build([docs], folder, other)
    with pytest.raises(IndexMismatch, match=r"minilm, not openai:other"):
        Index.open(folder, other)
    assert other.texts == []
    assert (folder / "manifest.json").read_bytes() == before


def test_one_writer_at_a_time(docs: Path, folder: Path) -> None:
    build([docs], folder, embedder("minilm"))
    with FileLock(folder / "writing.lock"), pytest.raises(IndexBusy, match="another process"):
        build([docs], folder, embedder("minilm"))
    assert found(folder, "mill")


def test_a_folder_that_is_no_index_is_left_alone(docs: Path) -> None:
    before = sorted(docs.rglob("*"))
    with pytest.raises(IndexProblem, match="not an index and not empty"):
        build([docs], docs, embedder("minilm"))
    with pytest.raises(IndexProblem, match="is a file"):
        build([docs], docs / "mill.txt", embedder("minilm"))
    assert sorted(docs.rglob("*")) == before


def test_a_folder_that_cannot_be_written_is_one_line(docs: Path, tmp_path: Path) -> None:
    # As root any folder can be written, but not one that lies in a file.
    with pytest.raises(IndexProblem, match="cannot be written") as caught:
        build([docs], docs / "mill.txt" / "index", embedder("minilm"))
    assert "\n" not in str(caught.value)


def test_progress_counts_up_to_the_passages(tmp_path: Path, folder: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    for n in range(30):
        sentences = " ".join(f"Paragraph {n} has item {m} in its list." for m in range(40))
        (docs / f"{n}.txt").write_text(sentences)
    seen: list[tuple[int, int]] = []
    report = build([docs], folder, Fast(), progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (report.passages, report.passages)
    assert all(done <= total for done, total in seen)
    assert seen == sorted(seen, key=lambda item: item[0])


class Fast:
    """Vectors from nothing but the length of a text: for tests that do not search."""

    name = "fast"
    dimension = 4

    def embed(self, texts: list[str]) -> NDArray[np.float32]:
        vectors = np.array([[len(t), len(t) % 7, len(t) % 11, 1] for t in texts], np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@only_embedded  # a follower takes the manifest anew
@pytest.mark.parametrize("left", [b"", b"{", b"[]", b'{"format": 1, "documents": 3}', b"\xff"])
def test_a_damaged_manifest_is_said(docs: Path, folder: Path, left: bytes) -> None:
    build([docs], folder, Fast())
    (folder / "manifest.json").write_bytes(left)
    for attempt in (lambda: Index.open(folder, Fast()), lambda: build([docs], folder, Fast())):
        with pytest.raises(IndexDamaged, match="--rebuild PATH"):
            attempt()


@only_embedded  # a follower takes the manifest anew
def test_another_format_is_refused(docs: Path, folder: Path) -> None:
    build([docs], folder, Fast())
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))
    with pytest.raises(IndexMismatch, match="format 99"):
        Index.open(folder, Fast())


@only_embedded  # the files are the embedded Chroma's
def test_damaged_files_are_said(docs: Path, folder: Path, tmp_path: Path) -> None:
    build([docs], folder, Fast())
    for number, name in enumerate(("chroma/chroma.sqlite3", "lexical/meta.json")):
        copy = tmp_path / f"copy{number}"
        shutil.copytree(folder, copy, symlinks=True)
        (copy / name).write_bytes(b"this is not what it was " * 500)
        for attempt in (
            lambda copy=copy: Index.open(copy, Fast()).search(["mill"]),
            lambda copy=copy: build([docs], copy, Fast()),
        ):
            with pytest.raises(IndexDamaged, match="run `footnote index --rebuild`") as caught:
                attempt()
            assert "\n" not in str(caught.value)


def test_texts_are_checked_when_read(docs: Path, folder: Path) -> None:
    build([docs], folder, Fast())
    index = Index.open(folder, Fast())
    version = index.manifest.documents["mill.txt"].version
    (folder / "texts" / f"{version}.txt").write_text("Other words.")
    with pytest.raises(IndexDamaged, match=r"mill\.txt"):
        index.document("mill.txt")
    with pytest.raises(UnknownDocument):
        index.document("nowhere.txt")
    with pytest.raises(UnknownDocument):
        index.document("mill.txt", "0" * 64)
    with pytest.raises(UnknownDocument):
        index.document("mill.txt", "../../mill")


def test_lost_records_come_back(docs: Path, folder: Path) -> None:
    build([docs], folder, Fast())
    shutil.rmtree(folder / "stores" / "1" / "lexical")
    report = build([docs], folder, Fast())
    assert counts(report) == (0, 0, 0, 3)
    assert Index.open(folder, Fast()).frequency("wheel") == 1


def test_the_text_is_the_documents(docs: Path, folder: Path) -> None:
    build([docs], folder, embedder("minilm"))
    index = Index.open(folder, embedder("minilm"))
    (hit, *_) = index.search(["Who wove sails?"], 1)
    assert hit.passage.text == hit.passage.span.of(index.document("people/weaver.txt").text)
    assert [s.span.of(hit.passage.document.text) for s in hit.passage.sentences] == [
        "Ada Lindqvist wove sails.",
        "She taught forty apprentices.",
    ]
    assert replace(hit, score=0).passage is hit.passage
