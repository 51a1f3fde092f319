"""Everything the app shows beside the documents' own text, as HTML: conversation and library.

All words that come from a person, a document or a model are escaped here. A link to a citation is
`#cite-TURN-N`, a link to a document `#doc-ID`; assets/room.js follows them.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from corpus.types import Document
from index.types import IndexedDocument
from rag.types import Answer, AnswerSentence, Citation, Turn
from ui.source import render

_MARKER = re.compile(r" ?(\[\d{1,3}\])")
_SUPPORT = {"partial": "partly supported", "unsupported": "not supported by the documents"}
_CONFIDENCE = (
    (0.7, "High confidence"),
    (0.5, "Fair confidence"),
    (0.0, "Low confidence: check the source"),
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question with its answer, or with what there is of one: `so_far` while it arrives."""

    question: str
    answer: Answer | None = None
    so_far: str = ""
    problem: str = ""


def history(exchanges: Iterable[Exchange]) -> tuple[Turn, ...]:
    """The conversation as the assistant wants it."""
    return tuple(
        turn
        for exchange in exchanges
        if exchange.answer
        for turn in (Turn("user", exchange.question), Turn("assistant", exchange.answer.text))
    )


def conversation(exchanges: Sequence[Exchange], examples: Sequence[str] = ()) -> str:
    """The questions with their answers, or a welcome with questions to begin with."""
    if not exchanges:
        return f'<div class="talk">{_welcome(examples)}</div>'
    turns = "".join(_exchange(number, e) for number, e in enumerate(exchanges, start=1))
    return f'<div class="talk" role="log" aria-label="Conversation">{turns}</div>'


def shelf(
    documents: Sequence[Document],
    citations: Sequence[Citation] = (),
    turn: int = 0,
    current: Mapping[str, IndexedDocument] | None = None,
) -> str:
    """Documents to read, whole, with an answer's citations marked; the first one is open."""
    articles = []
    for number, document in enumerate(documents):
        cited = [c for c in citations if c.document == document.id]
        now = current.get(document.id) if current is not None else None
        changed = current is not None and (now is None or now.version != document.version)
        articles.append(_article(document, cited, opened=number == 0, changed=changed))
    return (
        f'<div class="shelf" role="region" aria-label="Source" data-turn="{turn}">'
        f"{''.join(articles)}</div>"
    )


def missing(reason: str) -> str:
    """A shelf that says why the document cannot be shown."""
    return (
        '<div class="shelf" data-turn="0"><article class="source" data-document="">'
        f'<p class="problem">{escape(reason)}</p></article></div>'
    )


def library(documents: Iterable[IndexedDocument]) -> str:
    """The documents by title, each a link that opens it."""
    entries = sorted(documents, key=lambda document: document.title.casefold())
    items = "".join(
        f'<li><a href="#doc-{quote(entry.id, safe="")}">{escape(entry.title)}</a>'
        f"{_byline(entry.metadata, _pages_long(entry.characters))}</li>"
        for entry in entries
    )
    count = f"{len(entries)} document{'' if len(entries) == 1 else 's'}"
    return (
        '<section class="library" aria-labelledby="library-title">'
        f'<h2 id="library-title">The documents</h2><p class="count">{count}, ready to be asked.</p>'
        f"<ol>{items}</ol></section>"
    )


def _welcome(examples: Sequence[str]) -> str:
    items = "".join(
        f'<li><button type="button" class="example">{escape(example)}</button></li>'
        for example in examples
    )
    begin = f'<p class="label">To begin with</p><ul class="examples">{items}</ul>' if items else ""
    return (
        '<div class="welcome"><h2>Ask the documents.</h2>'
        "<p>Every sentence of an answer points at the exact words it rests on. "
        "When the documents do not say, the answer says so.</p>"
        f"{begin}</div>"
    )


def _exchange(turn: int, exchange: Exchange) -> str:
    if exchange.problem:
        body = f'<p class="problem" role="alert">{escape(exchange.problem)}</p>'
    elif exchange.answer is None:
        body = _so_far(exchange.so_far)
    elif exchange.answer.outcome == "not_in_corpus":
        body = _refusal(exchange.answer)
    else:
        body = _answer(turn, exchange.answer)
    busy = ' aria-busy="true"' if exchange.answer is None and not exchange.problem else ""
    return (
        f'<section class="turn" id="turn-{turn}"{busy}>'
        f'<h2 class="question">{escape(exchange.question)}</h2>'
        f'<div class="answer">{body}</div></section>'
    )


def _so_far(text: str) -> str:
    """An answer on its way, set as it will be, its notes not yet links."""
    if not text:
        return '<p class="words"><span class="waiting">Reading the documents…</span></p>'
    words = _MARKER.sub(r'<span class="note">\1</span>', escape(text))
    return "".join(f'<p class="words">{part}</p>' for part in words.split("\n\n"))


def _answer(turn: int, answer: Answer) -> str:
    says = next(says for least, says in _CONFIDENCE if answer.confidence >= least)
    how = f"The cited words answer the question with a probability of {answer.confidence:.2f}"
    model = "" if answer.model == "extractive" else f" · {escape(answer.model)}"
    return (
        f"{_paragraphs(turn, answer)}{_notices(answer)}{_sources(turn, answer.citations)}"
        f'<p class="confidence" title="{how}">{says}{model}</p>'
    )


def _paragraphs(turn: int, answer: Answer) -> str:
    """The sentences with their notes; a new paragraph where the answer's text begins one."""
    cited = {citation.n: citation for citation in answer.citations}
    paragraphs: list[list[str]] = [[]]
    at = 0
    for sentence in answer.sentences:
        found = answer.text.find(sentence.text, at)
        if found >= 0:
            if "\n\n" in answer.text[at:found] and paragraphs[-1]:
                paragraphs.append([])
            at = found + len(sentence.text)
        paragraphs[-1].append(_sentence(turn, sentence, cited))
    return "".join(f'<p class="words">{" ".join(words)}</p>' for words in paragraphs)


def _sentence(turn: int, sentence: AnswerSentence, cited: Mapping[int, Citation]) -> str:
    citations = [cited[n] for n in sentence.citations if n in cited]
    notes = "".join(
        f'<a class="note" href="#cite-{turn}-{c.n}" title="{escape(c.title)}">[{c.n}]</a>'
        for c in citations
    )
    words = _answering(sentence.text, citations)
    if sentence.support in _SUPPORT:
        words = f'<span class="doubtful">{words}</span>'
        notes += f' <span class="support">{_SUPPORT[sentence.support]}</span>'
    return words + notes


def _answering(text: str, citations: Sequence[Citation]) -> str:
    """The sentence, escaped, with the words that answer strong where it quotes them."""
    for citation in citations:
        at = text.find(citation.quote)
        if at >= 0 and citation.answer_span:
            start, end = at + citation.answer_span.start, at + citation.answer_span.end
            before, words, after = map(escape, (text[:start], text[start:end], text[end:]))
            return f"{before}<strong>{words}</strong>{after}"
    return escape(text)


def _sources(turn: int, citations: Sequence[Citation]) -> str:
    documents: dict[str, list[Citation]] = {}
    for citation in citations:
        documents.setdefault(citation.document, []).append(citation)
    items = "".join(
        f'<li><span class="numbers">{", ".join(str(c.n) for c in cited)}</span> '
        f'<a href="#cite-{turn}-{cited[0].n}">{escape(cited[0].title)}</a></li>'
        for cited in documents.values()
    )
    return f'<ul class="sources" aria-label="Sources">{items}</ul>' if items else ""


def _refusal(answer: Answer) -> str:
    words, near = escape(answer.text), ""
    if answer.evidence:
        document = answer.evidence[0].document
        title = escape(document.title)
        link = f'<a href="#doc-{quote(document.id, safe="")}">{title}</a>'
        if title in words:
            words = words.replace(title, link, 1)
        else:
            near = f'<p class="near">Nearest document: {link}</p>'
    return (
        '<div class="refusal"><p class="label">Not in the documents</p>'
        f'<p class="words">{words}</p>{near}</div>{_notices(answer)}'
    )


def _notices(answer: Answer) -> str:
    return "".join(f'<p class="notice">{escape(notice)}</p>' for notice in answer.notices)


def _article(document: Document, citations: Sequence[Citation], opened: bool, changed: bool) -> str:
    numbers = " ".join(str(citation.n) for citation in citations)
    note = (
        '<p class="changed">This is the version that was cited. '
        "The document has changed since, or is gone.</p>"
        if changed
        else ""
    )
    origin = document.metadata.get("source", "")
    id = "" if changed else escape(document.id)  # a link to the document means what it says now
    return (
        f'<article class="source" data-document="{id}" data-cites="{numbers}"'
        f'{"" if opened else " hidden"} aria-label="{escape(document.title)}">'
        f"<header><h2>{escape(document.title)}</h2>{_byline(document.metadata)}"
        f"{f'<p>{escape(origin)}</p>' if origin else ''}{note}</header>"
        f'<div class="text">{render(document, citations)}</div></article>'
    )


def _byline(metadata: Mapping[str, str], *more: str) -> str:
    known = [metadata[key] for key in ("kind", "author", "date") if metadata.get(key)]
    words = " · ".join(map(escape, (*known, *more)))
    return f'<p class="byline">{words}</p>' if words else ""


def _pages_long(characters: int) -> str:
    words = max(1, round(characters / 6 / 100)) * 100
    return f"about {words:,} words"
