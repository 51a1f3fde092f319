"""The drawer that says why this answer: the trail from the question to the cited words."""

from typing import Any

import gradio as gr

from corpus.errors import FootnoteError
from corpus.types import Document, Span
from rag.assistant import Assistant
from rag.types import Answer, Citation
from ui import pane, trail
from ui.page import Exchange
from ui.parts import PLAIN, QUIET

_ON_WHY = """
element.addEventListener("footnote-why", event => trigger("why", event.detail));
element.addEventListener("footnote-found", event => trigger("found", event.detail));
watch("value", () => window.footnote?.explained?.());
"""
_RETURN = '<button type="button" id="return">‹ Why this answer</button>'
_LEFT_OUT = "The words marked here were considered for the answer, and are not cited in it."
_MOVED = "The document has changed since: the words that were considered are not where they were."

Talk = tuple[Exchange, ...]


class Why:
    """The drawer; it is filled when it is opened, from the conversation of the person."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        gr.HTML(_RETURN, elem_id="return-pane", js_on_load=None, **PLAIN)
        self.drawer = gr.HTML(trail.missing(), elem_id="why", js_on_load=_ON_WHY, **PLAIN)

    def wire(self, talk: gr.State, source: gr.HTML) -> None:
        """Connects the events; `source` shows the place of what was found and not cited."""

        def why(talk: Talk, event: gr.EventData) -> str:
            turn = event._data.get("turn")
            answer = _answer(talk, turn)
            return trail.trail(turn, answer, self._titles(answer)) if answer else trail.missing()

        def found(talk: Talk, event: gr.EventData) -> str:
            wanted: dict[str, Any] = event._data
            answer = _answer(talk, wanted.get("turn"))
            try:
                return self._place(answer, int(wanted["part"]), int(wanted["at"]))
            except FootnoteError as error:
                return pane.missing(str(error))
            except (KeyError, IndexError, TypeError, ValueError, AttributeError):
                return pane.missing("This place is not known any more: ask the question again.")

        self.drawer.why(why, [talk], [self.drawer], **QUIET)
        self.drawer.found(found, [talk], [source], **QUIET)

    def _titles(self, answer: Answer) -> dict[str, str]:
        held = self._assistant.index.manifest.documents
        known = {id: document.title for id, document in held.items()}
        return known | {citation.document: citation.title for citation in answer.citations}

    def _place(self, answer: Answer | None, part: int, at: int) -> str:
        """The document of a candidate, with its words marked and numbered by its place."""
        assert answer is not None
        candidate: dict[str, Any] = answer.trace["parts"][part]["candidates"][at]  # type: ignore[index]
        span = Span(candidate["start"], candidate["end"])
        document = self._document(answer, candidate["document"])
        words = span.of(document.text)
        inner = words.find(candidate["answer"]) if candidate["answer"] else -1
        answers = Span(inner, inner + len(candidate["answer"])) if inner >= 0 else None
        marked = Citation(
            at + 1, document.id, document.version, document.title, span, words, answers
        )
        if words != candidate["text"]:  # another version by now: nothing is guessed
            return pane.shelf([document], notice=_MOVED)
        return pane.shelf([document], [marked], notice=_LEFT_OUT)

    def _document(self, answer: Answer, id: str) -> Document:
        """In the version that was read, as far as that is known."""
        versions = {e.document.id: e.document.version for e in answer.evidence}
        return self._assistant.index.document(id, versions.get(id))


def _answer(talk: Talk, turn: object) -> Answer | None:
    if not isinstance(turn, int) or not 0 < turn <= len(talk):
        return None
    return talk[turn - 1].answer
