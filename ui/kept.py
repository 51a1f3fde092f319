"""A conversation that the browser keeps: what it is given of a turn, and what comes back.

What comes back is untrusted. It is read strictly, and no citation is believed: the app looks each
one up again in the snapshot that it names (`notes.standing`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeGuard

from corpus.errors import FootnoteError
from corpus.types import Passage, Sentence, Span
from index.search import Index
from index.types import Hit
from rag.types import Answer, AnswerSentence, Citation, Evidence, Question
from rag.wire import as_json
from ui import markdown
from ui.notes import Standing
from ui.page import Exchange

MOST_TURNS = 500
LONGEST = 100_000  # characters of one text
EVIDENCE = 20  # sentences considered that are kept with an answer
LEFT = "The page was left before the answer came."


class Unreadable(FootnoteError):
    """A conversation that was kept cannot be read."""


def record(exchange: Exchange, standings: Mapping[int, Standing]) -> dict[str, object]:
    """A turn as plain values. `markdown` is for the browser alone and does not come back."""
    answer = exchange.answer
    fewer = replace(answer, evidence=answer.evidence[:EVIDENCE]) if answer else None
    return {
        "question": exchange.question,
        "answer": as_json(fewer, trace=True) if fewer else None,
        "why": [sentence.why for sentence in answer.sentences] if answer else [],
        "so_far": exchange.so_far if answer is None else "",
        "problem": exchange.problem,
        "stopped": exchange.stopped,
        "within": list(exchange.within),
        "markdown": markdown.exchange(exchange.question, answer, standings),
    }


def revive(turns: object, index: Index) -> tuple[Exchange, ...]:
    """The turns as they were. Raises Unreadable where they are anything else."""
    if not isinstance(turns, list) or len(turns) > MOST_TURNS:
        raise Unreadable(f"this is no conversation of at most {MOST_TURNS} questions")
    try:
        return tuple(_exchange(_mapping(turn), index) for turn in turns)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise Unreadable(f"this conversation cannot be read: {error!r:.200}") from error


def _exchange(turn: Mapping[str, Any], index: Index) -> Exchange:
    question = _text(turn["question"])
    if turn["answer"] is not None:
        why = [_text(each) for each in _list(turn["why"])]
        answer = _answer(_mapping(turn["answer"]), why, index)
        return Exchange(question, answer, within=_texts(turn["within"]))
    so_far, problem = _text(turn.get("so_far", "")), _text(turn.get("problem", ""))
    stopped = turn.get("stopped", False) is True
    if not stopped and not problem:
        problem = LEFT
    return Exchange(question, None, so_far, problem, stopped, _texts(turn.get("within", [])))


def _answer(row: Mapping[str, Any], why: Sequence[str], index: Index) -> Answer:
    text, standalone = _text(row["question"]), _text(row["standalone_question"])
    citations = tuple(_citation(_mapping(each)) for each in _list(row["citations"]))
    numbers = [citation.n for citation in citations]
    if numbers != list(range(1, len(numbers) + 1)):
        raise ValueError("citations are numbered from 1")
    sentences = [_mapping(each) for each in _list(row["sentences"])]
    outcome = row["outcome"]
    if outcome not in ("answered", "not_in_corpus"):
        raise ValueError("outcome")
    tokens = row["tokens"]
    return Answer(
        question=Question(text, standalone, (standalone,), (standalone,)),
        outcome=outcome,
        text=_text(row["answer"]),
        confidence=min(1.0, max(0.0, _number(row["confidence"]))),
        sentences=tuple(
            _sentence(each, reason, len(numbers))
            for each, reason in zip(sentences, why, strict=True)
        ),
        citations=citations,
        evidence=tuple(_evidence(row["evidence"], index)),
        model=_text(row["model"]),
        timings=_numbers(row["timings_ms"]),
        tokens=None if tokens is None else _numbers(tokens),
        notices=_texts(row["notices"]),
        trace=_mapping(row.get("trace", {})),
    )


def _sentence(row: Mapping[str, Any], why: str, citations: int) -> AnswerSentence:
    numbers = tuple(_whole(n) for n in _list(row["citations"]))
    if not all(1 <= n <= citations for n in numbers):
        raise ValueError("a sentence cites what there is not")
    support = row["support"]
    if support not in ("supported", "partial", "unsupported"):
        raise ValueError("support")
    return AnswerSentence(_text(row["text"]), numbers, support, why)


def _citation(row: Mapping[str, Any]) -> Citation:
    quote, inner, page = _text(row["quote"]), row["answer_span"], row["page"]
    if inner is not None:
        first, last = (_whole(each) for each in _list(inner))
        if not 0 <= first < last <= len(quote):
            raise ValueError("answer_span")
    return Citation(
        n=_whole(row["n"]),
        document=_text(row["document"]),
        version=_text(row["version"]),
        title=_text(row["title"]),
        span=Span(_whole(row["start"]), _whole(row["end"])),
        quote=quote,
        answer_span=None if inner is None else Span(first, last),
        page=None if page is None else _whole(page),
    )


def _evidence(rows: object, index: Index) -> list[Evidence]:
    """The sentences considered, as far as they still stand where they stood."""
    found = []
    for row in map(_mapping, _list(rows)[:EVIDENCE]):
        span, score = Span(_whole(row["start"]), _whole(row["end"])), _number(row["score"])
        id, text = _text(row["document"]), _text(row["text"])
        try:
            document = index.document(id)
        except FootnoteError:
            continue
        if text and span.of(document.text) == text:
            sentence = Sentence(span)
            hit = Hit(Passage(document, span, (sentence,)), score, None, None, None, None)
            probability = _number(row.get("probability", 0.0))
            found.append(Evidence(document, sentence, hit, score, probability, None))
    return found


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST:
        raise TypeError(f"a text of at most {LONGEST:,} characters was expected")
    return value.encode(errors="replace").decode()


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(_text, _list(value)))


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError("a whole number was expected")
    return value


def _number(value: object) -> float:
    if not _is_number(value) or not math.isfinite(value):
        raise TypeError("a number was expected")
    return float(value)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numbers(value: object) -> dict[str, float]:
    return {_text(name): _number(number) for name, number in _mapping(value).items()}


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("a list was expected")
    return value


def _mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("an object was expected")
    return value
