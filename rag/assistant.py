"""The whole pipeline: question and conversation in, answer with exact citations out."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from time import perf_counter

from index.embed import embedder
from index.search import Index
from rag import extractive
from rag.condense import condense
from rag.errors import BadQuestion
from rag.evidence import Weighed, Weigher, refuse_below
from rag.reader import Reader
from rag.settings import Settings
from rag.shape import Shape, parts_of, shape_of, topic_of
from rag.trace import trace_of
from rag.types import Answer, Delta, Question, Turn

LONGEST_QUESTION = 4000
HITS = 24


class Assistant:
    """Answers questions over one index. Safe to share between threads."""

    def __init__(self, settings: Settings, index: Index, reader: Reader) -> None:
        self.settings = settings
        self._index = index
        self._reader = reader

    @classmethod
    def open(cls, settings: Settings) -> "Assistant":
        """With the index, the embedder and the reader that the settings name."""
        model = embedder(settings.embedding, settings.base_url, settings.api_key)
        return cls(
            settings, Index.open(settings.index, model, settings.chroma_url), Reader.packaged()
        )

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
        return _Asking(self.index, self._reader, documents).answer(question, history)

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        documents: Collection[str] | None = None,
    ) -> Iterator[Delta]:
        """The same, piece by piece; the last piece carries the whole answer."""
        answer = self.ask(question, history, documents)
        yield Delta(answer.text, answer)


class _Asking:
    """One question on its way through one state of the index."""

    def __init__(self, index: Index, reader: Reader, documents: Collection[str] | None) -> None:
        self.index, self.documents = index, documents
        self.weigher = Weigher(index, reader)
        self.timings: dict[str, float] = {}

    def answer(self, text: str, history: Sequence[Turn]) -> Answer:
        started = perf_counter()
        question = condense(_checked(text), history, self._recall)
        self._took("condense", started)
        weighed, question = self._weigh(question)
        shape = shape_of(question.standalone)
        parts = self._parts(question, shape, weighed)
        evidence = weighed.evidence
        composed = None
        confidence = max(part.confidence for part in parts)
        clock = perf_counter()
        if evidence and confidence >= refuse_below():
            answering = [part for part in parts if part.confidence >= refuse_below()]
            confidence = min(part.confidence for part in answering)
            composed = extractive.compose(shape, answering)
        self._took("compose", clock)
        self._took("total", started)
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
            trace=trace_of(question, shape, parts, composed),
        )

    def _weigh(self, question: Question) -> tuple[Weighed, Question]:
        """The evidence for the reading that can best be answered; the question then stands so."""
        clock = perf_counter()
        hits = self.index.search(question.searches, HITS, self.documents)
        self._took("search", clock)
        clock = perf_counter()
        tried = [self.weigher.weigh(reading, hits) for reading in question.readings]
        self._took("read", clock)
        best = max(tried, key=lambda weighed: weighed.confidence)
        if best.reading == question.text and len(tried) > 1:
            return best, question
        return best, replace(question, standalone=best.reading)

    def _parts(self, question: Question, shape: Shape, whole: Weighed) -> list[Weighed]:
        """The evidence for each part of the question; for the whole where it has no parts."""
        if shape is Shape.OVERVIEW:
            topic = topic_of(question.standalone)
            return [self._search_and_weigh(topic)] if topic != question.standalone else [whole]
        parts = parts_of(question.standalone)
        if len(parts) == 1:
            return [whole]
        first = (Turn("user", parts[0]),)
        weighed = [self._search_and_weigh(parts[0])]
        weighed += [self._weigh(condense(part, first))[0] for part in parts[1:]]
        if all(part.confidence >= refuse_below() for part in weighed):
            return weighed
        return [whole, *weighed]

    def _search_and_weigh(self, text: str) -> Weighed:
        clock = perf_counter()
        hits = self.index.search((text,), HITS, self.documents)
        self._took("search", clock)
        clock = perf_counter()
        weighed = self.weigher.weigh(text, hits)
        self._took("read", clock)
        return weighed

    def _recall(self, earlier: str) -> str | None:
        """The words that answered an earlier question, where they did."""
        weighed = self._search_and_weigh(earlier)
        if weighed.confidence < refuse_below() or not weighed.evidence:
            return None
        top = weighed.evidence[0]
        return top.answer.of(top.document.text) if top.answer else None

    def _took(self, step: str, since: float) -> None:
        self.timings[step] = self.timings.get(step, 0.0) + (perf_counter() - since) * 1000


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
