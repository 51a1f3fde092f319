"""A reply on its way to an answer: labels become footnotes as each sentence is checked."""

import time
from collections.abc import Iterator, Sequence

from rag.cite import Citations, markers
from rag.labels import Ended, Label, Reply, Words
from rag.types import AnswerSentence, Evidence
from rag.verify import Verdict, Verifier

PASSAGES = 8
CHARACTERS = 9000  # of passages shown; with all else about 3,000 tokens


def choose(
    evidence: Sequence[Evidence], most: int = PASSAGES, characters: int = CHARACTERS
) -> tuple[tuple[Evidence, ...], ...]:
    """The passages of the best evidence, best first, sentences in order, each once; never empty.

    They stay within the characters given, but for the first, which is always there.
    """
    by_passage: dict[str, list[Evidence]] = {}
    for one in evidence:
        by_passage.setdefault(one.hit.passage.id, []).append(one)
    chosen: list[tuple[Evidence, ...]] = []
    seen: set[tuple[str, int]] = set()
    left = characters
    for found in by_passage.values():
        new = [one for one in found if (one.document.id, one.span.start) not in seen]
        size = sum(len(one.text) + 8 for one in new)
        if not new or (chosen and size > left):
            continue
        chosen.append(tuple(sorted(new, key=lambda one: one.span)))
        seen |= {(one.document.id, one.span.start) for one in new}
        left -= size
        if len(chosen) == most:
            break
    return tuple(chosen)


class Writing:
    """An answer that is being written: labels become footnotes as its sentences are checked."""

    def __init__(self, passages: Sequence[Sequence[Evidence]], verifier: Verifier) -> None:
        self._evidence = {
            Label(n, at): one
            for n, passage in enumerate(passages, start=1)
            for at, one in enumerate(passage, start=1)
        }
        self._reply = Reply({n: len(passage) for n, passage in enumerate(passages, start=1)})
        self._verifier = verifier
        self.citations = Citations()
        self.sentences: list[AnswerSentence] = []
        self.trace: list[dict[str, object]] = []
        self.raw = self.text = ""
        self.checking = 0.0  # milliseconds

    @property
    def dropped(self) -> int:
        """How many labels were cited that had not been offered."""
        return self._reply.dropped

    def feed(self, piece: str) -> Iterator[str]:
        """What can be shown now that this piece has arrived."""
        self.raw += piece
        yield from filter(None, map(self._written, self._reply.feed(piece)))

    def close(self) -> Iterator[str]:
        """The rest."""
        yield from filter(None, map(self._written, self._reply.close()))

    def _written(self, piece: Words | Ended) -> str:
        text = piece.text if isinstance(piece, Words) else self._ended(piece)
        self.text += text
        return text

    def _ended(self, ended: Ended) -> str:
        """The footnotes of a sentence; none where nothing carries it."""
        started = time.perf_counter()
        cited = [
            self._evidence[one]
            for label in ended.labels
            for one in self._evidence
            if one == label or (label.sentence is None and one.passage == label.passage)
        ]
        claim = " ".join(ended.text.split())
        verdict = self._verifier.check(claim, cited)
        numbers = tuple(dict.fromkeys(self.citations.cite(one) for one in verdict.evidence))
        why = "" if verdict.support == "supported" else "; ".join(verdict.why[:2])
        self.sentences.append(AnswerSentence(claim, numbers, verdict.support, why))
        self.trace.append(_traced(claim, ended, numbers, verdict))
        self.checking += (time.perf_counter() - started) * 1000
        return f" {markers(numbers)}" if numbers else ""


def _traced(
    claim: str, ended: Ended, numbers: tuple[int, ...], verdict: Verdict
) -> dict[str, object]:
    return {
        "text": claim,
        "labels": [f"{label.passage}.{label.sentence or '*'}" for label in ended.labels],
        "citations": list(numbers),
        "support": verdict.support,
        "why": list(verdict.why),
        "score": round(verdict.score, 3),
    }
