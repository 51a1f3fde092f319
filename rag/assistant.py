"""The whole pipeline: question and conversation in, answer with exact citations out."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from collections.abc import Generator as Iterating
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from index.embed import embedder
from index.lexical import stems
from index.search import Index
from rag import extractive
from rag.condense import condense
from rag.errors import BadQuestion
from rag.evidence import READ, READ_MORE, Weighed, Weigher, refuse_below, topical
from rag.gist import DOCUMENTS_MOST, documents_meant, gist
from rag.message import asked_before, asked_in, is_courtesy
from rag.reader import Reader
from rag.settings import Settings
from rag.shape import (
    Shape,
    asks_whether_told,
    is_comparison,
    parts_of,
    said_of,
    shape_of,
    spans_documents,
    topic_of,
    wants_several,
    without_frame,
)
from rag.spelling import mistyped, respelled
from rag.trace import trace_of
from rag.traffic import Traffic
from rag.types import Answer, Delta, Evidence, Question, Turn
from rag.words import content_words

if TYPE_CHECKING:
    from rag.generative import Generator

LONGEST_QUESTION = 4000
HITS = 24
NEAR = 0.2
TOLD = 0.8  # as probable it must be that one place tells of who says it and of what
AS_SURE = 0.03  # a later reading of a follow-up counts only where it is surer by so much


class Assistant:
    """Answers questions over one index. Safe to share between threads."""

    def __init__(self, settings: Settings, index: Index, reader: Reader) -> None:
        self.settings = settings
        self._index = index
        self._reader = reader
        self.traffic = Traffic()
        self._generator = _generator(settings) if settings.uses_model else None

    @classmethod
    def open(cls, settings: Settings) -> "Assistant":
        """With the index, the embedder, the reader and the model that the settings name."""
        model = embedder(settings.embedding, settings.base_url, settings.api_key)
        index = Index.open(settings.index, model, settings.chroma)
        return cls(settings, index, Reader.packaged())

    def warm(self) -> None:
        """Loads what the first question would otherwise wait for."""
        if self._generator is not None:
            self._generator.warm()

    @property
    def index(self) -> Index:
        """The index in its newest state."""
        self._index = self._index.refresh()
        return self._index

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        documents: Collection[str] | None = None,
    ) -> Answer:
        """The answer, or a refusal. `documents` limits the search to those ids.

        Raises BadQuestion for a question that is empty or longer than 4,000 characters.
        """
        *_, last = self.stream(question, history, documents)
        assert last.answer is not None
        return last.answer

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        documents: Collection[str] | None = None,
    ) -> Iterator[Delta]:
        """The same, piece by piece; the last piece carries the whole answer.

        While a model is waited for, an empty piece comes several times a second: whoever no longer
        wants the answer closes the iterator then, and the request to the model ends at once.
        """
        with self.traffic:
            index = self.index
            asking = _Asking(index, self._reader, documents)
            text = _checked(question)
            standing = yield from asking.condense(text, history, self._generator)
            found = asking.answer(standing)
            if self._generator is None:
                yield Delta(found.text, found)
            else:
                yield from self._generator.stream(found, index)


def _generator(settings: Settings) -> "Generator":
    # A language model's client takes long to import, and most questions need none.
    from rag.generative import Generator, Price

    priced = settings.price_in is not None and settings.price_out is not None
    price = Price(settings.price_in or 0.0, settings.price_out or 0.0) if priced else None
    return Generator(settings, price)


class _Asking:
    """One question on its way through one state of the index."""

    def __init__(self, index: Index, reader: Reader, documents: Collection[str] | None) -> None:
        self.index, self.documents = index, documents
        self.weigher = Weigher(index, reader)
        self.timings: dict[str, float] = {}
        self.started = perf_counter()
        self._earlier: Evidence | None = None  # what answered the question before

    def condense(
        self, text: str, history: Sequence[Turn], generator: "Generator | None"
    ) -> Iterating[Delta, None, Question]:
        """The question as it stands alone, by the model where there is one, else by rules."""
        clock = perf_counter()
        question = replace(condense(self._asked(text), asked_before(history), self), text=text)
        if generator is not None and history:
            question = yield from generator.standing_alone(question)
        self._took("condense", clock)
        return question

    def _asked(self, message: str) -> str:
        """What a message asks, in the spelling of the documents where they lack its own."""
        return respelled(asked_in(message), self.index.frequency)

    def answer(self, question: Question) -> Answer:
        """The answer in the documents' own words, or a refusal."""
        if is_courtesy(question.text):
            return self._courtesy(question)
        if whole := self._documents_meant(question):
            return self._gist(question, whole)
        weighed, question = self._weigh(question)
        shape = shape_of(question.standalone)
        parts = self._parts(question, shape, weighed)
        if (said := said_of(question.standalone)) and (told := self._said(*said)):
            shape, parts = Shape.OVERVIEW, [told]
        evidence = weighed.evidence
        composed = None
        confidence = max(part.confidence for part in parts)
        clock = perf_counter()
        if evidence and confidence >= refuse_below():
            answering = [part for part in parts if part.confidence >= refuse_below()]
            confidence = min(part.confidence for part in answering)
            asked = question.standalone
            composed = extractive.compose(
                shape, answering, spans_documents(asked), is_comparison(asked)
            )
        self._took("compose", clock)
        notices = mistyped(self._asked(question.text), self.index)
        if composed:
            notices += _unanswered(part for part in parts if part is not weighed)
        trace = trace_of(question, shape, parts, composed)
        return self._answer(question, evidence, confidence, composed, notices, trace)

    def _answer(
        self,
        question: Question,
        evidence: tuple[Evidence, ...],
        confidence: float,
        composed: extractive.Composed | None,
        notices: tuple[str, ...],
        trace: dict[str, object],
    ) -> Answer:
        self._took("total", self.started)
        return Answer(
            question=question,
            outcome="answered" if composed else "not_in_corpus",
            text=composed.text if composed else extractive.refusal(question.standalone, evidence),
            confidence=confidence,
            sentences=composed.sentences if composed else (),
            citations=composed.citations if composed else (),
            evidence=evidence,
            model="extractive",
            timings=self.timings,
            notices=notices,
            trace=trace,
        )

    def _courtesy(self, question: Question) -> Answer:
        """To what asks nothing of the documents, nothing of them is said."""
        shape = shape_of(question.text)
        answer = self._answer(question, (), 0.0, None, (), trace_of(question, shape, [], None))
        return replace(answer, text=extractive.courtesy())

    def _documents_meant(self, question: Question) -> tuple[str, ...]:
        """The ids of the documents that the question wants told as a whole, or ()."""
        held = self.index.manifest.documents
        if self.documents is not None:
            chosen = set(self.documents)
            held = {id: one for id, one in held.items() if id in chosen}
        return tuple(one.id for one in documents_meant(question.standalone, held))

    def _gist(self, question: Question, ids: tuple[str, ...]) -> Answer:
        """What these documents are about, in their own words."""
        clock = perf_counter()
        asked = (question.standalone,)  # nothing is searched for
        question = replace(question, searches=asked, readings=asked)
        documents = [self.index.document(id) for id in ids[:DOCUMENTS_MOST]]
        weighed, told = gist(question.standalone, documents)
        composed = extractive.tell(told) if told else None
        self._took("compose", clock)
        left = len(ids) - DOCUMENTS_MOST
        notices = (f"{left} more documents are not told of here: name one to read of it.",)
        trace = trace_of(question, Shape.OVERVIEW, [weighed], composed)
        return self._answer(
            question,
            weighed.evidence,
            weighed.confidence,
            composed,
            notices if left > 0 else (),
            trace,
        )

    def _weigh(self, question: Question) -> tuple[Weighed, Question]:
        """The evidence for the reading that can best be answered; the question then stands so."""
        clock = perf_counter()
        hits = self.index.search(question.searches, HITS, self.documents)
        self._took("search", clock)
        clock = perf_counter()
        asked = self._asked(question.text)
        deep = wants_several(asked) and len(parts_of(asked)) == 1
        read = READ_MORE if deep else READ
        earlier = self._earlier if question.moves_on else None
        tried = [self.weigher.weigh(reading, hits, earlier, read) for reading in question.readings]
        self._took("read", clock)
        most = max(weighed.confidence for weighed in tried)
        best = next(weighed for weighed in tried if weighed.confidence >= most - AS_SURE)
        if len(tried) > 1 and best.reading == asked:
            return best, question
        return best, replace(question, standalone=best.reading)

    def _parts(self, question: Question, shape: Shape, whole: Weighed) -> list[Weighed]:
        """The evidence for each part of the question; for the whole where it has no parts."""
        if shape is Shape.OVERVIEW:
            asked = question.standalone
            return [self._told_of(topic_of(asked), in_one_place=asks_whether_told(asked))]
        parts = parts_of(question.standalone)
        if len(parts) == 1:
            bare = without_frame(question.standalone)
            if bare != question.standalone:
                return [self._search_and_weigh(bare, READ_MORE)]
            return [whole]
        first = (Turn("user", parts[0]),)
        weighed = [self._search_and_weigh(parts[0])]
        self._earlier = next(iter(weighed[0].evidence), None)
        weighed += [self._weigh(condense(part, first))[0] for part in parts[1:]]
        if all(part.confidence >= refuse_below() for part in weighed):
            return weighed
        return [whole, *weighed]

    def _told_of(self, topic: str, in_one_place: bool) -> Weighed:
        """The evidence for a topic, and how probable it is that it speaks of it."""
        about = self._search_and_weigh(topic, READ_MORE)
        return replace(about, confidence=topical(about, in_one_place))

    def _said(self, who: str, what: str) -> Weighed | None:
        """The sentences on `what`, where one place surely speaks of `who` and of `what`."""
        told = self._told_of(f"{what}, {who}", in_one_place=True)
        words = set(stems(" ".join(content_words(what))))
        on_it = tuple(one for one in told.evidence if words & set(stems(one.text)))
        return replace(told, evidence=on_it) if on_it and told.confidence >= TOLD else None

    def _search_and_weigh(self, text: str, read: int = READ) -> Weighed:
        clock = perf_counter()
        hits = self.index.search((text,), HITS, self.documents)
        self._took("search", clock)
        clock = perf_counter()
        weighed = self.weigher.weigh(text, hits, read=read)
        self._took("read", clock)
        return weighed

    def near(self, one: str, other: str) -> bool:
        """Whether two questions are about the same subject (by the cosine of their vectors)."""
        first, second = self.index.embedder.embed([one, other])
        return float(first @ second) >= NEAR

    def answered(self, question: str) -> str | None:
        """The words that answer an earlier question, or None."""
        weighed = self._search_and_weigh(question)
        if weighed.confidence < refuse_below() or not weighed.evidence:
            return None
        self._earlier = top = weighed.evidence[0]
        return top.answer.of(top.document.text) if top.answer else None

    def _took(self, step: str, since: float) -> None:
        self.timings[step] = self.timings.get(step, 0.0) + (perf_counter() - since) * 1000


def _unanswered(parts: Iterable[Weighed]) -> tuple[str, ...]:
    """What to know of an answer that leaves some of these parts of the question open."""
    return tuple(
        f"Not found in the documents: “{part.reading}”"
        for part in parts
        if part.confidence < refuse_below()
    )


def _checked(text: str) -> str:
    """The question, fit to be asked."""
    text = text.encode(errors="replace").decode().strip()  # half characters have no UTF-8
    if not text:
        raise BadQuestion("the question is empty: write one")
    if len(text) > LONGEST_QUESTION:
        raise BadQuestion(
            f"the question has {len(text):,} characters: ask it in {LONGEST_QUESTION:,} or fewer"
        )
    return text
