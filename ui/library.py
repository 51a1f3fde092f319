"""The library: the documents that the index holds."""

import gradio as gr

from rag.assistant import Assistant
from ui import page
from ui.parts import PLAIN, QUIET


class Library:
    """The list of documents; each entry opens its document on the desk."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self.shelves = gr.HTML(self._listed(), elem_id="library", js_on_load=None, **PLAIN)

    def wire(self, blocks: gr.Blocks) -> None:
        """Connects the events: whoever opens the page sees the newest state."""
        blocks.load(self._listed, None, [self.shelves], **QUIET)

    def _listed(self) -> str:
        return page.library(self._assistant.index.manifest.documents.values())
