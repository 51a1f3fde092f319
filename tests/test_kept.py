"""A conversation that comes back from a browser: read strictly, looked up again."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from corpus.types import Span
from index.build import build
from index.embed import embedder
from index.search import Index
from rag.assistant import Assistant
from rag.types import AnswerSentence, Citation
from rag.wire import as_json
from ui import kept, markdown
from ui.kept import Unreadable, record, revive
from ui.notes import CHANGED, GONE, LOST, Standing, standing
from ui.page import Exchange

DETAINED = "How many suspects did the police detain in last year's campaign?"
PANCAKES = "How do I make pancakes without eggs?"


def through_the_browser(*exchanges: Exchange) -> Any:
    return json.loads(json.dumps([record(exchange, {}) for exchange in exchanges]))


def test_turns_come_back_as_they_were(assistant: Assistant) -> None:
    whole = [Exchange(question, assistant.ask(question)) for question in (DETAINED, PANCAKES)]
    whole.append(Exchange("Stopped?", so_far="It [1]", stopped=True, within=("A", "B")))
    whole.append(Exchange("Wrong?", problem="too long"))
    back = revive(through_the_browser(*whole), assistant.index)
    assert back[2:] == tuple(whole[2:])
    for old, new in zip(whole[:2], back, strict=False):
        assert old.answer
        assert new.answer
        assert new.answer.citations == old.answer.citations
        assert new.answer.sentences == old.answer.sentences
        assert new.answer.trace == json.loads(json.dumps(old.answer.trace))
        few = [(e.document.id, e.span) for e in old.answer.evidence[: kept.EVIDENCE]]
        assert [(e.document.id, e.span) for e in new.answer.evidence] == few
        fewer = replace(old.answer, evidence=())
        assert as_json(replace(new.answer, evidence=())) == as_json(fewer)


def test_why_a_sentence_is_not_supported_comes_back(assistant: Assistant) -> None:
    answer = assistant.ask(DETAINED)
    doubted = AnswerSentence("It cost 40 million.", (), "unsupported", "cites nothing")
    exchange = Exchange(DETAINED, replace(answer, sentences=(*answer.sentences, doubted)))
    (back,) = revive(through_the_browser(exchange), assistant.index)
    assert back.answer
    assert back.answer.sentences[-1] == doubted


def test_a_question_that_was_left_says_so(assistant: Assistant) -> None:
    (back,) = revive([{"question": "Why?", "answer": None}], assistant.index)
    assert back == Exchange("Why?", problem=kept.LEFT)


@pytest.mark.parametrize(
    "break_it",
    [
        lambda turn: turn.pop("question"),
        lambda turn: turn.update(question=7),
        lambda turn: turn.update(question="x" * 200_000),
        lambda turn: turn.update(answer="text"),
        lambda turn: turn.update(why=[]),
        lambda turn: turn["answer"].update(outcome="sure"),
        lambda turn: turn["answer"].update(confidence="high"),
        lambda turn: turn["answer"].update(confidence=True),
        lambda turn: turn["answer"].update(notices=[{}]),
        lambda turn: turn["answer"].update(trace=[]),
        lambda turn: turn["answer"]["sentences"][0].update(support="certain"),
        lambda turn: turn["answer"]["sentences"][0].update(citations=[9]),
        lambda turn: turn["answer"]["citations"][0].update(n=2),
        lambda turn: turn["answer"]["citations"][0].update(start=-1),
        lambda turn: turn["answer"]["citations"][0].update(start=1.5),
        lambda turn: turn["answer"]["citations"][0].update(answer_span=[5, 90_000]),
        lambda turn: turn["answer"]["evidence"][0].update(score=None),
    ],
)
def test_anything_else_is_refused(
    assistant: Assistant, break_it: Callable[[dict[str, Any]], object]
) -> None:
    turns = through_the_browser(Exchange(DETAINED, assistant.ask(DETAINED)))
    break_it(turns[0])
    with pytest.raises(Unreadable):
        revive(turns, assistant.index)


@pytest.mark.parametrize("turns", [None, {}, "x", [1], [[]], [{}] * 1_000])
def test_what_is_no_conversation_is_refused(assistant: Assistant, turns: object) -> None:
    with pytest.raises(Unreadable):
        revive(turns, assistant.index)


def test_a_citation_is_not_believed(assistant: Assistant) -> None:
    """Its words must stand in the version it names, where it says."""
    (citation, *_) = assistant.ask(DETAINED).citations
    index = assistant.index
    assert not standing(index, citation).doubt
    for forged in (
        replace(citation, quote="The police detained nobody."),
        replace(citation, span=Span(citation.span.start + 1, citation.span.end + 1)),
        replace(citation, version="0" * 64),
        replace(citation, version="../../../etc/passwd"),
        replace(citation, document="../secret.md"),
        replace(citation, span=Span(0, 0), quote=""),
    ):
        assert standing(index, forged).lost


def test_a_citation_of_a_changed_document_says_so(tmp_path: Path) -> None:
    folder, note, other = tmp_path / "index", tmp_path / "note.md", tmp_path / "other.md"
    other.write_text("Something else stays.\n")
    model = embedder("minilm")

    def now(text: str | None) -> Index:
        if text is None:
            note.unlink()
        else:
            note.write_text(f"---\ntitle: Note\ndate: 2020-05-01\n---\n{text}\n")
        build([other] if text is None else [note, other], folder, model)
        return Index.open(folder, model)

    def cite(index: Index, words: str) -> Citation:
        document = index.document("note.md")
        at = document.text.index(words)
        return Citation(1, "note.md", document.version, "Note", Span(at, at + len(words)), words)

    first = now("The mill had 412 workers.")
    cited = cite(first, "412 workers")
    assert standing(first, cited) == Standing("2020-05-01")
    assert standing(now("The mill had 500 workers."), cited) == Standing("2020-05-01", CHANGED)
    del first  # who holds a state keeps its texts
    third = now("It burned down.")
    assert standing(third, cited) == Standing(doubt=LOST, lost=True)
    assert standing(now(None), cite(third, "burned")) == Standing("2020-05-01", GONE)


def test_an_answer_as_markdown_has_its_footnotes(assistant: Assistant) -> None:
    answer = assistant.ask(DETAINED)
    doubted = AnswerSentence("It cost <b>40</b>.", (), "unsupported", "cites nothing")
    answer = replace(answer, sentences=(*answer.sentences, doubted))
    text = markdown.exchange(DETAINED, answer, {1: Standing("2023-02-20")})
    (citation, *_) = answer.citations
    assert text.startswith(f"## {DETAINED}\n\n")
    assert f"{answer.sentences[0].text}[^1]" in text
    assert f"[^1]: “{citation.quote}” — {citation.title}, 2023-02-20 ({citation.document})" in text
    assert r"It cost \<b\>40\</b\>. *(not supported by the documents: cites nothing)*" in text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("# Head", r"\# Head"),
        ("- item", r"\- item"),
        ("12. item", r"12\. item"),
        ("1986 was a year", "1986 was a year"),
        ("<script>x</script>", r"\<script\>x\</script\>"),
        ("[a](javascript:b)", r"\[a\](javascript:b)"),
        ("a\n\n## b", r"a \#\# b"),
        ("$x$ &amp; `y` *z*", r"\$x\$ \&amp; \`y\` \*z\*"),
    ],
)
def test_words_stay_words_in_markdown(text: str, escaped: str) -> None:
    assert markdown.exchange(text, None, {}) == f"## {escaped}\n\n*No answer.*\n"
