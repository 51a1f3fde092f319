"""Why this answer: what was understood, found, read, chosen and left out."""

from collections.abc import Sequence

from rag.evidence import Weighed, refuse_below
from rag.extractive import Composed
from rag.shape import Shape
from rag.types import Citation, Evidence, Question

LEFT_OUT = 20


def trace_of(
    question: Question, shape: Shape, parts: Sequence[Weighed], composed: Composed | None
) -> dict[str, object]:
    """The trace as plain values, ready for JSON."""
    cited = composed.citations if composed else ()
    return {
        "standalone_question": question.standalone,
        "searches": list(dict.fromkeys(question.searches)),
        "readings": list(question.readings),
        "shape": shape.value,
        "refuse_below": refuse_below(),
        "parts": [
            {
                "reading": part.reading,
                "confidence": round(part.confidence, 4),
                "signals": _rounded(part.signals),
                "candidates": [_candidate(e, cited) for e in part.evidence[:LEFT_OUT]],
            }
            for part in parts
        ],
        "chosen": [
            {"text": sentence.text, "citations": list(sentence.citations), "why": why}
            for sentence, why in zip(composed.sentences, composed.why, strict=True)
        ]
        if composed
        else [],
    }


def _candidate(evidence: Evidence, cited: Sequence[Citation]) -> dict[str, object]:
    hit = evidence.hit
    return {
        "document": evidence.document.id,
        "start": evidence.span.start,
        "end": evidence.span.end,
        "text": evidence.text,
        "dense_rank": hit.dense_rank,
        "lexical_rank": hit.lexical_rank,
        "probability": round(evidence.probability, 4),
        "signals": _rounded(evidence.signals),
        "answer": evidence.answer.of(evidence.document.text) if evidence.answer else None,
        "chosen": any(c.shows(evidence.document.id, evidence.span) for c in cited),
        "read": "margin" in evidence.signals,
    }


def _rounded(signals: object) -> dict[str, float]:
    return {name: round(value, 4) for name, value in dict(signals).items()}  # type: ignore[call-overload]
