"""The real command on a Chroma server: killed as it writes there, and where on the server it is."""

import random
import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from index.blobs import Blobs
from index.build import build
from index.check import problems
from index.embed import embedder
from index.search import Index
from index.server import Server
from index.types import IndexedDocument
from index.vectors import connect, let_go
from tests.chroma_server import ChromaServer, Deadly, Door
from tests.conftest import Footnote
from tests.soak import state

# Chroma's client leaves the connections of a failed start to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("at_once"),
]

MODEL = embedder("minilm")
TOKEN = "ck-very-secret"


def environment(at: Server) -> dict[str, str]:
    """The settings that name that place."""
    named = {
        "URL": at.url,
        "TOKEN": at.token,
        "TENANT": at.tenant,
        "DATABASE": at.database,
        "COLLECTION": at.collection,
    }
    return {f"FOOTNOTE_CHROMA_{name}": value for name, value in named.items() if value}


def contents(at: Server) -> tuple[Any, ...]:
    """The vectors and the texts on the server, but for their order."""
    client = connect(at)
    try:
        stored = client.get_collection(at.collection, embedding_function=None)
        got = stored.get(include=["embeddings", "metadatas"])
    finally:
        let_go(client)
    rows = zip(got["ids"], got["embeddings"], got["metadatas"], strict=True)
    with closing(Blobs.open(at, f"{at.collection}-texts")) as blobs:
        names = {record.rpartition("#")[0] for record in blobs.others(set())}
        texts = blobs.get([name for name in names if not name.startswith(("head", "manifest:"))])
    return {id: (row.tobytes(), meta) for id, row, meta in rows}, texts


def documents(folder: Path, at: Server) -> dict[str, IndexedDocument]:
    """What the index holds, and can be asked."""
    index = Index.open(folder, MODEL, at)
    assert index.search(["lantern"])
    return dict(index.manifest.documents)


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The documents before a change and after it."""
    place, rng = tmp_path_factory.mktemp("changes"), random.Random(7)
    before, after = place / "before" / "docs", place / "after" / "docs"
    before.parent.mkdir()
    state.write(before, rng, 12)
    state.copied(before, after)
    state.change(after, rng)
    return before, after


@pytest.fixture(scope="module")
def deadly(running: ChromaServer) -> Iterator[Deadly]:
    """A door to the server at which processes die."""
    door = Deadly(running.port, TOKEN)
    yield door
    door.close()


@pytest.fixture(scope="module")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, changes: tuple[Path, Path], deadly: Deadly
) -> tuple[tuple[Any, ...], list[Any], int]:
    """What is stored after both runs, the documents after each, how often the second writes."""
    folder = tmp_path_factory.mktemp("undisturbed") / "index"
    at, found = Server(deadly.url, TOKEN, collection="undisturbed"), []
    for docs in changes:
        deadly.writes = 0
        build([docs], folder, MODEL, at, forget=True)
        writes = deadly.writes
        found.append(documents(folder, at))
    return contents(at), found, writes


@pytest.mark.parametrize(
    ("when", "arrives"),
    [
        (1, False),  # the vectors
        (2, True),  # the texts
        (3, False),  # the head
        (3, True),
        (4, False),  # what is swept away
    ],
)
def test_a_command_that_is_killed_as_it_writes_to_a_server_is_made_good(
    process: Footnote,
    changes: tuple[Path, Path],
    deadly: Deadly,
    at: Server,
    undisturbed: tuple[tuple[Any, ...], list[Any], int],
    when: int,
    arrives: bool,
) -> None:
    wanted, found, writes = undisturbed
    new = (when, arrives) > (3, False)
    assert writes == 4
    guarded = replace(at, url=deadly.url, token=TOKEN)
    folder, other = process.folder / "index", process.folder / "other"
    build([changes[0]], folder, MODEL, guarded)
    arguments = ("index", changes[1], "--index", folder, "--chroma", guarded.url)
    command = process.start(*arguments, env=environment(guarded))
    deadly.expect(command, when, arrives)
    command.communicate(timeout=120)
    assert command.returncode == -signal.SIGKILL
    for name in (folder, other):
        assert documents(name, guarded) == found[new]
    build([changes[1]], folder, MODEL, guarded)
    assert contents(guarded) == wanted
    for name in (folder, other):
        assert documents(name, guarded) == found[1]
        assert problems(name, MODEL, guarded) == ()


def test_an_index_lies_in_the_tenant_and_the_database_that_are_named(
    footnote: Footnote, running: ChromaServer
) -> None:
    for path, name in (("tenants", "harbour"), ("tenants/harbour/databases", "letters")):
        httpx.post(f"{running.url}/api/v2/{path}", json={"name": name}).raise_for_status()
    (footnote.folder / "a.txt").write_text("The lighthouse was built in 1888.")
    door = Door(running.port, TOKEN)
    try:
        at = Server(door.url, TOKEN, "harbour", "letters", "named")
        for folder in ("one", "two"):  # the second follows
            call = ("index", "a.txt") if folder == "one" else ("ask", "When was it built?")
            done = footnote(*call, "--index", folder, env=environment(at))
            assert (done.returncode, done.stderr) == (0, "")
    finally:
        door.close()
    inside = "/api/v2/tenants/harbour/databases/letters/collections"
    outside = {path for path, _ in door.asked if not path.startswith(inside)}
    assert outside <= {
        "/api/v2/auth/identity",
        "/api/v2/pre-flight-checks",
        "/api/v2/tenants/harbour",
        "/api/v2/tenants/harbour/databases/letters",
    }
    assert {shown for _, shown in door.asked} == {f"Bearer {TOKEN}"}
    client = connect(Server(running.url))
    try:
        assert "named" not in {collection.name for collection in client.list_collections()}
    finally:
        let_go(client)
