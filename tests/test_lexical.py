"""The index of words, run after run."""

import hashlib
import time
from pathlib import Path

from corpus.split import passages
from corpus.types import Document, Passage
from index.lexical import Words


def written(number: int) -> tuple[Passage, ...]:
    text = " ".join(
        f"Keeper {number} saw {n * 7919 % 1000} dogs on {n} roofs." for n in range(1000)
    )
    version = hashlib.sha256(text.encode()).hexdigest()
    return passages(Document(f"{number}.txt", version, "Keepers", text))


def files(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.iterdir() if path.suffix != ".lock"}


def test_what_is_closed_changes_no_more(tmp_path: Path) -> None:
    """Many small runs make tantivy merge their files; who seals them relies on their rest."""
    total = 0
    for number in range(12):
        words = Words.open(tmp_path / "words", create=True)
        pieces = written(number)
        total += len(pieces)
        words.add(pieces)
        words.commit()
        words.close()
        closed = files(tmp_path / "words")
        time.sleep(0.05)
        assert files(tmp_path / "words") == closed
        assert Words.open(tmp_path / "words").count() == total
    assert len([name for name in closed if name.endswith(".store")]) < 12  # they were merged


def test_what_is_not_committed_is_dropped(tmp_path: Path) -> None:
    words = Words.open(tmp_path, create=True)
    words.add(written(1))
    words.commit()
    words.add(written(2))
    words.close()
    assert Words.open(tmp_path).count() == len(written(1))
    words = Words.open(tmp_path)
    words.add(written(3))
    words.commit()
    words.close()
    assert Words.open(tmp_path).census().keys() == {
        (p.document.id, p.document.version) for n in (1, 3) for p in written(n)
    }
