"""Each sentence of an answer against the words it cites: supported, partial or unsupported.

First what speaks against it by words alone (`rag.objections`), then how much of its meaning the
cited words have: the share of its words, by rarity, and its nearness in the embedder's space. How
the two weigh was set once, on claims made from SQuAD 2.0's questions and on one half of
`tests/claims.jsonl`. Of that only the claims are kept: `python -m tests.verify_report` prints how
often the check errs on both halves, with `--fit` what moving a constant alone does to that.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.lexical import stems
from index.types import Embedder
from rag.objections import Source, known_names, objections, telling
from rag.orders import is_order
from rag.types import Evidence, Support

BIAS, SHARED, NEAR = -4.5, 2.6, 4.6
SUPPORTED_FROM = -0.7
PARTIAL_FROM = -1.5
ATTACHED_FROM = 0.0  # for words that the model did not cite itself
NEAR_AT_LEAST = 0.45  # taken for granted where the words shared are enough with it
TRIED = 3
SHARED_AT_LEAST = 0.55
_QUOTES = re.compile(r"[“\"«„][^”\"»]{8,}[”\"»]")

Vector = NDArray[np.float32]


class Frequencies(Protocol):
    """How rare words are; the index knows."""

    @property
    def passages(self) -> int:
        """How many passages there are."""
        ...

    def frequency(self, word: str) -> int:
        """How many of them hold the word."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the check says of a claim, the evidence that carries it, and why not, where not."""

    support: Support
    evidence: tuple[Evidence, ...]
    why: tuple[str, ...] = ()
    score: float = 0.0


class Verifier:
    """Checks claims against the evidence that was offered for one question."""

    def __init__(
        self, offered: Sequence[Evidence], embedder: Embedder, frequencies: Frequencies
    ) -> None:
        self._offered = tuple(offered)
        self._embedder = embedder
        self._frequencies = frequencies
        self._stems = {_place(one): frozenset(stems(one.text)) for one in offered}
        self._vectors: dict[str, Vector] = {}
        self._claims: dict[str, dict[str, float]] = {}
        texts = [text for one in offered for text in (one.text, one.document.title)]
        self._named = known_names(texts)

    def check(self, claim: str, cited: Sequence[Evidence]) -> Verdict:
        """The claim against the words cited; where they do not carry it, against all offered."""
        if not _QUOTES.search(claim):  # an order may be quoted; it carries nothing else
            cited = [one for one in cited if not is_order(one.text)]
        own = self._fewest(claim, cited)
        verdict = self.weigh(claim, own) if own else Verdict("unsupported", (), ("cites nothing",))
        if verdict.support == "supported":
            return verdict
        for other in self._likely(claim, own):
            # Two sections may speak of two people: together they would carry what neither says.
            beside = own and all(_around(one)[0] == _around(other)[0] for one in own)
            for together in ((other,), (*own, other)) if beside else ((other,),):
                if self._shared(claim, together) >= SHARED_AT_LEAST:
                    again = self.weigh(claim, together, ATTACHED_FROM)
                    if again.support == "supported":
                        return again
        return verdict

    def weigh(
        self, claim: str, cited: Sequence[Evidence], enough: float = SUPPORTED_FROM
    ) -> Verdict:
        """The claim against these words alone; supported from a score of `enough`."""
        against = objections(claim, self._source(cited))
        why = tuple(one.why for one in against)
        if any(one.grave for one in against):
            return Verdict("unsupported", (), why)
        score = self._score(claim, cited, enough)
        if score >= enough and not against:
            return Verdict("supported", tuple(cited), why, score)
        if score >= PARTIAL_FROM:
            why = why or ("the cited words carry a part of it",)
            return Verdict("partial", tuple(cited), why, score)
        return Verdict(
            "unsupported", (), why or ("the cited words speak of something else",), score
        )

    def _score(self, claim: str, cited: Sequence[Evidence], enough: float) -> float:
        """Log-odds that the cited words mean what is claimed.

        Where the words shared are enough with a nearness of `NEAR_AT_LEAST`, nothing is embedded.
        """
        shared = self._shared(claim, cited)
        least = BIAS + SHARED * shared + NEAR * NEAR_AT_LEAST
        if least >= enough:
            return least
        self._embed([claim, *(one.text for one in cited)])
        meant = self._vectors[claim]
        vectors = [self._vectors[one.text] for one in cited]
        together = np.sum(vectors, axis=0)
        together /= max(float(np.linalg.norm(together)), 1e-9)
        near = max(float(meant @ vector) for vector in (*vectors, together))
        return BIAS + SHARED * shared + NEAR * near

    def _shared(self, claim: str, cited: Iterable[Evidence]) -> float:
        """The share of the claim's words, by rarity, that the cited words hold."""
        held = frozenset().union(*(self._stems[_place(one)] for one in cited))
        own = self._told(claim)
        total = sum(own.values())
        found = sum(weight for stem, weight in own.items() if stem in held)
        return found / total if total else 0.0

    def _fewest(self, claim: str, cited: Sequence[Evidence]) -> tuple[Evidence, ...]:
        """Of the sentences cited, those that add to what the claim rests on."""
        left = list(dict.fromkeys(map(_place, cited)))
        by_place = {_place(one): one for one in cited}
        kept: list[Evidence] = []
        shared = 0.0
        while left:
            gains = [(self._shared(claim, [*kept, by_place[place]]), place) for place in left]
            most, place = max(gains, key=lambda gain: gain[0])
            if kept and most < shared + 0.05:
                break
            kept.append(by_place[place])
            left.remove(place)
            shared = most
        return tuple(kept)

    def _likely(self, claim: str, own: Sequence[Evidence]) -> list[Evidence]:
        """The other sentences offered that share most with the claim."""
        known = set(map(_place, own))
        ranked = sorted(
            (
                (self._shared(claim, (one,)), -at)
                for at, one in enumerate(self._offered)
                if _place(one) not in known and not is_order(one.text)
            ),
            reverse=True,
        )
        return [self._offered[-at] for shared, at in ranked[:TRIED] if shared]

    def _source(self, cited: Sequence[Evidence]) -> Source:
        text = "\n".join(one.text for one in cited)
        around = [_around(one) for one in cited]
        title = "\n".join(
            f"{one.document.title}\n{heading}"
            for one, (heading, _) in zip(cited, around, strict=True)
        )
        context = "\n".join(before for _, before in around)
        return Source(text, context, title, self._named)

    def _embed(self, texts: Sequence[str]) -> None:
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if new:
            self._vectors.update(zip(new, self._embedder.embed(new), strict=True))

    def _told(self, claim: str) -> dict[str, float]:
        """The claim's telling words by their stems, with what they weigh."""
        if claim not in self._claims:
            total = max(self._frequencies.passages, 1)
            self._claims[claim] = {
                stem: math.log1p(total / (self._frequencies.frequency(word) + 0.5))
                for stem, word in telling(claim).items()
            }
        return self._claims[claim]


def _around(evidence: Evidence) -> tuple[str, str]:
    """The heading that the sentence stands under, and what stands before it in its section.

    Both as far as its passage tells.
    """
    passage = evidence.hit.passage
    heading = passage.heading
    before: list[str] = []
    for sentence in passage.sentences:
        if sentence.span.start >= evidence.span.start:
            break
        if sentence.is_heading:
            heading = sentence.span.of(passage.document.text)
            before.clear()
        else:
            before.append(sentence.span.of(passage.document.text))
    return heading, "\n".join(before)


def _place(evidence: Evidence) -> tuple[str, int]:
    return evidence.document.id, evidence.span.start
