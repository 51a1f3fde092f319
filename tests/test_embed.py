"""Texts → vectors: the packaged model, and an endpoint that speaks OpenAI's protocol."""

import json
import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import characters, sampled_from, text
from tokenizers import Tokenizer

from corpus.errors import FootnoteError, ModelDamaged
from index.embed import MODEL, EmbeddingUnavailable, PackagedEmbedder, count, embedder

KEY = "sk-secret-of-the-test"
TOKENIZER = Tokenizer.from_file(str(MODEL / "tokenizer.json"))


def test_vectors_are_unit_and_near_in_meaning() -> None:
    model = embedder("minilm")
    texts = [
        "A dog barks at the postman.",
        "The hound woofs at the mailman.",
        "Interest rates rose.",
    ]
    vectors = model.embed(texts)
    assert vectors.shape == (3, model.dimension)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > 0.3 > vectors[0] @ vectors[2]


def test_a_vector_does_not_depend_on_its_neighbours() -> None:
    model = embedder("minilm")
    texts = ["One.", "two " * 300, "", "Three words here.", "日本語"]
    texts += [f"{'word ' * n}and {n}" for n in range(60)]
    together = model.embed(texts)
    assert all(np.array_equal(model.embed([t])[0], v) for t, v in zip(texts, together, strict=True))
    assert model.embed([]).shape == (0, 384)


def test_long_texts_are_cut_and_counted_whole() -> None:
    model = embedder("minilm")
    a, b = model.embed(["word " * 254 + "tail", "word " * 254 + "other end"])
    assert np.array_equal(a, b)
    assert count("word " * 1000) == 1000
    assert count("") == 0


@given(text(characters(min_codepoint=32, max_codepoint=126) | sampled_from("\n\t"), max_size=80))
def test_the_quick_count_is_the_tokenizers(words: str) -> None:
    for sample in (words, f"{words} unbelievable state-of-the-art 3,14159 {'x' * 120}"):
        assert count(sample) == len(TOKENIZER.encode(sample, add_special_tokens=False).ids)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "SHA256SUMS"])
@pytest.mark.parametrize("how", ["altered", "missing"])
def test_a_damaged_model_is_refused(tmp_path: Path, name: str, how: str) -> None:
    folder = tmp_path / "minilm"
    shutil.copytree(MODEL, folder)
    if how == "missing":
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(b"0" + (folder / name).read_bytes()[1:])
    with pytest.raises(ModelDamaged, match="make models") as caught:
        PackagedEmbedder(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "openai:", "minilm2", "bert"])
def test_an_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(FootnoteError, match="minilm or openai:MODEL"):
        embedder(name)


class Endpoint:
    """An embeddings endpoint on this machine; `reply` makes what it answers."""

    def __init__(self) -> None:
        self.requests: list[dict[str, object]] = []
        self.status = 200
        self.dimension = 5
        self.body: object = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.requests.append(request | {"key": self.headers["Authorization"]})
                data = json.dumps(outer.reply(request["input"])).encode()
                self.send_response(outer.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def reply(self, texts: list[str]) -> object:
        if self.body is not None:
            return self.body
        rows = [
            {"object": "embedding", "index": i, "embedding": [len(t) + 1.0] * self.dimension}
            for i, t in enumerate(texts)
        ]
        return {"object": "list", "model": "m", "data": rows[::-1], "usage": {}}


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    Thread(target=endpoint.server.serve_forever, args=(0.02,), daemon=True).start()
    yield endpoint
    endpoint.server.shutdown()
    endpoint.server.server_close()


def test_the_endpoint_is_asked_in_batches(endpoint: Endpoint) -> None:
    model = embedder("openai:nomic", endpoint.url, KEY)
    vectors = model.embed(["x" * n for n in range(300)])
    assert (model.name, model.dimension, vectors.shape) == ("openai:nomic", 5, (300, 5))
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert len(endpoint.requests) == 3
    assert {(r["model"], r["key"]) for r in endpoint.requests} == {("nomic", f"Bearer {KEY}")}


def test_the_dimension_is_asked_for(endpoint: Endpoint) -> None:
    model = embedder("openai:nomic", endpoint.url)
    assert model.dimension == 5
    assert model.embed([]).shape == (0, 5)
    endpoint.dimension = 6
    with pytest.raises(EmbeddingUnavailable, match="changed their length"):
        model.embed(["text"])


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, {"error": {"message": f"Incorrect API key provided: {KEY}"}}),
        (404, {"error": {"message": "no such model\nat all"}}),
        (200, {"object": "list", "data": []}),
        (200, {"object": "list", "data": [{"index": 0, "embedding": ["x"]}]}),
        (200, {"message": "hello"}),
        (200, "hello"),
    ],
)
def test_errors_are_one_line_without_the_key(endpoint: Endpoint, status: int, body: object) -> None:
    endpoint.status, endpoint.body = status, body
    with pytest.raises(EmbeddingUnavailable) as caught:
        embedder("openai:nomic", endpoint.url, KEY).embed(["text"])
    assert KEY not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert endpoint.url in str(caught.value)


def test_an_endpoint_that_is_not_there_is_said() -> None:
    with pytest.raises(EmbeddingUnavailable, match="OPENAI_API_KEY"):
        embedder("openai:nomic").embed(["text"])
    with pytest.raises(EmbeddingUnavailable, match=r"127\.0\.0\.1:1"):
        embedder("openai:nomic", "http://127.0.0.1:1/v1", KEY).embed(["text"])
