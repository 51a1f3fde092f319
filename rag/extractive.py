"""Evidence to an answer in the documents' own words, with no language model.

The fewest sentences that carry the answer: one for a fact, those that cover it for a list or an
overview, both sides of a comparison, both values where documents differ.
"""

import re
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise, takewhile

from corpus.sentences import levelled
from corpus.types import Document, Sentence, Span
from index.lexical import stems
from rag.cite import Citations, markers
from rag.evidence import Weighed
from rag.kinds import MEASURED, OTHER, kind_of_answer
from rag.shape import Shape
from rag.types import AnswerSentence, Citation, Evidence
from rag.words import content_words, figures, leans_back

NEARLY = 1.75  # log-odds below the best sentence
TIED = 1.0  # the same where one sentence is expected; as good as the best
LEANING = 2.5  # the same for the sentence behind the best one that leans on it (“Of these, …”)
BESIDE = 2.5  # the same where things are compared, a side of which is told less directly
EACH = 3.0  # the same where every document is asked
EACH_LEAST = 0.05  # a sentence as probable as that counts there in any case
TELLING = -2.0  # log-odds that a sentence of a list or an account has, with these two:
GOES_ON = 3.0  # more for the sentence right behind one that is told
LEADS_UP = 1.0  # more for the one before it
GAP = 2  # characters between two sentences of a paragraph, or of two paragraphs
LIST_MOST = 6
ACCOUNT_MOST = 4
COMPARED_MOST = 3
FACT_MOST = 2
DIFFERS_AT_LEAST = 0.4
ABOUT = 0.7
NO_ANSWER = 6.0  # log-odds below the best sentence: it adds nothing to an overview by answering
OVERVIEW_MOST = 7
OVERVIEW_EACH = 3
ITEMS_MOST = 10
ITEMS_FEW = 4
ALIKE = 0.75
NEAREST_QUESTION = 140

_ITEM = re.compile(r"(?:^|\n)[ \t]*(?:[-*+•–]|\d{1,3}[.)]|[a-z][.)])[ \t]+$")


@dataclass(frozen=True, slots=True)
class Composed:
    """An answer's words and what they rest on. `why` says, for each sentence, why it is there."""

    text: str
    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A sentence of the answer; `cited` is what its footnote shows, where that is more."""

    evidence: Evidence
    why: str
    cited: Evidence | None = None


def compose(
    shape: Shape, parts: Sequence[Weighed], everywhere: bool = False, compared: bool = False
) -> Composed:
    """The answer from the evidence of each part of the question; parts must not be empty.

    `everywhere` asks for what each document has to say, `compared` for things side by side.
    """
    chosen: list[_Chosen] = []
    differing = False
    for part in parts:
        if shape is Shape.OVERVIEW:
            chosen += _overview(part)
        elif everywhere:
            found = _of_each(part)
            differing = len(parts) == 1 and bool(_differing(part, found[0].evidence))
            chosen += found
        else:
            found = _answering(part, shape, compared)
            if shape is Shape.FACT and len(parts) == 1 and len(found) == 1:
                others = _differing(part, found[0].evidence)
                differing = bool(others)
                found += others
            chosen += found
    return _completed(chosen, shape is Shape.OVERVIEW, differing)


def tell(evidence: Sequence[Evidence]) -> Composed:
    """All of the evidence, as it stands in its documents; must not be empty."""
    chosen = [_Chosen(one, "says what the document is about") for one in evidence]
    return _completed(chosen, as_they_stand=True)


def _completed(chosen: Sequence[_Chosen], as_they_stand: bool, differing: bool = False) -> Composed:
    told = {(one.evidence.document.id, one.evidence.span) for one in chosen}
    complete = [_with_context(one, told) for one in chosen]
    return _written(_grouped(complete, as_they_stand), differing)


def refusal(question: str, evidence: Sequence[Evidence]) -> str:
    """One sentence that says what was looked for, and names the nearest document."""
    asked = question if len(question) <= NEAREST_QUESTION else question[:NEAREST_QUESTION] + "…"
    if not evidence:
        return f"The documents do not answer “{asked}”."
    nearest = evidence[0].document
    return (
        f"The documents do not answer “{asked}”; the nearest to it is “{nearest.title}” "
        f"({nearest.id})."
    )


def courtesy() -> str:
    """What is said to a greeting, or to thanks."""
    return "I answer questions about the documents: “What are these documents about?” is a start."


def _answering(part: Weighed, shape: Shape, compared: bool) -> list[_Chosen]:
    """The best sentence, and those that answer nearly as well and say something else."""
    best = [_Chosen(part.evidence[0], "states the answer")]
    if compared:
        return _nearly_as_good(part, BESIDE, COMPARED_MOST)
    if shape is Shape.LIST:
        return _telling_more(part, best, LIST_MOST)
    if shape is Shape.YES_NO:
        return _nearly_as_good(part, NEARLY, FACT_MOST)
    if kind_of_answer(part.reading) is OTHER:
        return _telling_more(part, best, ACCOUNT_MOST)
    return _nearly_as_good(part, TIED, FACT_MOST)


def _nearly_as_good(part: Weighed, near: float, most: int) -> list[_Chosen]:
    """The best sentence, with at most so many in all that are so `near` below it."""
    top = part.evidence[0]
    chosen = [_Chosen(top, "states the answer")]
    for found in part.evidence[1:]:
        if len(chosen) == most or found.score < top.score - max(near, LEANING):
            break
        leaning = _going_on(found, top) == GOES_ON and leans_back(found.text)
        near_enough = found.score >= top.score - (max(near, LEANING) if leaning else near)
        if near_enough and found.answer and not _repeats(found, (c.evidence for c in chosen)):
            chosen.append(_Chosen(found, "answers nearly as well"))
    return chosen


def _telling_more(part: Weighed, told: Sequence[_Chosen], most: int) -> list[_Chosen]:
    """These sentences and those that go on with them: an account stands in sentences in a row."""
    top = part.evidence[0]
    chosen = list(told)
    left = [found for found in part.evidence[1:] if found.answer]

    def telling(found: Evidence) -> float:
        beside = max(_going_on(found, one.evidence) for one in chosen)
        return found.score + (found.score - top.score) / 2 + beside

    while len(chosen) < most:
        near = (f for f in left if f.score >= top.score - TIED or telling(f) >= TELLING)
        if (best := max(near, key=telling, default=None)) is None:
            break
        left.remove(best)
        if not _repeats(best, (c.evidence for c in chosen)):
            chosen.append(_Chosen(best, "tells more of it"))
    return chosen


def _going_on(found: Evidence, told: Evidence) -> float:
    """What it is worth that a sentence stands right behind one that is told, or before it."""
    if found.document.id != told.document.id:
        return 0.0
    if 0 <= found.span.start - told.span.end <= GAP:
        return GOES_ON
    return LEADS_UP if 0 <= told.span.start - found.span.end <= GAP else 0.0


def _of_each(part: Weighed) -> list[_Chosen]:
    """What each document that speaks of it has to say: its best sentence, and those as good."""
    best: dict[str, Evidence] = {}
    for found in part.evidence:
        best.setdefault(found.document.id, found)
    top = part.evidence[0]
    chosen: list[_Chosen] = []
    for found in part.evidence:
        first = best[found.document.id]
        near = first.score >= top.score - EACH or first.probability >= EACH_LEAST
        fit = near and found.score >= first.score - NEARLY / 2
        if fit and found.answer and not _repeats(found, (c.evidence for c in chosen)):
            chosen.append(_Chosen(found, "is what this document says"))
    return chosen[:OVERVIEW_MOST] or _nearly_as_good(part, 0.0, 1)


def _overview(part: Weighed) -> list[_Chosen]:
    """The sentences that speak most of the topic: the best of each document, then the rest.

    And those that go on with them.
    """
    best = part.evidence[0].score
    ranked = sorted(part.evidence, key=lambda e: -_aboutness(e, best))
    enough = [e for e in ranked if _aboutness(e, best) >= ABOUT * _aboutness(ranked[0], best)]
    each = max(OVERVIEW_EACH, OVERVIEW_MOST // len({e.document.id for e in enough}))
    seen: Counter[str] = Counter()
    in_turns: list[tuple[int, Evidence]] = []
    for found in enough:
        in_turns.append((seen[found.document.id], found))
        seen[found.document.id] += 1
    chosen: list[_Chosen] = []
    for turn, found in sorted(in_turns, key=lambda pair: pair[0]):
        if turn == each or len(chosen) == OVERVIEW_MOST:
            break
        if not _repeats(found, (c.evidence for c in chosen)):
            chosen.append(_Chosen(found, "speaks of the topic"))
    # Their marked words answer the topic read as a question, which nobody asked.
    told = _telling_more(part, chosen, OVERVIEW_MOST)
    return [replace(one, evidence=replace(one.evidence, answer=None)) for one in told]


def _aboutness(evidence: Evidence, best: float) -> float:
    """How much of the topic a sentence holds, and its passage; how near; how well it answers."""
    signals = evidence.signals
    words = 0.7 * signals["shared"] + 0.7 * signals["passage_shared"]
    answers = max(0.0, 1.0 + (evidence.score - best) / NO_ANSWER)
    return words + 0.5 * max(signals["dense"], 0.0) + answers


def _differing(part: Weighed, top: Evidence) -> list[_Chosen]:
    """Sentences of other documents that give another value for the same thing."""
    if kind_of_answer(part.reading).name not in MEASURED or top.answer is None:
        return []
    value = figures(top.answer.of(top.document.text))
    for found in part.evidence[1:]:
        if found.probability < DIFFERS_AT_LEAST:
            break
        if found.document.id == top.document.id or found.answer is None:
            continue
        other = figures(found.answer.of(found.document.text))
        enough = found.signals["shared_near"] >= 0.8 * top.signals["shared_near"]
        if value and other and not value & other and enough:
            return [_Chosen(found, "gives another value")]
    return []


def _repeats(found: Evidence, chosen: Iterable[Evidence]) -> bool:
    """Whether a chosen sentence says it already: most of its telling words, all its figures."""
    own = _telling(found)
    for other in chosen:
        alike = len(own & _telling(other)) >= ALIKE * len(own)
        if alike and figures(found.text) <= figures(other.text):
            return True
    return False


def _telling(evidence: Evidence) -> set[str]:
    return set(stems(" ".join(content_words(evidence.text))))


@lru_cache(maxsize=8)
def _sentences(text: str) -> tuple[Sentence, ...]:
    """A document's sentences; splitting a long one takes longer than all the rest."""
    return tuple(sentence for sentence, _ in levelled(text))


def _with_context(one: _Chosen, told: Container[tuple[str, Span]]) -> list[_Chosen]:
    """The sentence with what it cannot be understood without: its lead-in, its items.

    A sentence that leans on the one before has a footnote in common with it, unless that one is
    `told` for its own sake.
    """
    document, sentence = one.evidence.document, one.evidence.sentence
    near = _sentences(document.text)
    here = next((i for i, s in enumerate(near) if s.span == sentence.span), None)
    if here is None:
        return [one]
    if is_item(document, sentence):
        first = here
        while first > 0 and is_item(document, near[first - 1]):
            first -= 1
        lead = near[first - 1] if first else None
        if lead is not None and lead.span.of(document.text).rstrip().endswith(":"):
            return [_beside(one, lead, "leads into the list"), *_siblings(one, near, first)]
        return [one]
    text = sentence.span.of(document.text)
    if text.endswith(":"):
        items = []
        for following in near[here + 1 : here + 1 + ITEMS_MOST]:
            if not is_item(document, following):
                break
            items.append(_beside(one, following, "is an item of the list"))
        return [one, *items]
    if leans_back(text) and here > 0 and not near[here - 1].is_heading:
        before = near[here - 1]
        if "\n\n" not in document.text[before.span.end : sentence.span.start]:
            pair = [_beside(one, before, "is what the next sentence leans on"), one]
            if (document.id, before.span) in told:
                return pair
            both = Sentence(Span(before.span.start, sentence.span.end))
            cited = replace(one.evidence, sentence=both)
            return [replace(each, cited=cited) for each in pair]
    return [one]


def _siblings(one: _Chosen, near: Sequence[Sentence], first: int) -> list[_Chosen]:
    """The item, with the others of its list where they are few."""
    document = one.evidence.document
    items = list(takewhile(lambda s: is_item(document, s), near[first:]))
    if len(items) > ITEMS_FEW:
        return [one]
    return [
        one if item.span == one.evidence.span else _beside(one, item, "is an item of the list")
        for item in items
    ]


def is_item(document: Document, sentence: Sentence) -> bool:
    """Whether the sentence is an item of a list."""
    start = sentence.span.start
    return bool(_ITEM.search(document.text[max(0, start - 12) : start]))


def _beside(one: _Chosen, sentence: Sentence, why: str) -> _Chosen:
    return _Chosen(replace(one.evidence, sentence=sentence, answer=None), why)


def _grouped(units: Sequence[Sequence[_Chosen]], as_they_stand: bool) -> list[_Chosen]:
    """Each sentence once, by document in order of first use, with what it cannot do without.

    Within a document, the best first, or as they stand in it.
    """
    order = list(dict.fromkeys(unit[0].evidence.document.id for unit in units))

    def place(unit: Sequence[_Chosen]) -> tuple[int, int]:
        first = unit[0].evidence
        return order.index(first.document.id), first.span.start if as_they_stand else 0

    once: dict[tuple[str, int], _Chosen] = {}
    for unit in sorted(units, key=place):
        for one in unit:
            key = (one.evidence.document.id, one.evidence.span.start)
            if key not in once or (once[key].evidence.answer is None and one.evidence.answer):
                once[key] = one
    return list(once.values())


def _written(chosen: Sequence[_Chosen], differing: bool) -> Composed:
    """The sentences with their footnotes; a new paragraph for each document."""
    citations = Citations()
    written = [
        AnswerSentence(
            " ".join(one.evidence.text.split()),
            (citations.cite(one.cited or one.evidence),),
            "supported",
        )
        for one in chosen
    ]
    why = [one.why for one in chosen]
    pieces = [f"{s.text} {markers(s.citations)}" for s in written]
    gaps = [
        " " if a.evidence.document.id == b.evidence.document.id else "\n\n"
        for a, b in pairwise(chosen)
    ]
    text = pieces[0] + "".join(gap + piece for gap, piece in zip(gaps, pieces[1:], strict=True))
    if differing:
        numbers = tuple(range(1, len(citations.all()) + 1))
        said = AnswerSentence("The documents give different values.", numbers, "supported")
        written.append(said)
        why.append("says that the documents differ")
        text += f"\n\n{said.text} {markers(numbers)}"
    return Composed(text, tuple(written), citations.all(), tuple(why))
