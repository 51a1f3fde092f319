"""The packaged reader: where each passage answers a question, or that it does not.

It is a small network run by onnxruntime; `rag/models/` says how it was made.
"""

import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.errors import ModelDamaged
from index.embed import verify

MODEL = Path(__file__).parent / "models" / "reader"
MAX_QUESTION = 64
MAX_WINDOW = 320
OVERLAP = 96
CLS, SEP = 101, 102

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reader makes of one passage. All logits; larger means more likely.

    `tokens` are (n, 2) code-point ranges in the passage; `start`, `end` and `inside` have one
    value for each: that the answer starts, ends there, that its sentence answers. `null` is the
    score of "not here", on the scale of start + end; `answerable` that the passage answers.
    """

    tokens: NDArray[np.int32]
    start: Floats
    end: Floats
    inside: Floats
    null: float
    answerable: float


@dataclass(frozen=True, slots=True)
class Window:
    """A run of a passage's tokens, [first, last), that is read at once."""

    passage: int
    first: int
    last: int
    ids: tuple[int, ...]


class Reader:
    """Reads passages with a question in mind. Safe to use from several threads."""

    def __init__(self, folder: Path, threads: int = 0) -> None:
        """Loads the model in a folder; `threads` 0 means as many as there are cores."""
        import onnxruntime
        from tokenizers import Tokenizer

        verify(folder, ("model.onnx", "tokenizer.json"))
        try:
            self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1
            options.log_severity_level = 3
            self._session: Any = onnxruntime.InferenceSession(
                str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise ModelDamaged(f"the reader in {folder} cannot be loaded: {error}") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._threads = ThreadPoolExecutor(threads or os.cpu_count() or 1)

    @classmethod
    def packaged(cls, threads: int = 0) -> "Reader":
        """The reader that travels with Footnote. Raises ModelDamaged."""
        return cls(MODEL, threads)

    def read(self, question: str, passages: Sequence[str]) -> list[Reading]:
        """One reading for each passage, in their order; long passages in overlapping windows.

        Each window is read alone, one to a core: quicker here than a padded batch, and what a
        passage reads does not depend on the others.
        """
        if not passages:
            return []
        asked = self._tokenizer.encode(question, add_special_tokens=False).ids[:MAX_QUESTION]
        codes = self._tokenizer.encode_batch(list(passages), add_special_tokens=False)
        room = MAX_WINDOW - len(asked) - 3
        merged = [_Merge(np.asarray(c.offsets, np.int32).reshape(-1, 2)) for c in codes]
        windows = [w for i, code in enumerate(codes) for w in _windows(i, code.ids, room)]
        windows.sort(key=lambda window: -len(window.ids))
        read = self._threads.map(lambda window: self._run(asked, window), windows)
        for window, logits in zip(windows, read, strict=True):
            merged[window.passage].add(window, *logits)
        return [m.reading() for m in merged]

    def _run(self, asked: list[int], window: Window) -> tuple[Floats, float, float]:
        head = len(asked) + 2
        ids = np.array([[CLS, *asked, SEP, *window.ids, SEP]], np.int64)
        types = np.zeros_like(ids)
        types[0, head:] = 1
        fed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": types}
        names = ["start_logits", "end_logits", "answerable", "inside"]
        start, end, answerable, inside = self._session.run(names, fed)
        part = slice(head, head + len(window.ids))
        logits = np.stack([start[0, part], end[0, part], inside[0, part]])
        return logits, float(start[0, 0] + end[0, 0]), float(answerable[0])


class _Merge:
    """The windows of one passage put together: each token from where it has most context."""

    def __init__(self, tokens: NDArray[np.int32]) -> None:
        self.tokens = tokens
        self.logits: Floats = np.zeros((3, len(tokens)), np.float32)
        self.depth = np.full(len(tokens), -1)
        self.null = np.inf
        self.answerable = -np.inf

    def add(self, window: Window, logits: Floats, null: float, answerable: float) -> None:
        places = np.arange(window.first, window.last)
        before = places - window.first if window.first else np.full(len(places), 1 << 20)
        after = window.last - 1 - places
        depth = np.minimum(before, after if window.last < len(self.tokens) else 1 << 20)
        better = depth > self.depth[places]
        self.logits[:, places[better]] = logits[:, better]
        self.depth[places[better]] = depth[better]
        # A passage answers where one of its windows does.
        self.null = min(self.null, null)
        self.answerable = max(self.answerable, answerable)

    def reading(self) -> Reading:
        start, end, inside = self.logits
        return Reading(self.tokens, start, end, inside, self.null, self.answerable)


def _windows(passage: int, ids: Sequence[int], room: int) -> Iterator[Window]:
    first = 0
    while True:
        last = min(first + room, len(ids))
        yield Window(passage, first, last, tuple(ids[first:last]))
        if last == len(ids):
            return
        first = last - OVERLAP


def best_span(
    reading: Reading, lo: int, hi: int, max_tokens: int = 30
) -> tuple[float, int, int] | None:
    """The best answer inside the passage's [lo, hi): (start + end logit, start, end), or None.

    Ranges are code points. None where no whole token lies inside.
    """
    inside = np.flatnonzero((reading.tokens[:, 0] >= lo) & (reading.tokens[:, 1] <= hi))
    if not len(inside):
        return None
    first, last = int(inside[0]), int(inside[-1]) + 1
    scores = reading.start[first:last, None] + reading.end[None, first:last]
    scores = np.where(_in_order(last - first, max_tokens), scores, -np.inf)
    i, j = divmod(int(scores.argmax()), last - first)
    start, end = int(reading.tokens[first + i, 0]), int(reading.tokens[first + j, 1])
    return float(scores[i, j]), start, end


@lru_cache(maxsize=512)
def _in_order(n: int, most: int) -> NDArray[np.bool_]:
    """Of n × n pairs of a start and an end, those that span 1 to `most` tokens."""
    length = np.arange(n)[None, :] - np.arange(n)[:, None]
    return (length >= 0) & (length < most)


_OUTER = " \t\n\r.,;:!?\"'“”‘’«»()[]{}–—-"
_PAIRS = {")": "(", "]": "[", "}": "{", "”": "“", "»": "«", '"': '"'}
_ABBREVIATION = re.compile(r"(?:\b\w\.)+$|\b(?:Inc|Ltd|Co|Corp|Jr|Sr|etc)\.$")


def whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """The span widened to whole words and numbers, without the punctuation around them."""
    given = start, end
    while start > 0 and _joined(text, start):
        start -= 1
    while end < len(text) and _joined(text, end):
        end += 1
    while start < end and text[end - 1] in _OUTER and not _belongs(text[start:end]):
        end -= 1
    while start < end and text[start] in _OUTER and not _opens(text[start:end]):
        start += 1
    while start < end and text[end - 1] in _OUTER and not _belongs(text[start:end]):
        end -= 1
    return (start, end) if start < end else (given[0], given[1])


def _joined(text: str, at: int) -> bool:
    """Whether a cut at this place would go through a word or a number."""
    before, after = text[max(at - 2, 0) : at - 1], text[at + 1 : at + 2]
    left, right = text[at - 1], text[at]
    if left.isalnum() and right.isalnum():
        return True
    if left.isdigit() and right in ".," and after.isdigit():
        return True
    if left in ".," and right.isdigit() and before.isdigit():
        return True
    # don't, can't; but the 's of a possessive is not part of the name.
    return (left in "nN" and right in "'’" and after in ("t", "T")) or (
        left in "'’" and right in "tT" and before in ("n", "N")
    )


def _opens(words: str) -> bool:
    close = {v: k for k, v in _PAIRS.items()}.get(words[0])
    return close is not None and close in words[1:-1]


def _belongs(words: str) -> bool:
    opening = _PAIRS.get(words[-1])
    if opening is not None:
        return opening in words[1:-1]
    return words[-1] == "." and bool(_ABBREVIATION.search(words))
