"""Splitting, embedding and writing at once: what is embedded, in which order, what is told."""

import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from index import pipeline
from index.build import build
from index.embed import EmbeddingUnavailable, embedder
from index.errors import IndexMissing
from index.search import Index

MODEL = embedder("minilm")


class Counting:
    """The packaged embedder, which remembers what it was asked, or fails at a text."""

    name, dimension = MODEL.name, MODEL.dimension

    def __init__(self, fails_at: str = "nowhere") -> None:
        self.texts: list[str] = []
        self._fails_at = fails_at

    def embed(self, texts: list[str]) -> NDArray[np.float32]:
        self.texts += texts
        if any(self._fails_at in text for text in texts):
            raise EmbeddingUnavailable("the endpoint is gone")
        return MODEL.embed(texts)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "BATCH", 4)
    monkeypatch.setattr(pipeline, "STEP", 2)


def section(number: int, said: str) -> str:
    return f"## Part {number}\n\n{said} " + f"Part {number} goes on about the river. " * 20


def test_only_what_is_new_in_a_document_is_embedded(tmp_path: Path) -> None:
    docs, model = tmp_path / "docs", Counting()
    docs.mkdir()
    (docs / "a.md").write_text("\n\n".join(section(n, "The mill stood here.") for n in range(6)))
    first = build([docs], tmp_path / "index", model)
    assert len(model.texts) == first.passages >= 6
    model.texts.clear()
    changed = [
        section(n, "The mill burned." if n == 3 else "The mill stood here.") for n in range(6)
    ]
    (docs / "a.md").write_text("\n\n".join(changed))
    assert build([docs], tmp_path / "index", model).changed == 1
    assert 1 <= len(model.texts) <= 2
    assert all("Part 3" in text for text in model.texts)
    found = Index.open(tmp_path / "index", MODEL).search(["the mill burned"], 1)[0]
    assert "The mill burned." in found.passage.text


def test_equal_texts_are_embedded_once_whatever_the_batch(tmp_path: Path) -> None:
    docs, model = tmp_path / "docs", Counting()
    docs.mkdir()
    for n in range(30):
        (docs / f"{n:02}.txt").write_text(f"Notice {n % 3} hangs on every door.")
    told: list[tuple[int, int]] = []
    report = build([docs], tmp_path / "index", model, progress=lambda *so_far: told.append(so_far))
    assert (report.passages, len(model.texts)) == (30, 3)
    assert told[-1] == (30, 30)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert all(done <= total for done, total in told)
    index = Index.open(tmp_path / "index", MODEL)
    hits = index.search(["Notice 1 hangs on every door."], 10)
    assert {int(hit.passage.document.id[:2]) % 3 for hit in hits} == {1}
    assert {round(hit.dense or 0, 4) for hit in hits} == {1.0}


def test_the_vectors_are_the_same_whatever_they_are_embedded_with(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    for n in range(9):
        (docs / f"{n}.txt").write_text(f"Lantern {n} hung in the tower. {'It was lit. ' * n}")
    build([docs], tmp_path / "all", MODEL)
    (docs / "z").mkdir()
    for name in ("some", "more"):
        build(
            [docs / f"{n}.txt" for n in range(3 if name == "some" else 9)], tmp_path / "two", MODEL
        )
    one, two = (Index.open(tmp_path / name, MODEL) for name in ("all", "two"))
    for question in ("Which lantern hung in the tower?", "It was lit."):
        dense = [{h.passage.id: h.dense for h in i.search([question], 9)} for i in (one, two)]
        assert dense[0] == dense[1]


def test_an_error_ends_all_threads_and_changes_nothing(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    for n in range(40):
        (docs / f"{n:02}.txt").write_text(f"Lantern {n} hung in the tower.")
    with pytest.raises(EmbeddingUnavailable, match="gone"):
        build([docs], tmp_path / "index", Counting(fails_at="Lantern 17 "))
    names = {thread.name.partition("_")[0] for thread in threading.enumerate()}
    assert not names & {"embedding", "writing"}
    with pytest.raises(IndexMissing):
        Index.open(tmp_path / "index", MODEL)
    model = Counting()
    assert build([docs], tmp_path / "index", model).passages == 40
    assert len(model.texts) < 40  # what was embedded before is taken over
