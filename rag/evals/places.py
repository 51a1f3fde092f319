"""Where the words of an answer stand: gold that they hold, quotes that are not where they say."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from corpus.types import Span
from rag.evals.cases import Case
from rag.evals.questions import Gold

Wire = Mapping[str, Any]
TextOf = Callable[[str, str | None], str | None]
"""The text of a document by id and version; None where there is no such document."""


def holds(golds: Sequence[Gold], item: Wire) -> bool:
    """Whether the words cover a gold span, or lie by half or more in one longer than they are."""
    document, span = _place(item)
    return any(
        gold.document == document
        and (
            span.covers(gold.span)
            or (len(gold.span) > len(span) and 2 * _shared(span, gold.span) >= len(span))
        )
        for gold in golds
    )


def marked(items: Sequence[Wire]) -> str:
    """The words marked as answering in the first item, or ""."""
    if not items or not items[0].get("answer_span"):
        return ""
    start, end = items[0]["answer_span"]
    text: str = items[0].get("quote") or items[0]["text"]
    return text[start:end]


def unlocated(citation: Wire, text_of: TextOf) -> bool:
    """Whether the quote is not, or is not where the citation says."""
    text = text_of(citation["document"], citation.get("version"))
    quote = citation["quote"]
    return not quote or text is None or text[citation["start"] : citation["end"]] != quote


def overlap(case: Case, citations: Sequence[Wire], text_of: TextOf) -> float | None:
    """The share of the gold quotes' characters that the citations cover; None without quotes."""
    if not case.quotes:
        return None
    covered = 0
    for quote in case.quotes:
        best = 0
        for document in case.documents:
            text = text_of(document, None) or ""
            spans = [span for id, span in map(_place, citations) if id == document]
            for found in re.finditer(re.escape(quote), text):
                covers = [(max(s.start, found.start()), min(s.end, found.end())) for s in spans]
                best = max(best, len({at for start, end in covers for at in range(start, end)}))
        covered += best
    return covered / sum(map(len, case.quotes))


def _place(item: Wire) -> tuple[str, Span]:
    return item["document"], Span(item["start"], item["end"])


def _shared(a: Span, b: Span) -> int:
    return max(0, min(a.end, b.end) - max(a.start, b.start))
