"""Everything the app shows beside the documents' own text, as HTML: conversation and library.

All words that come from a person, a document or a model are escaped here. A link to a citation is
`#cite-TURN-N`, to a document `#doc-ID`, to why an answer is as it is `#why-TURN`; `#good-TURN` and
`#bad-TURN` say what a person thinks of it. assets/room.js follows them.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from rag.message import is_courtesy
from rag.types import Answer, AnswerSentence, Citation, Turn
from ui import notes
from ui.markdown import paragraphs_of
from ui.notes import Standing, Standings

_MARKER = re.compile(r" ?(\[\d{1,3}\])")
_SUPPORT = {"partial": "partly supported", "unsupported": "not supported by the documents"}
_CONFIDENCE = (
    (0.7, "High confidence"),
    (0.5, "Fair confidence"),
    (0.0, "Low confidence: check the source"),
)
_NEAREST = 3
# Turns that are over move here in the browser: they are not sent again with every question.
PASSED = '<div class="talk earlier" id="passed"></div>'
_WORDS = re.compile(r"\w+")
_THUMB = (
    '<svg viewBox="0 0 20 20" aria-hidden="true"><path d="M2.5 8.5h3v8h-3zM5.5 9l3.3-6.3c1.2 0 2 '
    "1 1.8 2.2L10.1 8h5.2c1.1 0 1.9 1 1.6 2.1l-1.4 5c-.2.8-1 1.4-1.8 1.4H5.5"
    '" /></svg>'
)


def _known(citation: Citation) -> Standing:
    return Standing()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question with its answer, or with what there is of one: `so_far` while it arrives.

    `problem` says why there is none; `stopped`: by the person who asked. `within` are the titles of
    the documents that were asked, () for all.
    """

    question: str
    answer: Answer | None = None
    so_far: str = ""
    problem: str = ""
    stopped: bool = False
    within: tuple[str, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether nothing more will come."""
        return self.answer is not None or self.stopped or bool(self.problem)


def history(exchanges: Iterable[Exchange]) -> tuple[Turn, ...]:
    """The conversation as the assistant wants it."""
    return tuple(
        turn
        for exchange in exchanges
        if exchange.answer
        for turn in (Turn("user", exchange.question), Turn("assistant", exchange.answer.text))
    )


def earlier(exchanges: Sequence[Exchange], stand: Standings = _known, run: str = "") -> str:
    """All turns but the last one, of a conversation that is opened again."""
    turns = "".join(
        _exchange(number, exchange, stand)
        for number, exchange in enumerate(exchanges[:-1], start=1)
    )
    return f'<div class="talk earlier" data-run="{escape(run)}">{turns}</div>' if turns else ""


def latest(
    exchanges: Sequence[Exchange],
    examples: Sequence[str] = (),
    stand: Standings = _known,
    run: str = "",
) -> str:
    """The last turn, which its asker calls `run`; or a welcome with questions to begin with."""
    if not exchanges:
        return f'<div class="talk" data-run="{escape(run)}">{_welcome(examples)}</div>'
    turn = _exchange(len(exchanges), exchanges[-1], stand, last=True)
    return f'<div class="talk" data-run="{escape(run)}">{turn}</div>'


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


def _exchange(turn: int, exchange: Exchange, stand: Standings, last: bool = False) -> str:
    answer = exchange.answer
    if answer is None:
        body = _unanswered(exchange)
    elif answer.outcome == "not_in_corpus":
        body = _refusal(answer, exchange.within)
    else:
        body = _answer(turn, answer, stand)
    busy = "" if exchange.finished else ' aria-busy="true"'
    asked = _few(exchange.within) if exchange.within else ""
    return (
        f'<section class="turn" id="turn-{turn}"{busy} aria-labelledby="question-{turn}">'
        f'<h2 class="question" id="question-{turn}" tabindex="-1">{escape(exchange.question)}</h2>'
        f"{f'<p class=aside>Asked of: {escape(asked)}</p>' if asked else ''}"
        f"{_understood(answer)}"
        f'<div class="answer">{body}</div>'
        f"{_actions(turn, exchange, last) if exchange.finished else ''}</section>"
    )


def _understood(answer: Answer | None) -> str:
    """How the question was read, where that is not how it was put."""
    if answer is None:
        return ""
    read, put = answer.question.standalone, answer.question.text
    if _WORDS.findall(read.casefold()) == _WORDS.findall(put.casefold()):
        return ""
    return f'<p class="aside">Understood as: {escape(read)}</p>'


def _unanswered(exchange: Exchange) -> str:
    if exchange.problem:
        return f'<p class="problem">{escape(exchange.problem)}</p>'
    if not exchange.stopped:
        return _so_far(exchange.so_far)
    if not exchange.so_far:
        return '<p class="notice">Stopped before an answer came.</p>'
    return (
        f"{_so_far(exchange.so_far)}"
        '<p class="notice">Stopped: what stands here is not the whole answer, '
        "and was not checked to its end.</p>"
    )


def _so_far(text: str) -> str:
    """An answer on its way, set as it will be, its notes not yet links."""
    if not text:
        return '<p class="words"><span class="waiting">Reading the documents…</span></p>'
    words = _MARKER.sub(r'<span class="note">\1</span>', escape(text))
    return "".join(f'<p class="words">{part}</p>' for part in words.split("\n\n"))


def _answer(turn: int, answer: Answer, stand: Standings) -> str:
    standings = {citation.n: stand(citation) for citation in answer.citations}
    says = next(says for least, says in _CONFIDENCE if answer.confidence >= least)
    how = f"The cited words answer the question with a probability of {answer.confidence:.2f}"
    model = "" if answer.model == "extractive" else f" · {escape(answer.model)}"
    return (
        f"{_notices(answer)}{_paragraphs(turn, answer, standings)}"
        f"{notes.sources(turn, answer.citations, standings)}"
        f'<p class="confidence" title="{how}">{says}{model}</p>'
        f"{notes.cards(turn, answer.citations, standings)}"
    )


def _paragraphs(turn: int, answer: Answer, standings: Mapping[int, Standing]) -> str:
    cited = {citation.n: citation for citation in answer.citations}
    return "".join(
        f'<p class="words">{" ".join(_sentence(turn, s, cited, standings) for s in sentences)}</p>'
        for sentences in paragraphs_of(answer)
    )


def _sentence(
    turn: int,
    sentence: AnswerSentence,
    cited: Mapping[int, Citation],
    standings: Mapping[int, Standing],
) -> str:
    citations = [cited[n] for n in sentence.citations if n in cited]
    links = "".join(notes.note(turn, citation, standings[citation.n]) for citation in citations)
    words = _answering(sentence.text, citations)
    if sentence.support not in _SUPPORT:
        return words + links
    why = f'<span class="reason">: {escape(sentence.why)}</span>' if sentence.why else ""
    return (
        f'<span class="doubtful">{words}</span>{links} '
        f'<span class="support">{_SUPPORT[sentence.support]}{why}</span>'
    )


def _answering(text: str, citations: Sequence[Citation]) -> str:
    """The sentence, escaped, with the words that answer strong where it quotes them.

    It may hold the whole quote, or be one sentence of it; the quote may break its lines.
    """
    for citation in citations:
        if citation.answer_span is None:
            continue
        quote, inner = _on_one_line(citation.quote), citation.answer_span
        if quote in text:
            at = text.index(quote)
        elif text in quote:
            at = -quote.index(text)
        else:
            continue
        start = at + len(_on_one_line(citation.quote[: inner.start]))
        end = at + len(_on_one_line(citation.quote[: inner.end]))
        if 0 <= start < end <= len(text):
            before, words, after = map(escape, (text[:start], text[start:end], text[end:]))
            return f"{before}<strong>{words}</strong>{after}"
    return escape(text)


def _on_one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def _refusal(answer: Answer, asked: Sequence[str]) -> str:
    words = escape(answer.text)
    near: dict[str, str] = {}
    for evidence in answer.evidence:
        document = evidence.document
        link = f'<a href="#doc-{quote(document.id, safe="")}">{escape(document.title)}</a>'
        near.setdefault(document.id, link)
        if len(near) == _NEAREST:
            break
    items = "".join(f"<li>{link}</li>" for link in near.values())
    nearest = f'<p class="near">Nearest to it</p><ul class="nearest">{items}</ul>' if near else ""
    widen = '<button type="button" class="widen">Ask all documents</button>' if asked else ""
    courtesy = is_courtesy(answer.question.text)
    label = "" if courtesy else '<p class="label">Not in the documents</p>'
    return (
        f'{_notices(answer)}<div class="refusal">{label}'
        f'<p class="words">{words}</p>{nearest}{widen}</div>{_said_all_the_same(answer)}'
    )


def _said_all_the_same(answer: Answer) -> str:
    """What a model said where the documents do not answer: every sentence marked."""
    if not answer.sentences:
        return ""
    return (
        '<p class="label">The model said, without support</p>'
        f'<p class="words">{" ".join(_sentence(0, s, {}, {}) for s in answer.sentences)}</p>'
    )


def _actions(turn: int, exchange: Exchange, last: bool) -> str:
    """What can be done with a turn that is finished."""
    actions = []
    if exchange.answer is not None:
        actions.append('<button type="button" class="copy">Copy</button>')
        actions.append(f'<a href="#why-{turn}">Why this answer</a>')
    if last:
        actions.append('<button type="button" class="retry">Retry</button>')
    actions.append('<button type="button" class="edit">Edit</button>')
    if exchange.answer is not None:
        actions.append(
            f'<span class="thumbs"><a role="button" href="#good-{turn}" aria-label="Good answer" '
            f'title="Good answer">{_THUMB}</a><a role="button" href="#bad-{turn}" class="down" '
            f'aria-label="Bad answer" title="Bad answer">{_THUMB}</a></span>'
        )
    label = f"What to do with answer {turn}"
    return f'<div class="actions" role="group" aria-label="{label}">{"".join(actions)}</div>'


def _few(titles: Sequence[str]) -> str:
    more = f" and {len(titles) - 2} more" if len(titles) > 2 else ""
    return ", ".join(f"“{title}”" for title in titles[:2]) + more


def _notices(answer: Answer) -> str:
    return "".join(f'<p class="notice">{escape(notice)}</p>' for notice in answer.notices)
