"""Why this answer, as HTML: the trail from the question to the words that are cited.

Plain words come first, figures second. Whatever a person, a document or a model said is escaped.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from html import escape

from rag.shape import is_comparison
from rag.types import Answer
from ui.candidates import Titles, Trace, across, fold, found, section

_SHAPES = {
    "fact": "one fact",
    "list": "several things",
    "overview": "an overview",
    "yes-no": "yes or no",
}
_SUPPORT = {
    "supported": "The cited words carry it",
    "partial": "The cited words carry a part of it",
    "unsupported": "The documents do not carry it",
}
_STEPS = {
    "condense": "understanding",
    "search": "searching",
    "read": "reading",
    "compose": "choosing",
    "model": "the model",
    "verify": "checking",
}


def trail(turn: int, answer: Answer, titles: Titles) -> str:
    """The whole drawer for the answer of a turn."""
    try:
        body = "".join(_sections(turn, answer, titles))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        body = _nothing("What was kept of this answer cannot be read. Ask the question again.")
    return _drawer(turn, body)


def missing() -> str:
    """The drawer where there is no such answer."""
    return _drawer(0, _nothing("This conversation has no such answer."))


def _drawer(turn: int, body: str) -> str:
    return (
        f'<div class="why" data-turn="{turn}"><header><h2 tabindex="-1">Why this answer</h2>'
        '<button type="button" class="why-close" aria-label="Close: why this answer">Close'
        f"</button></header>{body}</div>"
    )


def _nothing(text: str) -> str:
    return f'<p class="lede">{escape(text)}</p>'


def _sections(turn: int, answer: Answer, titles: Titles) -> Iterator[str]:
    trace = answer.trace
    if not trace:
        yield _nothing("How this answer came about was not kept. Ask the question again to see it.")
    else:
        yield _lede(answer, trace)
        yield "".join(f'<p class="notice">{escape(notice)}</p>' for notice in answer.notices)
        yield _sureness(answer, trace)
        yield _understood(answer, trace)
        yield from found(turn, answer, trace, titles)
    if answer.sentences:
        yield _verified(turn, answer, trace)
    model = trace.get("model")
    if isinstance(model, Mapping):
        yield _model(model)
    if answer.timings:
        yield _effort(answer, trace)
    if trace:
        whole = json.dumps(trace, ensure_ascii=False, indent=1, default=str)
        yield fold("All of it, for a program", f'<pre tabindex="0">{escape(whole)}</pre>', "raw")


def _lede(answer: Answer, trace: Trace) -> str:
    candidates = {
        (c["document"], c["start"]): c for part in trace["parts"] for c in part["candidates"]
    }.values()
    documents = len({c["document"] for c in candidates})
    cited = len(answer.citations)
    weighed = (
        f"{_counted(len(candidates), 'sentence')} from {_counted(documents, 'document')}"
        f" {'was' if len(candidates) == 1 else 'were'} worth weighing."
    )
    if answer.outcome == "not_in_corpus":
        end = "None of them answers the question well enough, so it is not answered."
    elif answer.model == "extractive":
        end = f"{cited:,} of them {'is' if cited == 1 else 'are'} the answer."
    else:
        end = (
            f"A language model wrote from the best of them; its sentences were then checked"
            f" against the words they cite, {_counted(cited, 'sentence')} in all."
        )
    return _nothing(f"{weighed} {end}")


def _sureness(answer: Answer, trace: Trace) -> str:
    below = float(trace["refuse_below"])
    sure = answer.confidence
    what = "answered" if answer.outcome == "answered" else "not answered"
    return section(
        "How sure",
        f"<p>The probability that the best words answer the question is <b>{sure:.2f}</b>. "
        f"Below <b>{below:.2f}</b> Footnote refuses; this question was {what}.</p>"
        f'<div class="scale" aria-hidden="true"><i class="fill" style="{across(sure)}"></i>'
        f'<i class="point" style="inset-inline-start:{below:.1%}"></i></div>'
        f'<div class="ends" aria-hidden="true"><span>0</span><span class="refusal-point"'
        f' style="inset-inline-start:{below:.1%}">refuses below</span><span>1</span></div>',
    )


def _understood(answer: Answer, trace: Trace) -> str:
    asked, stands = answer.question.text, str(trace["standalone_question"])
    parts = []
    if stands != asked:
        parts.append(
            f"<p>You asked <q>{escape(asked)}</q> After what was said before, it was taken to"
            f" mean:</p><blockquote>{escape(stands)}</blockquote>"
        )
    else:
        parts.append(f"<blockquote>{escape(asked)}</blockquote>")
    shape = _SHAPES.get(str(trace["shape"]), str(trace["shape"]))
    shape = "a comparison" if is_comparison(stands) else shape
    parts.append(f"<p>It asks for {escape(shape)}.</p>")
    searches = [str(one) for one in trace["searches"]]
    if searches != [stands]:
        parts.append(f"<p>Searched for:</p>{_list(searches)}")
    readings = [str(one) for one in trace["readings"]]
    if len(readings) > 1:
        parts.append("<p>Ways to read it, of which the best answered was taken:</p>")
        parts.append(_list(readings))
    return section("The question, as it was understood", "".join(parts))


def _verified(turn: int, answer: Answer, trace: Trace) -> str:
    checked = trace.get("model", {}).get("sentences", [])
    items = []
    for sentence in answer.sentences:
        why: list[object] = next((c["why"] for c in checked if c.get("text") == sentence.text), [])
        reasons = f": {escape('; '.join(map(str, why)))}" if why else ""
        notes = "".join(
            f' <a href="#cite-{turn}-{n}" aria-label="Citation {n}">[{n}]</a>'
            for n in sentence.citations
        )
        items.append(
            f'<li class="{escape(sentence.support)}"><p>{escape(sentence.text)}{notes}</p>'
            f'<p class="verdict">{_SUPPORT.get(sentence.support, "")}{reasons}</p></li>'
        )
    how = (
        "The sentences are the documents' own, word for word."
        if answer.model == "extractive"
        else "Each sentence of the model was checked against the words that it cites: numbers,"
        " units, dates, names and denials first, then its meaning."
    )
    return section("Sentence by sentence", f'<p>{how}</p><ol class="checked">{"".join(items)}</ol>')


def _model(model: Trace) -> str:
    prompt = "".join(
        f"<h4>{'What it was told first' if m['role'] == 'system' else 'What it was asked'}</h4>"
        f'<pre tabindex="0">{escape(str(m["content"]))}</pre>'
        for m in model["prompt"]
    )
    remarks = []
    if model.get("finish") == "length":
        remarks.append("Its reply was cut off.")
    for why in model.get("attempts") or ():
        remarks.append(f"It had to be asked again: {why}.")
    if dropped := int(model.get("labels_dropped") or 0):
        remarks.append(f"{_counted(dropped, 'citation')} of what it was not shown were dropped.")
    said = "".join(f"<p>{escape(remark)}</p>" for remark in remarks)
    reply = f'<pre tabindex="0">{escape(str(model["reply"]))}</pre>'
    return section(
        "What the language model was given",
        "<p>It was shown the question and the passages below, as quotations, and nothing else."
        f"</p>{said}{fold('The prompt', prompt)}{fold('Its reply, as it came', reply)}",
    )


def _effort(answer: Answer, trace: Trace) -> str:
    steps = {step: ms for step, ms in answer.timings.items() if step in _STEPS and ms >= 0}
    total = answer.timings.get("total") or sum(steps.values())
    whole = sum(steps.values()) or 1.0
    strip = "".join(
        f'<i class="step-{step}" style="flex-grow:{ms / whole:.4f}"></i>'
        for step, ms in steps.items()
    )
    legend = "".join(
        f'<li><i class="step-{step}" aria-hidden="true"></i>{_STEPS[step]} <b>{_time(ms)}</b></li>'
        for step, ms in steps.items()
    )
    return section(
        "Time and cost",
        f"<p>It took <b>{_time(total)}</b>{_tokens(answer, trace)}</p>"
        f'<div class="strip" aria-hidden="true">{strip}</div><ul class="legend">{legend}</ul>',
    )


def _tokens(answer: Answer, trace: Trace) -> str:
    if not answer.tokens:
        return " and no language model." if answer.model == "extractive" else "."
    into, out = (int(answer.tokens.get(name, 0)) for name in ("in", "out"))
    cost = answer.tokens.get("cost")
    money = f", which cost {cost:.4g} in the prices set" if cost is not None else ""
    about = "about " if trace.get("model", {}).get("tokens_estimated") else ""
    return (
        f", and {about}<b>{into:,}</b> tokens in and <b>{out:,}</b> out of"
        f" {escape(answer.model)}{money}."
    )


def _list(items: Iterable[str]) -> str:
    return f'<ul class="plain">{"".join(f"<li>{escape(item)}</li>" for item in items)}</ul>'


def _time(ms: float) -> str:
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.1f} s"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
