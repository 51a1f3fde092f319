"""Times indexing and answering on this machine: python -m tests.bench.speed"""

import json
import tempfile
import time
from pathlib import Path

from corpus.read import BUILT_IN
from index.build import build
from index.embed import embedder
from rag.assistant import Assistant
from rag.settings import Settings

CASES = BUILT_IN.parent / "known_facts.jsonl"


def main() -> None:
    """Index the built-in documents, then ask every known question, after a few to warm up."""
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder, "index")
        report = build([BUILT_IN], index, embedder("minilm"))
        print(f"indexing    {report.passages / report.seconds:6.0f} passages a second")
        again = build([BUILT_IN], index, embedder("minilm"))
        print(f"unchanged   {again.seconds:6.2f} s for {again.documents} documents")
        assistant = Assistant.open(Settings(index=index, answers="extractive"))
        lines = CASES.read_text(encoding="utf-8").splitlines()
        questions = [json.loads(line)["question"] for line in lines if line.strip()]
        for question in questions[:5]:
            assistant.ask(question)
        taken = sorted(_milliseconds(assistant, question) for question in questions)
        print(f"a question  {_at(taken, 0.5):6.0f} ms p50, {_at(taken, 0.95):.0f} ms p95", end="")
        print(f" ({len(taken)} questions, warm)")


def _milliseconds(assistant: Assistant, question: str) -> float:
    started = time.perf_counter()
    assistant.ask(question)
    return (time.perf_counter() - started) * 1000


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


if __name__ == "__main__":
    main()
