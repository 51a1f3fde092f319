"""Texts to vectors: the packaged embedder, or a model behind an OpenAI-compatible endpoint."""

import hashlib
import os
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache
from itertools import chain
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from corpus.errors import FootnoteError, ModelDamaged
from index.types import Embedder

if TYPE_CHECKING:
    from openai import OpenAI

PACKAGED = "minilm"
MODEL = Path(__file__).parent / "models" / "minilm"
MAX_TOKENS = 256
PART = 16  # texts in one call of the network
REMOTE = "openai:"
REMOTE_BATCH = 128
_WORD = re.compile(r"[a-z0-9]+|[!-/:-@\[-`{-~]")  # of ASCII, as the tokenizer parts it


class EmbeddingUnavailable(FootnoteError):
    """The endpoint that makes the vectors cannot be reached, or refuses."""


def embedder(name: str, base_url: str | None = None, api_key: str | None = None) -> Embedder:
    """The embedder called `name`: `minilm`, the packaged one, or `openai:MODEL` at `base_url`."""
    if name == PACKAGED:
        return PackagedEmbedder()
    if name.startswith(REMOTE) and len(name) > len(REMOTE):
        return RemoteEmbedder(name, base_url, api_key)
    raise FootnoteError(f"there is no embedding “{name}”: it is {PACKAGED} or {REMOTE}MODEL")


class PackagedEmbedder:
    """all-MiniLM-L6-v2 in int8, run here; texts beyond 256 tokens are cut off.

    Each text runs alone, on one thread, so that its vector does not depend on its neighbours (int8
    scales are taken over a whole batch). The graph loops over the texts of one call, as many calls
    at a time as there are cores, the longest texts first so that all cores end together.
    """

    name = PACKAGED
    dimension = 384

    def __init__(self, folder: Path = MODEL) -> None:
        self._tokenizer, self._session = _load(folder)
        self._pool = ThreadPoolExecutor(cores(), thread_name_prefix="embed")

    def embed(self, texts: list[str]) -> NDArray[np.float32]:
        """Unit vectors, (len(texts), 384), in the order of the texts."""
        vectors = np.empty((len(texts), self.dimension), np.float32)
        order = sorted(range(len(texts)), key=lambda at: -len(texts[at]))
        size = max(1, min(PART, ceil(len(texts) / cores())))
        parts = [order[first : first + size] for first in range(0, len(order), size)]
        one_by_one = map if len(parts) == 1 else self._pool.map
        made = one_by_one(self._run, ([texts[at] for at in part] for part in parts))
        for part, rows in zip(parts, made, strict=True):
            vectors[part] = rows
        return vectors

    def _run(self, texts: list[str]) -> NDArray[np.float32]:
        ids = [text.ids for text in self._tokenizer.encode_batch_fast(texts)]
        tokens = np.fromiter(chain.from_iterable(ids), np.int64)
        offsets = np.cumsum([0, *map(len, ids)], dtype=np.int64)
        rows: NDArray[np.float32] = self._session.run(None, {"tokens": tokens, "offsets": offsets})[
            0
        ]
        return rows


class RemoteEmbedder:
    """A model behind /v1/embeddings; its dimension is known from its first reply."""

    def __init__(self, name: str, base_url: str | None, api_key: str | None) -> None:
        self.name = name
        self._model = name.removeprefix(REMOTE)
        self._base_url = base_url
        self._api_key = api_key
        self._client: OpenAI | None = None
        self._dimension = 0

    @property
    def dimension(self) -> int:
        """The length of a vector; asks the endpoint when nothing was embedded yet."""
        if not self._dimension:
            self.embed(["dimension"])
        return self._dimension

    def embed(self, texts: list[str]) -> NDArray[np.float32]:
        """Unit vectors, (len(texts), dimension). Raises EmbeddingUnavailable."""
        batches = [texts[i : i + REMOTE_BATCH] for i in range(0, len(texts), REMOTE_BATCH)]
        rows = [self._request(batch) for batch in batches]
        if not rows:
            return np.empty((0, self.dimension), np.float32)
        vectors = np.concatenate(rows)
        self._dimension = vectors.shape[1]
        return vectors

    def _request(self, texts: list[str]) -> NDArray[np.float32]:
        from openai import OpenAIError

        # The API refuses an empty text.
        texts = [text if text.strip() else "-" for text in texts]
        try:
            reply = self._open().embeddings.create(
                model=self._model, input=texts, encoding_format="float"
            )
        except OpenAIError as error:
            raise EmbeddingUnavailable(self._complaint(str(error))) from error
        try:
            data = sorted(reply.data, key=lambda item: item.index)
            vectors = np.asarray([item.embedding for item in data], np.float32)
        except (AttributeError, TypeError, ValueError) as error:
            raise EmbeddingUnavailable(self._complaint("its reply is not embeddings")) from error
        if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
            raise EmbeddingUnavailable(self._complaint("its reply is not one vector for each text"))
        if self._dimension and vectors.shape[1] != self._dimension:
            raise EmbeddingUnavailable(self._complaint("its vectors changed their length"))
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: NDArray[np.float32] = vectors / np.maximum(length, 1e-12)
        return unit

    def _open(self) -> "OpenAI":
        from openai import OpenAI

        if self._client is None:
            if not (self._api_key or self._base_url):
                raise EmbeddingUnavailable(
                    f"the embedding {self.name} needs OPENAI_API_KEY, or OPENAI_BASE_URL"
                )
            # A local server asks for no key, the client insists on one.
            self._client = OpenAI(api_key=self._api_key or "none", base_url=self._base_url)
        return self._client

    def _complaint(self, reason: str) -> str:
        line = " ".join(reason.split())
        if self._api_key:
            line = line.replace(self._api_key, "***")
        where = self._base_url or "OpenAI"
        return f"the embedding {self.name} at {where} failed: {line[:300]}"


def count(text: str) -> int:
    """How many tokens of the packaged embedder the text has, without the two marks around it."""
    if text.isascii():
        return sum(map(_pieces, _WORD.findall(text.lower())))
    return _tokens(text)


@lru_cache(200_000)
def _pieces(word: str) -> int:
    # Words come back: five times as fast as the tokenizer, which sees these very words.
    return _tokens(word)


def _tokens(text: str) -> int:
    return len(_counter(MODEL).encode(text, add_special_tokens=False).ids)


@cache
def _load(folder: Path) -> tuple[Any, Any]:
    """The tokenizer and the session, their files checked once in a process."""
    import onnxruntime
    from tokenizers import Tokenizer

    verify(folder, ("model.onnx", "tokenizer.json"))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    model = str(folder / "model.onnx")
    session = onnxruntime.InferenceSession(
        model,
        options,
        providers=["CPUExecutionProvider"],
        disabled_optimizers=["SkipLayerNormFusion"],  # the fused one takes a sixth longer
    )
    return tokenizer, session


@cache
def _counter(folder: Path) -> Any:
    from tokenizers import Tokenizer

    verify(folder, ("tokenizer.json",))
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def verify(folder: Path, names: Iterable[str]) -> None:
    """Checks the files against SHA256SUMS beside them. Raises ModelDamaged."""
    advice = "install Footnote again, or run `make models`"
    try:
        lines = (folder / "SHA256SUMS").read_text(encoding="ascii").splitlines()
        sums = {name: digest for digest, name in (line.split() for line in lines if line)}
        for name in names:
            if hashlib.sha256((folder / name).read_bytes()).hexdigest() != sums.get(name):
                raise ModelDamaged(f"{folder / name} is not the file that was shipped: {advice}")
    except (OSError, ValueError) as error:
        raise ModelDamaged(f"the packaged model in {folder} cannot be read: {advice}") from error


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
