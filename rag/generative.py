"""Evidence to an answer by a language model: prompt, stream, check.

Whatever goes wrong, the person gets what the documents say: the answer that was found without a
model, and a notice that says why.
"""

import re
import time
from collections.abc import Generator as Iterating
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property

from index.embed import PACKAGED, embedder
from index.types import Embedder
from rag.chat import Chat, TooLong, Usage
from rag.condense import leans
from rag.errors import ModelUnavailable
from rag.evidence import refuse_below
from rag.extractive import refusal
from rag.objections import names_in
from rag.prompts import NO_ANSWER, Message, answering, rewriting
from rag.settings import Settings
from rag.types import Answer, Delta, Question, Support, Turn
from rag.verify import Frequencies, Verifier
from rag.words import figures
from rag.writing import PASSAGES, Writing, choose

LONGEST_REPLY = 4000  # characters; with what a model thinks before it replies:
LONGEST_RAW = 60_000
LONGEST_REWRITE = 400
CHARACTERS_PER_TOKEN = 4
ASKED_FROM = 0.5  # of the probability below which the documents alone are not answered from
_WEIGHT: Mapping[Support, float] = {"supported": 1.0, "partial": 0.5, "unsupported": 0.0}


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs, in money per million tokens."""

    into: float
    out: float


class Generator:
    """Asks the model that the settings name. Safe to share between threads."""

    def __init__(
        self, settings: Settings, price: Price | None = None, timeout: float = 120.0
    ) -> None:
        """`timeout`: the seconds that the model may be silent, before its reply and in it."""
        self._settings = settings
        self._price = price
        self._chat = Chat(settings, timeout)

    @property
    def name(self) -> str:
        """What answers call the model."""
        return f"openai:{self._settings.model}"

    def warm(self) -> None:
        """Loads what takes long to load."""
        self._chat.warm()
        _ = self._embedder

    def rewrite(self, text: str, history: Sequence[Turn]) -> Iterating[Delta, None, str | None]:
        """A follow-up as a question that stands alone; None where the model does not manage.

        Empty pieces come while the model is waited for.
        """
        if not any(turn.role == "user" for turn in history):
            return None
        usage = Usage()
        reply = ""
        try:
            with closing(self._chat.ask(rewriting(text, history), usage, attempts=1)) as pieces:
                for piece in pieces:
                    reply += piece
                    yield Delta("")
                    if len(reply) > LONGEST_REWRITE:
                        return None
        except (ModelUnavailable, TooLong):
            return None
        rewritten = " ".join(re.sub(r"(?s)^\s*<think>.*?</think>", "", reply).split()).strip('"“” ')
        said = " ".join([text, *(turn.content for turn in history)])
        return rewritten if rewritten.endswith("?") and _says_no_more(rewritten, said) else None

    def standing_alone(self, question: Question) -> Iterating[Delta, None, Question]:
        """The question in the model's rewriting, with that of the rules where the model fails."""
        rewritten = yield from self.rewrite(question.text, question.history)
        return with_rewriting(question, rewritten)

    def stream(self, found: Answer, index: Frequencies) -> Iterator[Delta]:
        """The model's answer from the evidence of the one found without it, piece by piece.

        The last piece carries the whole answer: the model's, or `found` with a notice where the
        model fails. Where the documents do not speak of it at all, no model is asked. Closing the
        iterator ends the request at once; an empty piece comes while the model is waited for.
        """
        if not found.evidence or found.confidence < ASKED_FROM * refuse_below():
            yield Delta(found.text, found)
            return
        try:
            yield from self._stream(found, index, time.perf_counter())
        except ModelUnavailable as error:
            notice = f"model unavailable, answered from the documents alone: {error}"
            yield Delta("", replace(found, notices=(*found.notices, notice)))

    def _stream(self, found: Answer, index: Frequencies, started: float) -> Iterator[Delta]:
        most = PASSAGES
        while True:
            passages = choose(found.evidence, most)
            messages = answering(found.question.standalone, passages, found.question.history)
            verifier = Verifier([one for p in passages for one in p], self._embedder, index)
            writing = Writing(passages, verifier)
            usage = Usage()
            try:
                with closing(self._chat.ask(messages, usage)) as pieces:
                    for piece in pieces:
                        for text in writing.feed(piece) if piece else ("",):
                            yield Delta(text)
                        if len(writing.text) > LONGEST_REPLY or len(writing.raw) > LONGEST_RAW:
                            usage.finish = "length"
                            break
                break
            except TooLong as error:
                if most == 1 or writing.raw:
                    raise self._chat.unavailable("the passages are too long for it") from error
                most = max(1, min(most, len(passages)) // 2)
        for text in writing.close():
            yield Delta(text)
        if not writing.sentences:
            raise self._chat.unavailable("its reply was empty")
        yield Delta("", self._answer(found, writing, messages, usage, started))

    def _answer(
        self,
        found: Answer,
        writing: Writing,
        messages: Sequence[Message],
        usage: Usage,
        started: float,
    ) -> Answer:
        """The whole answer, with what it rests on and what it took."""
        timings = dict(found.timings)
        timings["model"] = (time.perf_counter() - started) * 1000 - writing.checking
        timings["verify"] = writing.checking
        timings["total"] = timings.get("total", 0.0) + timings["model"] + writing.checking
        into = usage.into or sum(len(m.content) for m in messages) // CHARACTERS_PER_TOKEN
        out = usage.out or len(writing.raw) // CHARACTERS_PER_TOKEN
        answer = replace(
            found,
            model=self.name,
            timings=timings,
            tokens={"in": into, "out": out, **self._cost(into, out)},
            trace={
                **found.trace,
                "model": {
                    "prompt": [{"role": m.role, "content": m.content} for m in messages],
                    "reply": writing.raw,
                    "finish": usage.finish,
                    "attempts": usage.attempts,
                    "labels_dropped": writing.dropped,
                    "tokens_estimated": not usage.out,
                    "sentences": writing.trace,
                },
            },
        )
        share = sum(_WEIGHT[s.support] for s in writing.sentences) / len(writing.sentences)
        notices = [*found.notices]
        if usage.finish == "length":
            notices.append("the model's reply was too long and is cut off")
        if not share and NO_ANSWER.match(writing.text):
            beyond = tuple(s for s in writing.sentences if not NO_ANSWER.match(s.text))
            return replace(
                answer,
                outcome="not_in_corpus",
                text=refusal(found.question.standalone, found.evidence),
                confidence=found.confidence / 4,
                sentences=beyond,
                citations=(),
                notices=(*notices, "the model found no answer in the passages that it was shown"),
            )
        if share:
            return replace(
                answer,
                outcome="answered",
                text=writing.text.strip(),
                confidence=found.confidence * share,
                sentences=tuple(writing.sentences),
                citations=writing.citations.all(),
                notices=tuple(notices),
            )
        if found.outcome == "not_in_corpus":
            # It answers nothing, so it is no answer; it was said, so it is shown for what it is.
            notices.append(
                "the documents do not seem to answer this; what the model said is not supported"
            )
            return replace(answer, sentences=tuple(writing.sentences), notices=tuple(notices))
        # Nothing could be verified: it is shown as such, and what the documents say stands below.
        notices.append(
            "nothing of the model's reply could be verified; the documents' words follow"
        )
        return replace(
            answer,
            text="\n\n".join([writing.text.strip(), found.text]),
            sentences=(*writing.sentences, *found.sentences),
            notices=tuple(notices),
        )

    def _cost(self, into: int, out: int) -> dict[str, float]:
        if self._price is None:
            return {}
        return {"cost": round((into * self._price.into + out * self._price.out) / 1e6, 6)}

    @cached_property
    def _embedder(self) -> Embedder:
        # The checks were fitted with the packaged embedder, whatever the index uses.
        return embedder(PACKAGED)


def with_rewriting(question: Question, rewritten: str | None) -> Question:
    """The question as the model rewrote it, where that stands alone; else as the rules did."""
    if rewritten is None or leans(rewritten):
        return question
    searches = tuple(dict.fromkeys((rewritten, *question.searches)))
    return replace(question, standalone=rewritten, searches=searches, readings=(rewritten,))


def _says_no_more(rewritten: str, said: str) -> bool:
    """Whether a rewriting brings in no number and no name that the conversation lacks."""
    lowered = said.lower()
    new = [n for n in names_in(f"x {rewritten}") if n.lower().split("’")[0] not in lowered]
    return figures(rewritten) <= figures(said) and len(new) <= 1 and len(rewritten) > 3
