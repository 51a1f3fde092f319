"""Hits to evidence: every sentence weighed for "does this answer the question?".

The reader says where each of the best passages answers, or that it does not; what the words of
question and sentence share, and how well search found the passage, stand beside it. Two small
fitted combinations (logistic regressions, see `rag/models/evidence.json` and
`rag/models/make_evidence.py`) turn these signals into log-odds for each sentence, and into the
one probability that the best sentence answers.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from corpus.errors import ModelDamaged
from corpus.split import around
from corpus.types import Passage, Sentence, Span
from index.lexical import stems
from index.search import Index
from index.types import Hit
from rag.kinds import CERTAIN, NARROW, counted, kind_of_answer
from rag.reader import Reader, Reading, best_span, whole_words
from rag.shape import Shape, shape_of
from rag.types import Evidence
from rag.words import (
    content_words,
    denials,
    denies,
    figures,
    labels,
    leans_back,
    names,
)

READ, READ_MORE = 8, 20  # passages; more where several are to be found
ROOM = 1000  # characters
UNREAD = -9.0
COVERING = 24
NEAR_BEFORE, NEAR_BEHIND = 250, 120  # characters
AGAIN, UNHELD = 2.5, 4.0  # log-odds, set by hand
TOPIC_SLOPE, TOPIC_MIDDLE, TOLD_MIDDLE = 10.0, 0.5, 0.75
WEIGHTS = Path(__file__).parent / "models" / "evidence.json"


@dataclass(frozen=True, slots=True)
class Combination:
    """A fitted logistic regression over named signals."""

    bias: float
    weights: Mapping[str, float]

    def log_odds(self, signals: Mapping[str, float]) -> float:
        """The log-odds; a signal that is not there counts as 0."""
        return self.bias + sum(w * signals.get(name, 0.0) for name, w in self.weights.items())


Combinations = tuple[Combination, Combination]


@dataclass(frozen=True, slots=True)
class _Table:
    """What `evidence.json` holds."""

    refuse_below: float
    combinations: Combinations


def refuse_below() -> float:
    """The probability below which an answer is refused. Raises ModelDamaged."""
    return _table().refuse_below


def fitted() -> Combinations:
    """The combination for a sentence, and the one for the answer. Raises ModelDamaged."""
    return _table().combinations


@cache
def _table() -> _Table:
    try:
        table = json.loads(WEIGHTS.read_text(encoding="utf-8"))
        both = (Combination(**table["sentence"]), Combination(**table["confidence"]))
        return _Table(float(table["refuse_below"]), both)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelDamaged(f"{WEIGHTS.name} cannot be read: install Footnote again") from error


@dataclass(frozen=True, slots=True)
class Query:
    """A question taken apart for weighing: its words with their weights, names, figures."""

    text: str
    weights: Mapping[str, float]
    names: tuple[str, ...]
    figures: frozenset[str]

    @classmethod
    def of(cls, text: str, index: Index) -> "Query":
        """Words weigh as much as they are rare (inverse document frequency) in the index."""
        total = max(index.passages, 1)
        weights: dict[str, float] = {}
        for word in content_words(text):
            weight = math.log1p(total / (index.frequency(word) + 0.5))
            for stem in stems(word):
                weights[stem] = weight
        return cls(text, weights, names(text), figures(text))

    def shared(self, *texts: str) -> float:
        """The share of the question's words, by weight, that the texts hold. 1 for no words."""
        total = sum(self.weights.values())
        held = {stem for text in texts for stem in stems(text)}
        found = sum(weight for stem, weight in self.weights.items() if stem in held)
        return found / total if total else 1.0


@dataclass(frozen=True, slots=True)
class Weighed:
    """All evidence for one reading of a question, best first, and the probability of an answer."""

    reading: str
    evidence: tuple[Evidence, ...]
    confidence: float
    signals: Mapping[str, float]


class Weigher:
    """Weighs hits with the reader and the fitted combinations."""

    def __init__(self, index: Index, reader: Reader) -> None:
        self._index, self._reader = index, reader

    def weigh(
        self,
        question: str,
        hits: Sequence[Hit],
        earlier: Evidence | None = None,
        read: int = READ,
    ) -> Weighed:
        """The sentences of the hits, best first.

        The first `read` hits are read. `earlier` is what answered the question before: it hardly
        ever answers the next one too, and never with the same words.
        """
        query, found = self.signals(question, hits, read)
        if earlier is not None:
            found = [_after(earlier, one) for one in found if not _same_words(earlier, one)]
        weighed = conclude(query, found)
        if read > READ:
            # More passages find more, also where nothing answers: they do not make it surer.
            first = {id(hit) for hit in hits[:READ]}
            surely = conclude(query, [one for one in found if id(one.hit) in first])
            weighed = replace(weighed, confidence=surely.confidence)
        return weighed

    def signals(
        self, question: str, hits: Sequence[Hit], read: int = READ
    ) -> tuple[Query, list[Evidence]]:
        """The question taken apart, and the sentences of the hits with their signals alone."""
        query = Query.of(question, self._index)
        readings = self._reader.read(question, [hit.passage.text for hit in hits[:read]])
        whole = {"answerable_around": self._answerable_around(question, hits, readings)}
        found = []
        for rank, hit in enumerate(hits):
            reading = readings[rank] if rank < len(readings) else None
            found += _sentences(query, hit, rank, reading, whole)
        return query, found

    def _answerable_around(
        self, question: str, hits: Sequence[Hit], readings: Sequence[Reading]
    ) -> float:
        """What the reader says of the passage it likes best, read again with what is around it.

        A passage alone often does not tell whom or what it speaks of.
        """
        if not readings:
            return 0.0
        first = list(zip(hits, readings, strict=False))[:READ]
        hit, reading = max(first, key=lambda pair: pair[1].answerable)
        span = around(hit.passage, ROOM)
        if span == hit.passage.span:
            return reading.answerable
        return self._reader.read(question, [span.of(hit.passage.document.text)])[0].answerable


def conclude(
    query: Query, found: Sequence[Evidence], combinations: Combinations | None = None
) -> Weighed:
    """Signals to log-odds: each sentence once, best first, and the probability of an answer."""
    sentence, confidence = combinations or fitted()
    best: dict[tuple[str, Span], Evidence] = {}
    for one in found:
        score = _log_odds(one, sentence)
        key = (one.document.id, one.span)
        if key not in best or score > best[key].score:
            best[key] = replace(one, score=score, probability=sigmoid(score))
    ordered = tuple(sorted(best.values(), key=lambda one: -one.score))
    signals = _whole(query, ordered)
    odds = confidence.log_odds(signals) - UNHELD * max(
        signals.get("unheld", 0.0), signals.get("other_label", 0.0)
    )
    return Weighed(query.text, ordered, sigmoid(odds), signals)


def topical(weighed: Weighed, in_one_place: bool = False) -> float:
    """The probability that the evidence speaks of the topic that was read for.

    An overview has no words that answer, so it is the share of the topic's words that the evidence
    holds, or that one sentence with the one before it holds, on a slope set by hand.
    """
    if in_one_place:
        held = max((one.signals["shared_near"] for one in weighed.evidence), default=0.0)
        return 0.95 * sigmoid(TOPIC_SLOPE * (held - TOLD_MIDDLE))
    return 0.95 * sigmoid(TOPIC_SLOPE * (weighed.signals["covered"] - TOPIC_MIDDLE))


def _after(earlier: Evidence, one: Evidence) -> Evidence:
    again = (one.document.id, one.span) == (earlier.document.id, earlier.span)
    return replace(one, signals={**one.signals, "again": 1.0}) if again else one


def _same_words(one: Evidence, other: Evidence) -> bool:
    return one.document.id == other.document.id and one.answer == other.answer


def _log_odds(one: Evidence, combination: Combination) -> float:
    """The log-odds that a sentence answers; one that was not read ranks by its words, below."""
    if "margin" in one.signals:
        return combination.log_odds(one.signals) - AGAIN * one.signals.get("again", 0.0)
    return UNREAD + one.signals["shared"] + 0.5 * one.signals["passage_shared"]


def _sentences(
    query: Query, hit: Hit, rank: int, reading: Reading | None, whole: Mapping[str, float]
) -> list[Evidence]:
    """The hit's sentences as evidence. A passage that was not read only offers its words.

    `whole` are the signals that the sentences of all hits have in common.
    """
    passage = hit.passage
    document = passage.document
    around = (document.title, passage.heading)
    given_around = figures("\n".join((*around, *document.metadata.values())))
    base = {
        **whole,
        "dense": hit.dense or 0.0,
        "rank": 1.0 / (1.0 + rank),
        "passage_shared": query.shared(passage.text, *around),
    }
    found = []
    body = [s for s in passage.sentences if not s.is_heading] or list(passage.sentences)
    before = ""
    for sentence in body:
        text = sentence.span.of(document.text)
        near = query.shared(before, text)
        shared = near if leans_back(text) else query.shared(text)
        signals = base | {"shared": shared, "shared_near": near}
        if query.figures:
            given = given_around | figures(f"{before}\n{text}")
            signals["lacks_figures"] = len(query.figures - given) / len(query.figures)
        before = text
        answer = None
        if reading is not None:
            low, high = (edge - passage.span.start for edge in _edges(sentence))
            answer, read = _read(passage, reading, low, high)
            signals |= read
        found.append(Evidence(document, sentence, hit, 0.0, 0.0, answer, signals))
    return found


def _read(
    passage: Passage, reading: Reading, low: int, high: int
) -> tuple[Span | None, dict[str, float]]:
    """The words that answer in the passage's [low, high), and what the reader thinks of them."""
    best = best_span(reading, low, high)
    within = (reading.tokens[:, 0] >= low) & (reading.tokens[:, 1] <= high)
    if best is None:
        return None, {"answerable": reading.answerable, "margin": -reading.null}
    score, start, end = best
    start, end = whole_words(passage.text, start, end)
    answer = Span(
        max(low, start) + passage.span.start, max(low, min(high, end)) + passage.span.start
    )
    return answer, {
        "span": score,
        "margin": score - reading.null,
        "answerable": reading.answerable,
        "inside": float(reading.inside[within].mean()),
        "inside_most": float(reading.inside[within].max()),
    }


def _edges(sentence: Sentence) -> tuple[int, int]:
    return sentence.span.start, sentence.span.end


def _whole(query: Query, evidence: Sequence[Evidence]) -> dict[str, float]:
    """The signals for "is there an answer at all?", from the best sentence and the question."""
    if not evidence:
        return {"covered": 0.0}
    top = evidence[0]
    passage = top.hit.passage
    said_of_itself = " ".join(passage.document.metadata.values())
    context = (passage.text, passage.heading, passage.document.title, said_of_itself)
    held = set(stems("\n".join(context)))
    kind = kind_of_answer(query.text)
    of_kind = bool(kind.holds.search(top.text))
    yes_no = shape_of(query.text) is Shape.YES_NO
    return {
        "margin": top.signals.get("margin", 0.0),
        "answerable": top.signals.get("answerable", 0.0),
        "answerable_around": top.signals["answerable_around"],
        "dense": top.signals["dense"],
        "covered": query.shared(*(one.text for one in evidence[:COVERING])),
        "missing_names": _missing(query.names, held),
        "lacks_figures": top.signals.get("lacks_figures", 0.0),
        "uncounted": _missing(counted(query.text), set(stems(_near(top)))),
        "wrong_measure": float(kind.name in NARROW and not of_kind),
        "yes_no": float(yes_no),
        "undenied": float(not yes_no and _undenied(query, top.text)),
        "unheld": float(kind.name in CERTAIN and not of_kind),
        "other_label": float(_labelled_otherwise(query.text, context)),
    }


def _undenied(query: Query, text: str) -> bool:
    """Whether it is asked what is not so, and the text says of nothing that it is not.

    A word of the question's own denies nothing: what is not prohibited is not told by “prohibits”.
    """
    if not denies(query.text):
        return False
    return all(set(stems(word)) & query.weights.keys() for word in denials(text))


def _near(one: Evidence) -> str:
    """The sentence with a little of what stands before and behind it."""
    text, span = one.document.text, one.span
    return text[max(0, span.start - NEAR_BEFORE) : span.end + NEAR_BEHIND]


def _labelled_otherwise(question: str, context: Sequence[str]) -> bool:
    """Whether the question is about `plan 2` and the context about `plan 1` alone.

    A number counts where the word stands too: a file's name may be full of numbers.
    """
    given = {word for text in context for word, _ in labels(text)}
    for word, number in labels(question):
        near = (text for text in context if word in text.lower())
        numbers = {figure for text in near for figure in figures(text)}
        if word in given and number not in numbers:
            return True
    return False


def _missing(wanted: Sequence[str], held: set[str]) -> float:
    """The share of the names that the stems held do not have."""
    if not wanted:
        return 0.0
    return sum(not set(stems(name)) <= held for name in wanted) / len(wanted)


def sigmoid(x: float) -> float:
    """Log-odds to a probability."""
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, x))))
