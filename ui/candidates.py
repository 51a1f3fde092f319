"""What was found for a question, as HTML: each sentence weighed, cited or left out, and why."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from corpus.types import Span
from rag.types import Answer

SHOWN = 5
Trace = Mapping[str, Any]
Titles = Mapping[str, str]
"""The titles of documents by id."""


def found(turn: int, answer: Answer, trace: Trace, titles: Titles) -> Iterator[str]:
    """A section for each part of the question."""
    parts = trace["parts"]
    for number, part in enumerate(parts):
        items = [
            _candidate(turn, number, at, c, answer, trace, titles)
            for at, c in enumerate(part["candidates"])
        ]
        several = (
            f"<p>For this part of it: <q>{escape(str(part['reading']))}</q> Its best words answer"
            f" with a probability of {float(part['confidence']):.2f}.</p>"
            if len(parts) > 1
            else "<p>The sentences that were weighed, and how likely each one answers.</p>"
        )
        first = f'<ol class="candidates">{"".join(items[:SHOWN])}</ol>' if items else ""
        rest = (
            fold(
                f"{len(items) - SHOWN} more, less likely",
                f'<ol class="candidates" start="{SHOWN + 1}">{"".join(items[SHOWN:])}</ol>',
            )
            if len(items) > SHOWN
            else ""
        )
        nothing = "" if items else "<p>Nothing was found.</p>"
        yield section("What was found" if not number else "", several + first + rest + nothing)


def _candidate(
    turn: int,
    part: int,
    at: int,
    candidate: Trace,
    answer: Answer,
    trace: Trace,
    titles: Titles,
) -> str:
    document = str(candidate["document"])
    span = Span(candidate["start"], candidate["end"])
    n = next((c.n for c in answer.citations if c.shows(document, span)), None)
    place = f"#cite-{turn}-{n}" if n else f"#found-{turn}-{part}-{at}"
    probability = float(candidate["probability"])
    ranks = " · ".join(
        f"{_ordinal(int(rank) + 1)} by {by}"
        for by, rank in (
            ("meaning", candidate["dense_rank"]),
            ("words", candidate["lexical_rank"]),
        )
        if rank is not None
    )
    style = ' class="is-cited"' if n else ""
    return (
        f"<li{style}>"
        f'<div class="likely"><span class="track" aria-hidden="true">'
        f'<i class="fill" style="{across(probability)}"></i></span>'
        f"<span>{probability:.2f}</span></div>"
        f"<p>{_answering(str(candidate['text']), candidate.get('answer'))}</p>"
        f'<p class="verdict">{_verdict(candidate, n, answer, trace)}</p>'
        f'<p class="where"><a href="{place}">{escape(titles.get(document, document))}</a>'
        f"{f' · {ranks}' if ranks else ''}</p></li>"
    )


def _verdict(candidate: Trace, n: int | None, answer: Answer, trace: Trace) -> str:
    if n:
        words = " ".join(str(candidate["text"]).split())
        why = next((c["why"] for c in trace["chosen"] if c["text"] == words), "")
        said = f": {escape(str(why))}" if why and answer.model == "extractive" else ""
        return f"<b>Cited as [{n}]</b>{said}"
    if not candidate["read"]:
        return "Left out: only the nearest passages are read closely, and this was not among them"
    if float(candidate["probability"]) < float(trace["refuse_below"]):
        return "Left out: unlikely to answer"
    if answer.outcome == "not_in_corpus":
        return "Left out: with all signals together it did not answer surely enough"
    if answer.model != "extractive":
        return "Not cited: the language model rested on others"
    return "Left out: what is cited answers better, or says the same"


def _answering(text: str, words: object) -> str:
    """The sentence, escaped, with the words that answer strong."""
    at = text.find(words) if isinstance(words, str) and words else -1
    if at < 0:
        return escape(text)
    end = at + len(str(words))
    before, inside, after = map(escape, (text[:at], text[at:end], text[end:]))
    return f"{before}<strong>{inside}</strong>{after}"


def section(title: str, body: str) -> str:
    """A part of the drawer under its heading."""
    head = f"<h3>{escape(title)}</h3>" if title else ""
    return f"<section>{head}{body}</section>"


def fold(title: str, body: str, style: str = "") -> str:
    """What is unfolded by who wants it."""
    styled = f' class="{style}"' if style else ""
    return f"<details{styled}><summary>{escape(title)}</summary>{body}</details>"


def across(share: float) -> str:
    """The style of a bar that is so much of its track."""
    return f"inline-size:{min(max(share, 0.0), 1.0):.1%}"


def _ordinal(number: int) -> str:
    ends: Sequence[str] = ("th", "st", "nd", "rd")
    tens = number % 100
    end = ends[number % 10] if number % 10 < 4 and tens not in (11, 12, 13) else "th"
    return f"{number}{end}"
