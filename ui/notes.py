"""The footnotes of an answer: the numbers in it, and a card with the words behind each.

A link to a citation is `#cite-TURN-N`; its card is `#card-TURN-N`, hidden, and shown beside the
number by assets/notes.js.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from corpus.errors import FootnoteError
from corpus.types import Span
from index.search import Index
from rag.types import Citation
from ui.source import located

SHOWN = 420  # characters of a quote on a card

CHANGED = "The document has changed since: this is the version that was cited."
GONE = "The document has been taken out since: this is the version that was cited."
LOST = "This version of the document is no longer kept, so its source cannot be shown."


@dataclass(frozen=True, slots=True)
class Standing:
    """How a citation stands in the index of now: `doubt` says what is wrong, "" where nothing is.

    `lost`: its words cannot be shown in their document.
    """

    date: str = ""
    doubt: str = ""
    lost: bool = False


Standings = Callable[[Citation], Standing]


def standing(index: Index, citation: Citation) -> Standing:
    """Looked up in the snapshot of the version that was cited; the words must stand there."""
    try:
        document = index.document(citation.document, citation.version)
    except FootnoteError:
        return Standing(doubt=LOST, lost=True)
    if not located(document, citation):
        return Standing(doubt=LOST, lost=True)
    now = index.manifest.documents.get(citation.document)
    date = document.metadata.get("date", "")
    date = date if any(map(str.isdigit, date)) else ""
    if now is None:
        return Standing(date, GONE)
    return Standing(date, "" if now.version == citation.version else CHANGED)


def note(turn: int, citation: Citation, standing: Standing) -> str:
    """The number, as a link to the words."""
    style = "note doubt" if standing.doubt else "note"
    name = f"Citation {citation.n}, {citation.title}"
    return (
        f'<a class="{style}" href="#cite-{turn}-{citation.n}" aria-label="{escape(name)}"'
        f' aria-describedby="card-{turn}-{citation.n}">[{citation.n}]</a>'
    )


def cards(turn: int, citations: Sequence[Citation], standings: Mapping[int, Standing]) -> str:
    """What the numbers show before they are followed: quote, document, date, page."""
    return "".join(_card(turn, citation, standings[citation.n]) for citation in citations)


def sources(turn: int, citations: Sequence[Citation], standings: Mapping[int, Standing]) -> str:
    """The documents that an answer cites, each with its numbers."""
    documents: dict[tuple[str, str], list[Citation]] = {}
    for citation in citations:
        documents.setdefault((citation.document, citation.version), []).append(citation)
    items = "".join(
        f'<li><span class="numbers">{", ".join(str(c.n) for c in cited)}</span> <span>'
        f'<a href="#cite-{turn}-{cited[0].n}">{escape(cited[0].title)}</a>'
        f"{_aside(standings[cited[0].n])}</span></li>"
        for cited in documents.values()
    )
    return f'<ul class="sources" aria-label="Sources">{items}</ul>' if items else ""


def where(citation: Citation, standing: Standing) -> str:
    """Date and page, as far as they are known."""
    page = f"page {citation.page}" if citation.page is not None else ""
    return ", ".join(filter(None, (standing.date, page)))


def _aside(standing: Standing) -> str:
    if standing.lost:
        return ' <span class="doubt">no longer kept</span>'
    if standing.doubt:
        return ' <span class="doubt">changed since</span>'
    return f' <span class="date">{escape(standing.date)}</span>' if standing.date else ""


def _card(turn: int, citation: Citation, standing: Standing) -> str:
    place = where(citation, standing)
    return (
        f'<span class="card" id="card-{turn}-{citation.n}" hidden>'
        f'<span class="quote">{_quote(citation)}</span> '
        f'<span class="from">{escape(citation.title)}</span>'
        f"{f' <span class=place>{escape(place)}</span>' if place else ''}"
        f"{f' <span class=doubt>{standing.doubt}</span>' if standing.doubt else ''}</span>"
    )


def _quote(citation: Citation) -> str:
    """The quote with the words that answer strong; of a long one, what is around them."""
    quote = citation.quote
    inner = citation.answer_span or Span(0, 0)
    first, last = 0, len(quote)
    if len(quote) > SHOWN:
        first = max(0, min(inner.start - SHOWN // 3, len(quote) - SHOWN))
        last = min(len(quote), max(first + SHOWN, inner.end))
        first = quote.rfind(" ", 0, first) + 1 if first else 0
        last = quote.find(" ", last) if quote.find(" ", last) > 0 else len(quote)
    before, words, after = (
        escape(part)
        for part in (
            quote[first : max(first, inner.start)],
            inner.of(quote),
            quote[max(first, inner.end) : last],
        )
    )
    strong = f"<strong>{words}</strong>" if words else ""
    return f"“{'… ' if first else ''}{before}{strong}{after}{' …' if last < len(quote) else ''}”"
