"""Times indexing and answering on this machine.

    python -m tests.bench.speed [SQUAD.json ...]

Over the built-in documents and their known questions; with files of SQuAD's form, over their
paragraphs (each a document) and 200 of their questions instead.
"""

import json
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from corpus.read import BUILT_IN
from index.build import build
from index.embed import embedder
from rag.assistant import Assistant
from rag.settings import Settings

CASES = BUILT_IN.parent / "known_facts.jsonl"


def main(files: Sequence[Path]) -> None:
    """Index the documents, then ask the questions, after a few to warm up."""
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder, "index")
        documents, questions = _squad(files, Path(folder, "texts")) if files else _built_in()
        report = build([documents], index, embedder("minilm"))
        print(f"indexing    {report.passages / report.seconds:6.0f} passages a second", end="")
        print(f" ({report.passages:,} in all)")
        again = build([documents], index, embedder("minilm"))
        print(f"unchanged   {again.seconds:6.2f} s for {again.documents} documents")
        assistant = Assistant.open(Settings(index=index, answers="extractive"))
        for question in questions[:5]:
            assistant.ask(question)
        taken = sorted(_milliseconds(assistant, question) for question in questions)
        print(f"a question  {_at(taken, 0.5):6.0f} ms p50, {_at(taken, 0.95):.0f} ms p95", end="")
        print(f" ({len(taken)} questions, warm)")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"memory      {peak:6.0f} MB at the most, indexing and index included")


def _built_in() -> tuple[Path, list[str]]:
    lines = CASES.read_text(encoding="utf-8").splitlines()
    return BUILT_IN, [json.loads(line)["question"] for line in lines if line.strip()]


def _squad(files: Sequence[Path], folder: Path) -> tuple[Path, list[str]]:
    questions: list[str] = []
    folder.mkdir()
    for number, file in enumerate(files):
        articles = json.loads(file.read_text(encoding="utf-8"))["data"]
        paragraphs = [paragraph for article in articles for paragraph in article["paragraphs"]]
        for at, paragraph in enumerate(paragraphs):
            (folder / f"{number}-{at:05}.txt").write_text(paragraph["context"], encoding="utf-8")
        questions += [qa["question"] for paragraph in paragraphs for qa in paragraph["qas"]]
    return folder, questions[:: max(1, len(questions) // 200)]


def _milliseconds(assistant: Assistant, question: str) -> float:
    started = time.perf_counter()
    assistant.ask(question)
    return (time.perf_counter() - started) * 1000


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
