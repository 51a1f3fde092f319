"""Killed anywhere, the index holds the old state or the new; the next run makes it whole."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import chromadb
import pytest
import tantivy
from chromadb.config import Settings

from index.build import build
from index.embed import embedder
from index.search import Index

# Runs a build that dies by SIGKILL at the n-th call of one of the steps.
KILLED = """
import os, signal, sys
from pathlib import Path
import index.build
from index.embed import embedder
owner, name, when, docs, folder = sys.argv[1:]
place = getattr(index.build, owner) if owner else index.build
step, calls = getattr(place, name), []
def counted(*args, **named):
    calls.append(1)
    if len(calls) == int(when):
        os.kill(os.getpid(), signal.SIGKILL)
    return step(*args, **named)
setattr(place, name, counted)
index.build.BATCH = 3
index.build.build([Path(docs)], Path(folder), embedder("minilm"))
"""
STEPS = {
    "vectors": ("Vectors", "add", 2),
    "manifest": ("", "write_manifest", 1),
    "deletion": ("Vectors", "delete", 1),
    "the end": ("Words", "commit", 2),
}


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """The documents after a change, the index before it, and as an undisturbed run leaves it."""
    place = tmp_path_factory.mktemp("faults")
    docs, before, after = place / "docs", place / "before", place / "after"
    docs.mkdir()
    for n in range(6):
        (docs / f"{n}.txt").write_text(f"Lantern {n} was lit. It hung in the tower.\n")
    build([docs], before, embedder("minilm"))
    for n in range(2, 5):
        (docs / f"{n}.txt").write_text(f"Lantern {n} was broken. The glazier mends it.\n")
    (docs / "5.txt").unlink()
    for n in range(7, 10):
        (docs / f"{n}.txt").write_text(f"Candle {n} stands by the door.\n")
    shutil.copytree(before, after)
    build([docs], after, embedder("minilm"))
    return docs, before, after


def contents(folder: Path) -> tuple[Any, ...]:
    """Everything that an index holds, read with the libraries themselves."""
    with chromadb.PersistentClient(
        f"{folder}/chroma/.", settings=Settings(anonymized_telemetry=False)
    ) as client:
        got = client.get_collection("passages", embedding_function=None).get(
            include=["embeddings", "documents", "metadatas"]
        )
    rows = zip(got["ids"], got["embeddings"], got["documents"], got["metadatas"], strict=True)
    vectors = {id: (vector.tobytes(), text, meta) for id, vector, text, meta in rows}
    searcher = tantivy.Index.open(str(folder / "lexical")).searcher()
    hits = searcher.search(tantivy.Query.all_query(), limit=1000).hits
    words = sorted(searcher.doc(address)["id"][0] for _, address in hits)
    texts = {file.name: file.read_bytes() for file in (folder / "texts").iterdir()}
    return vectors, words, texts, (folder / "manifest.json").read_bytes()


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_run_is_made_good(
    states: tuple[Path, Path, Path], tmp_path: Path, step: str
) -> None:
    docs, before, after = states
    folder = tmp_path / "index"
    shutil.copytree(before, folder)
    command = [sys.executable, "-c", KILLED, *map(str, STEPS[step]), str(docs), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr

    index = Index.open(folder, embedder("minilm"))
    seen = {hit.passage.text for hit in index.search(["lantern candle tower door"], 50)}
    old, new = (Index.open(state, embedder("minilm")) for state in (before, after))
    allowed = [
        {hit.passage.text for hit in state.search(["lantern candle tower door"], 50)}
        for state in (old, new)
    ]
    assert seen in allowed

    model = Watched()
    build([docs], folder, model)
    assert contents(folder) == contents(after)
    # What was embedded before the kill is taken over.
    assert len(model.asked) == (3 if step == "vectors" else 0)


class Watched:
    """The packaged embedder, which remembers what it was asked."""

    name, dimension = "minilm", 384

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed(self, texts: list[str]) -> Any:
        self.asked += texts
        return embedder("minilm").embed(texts)


def test_an_env_file_that_chroma_refuses_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("KEY=1".encode("utf-16"))
    code = (
        "from corpus.errors import FootnoteError\n"
        "try:\n    import index.vectors\n"
        "except FootnoteError as error:\n    print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
    )
    (line,) = done.stdout.splitlines()
    assert str(tmp_path / ".env") in line
