"""The documents before and after a change, and all that an index holds."""

import random
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chromadb
import tantivy
from chromadb.config import Settings

from index.embed import embedder
from index.search import Index
from rag.assistant import Assistant
from rag.reader import Reader
from rag.settings import Settings as Answering
from rag.wire import as_json

QUESTIONS = (
    "Who keeps the lantern of the third tower?",
    "What stands by the river?",
    "ferry harbour Monday",
    "How many sacks of grain were lost?",
)
_NOUNS = ("lantern", "tower", "river", "ferry", "harbour", "mill", "bridge", "orchard", "chapel")
_VERBS = ("was lit", "was closed", "burned down", "was sold", "was mended", "stood empty")
_DAYS = ("Monday", "Tuesday", "Friday", "Sunday")


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
    searcher = tantivy.Index.open(f"{folder}/lexical").searcher()
    hits = searcher.search(tantivy.Query.all_query(), limit=100_000).hits
    documents = (searcher.doc(address) for _, address in hits)
    words = sorted((doc["id"][0], bytes(doc["record"][0])) for doc in documents)
    texts = {file.name: file.read_bytes() for file in (folder / "texts").iterdir()}
    return vectors, words, texts, (folder / "manifest.json").read_bytes()


Found = list[list[tuple[str, str]]]


def found(index: Index) -> Found:
    """What each question finds: the versions and the words of the best passages."""
    return [
        [(hit.passage.document.version, hit.passage.text) for hit in index.search([question])]
        for question in QUESTIONS
    ]


def told(answer: Mapping[str, Any]) -> Any:
    """What an answer says, and the places it rests on and those it weighed; no scores."""
    places = [
        [(one["document"], one["start"], one["end"]) for one in answer[part]]
        for part in ("citations", "evidence")
    ]
    return answer["outcome"], answer["answer"], places


@dataclass(frozen=True)
class Seen:
    """A state of the index as those who ask see it: what is found, and what is answered."""

    found: Found
    answers: Mapping[str, Any]

    @classmethod
    def of(cls, folder: Path) -> "Seen":
        """The state as it stands in that folder."""
        index = opened(folder)
        assistant = Assistant(Answering(index=folder), index, Reader.packaged())
        answers = {q: told(as_json(assistant.ask(q))) for q in QUESTIONS}
        return cls(found(index), answers)


def opened(folder: Path) -> Index:
    """The index as it stands."""
    return Index.open(folder, embedder("minilm"))


def copied(folder: Path, to: Path) -> Path:
    """A copy in place of what is there."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(folder, to, symlinks=True)
    return to


def write(docs: Path, rng: random.Random, size: int) -> None:
    """Documents of a few paragraphs each."""
    docs.mkdir()
    for number in range(size):
        (docs / f"{number:03}.txt").write_text(_text(rng))


def change(docs: Path, rng: random.Random) -> None:
    """Changes, removes, moves, copies and adds a good part of the documents."""
    files = sorted(docs.glob("*.txt"))
    rng.shuffle(files)
    part = max(1, len(files) // 6)
    for file in files[:part]:
        file.write_text(_text(rng))
    for file in files[part : 2 * part]:
        file.unlink()
    for file in files[2 * part : 3 * part]:
        file.rename(file.with_stem(f"moved-{file.stem}"))
    for file in files[3 * part : 4 * part]:
        shutil.copy(file, file.with_stem(f"copy-{file.stem}"))
    for number in range(part):
        (docs / f"new-{number}.txt").write_text(_text(rng))


def _text(rng: random.Random) -> str:
    return "\n\n".join(
        " ".join(
            f"The {rng.choice(_NOUNS)} of house {rng.randrange(500)} {rng.choice(_VERBS)} on"
            f" {rng.choice(_DAYS)}, and {rng.randrange(90)} sacks of grain were lost."
            for _ in range(rng.randrange(3, 9))
        )
        for _ in range(rng.randrange(2, 5))
    )
