"""Answers and histories as JSON: the form that people's scripts rely on."""

from corpus.types import Span
from rag.errors import BadQuestion
from rag.types import Answer, Citation, Evidence, Turn


def as_json(answer: Answer, trace: bool = False) -> dict[str, object]:
    """The answer as the command line prints it, ready for `json.dumps`."""
    result: dict[str, object] = {
        "question": answer.question.text,
        "standalone_question": answer.question.standalone,
        "outcome": answer.outcome,
        "answer": answer.text,
        "confidence": round(answer.confidence, 4),
        "sentences": [
            {"text": s.text, "citations": list(s.citations), "support": s.support}
            for s in answer.sentences
        ],
        "citations": [_citation(c) for c in answer.citations],
        "evidence": [_evidence(e) for e in answer.evidence],
        "model": answer.model,
        "timings_ms": {step: round(ms, 2) for step, ms in answer.timings.items()},
        "tokens": dict(answer.tokens) if answer.tokens is not None else None,
        "notices": list(answer.notices),
    }
    if trace:
        result["trace"] = dict(answer.trace)
    return result


def turns(history: object) -> tuple[Turn, ...]:
    """The contract's `history` as turns: strings are the user's earlier questions.

    Raises BadQuestion where it is something else.
    """
    if history is None:
        return ()
    if not isinstance(history, list | tuple):
        raise BadQuestion("history must be a list of questions or of turns")
    return tuple(_turn(item) for item in history)


def _turn(item: object) -> Turn:
    if isinstance(item, str):
        return Turn("user", _whole(item))
    if isinstance(item, dict):
        role, content = item.get("role"), item.get("content")
        if role in ("user", "assistant") and isinstance(content, str):
            return Turn(role, _whole(content))
    raise BadQuestion(
        "a turn of history is a string or {“role”: “user” or “assistant”, “content”: text}"
    )


def _whole(text: str) -> str:
    """Without half characters, which JSON can write and UTF-8 cannot."""
    return text.encode(errors="replace").decode()


def _citation(citation: Citation) -> dict[str, object]:
    return {
        "n": citation.n,
        "document": citation.document,
        "version": citation.version,
        "title": citation.title,
        "start": citation.span.start,
        "end": citation.span.end,
        "quote": citation.quote,
        "answer_span": _pair(citation.answer_span),
        "page": citation.page,
    }


def _evidence(evidence: Evidence) -> dict[str, object]:
    span, found = evidence.span, evidence.answer
    inner = Span(found.start - span.start, found.end - span.start) if found else None
    return {
        "document": evidence.document.id,
        "start": span.start,
        "end": span.end,
        "text": evidence.text,
        "score": round(evidence.score, 4),
        "probability": round(evidence.probability, 4),
        "answer_span": _pair(inner),
    }


def _pair(span: Span | None) -> list[int] | None:
    return [span.start, span.end] if span else None
