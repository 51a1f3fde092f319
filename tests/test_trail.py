"""Why this answer, as HTML: whatever the trace holds, it is text."""

from dataclasses import replace
from typing import Any

import pytest

from rag.assistant import Assistant
from rag.types import Answer, Turn
from ui.trail import missing, trail

DETAINED = "How many suspects did the police detain in last year's campaign?"
HOSTILE = "<script>owned=1</script>\"&'</pre></details>"


def shown(answer: Answer, titles: dict[str, str] | None = None) -> str:
    return trail(1, answer, titles or {})


def hostile(value: Any) -> Any:
    """The same with every text turned into markup."""
    if isinstance(value, dict):
        return {key: hostile(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [hostile(inner) for inner in value]
    return HOSTILE if isinstance(value, str) else value


def test_a_question_that_leans_on_another_is_shown_as_it_was_read(assistant: Assistant) -> None:
    before = (Turn("user", DETAINED), Turn("assistant", assistant.ask(DETAINED).text))
    answer = assistant.ask("In how many cases?", before)
    html = shown(answer)
    assert "You asked <q>In how many cases?</q>" in html
    assert "Searched for:" in html
    assert answer.question.standalone.replace("'", "&#x27;") in html


def test_each_of_two_sentences_that_share_a_footnote_has_its_own_reason(
    assistant: Assistant,
) -> None:
    answer = assistant.ask("How many of those arrested in 2017 went to rehabilitation centres?")
    assert [s.citations for s in answer.sentences] == [(1,), (1,)]
    html = shown(answer)
    assert html.count("<b>Cited as [1]</b>: states the answer") == 1
    assert html.count("<b>Cited as [1]</b>: is what the next sentence leans on") == 1


def test_the_same_sentence_counts_once(assistant: Assistant) -> None:
    answer = assistant.ask("How many suspects were detained, and how many cases were there?")
    parts: Any = answer.trace["parts"]
    places = {(c["document"], c["start"]) for part in parts for c in part["candidates"]}
    assert len(parts) > 1
    assert f"{len(places)} sentences from" in shown(answer)


def test_documents_and_models_say_nothing_but_text(assistant: Assistant) -> None:
    answer = assistant.ask(DETAINED)
    model = {
        "prompt": [{"role": "system", "content": HOSTILE}],
        "reply": HOSTILE,
        "finish": HOSTILE,
        "attempts": [HOSTILE],
        "labels_dropped": 1,
        "tokens_estimated": True,
        "sentences": [{"why": [HOSTILE]}],
    }
    parts: Any = hostile(answer.trace["parts"])
    trace = {**answer.trace, "shape": HOSTILE, "parts": parts, "model": model}
    told = replace(answer, trace=trace, model=HOSTILE, tokens={"in": 1, "out": 2, "cost": 0.001})
    html = shown(told, {HOSTILE: HOSTILE})
    assert "<script" not in html
    assert html.count("&lt;script&gt;") > 10
    assert "about <b>1</b> tokens in" in html
    assert "It had to be asked again: &lt;script&gt;" in html


@pytest.mark.parametrize(
    "trace",
    [
        {"parts": None},
        {"parts": [{"candidates": [{"document": [], "start": {}}]}]},
        {"refuse_below": "much", "parts": []},
        {"model": "none", "parts": [], "refuse_below": 0.2, "standalone_question": 1},
        {"model": {}, "parts": []},
    ],
)
def test_what_came_back_from_a_browser_may_be_anything(
    assistant: Assistant, trace: dict[str, object]
) -> None:
    html = shown(replace(assistant.ask(DETAINED), trace=trace))
    assert "cannot be read" in html


def test_without_a_trace_it_says_so(assistant: Assistant) -> None:
    html = shown(replace(assistant.ask(DETAINED), trace={}))
    assert "was not kept" in html
    assert "The cited words carry it" in html
    assert "no such answer" in missing()
