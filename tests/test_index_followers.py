"""An index on a Chroma server that others follow: while it is rebuilt, and after a loss."""

import time
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from numpy.typing import NDArray

from corpus.split import passages
from index.build import build
from index.check import problems
from index.embed import embedder
from index.errors import IndexDamaged, IndexMismatch, IndexMissing, IndexUnreachable
from index.manifest import dumps, loads
from index.search import Index
from index.server import Server
from index.shared import Shared
from index.vectors import Vectors, connect, let_go
from tests.chroma_server import ChromaServer

# Chroma's client leaves the connections of a failed start to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("at_once"),
]

MODEL = embedder("minilm")
QUESTIONS = ["When was the lighthouse built?", "dogs", "what lies in the bay", "the ferry"]


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.txt").write_text(
        "The lighthouse was built in 1888. It burned down in 1901, and nobody was hurt. The keeper"
        " moved to the village. His two dogs went with him."
    )
    (folder / "b.txt").write_text("The keeper had two dogs.")
    (folder / "c.md").write_text("---\ntitle: Boats\n---\n# Boats\n\nThree boats lie in the bay.\n")
    return folder


def seen(index: Index) -> list[tuple[Any, ...]]:
    """What searches find, to the last rank."""
    return [
        (hit.passage, hit.dense_rank, hit.lexical_rank, round(hit.dense or 0, 5))
        for question in QUESTIONS
        for documents in (None, {"a.txt", "c.md"})
        for hit in index.search([question], documents=documents)
    ]


def collections(at: Server) -> list[str]:
    """The index's collections on the server."""
    client = connect(at)
    try:
        found = [collection.name for collection in client.list_collections()]
    finally:
        let_go(client)
    return sorted(name for name in found if name.startswith(str(at.collection)))


def lose(at: Server, ending: str) -> None:
    """Deletes one of the index's collections, as an accident would."""
    client = connect(at)
    client.delete_collection(f"{at.collection}{ending}")
    let_go(client)


def finer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version's splitting rules: shorter passages."""
    for module in ("index.pipeline", "index.shared", "index.check"):
        monkeypatch.setattr(f"{module}.passages", lambda d, count: passages(d, count, size=12))


class Asking:
    """While it embeds, and between the batches, the index is asked."""

    name, dimension = MODEL.name, MODEL.dimension

    def __init__(self, ask: Any) -> None:
        self._ask = ask

    def embed(self, texts: list[str]) -> NDArray[Any]:
        self._ask()
        return MODEL.embed(texts)


def test_readers_see_the_old_state_while_the_index_is_rebuilt(
    tmp_path: Path, docs: Path, at: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.pipeline.BATCH", 1)
    build([docs], tmp_path / "one", MODEL, at)
    two = Index.open(tmp_path / "two", MODEL, at)
    old, asked = seen(two), []

    def ask() -> None:
        asked.append(seen(two) == old == seen(two.refresh()))
        asked.append(seen(Index.open(tmp_path / "one", MODEL, at)) == old)

    build([], tmp_path / "one", Asking(ask), at, anew=True)
    assert asked
    assert all(asked)
    assert seen(two) == old  # who has not looked again yet
    assert seen(two.refresh()) == old
    (docs / "e.txt").write_text("The ferry crosses at noon.")
    build([docs], tmp_path / "one", MODEL, at)
    assert len(collections(at)) == 2  # the vectors that were replaced are gone
    assert seen(two.refresh()) == seen(Index.open(tmp_path / "one", MODEL, at)) != old


def test_a_question_does_not_wait_for_a_change_that_takes_long_to_fetch(
    tmp_path: Path, docs: Path, at: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    build([docs], tmp_path / "one", MODEL, at)
    two = Index.open(tmp_path / "two", MODEL, at)
    old = seen(two)
    (docs / "b.txt").write_text("The keeper had one cat.")
    build([docs], tmp_path / "one", MODEL, at)
    arrives, pull = Event(), Shared.pull
    monkeypatch.setattr(Shared, "pull", lambda self: arrives.wait(20) and pull(self))
    monkeypatch.setattr("index.follower.PATIENCE", 0.05)
    for _ in range(3):
        assert two.refresh() is two
        assert seen(two) == old
    arrives.set()
    deadline = time.monotonic() + 20
    while (after := two.refresh()) is two and time.monotonic() < deadline:
        time.sleep(0.02)
    assert seen(after) == seen(Index.open(tmp_path / "one", MODEL, at)) != old


def test_readers_see_the_old_state_until_they_look_again(
    tmp_path: Path, docs: Path, at: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bool] = []
    census = Vectors.census
    monkeypatch.setattr(Vectors, "census", lambda self: (read.append(True), census(self))[1])
    build([docs], tmp_path / "one", MODEL, at)
    two = Index.open(tmp_path / "two", MODEL, at)
    for word in ("tall", "small"):
        old = seen(two)
        for path in docs.iterdir():
            path.write_text(path.read_text() + f"\nThe {word} ferry crosses at noon.\n")
        report = build([docs], tmp_path / "one", MODEL, at)
        assert report.changed == 3
        assert seen(two) == old
        assert problems(tmp_path / "one", MODEL, at) == ()
        two = two.refresh()
        assert seen(two) != old
        assert seen(two) == seen(Index.open(tmp_path / "one", MODEL, at))
        assert build([docs], tmp_path / "one", MODEL, at).unchanged == 3
        assert not read  # the numbers agree
    # A version that comes back has its vectors, and keeps them.
    for path in docs.iterdir():
        path.write_text(path.read_text().replace("\nThe small ferry crosses at noon.\n", ""))
    build([docs], tmp_path / "one", MODEL, at)
    (docs / "b.txt").unlink()
    build([docs], tmp_path / "one", MODEL, at)
    assert problems(tmp_path / "one", MODEL, at) == ()
    assert len(Index.open(tmp_path / "one", MODEL, at).search(["ferry"])) == 2


def test_a_rebuild_that_is_cut_off_leaves_nothing_behind(
    tmp_path: Path, docs: Path, at: Server
) -> None:
    build([docs], tmp_path / "one", MODEL, at)
    before, old = collections(at), seen(Index.open(tmp_path / "one", MODEL, at))

    def dies() -> None:
        raise RuntimeError

    for run in (0, 1):
        with pytest.raises(RuntimeError):
            build([], tmp_path / "one", Asking(dies), at, anew=True)
        assert len(collections(at)) == 3, run
    assert build([docs], tmp_path / "one", MODEL, at).unchanged == 3
    assert collections(at) == before
    assert seen(Index.open(tmp_path / "one", MODEL, at)) == old


def test_a_server_that_has_lost_the_texts_says_so_and_is_mended(
    tmp_path: Path, docs: Path, at: Server
) -> None:
    build([docs], tmp_path / "one", MODEL, at)
    two = Index.open(tmp_path / "two", MODEL, at)
    whole = seen(two)
    for name, mend in (
        ("one", {"paths": [], "anew": True}),
        ("two", {"paths": [], "anew": True}),
        ("one", {"paths": [docs]}),
    ):
        lose(at, "-texts")
        for opened in ("one", "two"):
            with pytest.raises(IndexDamaged, match="--rebuild") as caught:
                Index.open(tmp_path / opened, MODEL, at)
            assert at.url in str(caught.value)
            assert "\n" not in str(caught.value)
        with pytest.raises(IndexMissing, match="--rebuild"):
            Index.open(tmp_path / "new", MODEL, at)
        assert seen(two.refresh()) == whole  # an app that runs goes on with what it has
        paths = mend.pop("paths")
        report = build(paths, tmp_path / name, MODEL, at, **mend)
        assert (report.documents, report.unchanged) == (3, 3)
        for opened in ("one", "two", f"new-{name}-{len(paths)}"):
            assert seen(Index.open(tmp_path / opened, MODEL, at)) == whole
        assert problems(tmp_path / "one", MODEL, at) == ()
        after = two.refresh()
        assert after is not two
        assert seen(after) == whole
        two = after


def test_a_running_app_follows_after_the_texts_were_lost_and_mended(
    tmp_path: Path, docs: Path, at: Server
) -> None:
    build([docs], tmp_path / "one", MODEL, at)
    two = Index.open(tmp_path / "two", MODEL, at)
    lose(at, "-texts")
    (docs / "e.txt").write_text("The ferry crosses at noon.")
    build([docs], tmp_path / "one", MODEL, at)
    assert two.refresh().document("e.txt").text == "The ferry crosses at noon."


@pytest.mark.parametrize("how", ["rebuilt", "as many", "another format"])
def test_followers_take_other_splitting_rules_whole(
    tmp_path: Path, docs: Path, at: Server, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """`as many` passages as before, with other ends."""
    build([docs], tmp_path / "one", MODEL, at)
    two = Index.open(tmp_path / "two", MODEL, at)
    with monkeypatch.context() as patch:
        if how == "as many":
            for module in ("index.pipeline", "index.shared", "index.check"):
                patch.setattr(f"{module}.passages", lambda d, count: passages(d, count, 12)[:1])
        else:
            finer(patch)
        if how == "another format":
            patch.setattr("index.build.FORMAT", 3)
            patch.setattr("index.manifest.READABLE", (1, 2, 3))
            assert build([docs], tmp_path / "one", MODEL, at).unchanged == 3
        else:
            build([], tmp_path / "one", MODEL, at, anew=True)
        build([docs], tmp_path / "here", MODEL)
        whole = seen(Index.open(tmp_path / "here", MODEL))
        assert seen(two.refresh()) == whole
        for name in ("one", "two", "three"):
            assert seen(Index.open(tmp_path / name, MODEL, at)) == whole
            assert problems(tmp_path / name, MODEL, at) == ()


def test_a_follower_that_takes_texts_in_a_rebuild_takes_the_old_ones(
    tmp_path: Path, docs: Path, at: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    build([docs], tmp_path / "one", MODEL, at)
    old = seen(Index.open(tmp_path / "one", MODEL, at))
    asked, head = [], Shared._head

    def between(shared: Shared) -> str | None:
        # The new texts are sent, the head still names the old state.
        if not asked and not (tmp_path / "two").exists() and sent:
            asked.append(seen(Index.open(tmp_path / "two", MODEL, at)) == old)
        return head(shared)

    sent: list[bool] = []
    put = Shared.publish

    def publish(shared: Shared, *call: Any) -> str:
        sent.append(True)
        return put(shared, *call)

    with monkeypatch.context() as patch:
        finer(patch)
        patch.setattr(Shared, "publish", publish)
        patch.setattr(Shared, "_head", between)
        build([], tmp_path / "one", MODEL, at, anew=True)
    assert asked == [True]


def test_another_machine_that_follows_at_once_loses_nothing(
    tmp_path: Path, docs: Path, at: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    build([docs], tmp_path / "one", MODEL, at)
    (docs / "e.txt").write_text("The ferry crosses at noon.")
    mark = Shared.mark
    with monkeypatch.context() as patch:

        def marked(shared: Shared, state: str) -> None:
            """Before this machine sweeps the server, another one has changed the index."""
            mark(shared, state)
            patch.setattr(Shared, "mark", mark)
            (docs / "f.txt").write_text("Gulls nest on the roof.")
            build([docs], tmp_path / "two", MODEL, at)

        patch.setattr(Shared, "mark", marked)
        build([docs], tmp_path / "one", MODEL, at)
    assert Index.open(tmp_path / "three", MODEL, at).document("f.txt").text.startswith("Gulls")
    assert seen(Index.open(tmp_path / "one", MODEL, at)) == seen(
        Index.open(tmp_path / "two", MODEL, at)
    )


def test_a_held_state_of_a_follower_keeps_its_texts(tmp_path: Path, docs: Path, at: Server) -> None:
    build([docs], tmp_path / "one", MODEL, at)
    held = Index.open(tmp_path / "two", MODEL, at)
    text = (docs / "b.txt").read_text()
    for n in range(3):
        (docs / "b.txt").write_text(f"The keeper had {n} cats.")
        build([docs], tmp_path / "one", MODEL, at)
        Index.open(tmp_path / "two", MODEL, at)
    assert held.document("b.txt").text == text


def test_a_follower_that_fails_again_and_again_fills_no_disk(
    tmp_path: Path, docs: Path, at: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    build([docs], tmp_path / "one", MODEL, at)
    two = Index.open(tmp_path / "two", MODEL, at)
    (docs / "e.txt").write_text("The ferry crosses at noon.")
    build([docs], tmp_path / "one", MODEL, at)

    def unreachable(*call: Any) -> None:
        raise IndexUnreachable("the server does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(Shared, "_fetch", unreachable)
        for _ in range(2):
            assert two.refresh() is two  # it goes on with the state that it has
            assert [path.name for path in (tmp_path / "two" / "stores").iterdir()] == ["1"]
    assert two.refresh().document("e.txt").text == "The ferry crosses at noon."


def test_a_newer_format_on_the_server_is_said(tmp_path: Path, docs: Path, at: Server) -> None:
    build([docs], tmp_path / "one", MODEL, at)
    two = Index.open(tmp_path / "two", MODEL, at)
    shared = Shared(tmp_path / "one", at)
    data = dumps(loads((tmp_path / "one" / "manifest.json").read_bytes(), ""))
    newer = data.replace(b'"format": 2', b'"format": 3')
    assert newer != data
    shared._blobs.put({"manifest:" + "0" * 32: newer, "head": b"0" * 32})
    shared.close()
    for attempt in (
        lambda: two.refresh(),
        lambda: Index.open(tmp_path / "three", MODEL, at),
        lambda: build([], tmp_path / "two", MODEL, at, anew=True),
    ):
        with pytest.raises(IndexMismatch, match="newer Footnote") as caught:
            attempt()
        assert "--rebuild" not in str(caught.value)


def test_a_folder_that_moved_to_the_server_keeps_no_vectors_of_its_own(
    tmp_path: Path, docs: Path, running: ChromaServer
) -> None:
    build([docs], tmp_path / "one", MODEL)
    (docs / "b.txt").write_text("The keeper had one cat.")
    build([docs], tmp_path / "one", MODEL, running.url)
    with pytest.raises(IndexMissing, match="run `footnote index` again"):
        Index.open(tmp_path / "one", MODEL)
    build([docs], tmp_path / "one", MODEL)
    assert problems(tmp_path / "one", MODEL) == ()
    build([docs], tmp_path / "here", MODEL)
    assert seen(Index.open(tmp_path / "one", MODEL)) == seen(Index.open(tmp_path / "here", MODEL))
