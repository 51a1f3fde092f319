"""The desk: the source pane, with the words of an answer's citations marked."""

import gradio as gr

from corpus.errors import FootnoteError
from rag.assistant import Assistant
from rag.types import Answer
from ui import page
from ui.page import Exchange
from ui.parts import PLAIN, QUIET

BAR = """
<div class="bar">
  <button type="button" id="back">‹ Conversation</button>
  <a href="#library" id="to-library">All documents</a>
  <span id="title" aria-hidden="true"></span>
  <div class="steps" id="steps" hidden>
    <button type="button" id="previous" aria-label="Previous citation">‹</button>
    <span id="place" role="status"></span>
    <button type="button" id="next" aria-label="Next citation">›</button>
  </div>
</div>
"""
_ON_SHELF = """
element.addEventListener("footnote-open", event => trigger("open", event.detail));
watch("value", () => window.footnote?.arrived());
"""


class Desk:
    """The source of an answer, or any document, to read."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self.source = gr.HTML(page.shelf(()), elem_id="source", js_on_load=_ON_SHELF, **PLAIN)

    def wire(self, talk: gr.State) -> None:
        """Connects the events; `talk` holds the answers whose sources may be asked for."""

        def open_source(talk: tuple[Exchange, ...], event: gr.EventData) -> str:
            """A document by its id, or the sources of an earlier answer by its turn."""
            wanted: dict[str, object] = event._data
            turn = wanted.get("turn")
            if isinstance(turn, int):
                return self.shelf(turn, talk)
            try:
                return page.shelf([self._assistant.index.document(str(wanted.get("document")))])
            except FootnoteError as error:
                return page.missing(str(error))

        self.source.open(open_source, [talk], [self.source], **QUIET)

    def shelf(self, turn: int, talk: tuple[Exchange, ...]) -> str:
        """The documents that the answer of a turn cites, as HTML."""
        answer: Answer | None = talk[turn - 1].answer if 0 < turn <= len(talk) else None
        if answer is None:
            return page.missing("This conversation has no such answer.")
        versions = dict.fromkeys((c.document, c.version) for c in answer.citations)
        index = self._assistant.index
        try:
            documents = [index.document(id, version) for id, version in versions]
        except FootnoteError as error:
            return page.missing(str(error))
        return page.shelf(documents, answer.citations, turn, index.manifest.documents)
