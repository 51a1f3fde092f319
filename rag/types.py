"""The values that flow from a question to its answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from corpus.types import Document, Sentence, Span
from index.types import Hit

Role = Literal["user", "assistant"]
Outcome = Literal["answered", "not_in_corpus"]
Support = Literal["supported", "partial", "unsupported"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the conversation so far."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, and what it means when it stands alone.

    `searches` are the queries that retrieval runs; `readings` the ways to read the question, of
    which the reader says which it can answer. Neither is ever empty. `moves_on` says that the
    answer is not the sentence that answered the question before.
    """

    text: str
    standalone: str
    searches: tuple[str, ...]
    readings: tuple[str, ...]
    history: tuple[Turn, ...] = ()
    moves_on: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence of the documents, weighed against the question; what the signals said of it.

    `answer` is the span, in the document, of the words that answer, or None. `score` is the
    log-odds that this sentence answers, `probability` the same as a probability. `signals` are
    the figures behind it, for the trace.
    """

    document: Document
    sentence: Sentence
    hit: Hit
    score: float
    probability: float
    answer: Span | None
    signals: Mapping[str, float] = field(default_factory=dict)

    @property
    def span(self) -> Span:
        """The sentence's span in its document."""
        return self.sentence.span

    @property
    def text(self) -> str:
        """The sentence's words."""
        return self.sentence.span.of(self.document.text)


@dataclass(frozen=True, slots=True)
class Citation:
    """The exact words sentences of an answer rest on: `document.text[span] == quote`, always.

    `answer_span` counts within the quote. `page` is None where the document has no pages.
    """

    n: int
    document: str
    version: str
    title: str
    span: Span
    quote: str
    answer_span: Span | None = None
    page: int | None = None

    def shows(self, document: str, span: Span) -> bool:
        """Whether these words of the document are among the quoted ones."""
        return self.document == document and self.span.covers(span)


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """One sentence of an answer, without markers; `citations` are the numbers it rests on.

    `why` says in words what keeps it from being supported, "" where nothing does.
    """

    text: str
    citations: tuple[int, ...]
    support: Support
    why: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer, with everything it rests on.

    `text` is plain text with `[1]` markers; where the outcome is `not_in_corpus` it says so in one
    sentence, and `sentences` are what a model said all the same, unsupported, with no citations.
    `confidence` is the probability that the cited words answer the question. `evidence` is best
    first, also when the outcome is `not_in_corpus`. `model` is `extractive` or `openai:NAME`.
    `timings` are milliseconds by step. `trace` is what `--trace` prints.
    """

    question: Question
    outcome: Outcome
    text: str
    confidence: float
    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]
    evidence: tuple[Evidence, ...]
    model: str
    timings: Mapping[str, float] = field(default_factory=dict)
    tokens: Mapping[str, float] | None = None
    notices: tuple[str, ...] = ()
    trace: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of an answer on its way; the last one carries the whole `answer`.

    One with an empty `text` and no answer says that the model is still waited for.
    """

    text: str
    answer: Answer | None = None
