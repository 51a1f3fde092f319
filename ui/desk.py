"""The desk: the source pane, with the words of an answer's citations marked."""

import gradio as gr

from corpus.errors import FootnoteError
from rag.assistant import Assistant
from rag.types import Answer
from ui import links, pane
from ui.page import Exchange
from ui.parts import PLAIN, QUIET

BAR = """
<div class="bar">
  <button type="button" id="back">‹ Conversation</button>
  <a href="#library" id="to-library">All documents</a>
  <span id="title" aria-hidden="true"></span>
  <div class="tools" id="tools" hidden>
    <button type="button" id="to-outline" aria-expanded="false" aria-controls="outline"
      >Contents</button>
    <button type="button" id="to-find" aria-expanded="false" aria-controls="find">Find</button>
    <div class="steps" id="steps" role="group" aria-label="Citations">
      <button type="button" id="previous" aria-label="Previous citation">‹</button>
      <span id="place" role="status"></span>
      <button type="button" id="next" aria-label="Next citation">›</button>
    </div>
    <button type="button" id="copy-link">Copy link</button>
  </div>
</div>
<div id="tabs" role="group" aria-label="Documents cited by this answer" hidden></div>
<form id="find" role="search" aria-label="Find in this document" hidden>
  <input type="search" id="find-words" aria-label="Find in this document"
    placeholder="Find in this document…" autocomplete="off" spellcheck="false" maxlength="400">
  <span id="find-count" role="status"></span>
  <button type="button" id="find-previous" aria-label="Previous place">‹</button>
  <button type="submit" id="find-next" aria-label="Next place">›</button>
  <button type="button" id="find-close" aria-label="Close the search">×</button>
</form>
<nav id="outline" aria-label="Contents of this document" hidden></nav>
"""
_ON_SHELF = """
element.addEventListener("footnote-open", event => trigger("open", event.detail));
watch("value", () => window.footnote?.arrived());
window.footnote?.followed();
"""


class Desk:
    """The source of an answer, or any document, to read."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self.source = gr.HTML(pane.shelf(()), elem_id="source", js_on_load=_ON_SHELF, **PLAIN)

    def wire(self, talk: gr.State) -> None:
        """Connects the events; `talk` holds the answers whose sources may be asked for."""

        def open_source(talk: tuple[Exchange, ...], event: gr.EventData) -> str:
            """A document by its id or by a link, or the sources of an answer by its turn."""
            wanted: dict[str, object] = event._data
            if isinstance(link := wanted.get("link"), str):
                return links.follow(self._assistant.index, link)
            turn = wanted.get("turn")
            if isinstance(turn, int):
                return self.shelf(turn, talk)
            try:
                return pane.shelf([self._assistant.index.document(str(wanted.get("document")))])
            except FootnoteError as error:
                return pane.missing(str(error))

        self.source.open(open_source, [talk], [self.source], **QUIET)

    def shelf(self, turn: int, talk: tuple[Exchange, ...]) -> str:
        """The documents that the answer of a turn cites, as HTML."""
        answer: Answer | None = talk[turn - 1].answer if 0 < turn <= len(talk) else None
        if answer is None:
            return pane.missing("This conversation has no such answer.")
        versions = dict.fromkeys((c.document, c.version) for c in answer.citations)
        index = self._assistant.index
        documents, lost = [], []
        for id, version in versions:
            try:
                documents.append(index.document(id, version))
            except FootnoteError:
                lost += [c for c in answer.citations if (c.document, c.version) == (id, version)]
        shown = [citation for citation in answer.citations if citation not in lost]
        return pane.shelf(documents, shown, turn, index.manifest.documents, lost=lost)
