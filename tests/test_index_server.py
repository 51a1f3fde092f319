"""The same index, with its vectors on a Chroma server that many apps share."""

import re
import shutil
import time
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from index import vectors
from index.blobs import Blobs
from index.build import build
from index.check import problems
from index.embed import embedder
from index.errors import (
    IndexBusy,
    IndexDamaged,
    IndexMismatch,
    IndexMissing,
    IndexProblem,
    IndexUnreachable,
)
from index.search import Index
from index.server import Server
from index.types import Hit
from index.vectors import Vectors
from tests.chroma_server import ChromaServer, Door

# Chroma's client leaves the connections of a failed start to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("at_once"),
]

MODEL = embedder("minilm")


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.txt").write_text("The lighthouse was built in 1888.")
    (folder / "b.txt").write_text("The keeper had two dogs.")
    (folder / "c.md").write_text("---\ntitle: Boats\n---\n# Boats\n\nThree boats lie in the bay.\n")
    return folder


def names(hits: tuple[Hit, ...]) -> list[str]:
    return [hit.passage.document.id for hit in hits]


def seen(index: Index) -> list[tuple[Any, ...]]:
    """What searches find, to the last rank."""
    questions = ["When was the lighthouse built?", "dogs", "what lies in the bay", "fog horn"]
    limits = (None, {"a.txt", "c.md"})
    return [
        (hit.passage, hit.dense_rank, hit.lexical_rank, round(hit.dense or 0, 5))
        for question in questions
        for documents in limits
        for hit in index.search([question], documents=documents)
    ]


def test_a_server_gives_what_the_folder_gives(tmp_path: Path, docs: Path, at: Server) -> None:
    places = {"here": None, "there": at}
    reports = [build([docs], tmp_path / name, MODEL, place) for name, place in places.items()]
    indexes = [Index.open(tmp_path / name, MODEL, place) for name, place in places.items()]
    assert seen(indexes[0]) == seen(indexes[1])
    (docs / "a.txt").write_text("The lighthouse was built in 1888, and the fog horn in 1901.")
    (docs / "b.txt").rename(docs / "d.txt")
    (docs / "c.md").unlink()
    reports += [build([docs], tmp_path / name, MODEL, place) for name, place in places.items()]
    assert replace(reports[0], seconds=0) == replace(reports[1], seconds=0)
    assert replace(reports[2], seconds=0) == replace(reports[3], seconds=0)
    assert (reports[3].added, reports[3].changed, reports[3].removed) == (1, 1, 2)
    indexes = [index.refresh() for index in indexes]
    assert seen(indexes[0]) == seen(indexes[1])
    assert indexes[1].document("d.txt") == indexes[0].document("d.txt")


def test_an_index_moves_between_the_server_and_the_folder(
    tmp_path: Path, docs: Path, at: Server
) -> None:
    build([docs], tmp_path / "one", MODEL, at)
    with pytest.raises(IndexMissing, match="run `footnote index` again"):
        Index.open(tmp_path / "one", MODEL)
    (docs / "b.txt").unlink()
    assert build([docs], tmp_path / "one", MODEL).unchanged == 2
    assert "b.txt" not in names(Index.open(tmp_path / "one", MODEL).search(["dogs"]))
    # Asked for the server's, it shows the server's: the folder went its own way meanwhile.
    assert names(Index.open(tmp_path / "one", MODEL, at).search(["dogs"]))[0] == "b.txt"


def test_an_app_on_another_machine_follows(tmp_path: Path, docs: Path, at: Server) -> None:
    build([docs], tmp_path / "one", MODEL, at)
    one, two = (Index.open(tmp_path / name, MODEL, at) for name in ("one", "two"))
    assert seen(two) == seen(one)
    assert two.document("c.md") == one.document("c.md")
    assert two.frequency("dogs") == 1

    (docs / "b.txt").write_text("The keeper had one cat.")
    (docs / "e.txt").write_text("The ferry crosses at noon.")
    build([docs], tmp_path / "one", MODEL, at)
    # What it began with, it ends with: nothing of the newer state shows.
    assert "e.txt" not in names(two.search(["the ferry"]))
    assert "cat" not in " ".join(hit.passage.text for hit in two.search(["cat"]))
    after = two.refresh()
    assert after is not two
    assert names(after.search(["the ferry"]))[0] == "e.txt"
    assert after.frequency("dogs") == 0
    assert seen(after) == seen(one.refresh())
    assert after.refresh() is after

    # It may go on with the index as well: from the state that there is.
    (docs / "a.txt").unlink()
    report = build([docs], tmp_path / "two", MODEL, at)
    assert (report.removed, report.unchanged) == (1, 3)
    assert "a.txt" not in names(one.refresh().search(["lighthouse"]))


def test_an_empty_folder_takes_the_index_that_there_is(tmp_path: Path, docs: Path) -> None:
    server = ChromaServer(tmp_path / "chroma")
    try:
        at = Server(server.url)
        with pytest.raises(IndexMissing, match="nor on the Chroma server"):
            Index.open(tmp_path / "two", MODEL, at)
        build([docs], tmp_path / "one", MODEL, at)
        assert Index.open(tmp_path / "two", MODEL, at).passages == 3
        build([docs], tmp_path / "three", MODEL, at)
        with pytest.raises(IndexProblem, match="FOOTNOTE_CHROMA_COLLECTION"):
            Index.open(tmp_path / "four", MODEL, at)
        with pytest.raises(IndexMissing, match="holds no index “other”"):
            Index.open(tmp_path / "four", MODEL, replace(at, collection="other"))
        with pytest.raises(IndexMismatch, match="name another folder"):
            Index.open(tmp_path / "one", MODEL, replace(at, collection="other"))
    finally:
        server.kill()


def test_two_machines_do_not_overwrite_each_other(
    tmp_path: Path, docs: Path, at: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    build([docs], tmp_path / "one", MODEL, at)
    (docs / "e.txt").write_text("The ferry crosses at noon.")

    class Slow:
        """While it embeds, the other machine is done."""

        name, dimension = MODEL.name, MODEL.dimension

        def embed(self, texts: list[str]) -> NDArray[np.float32]:
            (docs / "f.txt").write_text("Gulls nest on the roof.")
            build([docs], tmp_path / "two", MODEL, at)
            return MODEL.embed(texts)

    with pytest.raises(IndexBusy, match="another machine"):
        build([docs], tmp_path / "one", Slow(), at)
    again = build([docs], tmp_path / "one", MODEL, at)
    assert (again.documents, again.unchanged) == (5, 5)
    assert seen(Index.open(tmp_path / "one", MODEL, at)) == seen(
        Index.open(tmp_path / "two", MODEL, at)
    )


def test_a_run_that_dies_after_the_servers_commit_is_made_good(
    tmp_path: Path, docs: Path, at: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    build([docs], tmp_path / "one", MODEL, at)
    (docs / "a.txt").write_text("The lighthouse fell in 1990.")
    with monkeypatch.context() as patch:
        patch.setattr("index.build.write_manifest", _dies)
        with pytest.raises(RuntimeError):
            build([docs], tmp_path / "one", MODEL, at)
    other = Index.open(tmp_path / "two", MODEL, at)
    assert other.search(["lighthouse"], 1)[0].passage.text == "The lighthouse fell in 1990."
    assert build([docs], tmp_path / "one", MODEL, at).unchanged == 3
    assert seen(Index.open(tmp_path / "one", MODEL, at)) == seen(other)


def _dies(*_: object) -> None:
    raise RuntimeError


class Other:
    """Another model, whose vectors have another length."""

    name, dimension = "openai:other", 3

    def embed(self, texts: list[str]) -> NDArray[np.float32]:
        rows = np.array([[len(text), text.count("o"), 1] for text in texts], np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_a_rebuild_writes_everything_on_the_server_anew(
    tmp_path: Path, docs: Path, at: Server
) -> None:
    assert at.collection
    build([docs], tmp_path / "one", MODEL, at)
    two = Index.open(tmp_path / "two", MODEL, at)
    stored = Vectors.open(tmp_path, at, at.collection)
    version = two.manifest.documents["b.txt"].version
    stored.delete("b.txt", version)
    stored.add(["0" * 16 + ":0:z.txt"], ["0" * 64], ["0" * 32], np.ones((1, 384), np.float32))
    stored.close()
    texts = Blobs.open(at, f"{at.collection}-texts")
    texts.delete(texts.others({"head"}))
    texts.close()
    assert problems(tmp_path / "one", MODEL, at)
    with pytest.raises(IndexDamaged, match="--rebuild"):
        Index.open(tmp_path / "three", MODEL, at)

    report = build([], tmp_path / "one", MODEL, at, anew=True)
    assert (report.documents, report.unchanged, report.failed) == (3, 3, ())
    assert problems(tmp_path / "one", MODEL, at) == ()
    build([docs], tmp_path / "here", MODEL)
    whole = seen(Index.open(tmp_path / "here", MODEL))
    for name in ("one", "two", "three"):
        assert seen(Index.open(tmp_path / name, MODEL, at)) == whole
    assert seen(two.refresh()) == whole


def test_another_embedding_is_taken_on_the_server_by_a_rebuild(
    tmp_path: Path, docs: Path, at: Server
) -> None:
    build([docs], tmp_path / "one", MODEL, at)
    two = Index.open(tmp_path / "two", MODEL, at)
    with pytest.raises(IndexMismatch, match="--rebuild"):
        build([docs], tmp_path / "one", Other(), at)
    assert build([], tmp_path / "one", Other(), at, anew=True).documents == 3
    build([docs], tmp_path / "here", Other())
    index = Index.open(tmp_path / "one", Other(), at)
    assert index.manifest.dimension == 3
    assert seen(index) == seen(Index.open(tmp_path / "here", Other()))
    with pytest.raises(IndexMismatch, match="made with the embedding openai:other"):
        two.refresh()
    # And back, with paths and a change.
    (docs / "b.txt").write_text("The keeper had one cat.")
    report = build([docs], tmp_path / "two", MODEL, at, anew=True)
    assert (report.changed, report.unchanged) == (1, 2)
    assert problems(tmp_path / "two", MODEL, at) == ()


@pytest.mark.parametrize("dimension", [3, 384])
def test_a_rebuild_on_the_server_that_is_cut_off_is_made_good(
    tmp_path: Path, docs: Path, at: Server, monkeypatch: pytest.MonkeyPatch, dimension: int
) -> None:
    monkeypatch.setattr("index.pipeline.BATCH", 1)
    build([docs], tmp_path / "one", MODEL, at)

    class Fails(Other):
        """Another model that breaks off after the first texts."""

        def embed(self, texts: list[str]) -> NDArray[np.float32]:
            if "boats" in texts[0]:
                raise RuntimeError
            return np.eye(len(texts), dimension, dtype=np.float32)

    Fails.dimension = dimension

    for run in ({"anew": True}, {}):
        with pytest.raises(RuntimeError):
            build([], tmp_path / "one", Fails(), at, anew=True)
        # The old state is current: its words and texts are there, its vectors come back.
        index = Index.open(tmp_path / "one", MODEL, at)
        assert index.document("b.txt").text == "The keeper had two dogs."
        assert index.frequency("dogs") == 1
        build([docs], tmp_path / "one", MODEL, at, **run)
        assert problems(tmp_path / "one", MODEL, at) == ()


def test_a_server_that_has_lost_everything_is_filled_again(tmp_path: Path, docs: Path) -> None:
    server = ChromaServer(tmp_path / "chroma")
    try:
        at = Server(server.url)
        build([docs], tmp_path / "one", MODEL, at)
        build([docs], tmp_path / "also", MODEL, at)
        whole = seen(Index.open(tmp_path / "one", MODEL, at))
        server.kill()
        shutil.rmtree(tmp_path / "chroma")
        server.start()
        with pytest.raises(IndexDamaged, match="has lost the texts"):
            Index.open(tmp_path / "one", MODEL, at)
        assert build([docs], tmp_path / "one", MODEL, at).unchanged == 3
        assert build([], tmp_path / "also", MODEL, at, anew=True).unchanged == 3
        for name in ("one", "also"):
            assert seen(Index.open(tmp_path / name, MODEL, at)) == whole
            assert problems(tmp_path / name, MODEL, at) == ()
    finally:
        server.kill()


def test_a_server_that_goes_away_while_indexing(
    tmp_path: Path, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.pipeline.BATCH", 4)
    server = ChromaServer(tmp_path / "chroma")
    at, asked = Server(server.url), []
    for n in range(40):
        (docs / f"{n}.txt").write_text(f"Parcel {n} went to the lighthouse on Monday.")

    class Counting:
        name, dimension = MODEL.name, MODEL.dimension

        def embed(self, texts: list[str]) -> NDArray[np.float32]:
            asked.extend(texts)
            return MODEL.embed(texts)

    killed = []

    def dies(done: int, total: int) -> None:
        if done > 12 and not killed:
            killed.append(done)
            server.kill()

    try:
        with pytest.raises(IndexUnreachable, match=re.escape(server.url)) as caught:
            build([docs], tmp_path / "one", Counting(), at, dies)
        assert "\n" not in str(caught.value)
        assert killed
        server.start()
        assert build([docs], tmp_path / "one", Counting(), at).documents == 43
        assert len(asked) == len(set(asked)) == 43
        build([docs], tmp_path / "here", MODEL)
        index = Index.open(tmp_path / "one", MODEL, at)
        assert seen(index) == seen(Index.open(tmp_path / "here", MODEL))

        # Gone and back while a question waits, nobody notices; gone for long, it is said.
        server.kill()
        with pytest.raises(IndexUnreachable, match=re.escape(server.url)) as caught:
            index.refresh().search(["dogs"])
        assert "\n" not in str(caught.value)
        with pytest.raises(IndexUnreachable, match=re.escape(server.url)):
            Index.open(tmp_path / "one", MODEL, at)
        monkeypatch.setattr(vectors, "PATIENCE", (0.2,) * 50)
        back = Thread(target=lambda: (time.sleep(0.3), server.start()))
        back.start()
        assert names(index.refresh().search(["dogs"]))[0] == "b.txt"
        back.join()
    finally:
        server.kill()


def test_a_token_opens_the_door_and_is_never_shown(
    tmp_path: Path, docs: Path, at: Server, running: ChromaServer
) -> None:
    token = "ck-very-secret"
    door = Door(running.port, token)
    try:
        guarded = replace(at, url=door.url, token=token)
        build([docs], tmp_path / "one", MODEL, guarded)
        assert names(Index.open(tmp_path / "one", MODEL, guarded).search(["dogs"]))[0] == "b.txt"
        wrong = replace(guarded, token="ck-also-secret")
        for stranger in (replace(guarded, token=None), wrong):
            with pytest.raises(IndexUnreachable, match=re.escape(door.url)) as caught:
                Index.open(tmp_path / "one", MODEL, stranger)
            assert "secret" not in str(caught.value)
        assert "secret" not in repr(wrong)
        with pytest.raises(IndexUnreachable):
            Index.open(tmp_path / "one", MODEL, replace(guarded, database="nowhere"))
    finally:
        door.close()


def test_an_address_that_is_none(tmp_path: Path) -> None:
    for url in ("ftp://nowhere", "http://", "http://127.0.0.1:1"):
        with pytest.raises(IndexUnreachable, match=re.escape(url)):
            Index.open(tmp_path / "one", MODEL, url)
