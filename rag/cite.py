"""Evidence to citations: exact words with their offsets, numbered in order of first use."""

from collections.abc import Sequence

from corpus.types import Span
from rag.types import Citation, Evidence


class Citations:
    """Numbers evidence as it is used; the same words keep their number."""

    def __init__(self) -> None:
        self._by_place: dict[tuple[str, str, Span], Citation] = {}

    def cite(self, evidence: Evidence) -> int:
        """The number of the citation for this evidence."""
        document, span = evidence.document, evidence.span
        key = (document.id, document.version, span)
        if key not in self._by_place:
            answer = evidence.answer
            inner = None
            if answer is not None and span.covers(answer):
                inner = Span(answer.start - span.start, answer.end - span.start)
            self._by_place[key] = Citation(
                n=len(self._by_place) + 1,
                document=document.id,
                version=document.version,
                title=document.title,
                span=span,
                quote=span.of(document.text),
                answer_span=inner,
                page=document.page_of(span),
            )
        return self._by_place[key].n

    def all(self) -> tuple[Citation, ...]:
        """The citations by number."""
        return tuple(self._by_place.values())


def markers(numbers: Sequence[int]) -> str:
    """`[1][2]`, as they stand behind a sentence."""
    return "".join(f"[{n}]" for n in numbers)
