"""The source pane as HTML: whole documents, with an answer's citations marked."""

from collections.abc import Mapping, Sequence
from html import escape

from corpus.types import Document
from index.types import IndexedDocument
from rag.types import Citation
from ui.source import located, render

CHANGED = "This is the version that was cited. The document has changed since, or is gone."
LOST = "The version that was cited is no longer kept: these are the words, as they were quoted."


def shelf(
    documents: Sequence[Document],
    citations: Sequence[Citation] = (),
    turn: int = 0,
    current: Mapping[str, IndexedDocument] | None = None,
    link: str = "",
    notice: str = "",
    lost: Sequence[Citation] = (),
) -> str:
    """Documents to read, whole, with an answer's citations marked; the first one is open.

    `link` is what was followed here from the address, `notice` what is to be said of it. `lost` are
    citations of versions that are no longer kept: their quotes are all that there is.
    """
    articles = []
    for number, document in enumerate(documents):
        cited = [c for c in citations if c.document == document.id]
        now = current.get(document.id) if current is not None else None
        changed = current is not None and (now is None or now.version != document.version)
        note = CHANGED if changed else notice
        articles.append(_article(document, cited, opened=number == 0, changed=changed, note=note))
    articles += [
        _quoted(citation, opened=not documents and number == 0)
        for number, citation in enumerate(lost)
    ]
    return _shelf("".join(articles), turn, link)


def missing(reason: str, link: str = "") -> str:
    """A shelf that says why the document cannot be shown."""
    return _shelf(
        '<article class="source" data-document="" data-cites="" aria-label="Nothing to show">'
        f'<p class="problem" role="alert">{escape(reason)}</p></article>',
        0,
        link,
    )


def _shelf(articles: str, turn: int, link: str) -> str:
    return (
        f'<div class="shelf" role="region" aria-label="Source" data-turn="{turn}"'
        f' data-link="{escape(link)}">{articles}</div>'
    )


def _article(
    document: Document, citations: Sequence[Citation], opened: bool, changed: bool, note: str
) -> str:
    marked = [citation for citation in citations if located(document, citation)]
    cites = " ".join(str(citation.n) for citation in citations)
    spans = " ".join(f"{c.n}:{c.span.start}-{c.span.end}" for c in marked)
    title = escape(document.title)
    id = "" if changed else escape(document.id)  # a link to the document means what it says now
    origin = document.metadata.get("source", "")
    return (
        f'<article class="source" data-document="{id}" data-cites="{cites}"'
        f' data-id="{escape(document.id)}" data-version="{escape(document.version)}"'
        f' data-spans="{spans}"{"" if opened else " hidden"} aria-label="{title}">'
        f"<header><h2>{title}</h2>{_byline(document.metadata)}"
        f"{f'<p>{escape(origin)}</p>' if origin else ''}"
        f"{f'<p class=changed>{escape(note)}</p>' if note else ''}</header>"
        f'<div class="text">{render(document, marked)}</div></article>'
    )


def _quoted(citation: Citation, opened: bool) -> str:
    title = escape(citation.title)
    return (
        f'<article class="source" data-document="" data-cites="{citation.n}"'
        f' data-id="{escape(citation.document)}" data-version="{escape(citation.version)}"'
        f' data-spans=""{"" if opened else " hidden"} aria-label="{title}">'
        f"<header><h2>{title}</h2><p class=changed>{LOST}</p></header>"
        f'<div class="text"><blockquote>{escape(citation.quote)}</blockquote></div></article>'
    )


def _byline(metadata: Mapping[str, str]) -> str:
    known = [metadata[key] for key in ("kind", "author", "date") if metadata.get(key)]
    words = " · ".join(map(escape, known))
    return f'<p class="byline">{words}</p>' if words else ""
