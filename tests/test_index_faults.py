"""Killed anywhere, the index holds the old state or the new; the next run makes it whole."""

import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from index.build import build
from index.check import problems
from index.embed import EmbeddingUnavailable, embedder
from index.errors import IndexDamaged, IndexProblem
from index.journal import Remembering
from index.manifest import read_manifest
from index.search import Index
from index.stores import SEAL, TEXTS
from rag.assistant import Assistant
from rag.settings import Settings
from tests.conftest import Footnote, assert_one_line
from tests.openai_server import Say, serving
from tests.soak.state import contents
from tests.test_cli_index import obeying_permissions
from tests.test_index import Fast

# Runs a build that dies by SIGKILL at the n-th call of one of the steps.
KILLED = """
import os, signal, sys
from pathlib import Path
import index.build
import index.pipeline
from index.embed import EmbeddingUnavailable, embedder
owner, name, when, docs, folder = sys.argv[1:]
place = getattr(index.build, owner) if owner else index.build
step, calls = getattr(place, name), []
def counted(*args, **named):
    calls.append(1)
    if len(calls) == int(when):
        os.kill(os.getpid(), signal.SIGKILL)
    return step(*args, **named)
setattr(place, name, counted)
index.pipeline.BATCH = 3
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
    shutil.copytree(before, after, symlinks=True)
    build([docs], after, embedder("minilm"))
    return docs, before, after


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_run_is_made_good(
    states: tuple[Path, Path, Path], tmp_path: Path, step: str
) -> None:
    docs, before, after = states
    folder = tmp_path / "index"
    shutil.copytree(before, folder, symlinks=True)
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
    assert model.asked == []


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


@pytest.fixture
def made(states: tuple[Path, Path, Path], tmp_path: Path) -> Path:
    """An index of its own, as the undisturbed run leaves it."""
    folder = tmp_path / "index"
    shutil.copytree(states[2], folder, symlinks=True)
    return folder


def test_every_damaged_file_is_said_and_one_command_repairs_it(
    states: tuple[Path, Path, Path], made: Path, tmp_path: Path
) -> None:
    model, wanted = embedder("minilm"), contents(states[2])
    rng = random.Random(seed := random.randrange(10**6))
    print(f"seed {seed}")
    stores = made / "stores" / "2"
    assert problems(made, model) == ()
    for file in sorted(path for path in stores.rglob("*") if path.suffix != ".lock"):
        if not file.is_file() or file.name in {SEAL, TEXTS} or not file.stat().st_size:
            continue
        folder = tmp_path / "damaged"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(made, folder, symlinks=True)
        damage(folder / file.relative_to(made), rng)
        with pytest.raises(IndexDamaged, match="footnote index --rebuild") as caught:
            Index.open(folder, model).search(["lantern"])
        assert "\n" not in str(caught.value)
    report = build([], folder, model, anew=True)
    assert (report.documents, report.unchanged, report.failed) == (8, 8, ())
    assert problems(folder, model) == ()
    assert [row[0] for row in contents(folder)[1]] == [row[0] for row in wanted[1]]
    assert contents(folder)[2] == wanted[2]


def damage(file: Path, rng: random.Random) -> None:
    """Cuts the file off, or overwrites a part of it."""
    size = file.stat().st_size
    if file.name == "chroma.sqlite3":  # what is overwritten in it may be empty, or read later
        os.truncate(file, rng.randrange(size // 2))
    elif rng.random() < 0.5:
        os.truncate(file, rng.randrange(size))
    else:
        with file.open("r+b") as opened:
            data = opened.read()
            at = rng.randrange(size)
            opened.seek(at)
            opened.write(bytes(255 - byte for byte in data[at : at + 1000]))


@pytest.mark.parametrize("left", ["", "[]", "3", '{"lexical/meta.json": 1}', None])
def test_checksums_that_are_damaged_or_missing_are_said(
    states: tuple[Path, Path, Path], made: Path, left: str | None
) -> None:
    model, file = embedder("minilm"), made / "stores" / "2" / SEAL
    file.unlink()
    if left is not None:
        file.write_text(left)
    for attempt in (lambda: Index.open(made, model), lambda: build([states[0]], made, model)):
        with pytest.raises(IndexDamaged, match=r"seal\.json .*footnote index --rebuild") as caught:
            attempt()
        assert "\n" not in str(caught.value)
    assert [SEAL in line for line in problems(made, model)] == [True]
    assert build([], made, model, anew=True).unchanged == 8
    assert problems(made, model) == ()


def test_the_check_of_an_index_that_has_lost_its_files(
    states: tuple[Path, Path, Path], made: Path
) -> None:
    shutil.rmtree(made / "stores")
    with pytest.raises(IndexDamaged, match="has lost its files: run `footnote index --rebuild`"):
        problems(made, embedder("minilm"))
    assert build([states[0]], made, embedder("minilm")).unchanged == 8  # its records were made anew
    assert problems(made, embedder("minilm")) == ()


def test_the_check_reads_what_an_opening_does_not(made: Path) -> None:
    """Bits that went bad on the disk: the file looks as it did."""
    (file, *_) = (made / "stores" / "2" / "lexical").glob("*.term")
    before, data = file.stat(), bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    copy = file.with_suffix(".copy")  # the file itself is linked to from other copies
    copy.write_bytes(data)
    copy.replace(file)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    (problem,) = problems(made, embedder("minilm"))
    assert f"{file.name} is damaged" in problem


def test_a_vector_that_is_another_texts_is_found(made: Path) -> None:
    import chromadb
    from chromadb.config import Settings as Chroma

    model = embedder("minilm")
    with chromadb.PersistentClient(
        f"{made}/chroma/.", settings=Chroma(anonymized_telemetry=False)
    ) as client:
        collection = client.get_collection("passages", embedding_function=None)
        (id, *_) = collection.get(include=[])["ids"]
        collection.update(ids=[id], embeddings=model.embed(["Something else."]))
    assert problems(made, model) == (f"the vector of {id} is not that of its words",)
    build([], made, model, anew=True)
    assert problems(made, model) == ()


def test_a_damaged_text_is_read_again_where_its_file_is_still_there(
    states: tuple[Path, Path, Path], made: Path
) -> None:
    model, version = embedder("minilm"), read_manifest(made).documents["3.txt"].version
    (made / "texts" / f"{version}.txt").write_text("Other words.")
    with pytest.raises(IndexDamaged, match="--rebuild"):
        Index.open(made, model).document("3.txt")
    assert any("3.txt" in problem for problem in problems(made, model))
    assert build([], made, model, anew=True).documents == 8
    assert Index.open(made, model).document("3.txt").text.startswith("Lantern 3 was broken")

    (made / "texts" / f"{version}.txt").write_text("Other words.")
    (made / "files.json").unlink()  # nobody knows where it came from any more
    report = build([], made, model, anew=True)
    assert (report.documents, report.removed) == (7, 1)
    assert [failure.path for failure in report.failed] == ["3.txt"]


def test_a_damaged_manifest_is_replaced_where_the_paths_are_given(
    states: tuple[Path, Path, Path], made: Path
) -> None:
    model = embedder("minilm")
    (made / "manifest.json").write_text("{")
    with pytest.raises(IndexDamaged, match="--rebuild PATH"):
        build([], made, model, anew=True)
    report = build([states[0]], made, model, anew=True)
    assert (report.documents, report.added) == (8, 8)
    assert problems(made, model) == ()


def test_another_embedding_is_taken_by_a_rebuild(made: Path) -> None:
    assert build([], made, Fast(), anew=True).documents == 8
    assert read_manifest(made).embedding == "fast"
    assert Index.open(made, Fast()).search(["lantern"])


def test_a_rebuild_that_is_killed_leaves_the_index_as_it_was(
    states: tuple[Path, Path, Path], made: Path
) -> None:
    code = KILLED.replace("[Path(docs)]", "[]").replace('"minilm"))', '"minilm"), anew=True)')
    command = [sys.executable, "-c", code, "", "write_manifest", "1", "", str(made)]
    assert subprocess.run(command, timeout=60).returncode == -signal.SIGKILL
    assert contents(made) == contents(states[2])
    assert problems(made, embedder("minilm")) == ()


class Failing(Watched):
    """Fails where it is asked for the third time."""

    def embed(self, texts: list[str]) -> Any:
        if len(self.asked) == 2:
            raise EmbeddingUnavailable("the embedding cannot be reached")
        return super().embed(texts)


def test_a_failed_run_leaves_what_it_embedded_and_no_copy(
    states: tuple[Path, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs, before, after = states
    folder = tmp_path / "index"
    shutil.copytree(before, folder, symlinks=True)
    with monkeypatch.context() as patch:
        patch.setattr("index.pipeline.BATCH", 1)
        patch.setattr("index.pipeline.cores", lambda: 1)
        with pytest.raises(EmbeddingUnavailable):
            build([docs], folder, Failing())
    assert [path.name for path in (folder / "stores").iterdir()] == ["1"]
    model = Watched()
    build([docs], folder, model)
    assert len(model.asked) == 4  # of six
    assert contents(folder) == contents(after)


def test_a_run_that_fails_after_its_change_keeps_the_change(
    states: tuple[Path, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs, before, after = states
    folder = tmp_path / "index"
    shutil.copytree(before, folder, symlinks=True)

    def interrupted(memory: Remembering) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Remembering, "forget", interrupted)
        with pytest.raises(KeyboardInterrupt):
            build([docs], folder, embedder("minilm"))
    build([docs], folder, embedder("minilm"))
    assert contents(folder) == contents(after)


FULL = """
import resource, sys
limit = int(sys.argv[1])
import index.build, index.embed, index.vectors, ui.indexing
from ui.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize("limit", [0, 20_000, 100_000])
def test_a_disk_without_room_loses_nothing(
    states: tuple[Path, Path, Path], tmp_path: Path, limit: int
) -> None:
    docs, before, after = states
    folder = tmp_path / "index"
    shutil.copytree(before, folder, symlinks=True)
    command = [sys.executable, "-W", "ignore", "-c", FULL, str(limit), "index", str(docs)]
    done = subprocess.run(
        [*command, "--index", str(folder)], capture_output=True, text=True, timeout=60
    )
    assert_one_line(done, f"the index in {folder} cannot be written")
    assert (folder / "manifest.json").read_bytes() == (before / "manifest.json").read_bytes()
    assert [path.name for path in (folder / "stores").iterdir()] == ["1"]  # and takes no room
    assert len(Index.open(folder, embedder("minilm")).search(["lantern"], 50)) == 6
    build([docs], folder, embedder("minilm"))
    assert contents(folder) == contents(after)


def test_two_commands_at_once(states: tuple[Path, Path, Path], process: Footnote) -> None:
    running = [process.start("index", states[0], "--json") for _ in range(2)]
    ended = [one.communicate(timeout=120) for one in running]
    assert [(one.returncode, err) for one, (_, err) in zip(running, ended, strict=True)] == [
        (0, b"")
    ] * 2
    assert process.json("status", "--json")["documents"] == 8


def test_an_answer_in_flight_finishes_on_the_state_that_it_began_with(tmp_path: Path) -> None:
    docs, folder, model = tmp_path / "docs", tmp_path / "index", embedder("minilm")
    docs.mkdir()
    (docs / "ferry.txt").write_text("The ferry to Orle crosses seven times a day.")
    (docs / "mill.txt").write_text("The mill on the river has nine wheels.")
    build([docs], folder, model)
    question = "How many times a day does the ferry to Orle cross?"
    with serving(Say("It crosses seven times a day [1.1].", size=6, between=0.01)) as server:
        settings = Settings(
            index=folder, answers="openai", model="m", base_url=server.url, api_key="k"
        )
        assistant = Assistant.open(settings)
        stream = assistant.stream(question)
        began = next(delta for delta in stream if delta.text)
        for text in ("The ferry to Orle was sold.", "The ferry to Orle sank."):
            (docs / "ferry.txt").write_text(text)
            build([docs], folder, model)
        *_, last = stream
        assert began.answer is None
        assert last.answer is not None
        assert [citation.quote for citation in last.answer.citations] == [
            "The ferry to Orle crosses seven times a day."
        ]
        assert assistant.index.document("ferry.txt").text == "The ferry to Orle sank."


def test_what_is_opened_stays_whole_through_many_changes(
    states: tuple[Path, Path, Path], made: Path
) -> None:
    model = embedder("minilm")
    index = Index.open(made, model)  # and not searched yet
    for n in range(3):
        (states[0] / "extra.txt").write_text(f"An extra lantern, number {n}.")
        build([states[0]], made, model)
        assert (made / "stores" / "2").is_dir()
    found = {hit.passage.document.id for hit in index.search(["lantern candle"], 50)}
    assert found == set(index.manifest.documents)
    del index
    (states[0] / "extra.txt").unlink()
    build([states[0]], made, model)
    assert [path.name for path in (made / "stores").iterdir()] == ["6"]


@pytest.mark.parametrize("made_by_an_older_footnote", [False, True])
def test_a_held_state_keeps_its_texts_through_many_changes(
    tmp_path: Path, made_by_an_older_footnote: bool
) -> None:
    """A follow-up searches late: a language model wrote the answer before it."""
    docs, folder, model = tmp_path / "docs", tmp_path / "index", Fast()
    docs.mkdir()
    (docs / "mill.txt").write_text("The mill on the river has nine wheels.")
    texts = [f"The ferry to Orle crosses {n} times a day." for n in range(4)]
    (docs / "ferry.txt").write_text(texts[0])
    build([docs], folder, model)
    if made_by_an_older_footnote:  # which did not write down whose texts its readers need
        (folder / "stores" / "1" / "texts.json").unlink(missing_ok=True)
    held = Index.open(folder, model)  # and nothing of it is read yet
    for text in texts[1:3]:
        (docs / "ferry.txt").write_text(text)
        build([docs], folder, model)
    (hit,) = held.search(["ferry"], documents=["ferry.txt"])
    assert hit.passage.text == texts[0]
    assert held.document("ferry.txt").text == texts[0]

    del held
    (docs / "ferry.txt").write_text(texts[3])
    build([docs], folder, model)
    kept = {file.read_text() for file in (folder / "texts").glob("*.txt")}
    assert kept == {*texts[2:], (docs / "mill.txt").read_text()}


OPENED_OFTEN = """
import sys, tempfile
from pathlib import Path
from index.check import problems
from index.embed import embedder
from index.search import Index
folder, model = Path(sys.argv[1]), embedder("minilm")
def copies():
    print(len(list(Path(tempfile.gettempdir()).glob("footnote-*"))))
for _ in range(2):
    index = Index.open(folder, model)
    assert len(index.search(["lantern"], 3)) == 3
    copies()
del index
copies()
assert problems(folder, model) == ()
copies()
"""


def test_the_copy_of_an_index_that_may_only_be_read_goes_with_its_reader(
    made: Path, tmp_path: Path
) -> None:
    (tmp_path / "scratch").mkdir()
    files = [made, *made.rglob("*")]
    for file in files:
        file.chmod(0o555 if file.is_dir() else 0o444)
    try:
        done = subprocess.run(
            [*obeying_permissions(), sys.executable, "-c", OPENED_OFTEN, str(made)],
            env=os.environ | {"TMPDIR": str(tmp_path / "scratch")},
            capture_output=True,
            text=True,
            timeout=60,
        )
    finally:
        for file in files:
            file.chmod(0o755 if file.is_dir() else 0o644)
    assert (done.stdout.split(), done.stderr) == (["1", "1", "0", "0"], "")


def test_an_index_that_is_written_for_another_reason_is_said(made: Path) -> None:
    with pytest.raises(IndexProblem, match="not an index"):
        build([made], made / "texts", Fast())
