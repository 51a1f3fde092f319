"""What a Chroma server allows, damages and leaves unanswered."""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from numpy.typing import NDArray

from index import vectors
from index.blobs import Blobs
from index.build import build
from index.check import problems
from index.embed import embedder
from index.errors import IndexDamaged, IndexProblem, IndexUnreachable
from index.search import Index
from index.server import Server
from index.vectors import Vectors
from tests.chroma_server import ChromaServer, Quotas, Silent

# Chroma's client leaves the connections of a failed start to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("at_once"),
]

MODEL = embedder("minilm")
TOKEN = "ck-very-secret"


class Hashed:
    """Vectors from a digest of the text: no two are alike."""

    name, dimension = "hashed", 32

    def embed(self, texts: list[str]) -> NDArray[np.float32]:
        rows = [list(hashlib.sha256(text.encode()).digest()) for text in texts]
        vectors = np.array(rows, np.float32) - 127.5
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def quotas(running: ChromaServer, at: Server) -> Iterator[Server]:
    """The server with Chroma Cloud's quotas, and pages that are shorter than asked."""
    door = Quotas(running.port, TOKEN, page=100)
    yield replace(at, url=door.url, token=TOKEN)
    door.close()


@pytest.mark.parametrize("where", ["embedded", "server"])
def test_any_number_of_versions_can_be_chosen(tmp_path: Path, at: Server, where: str) -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(60, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    ids = [f"{n:016}:0-1:{n}.txt" for n in range(60)]
    versions = [f"{n:064}" for n in range(60)]
    server = at if where == "server" else None
    with closing(Vectors.open(tmp_path / "chroma", server, "many", create=True)) as stored:
        stored.add(ids, versions, ["0" * 32] * 60, rows)
        chosen = {f"{n:064}" for n in range(30, 40_030)}
        best = [ids[n] for n in np.argsort(-(rows @ rows[0])) if n >= 30][:10]
        found = stored.query(rows[0], 10, chosen)
        assert [id for id, _ in found] == best
        assert found == sorted(found, key=lambda pair: -pair[1])
        assert [id for id, _ in stored.query_exactly(rows[0], 10, chosen)] == best
        assert len(stored.query(rows[0], 100, chosen)) == 30


def test_an_index_fits_the_quotas_of_chroma_cloud(tmp_path: Path, quotas: Server) -> None:
    docs = tmp_path / "docs"
    deep = docs / ("a folder of a long name " * 6) / ("another folder, als größer " * 6)
    deep.mkdir(parents=True)
    assert len(str(deep.relative_to(docs))) > 300
    lines = [f"Parcel {n} went to the harbour on day {n * 7}, and came back." for n in range(4000)]
    (deep / "long.txt").write_text("\n\n".join(lines[:2000]))
    (docs / "short.txt").write_text("\n\n".join(lines[:2000]))
    (docs / "other.txt").write_text("\n\n".join(lines[2000:]))
    reports, found = [], []

    def look() -> None:
        for name, place in (("here", None), ("there", quotas)):
            reports.append(replace(build([docs], tmp_path / name, Hashed(), place), seconds=0))
            assert problems(tmp_path / name, Hashed(), place) == ()
            index = Index.open(tmp_path / name, Hashed(), place)
            few = {document for document in index.manifest.documents if "long" in document}
            found.append(
                [
                    (hit.passage, round(hit.dense or 0, 5))
                    for documents in (None, few)
                    for hit in index.search([lines[70]], 20, documents)
                ]
            )

    look()
    (deep / "long.txt").write_text("\n\n".join(lines[100:2100]))
    look()
    (deep / "long.txt").unlink()
    (docs / "last.txt").write_text("The ferry crosses at noon.")
    look()
    assert reports[0].passages > 2 * 300
    assert reports[::2] == reports[1::2]
    for here, there in zip(found[::2], found[1::2], strict=True):
        assert len(here) >= 20
        assert here == there


def test_records_are_counted_however_short_the_pages_are(tmp_path: Path, quotas: Server) -> None:
    rows = np.eye(4, dtype=np.float32)[[n % 4 for n in range(700)]]
    ids = [f"{'1' * 16}:{n}-{n + 1}:{'long/' * 60}a.txt" for n in range(700)]
    with closing(Vectors.open(tmp_path, quotas, "counted", create=True)) as stored:
        stored.add(ids, ["1" * 64] * 700, ["0" * 32] * 700, rows)
        assert stored.census() == {(f"{'long/' * 60}a.txt", "1" * 64): 700}
        assert stored.known({"0" * 32})[1] == {(id, "0" * 32) for id in ids}
        assert len(stored.query_exactly(rows[0], 1000, {"1" * 64})) == 700
        assert set(dict(stored.query(rows[0], 300))) <= set(ids)
        stored.delete(f"{'long/' * 60}a.txt", "1" * 64)
        assert stored.count() == 0


def test_blobs_fit_the_quotas_too(quotas: Server) -> None:
    data = np.random.default_rng(1).bytes(1_500_000)
    with closing(Blobs.open(quotas, "fitting-texts")) as blobs:
        blobs.put({"large": data, "small": b"one"})
        assert blobs.get(["large", "small", "none"]) == {"large": data, "small": b"one"}
        others = blobs.others({"small"})
        assert len(others) > 400
        blobs.delete(others)
        assert blobs.others(set()) == ["small#0"]


def test_long_names_that_were_stored_whole_are_still_read(tmp_path: Path) -> None:
    """As Footnote stored them before there were short ones."""
    id = f"{'1' * 16}:0-1:{'long/' * 60}a.txt"
    with closing(Vectors.open(tmp_path, None, "passages", create=True)) as stored:
        row = np.eye(4, dtype=np.float32)[0]
        stored._collection.upsert([id], row[None], [{"version": "1" * 64, "digest": "0" * 32}])
        assert stored.query(row, 1) == [(id, 1.0)]
        assert stored.known({"0" * 32})[1] == {(id, "0" * 32)}
        stored.delete(f"{'long/' * 60}a.txt", "1" * 64)
        assert stored.count() == 0


Damage = Callable[[bytes], bytes]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"not what it was",
        lambda data: data[: len(data) // 2],
        lambda data: b"[]",
        lambda data: b"{}",
        lambda data: b"\xff\xfe",
    ],
)
@pytest.mark.parametrize("what", ["manifest:", ".", "head"])
def test_damaged_texts_on_the_server_are_said(
    tmp_path: Path, at: Server, what: str, damage: Damage
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text("The lighthouse was built in 1888.")
    build([tmp_path / "docs"], tmp_path / "one", MODEL, at)
    with closing(Blobs.open(at, f"{at.collection}-texts")) as blobs:
        names = {record.rpartition("#")[0] for record in blobs.others(set())}
        (name,) = (name for name in names if what in name)
        blobs.put({name: damage(blobs.get([name])[name])})
    with pytest.raises(IndexDamaged, match="--rebuild") as caught:
        Index.open(tmp_path / ("one" if what == "head" else "two"), MODEL, at)
    assert at.url in str(caught.value)
    assert "\n" not in str(caught.value)
    build([], tmp_path / "one", MODEL, at, anew=True)
    assert Index.open(tmp_path / "two", MODEL, at).passages == 1


@pytest.mark.parametrize("piece", ["AAAA", "no base64 at all", "é", ""])
@pytest.mark.parametrize("what", ["manifest:", ".", "head"])
def test_damaged_pieces_on_the_server_are_said(
    tmp_path: Path, at: Server, what: str, piece: str
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text("The lighthouse was built in 1888.")
    build([tmp_path / "docs"], tmp_path / "one", MODEL, at)
    with closing(Blobs.open(at, f"{at.collection}-texts")) as blobs:
        (record,) = (record for record in blobs.others(set()) if what in record)
        blobs._collection.update(ids=[record], metadatas=[{"data": piece, "pieces": 1}])
    with pytest.raises(IndexDamaged, match="--rebuild") as caught:
        Index.open(tmp_path / ("one" if what == "head" else "two"), MODEL, at)
    assert "\n" not in str(caught.value)
    build([], tmp_path / "one", MODEL, at, anew=True)
    assert Index.open(tmp_path / "two", MODEL, at).passages == 1


def test_a_server_that_never_answers_is_waited_for_no_longer_than_said(
    tmp_path: Path, at: Server, running: ChromaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text("The lighthouse was built in 1888.")
    build([tmp_path / "docs"], tmp_path / "one", MODEL, at)
    monkeypatch.setattr(vectors, "PATIENCE", (0.01,) * 20)
    monkeypatch.setattr(vectors, "PATIENCE_WRITING", (0.01,) * 20)
    monkeypatch.setattr(vectors, "ASKING", 0.5)
    monkeypatch.setattr(vectors, "WRITING", 0.8)
    index = Index.open(tmp_path / "one", MODEL, at)
    silent = Silent()
    hanging = replace(at, url=silent.url)
    with closing(silent):
        for attempt in (
            lambda: Index.open(tmp_path / "one", MODEL, hanging),
            lambda: Index.open(tmp_path / "two", MODEL, hanging),
            lambda: Vectors.open(tmp_path, hanging, "any"),
            lambda: build([tmp_path / "docs"], tmp_path / "one", MODEL, hanging),
        ):
            started = time.monotonic()
            with pytest.raises(IndexUnreachable, match=silent.url) as caught:
                attempt()
            assert time.monotonic() - started < 3
            assert "\n" not in str(caught.value)
        running.stop()
        try:
            started = time.monotonic()
            with pytest.raises(IndexUnreachable, match=at.url):
                index.search(["lighthouse"])
            assert index.refresh() is index
            assert time.monotonic() - started < 3
        finally:
            running.go_on()
    assert index.search(["lighthouse"])


def test_opening_waits_for_a_server_that_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "PATIENCE_WRITING", (0.2,) * 50)
    server = ChromaServer(tmp_path / "chroma")
    try:
        server.kill()
        starting = Thread(target=lambda: (time.sleep(0.3), server.start()))
        starting.start()
        Vectors.open(tmp_path, Server(server.url), "passages", create=True).close()
        starting.join()
    finally:
        server.kill()


def test_a_folder_that_cannot_be_made_for_a_named_index_is_one_line(
    tmp_path: Path, at: Server
) -> None:
    (tmp_path / "a.txt").write_text("The lighthouse was built in 1888.")
    with pytest.raises(IndexProblem, match="cannot be written") as caught:
        build([tmp_path / "a.txt"], tmp_path / "a.txt" / "index", MODEL, at)
    assert "\n" not in str(caught.value)
