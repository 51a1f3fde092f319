"""The one writer of the app: what it keeps, in which order it works, and what it never loses."""

import json
import time
from pathlib import Path

import pytest

from corpus.errors import FootnoteError
from index.build import build
from index.embed import embedder
from index.folder import writing
from rag.assistant import Assistant
from rag.settings import Settings
from tests import real_files
from ui import librarian
from ui.librarian import Librarian

MILL = "# The mill\n\nThe mill employed 412 people.\n"
BRIDGE = b"# The bridge\n\nThe bridge was opened in 1903.\n"


@pytest.fixture
def assistant(tmp_path: Path) -> Assistant:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "mill.md").write_text(MILL, "utf-8")
    build([tmp_path / "documents"], tmp_path / "index", embedder("minilm"))
    return Assistant.open(Settings(index=tmp_path / "index", answers="extractive"))


def states(keeper: Librarian) -> dict[str, str]:
    return {entry.id: entry.state for entry in keeper.entries()}


def test_a_file_is_being_added_and_then_there(assistant: Assistant) -> None:
    keeper = Librarian(assistant)
    assert keeper.add("bridge.md", BRIDGE) == "bridge.md"
    assert states(keeper) == {"bridge.md": "adding", "mill.md": "current"}
    assert keeper.work.busy
    assert keeper.wait(30)
    assert states(keeper) == {"bridge.md": "current", "mill.md": "current"}
    assert not keeper.work.busy
    assert "1903" in assistant.ask("When was the bridge opened?").text
    assert {entry.id: entry.added for entry in keeper.entries()} == {
        **{"bridge.md": True, "mill.md": False}
    }


def test_pages_without_text_are_said_beside_their_document(assistant: Assistant) -> None:
    keeper = Librarian(assistant)
    keeper.add("scan.pdf", real_files.scanned_pdf(2, "The third page has words."))
    assert keeper.wait(30)
    assert {entry.id: entry.unread for entry in keeper.entries()} == {
        **{"mill.md": "", "scan.pdf": "no text on pages 1–2 (scanned, or drawn)"}
    }


def test_many_changes_are_one_run(assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []
    rebuild = librarian.sources.rebuild
    monkeypatch.setattr(librarian.sources, "rebuild", lambda *a: (runs.append(a), rebuild(*a))[1])
    keeper = Librarian(assistant)
    for number in range(6):
        keeper.add(f"note-{number}.md", BRIDGE + b"%d" % number)
    assert keeper.wait(30)
    assert len(runs) <= 2
    assert len(states(keeper)) == 7


def test_what_was_added_before_a_stop_is_indexed_at_the_next_start(assistant: Assistant) -> None:
    from index import sources

    sources.add(assistant.settings.index, "bridge.md", BRIDGE)
    keeper = Librarian(assistant)
    assert keeper.wait(30)
    assert states(keeper)["bridge.md"] == "current"
    assert not Librarian(assistant).work.busy  # and nothing is done twice


def test_it_waits_for_another_writer(assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(librarian, "AGAIN", 0.1)
    keeper = Librarian(assistant)
    with writing(assistant.settings.index):
        keeper.add("bridge.md", BRIDGE)
        until = time.monotonic() + 20
        while not keeper.work.waits and time.monotonic() < until:
            time.sleep(0.05)
        assert keeper.work.waits
        assert states(keeper)["bridge.md"] == "adding"
    assert keeper.wait(30)
    assert states(keeper)["bridge.md"] == "current"


def test_a_run_that_fails_says_why_and_loses_nothing(assistant: Assistant, tmp_path: Path) -> None:
    (tmp_path / "documents").rename(tmp_path / "elsewhere")
    keeper = Librarian(assistant)
    keeper.add("bridge.md", BRIDGE)
    assert keeper.wait(30)
    assert "documents" in keeper.work.problem
    assert states(keeper) == {"bridge.md": "adding", "mill.md": "current"}
    assert "412" in assistant.ask("How many people did the mill employ?").text
    (tmp_path / "elsewhere").rename(tmp_path / "documents")
    keeper.index()
    assert keeper.wait(30)
    assert keeper.work.problem == ""
    assert states(keeper)["bridge.md"] == "current"


def test_an_index_that_does_not_know_its_sources_is_not_emptied(assistant: Assistant) -> None:
    """One that an earlier version made: its documents would all be gone."""
    manifest = assistant.settings.index / "manifest.json"
    found = json.loads(manifest.read_text("utf-8"))
    found.pop("sources")
    manifest.write_text(json.dumps(found | {"format": 1}), "utf-8")
    keeper = Librarian(assistant)
    keeper.add("bridge.md", BRIDGE)
    assert keeper.wait(30)
    assert "footnote index" in keeper.work.problem
    assert states(keeper)["mill.md"] == "current"


def test_read_only_changes_nothing(assistant: Assistant) -> None:
    keeper = Librarian(assistant, read_only=True)
    for change in (
        lambda: keeper.add("bridge.md", BRIDGE),
        lambda: keeper.remove("mill.md"),
        lambda: keeper.restore("mill.md"),
        keeper.index,
    ):
        with pytest.raises(FootnoteError, match="neither added nor removed"):
            change()
    assert states(keeper) == {"mill.md": "current"}
    assert not keeper.work.busy
