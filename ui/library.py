"""The library: the documents that the index holds, and which of them a question may use.

The list itself is made in the browser (assets/library.js) from what library_routes.py says, so that
thousands of documents are filtered at once, and everybody sees what is being indexed.
"""

from html import escape

import gradio as gr

from corpus.read import LARGEST, SUFFIXES
from ui.parts import PLAIN, QUIET

MOST_CHOSEN = 100_000
_ON_SHELVES = """
element.addEventListener("footnote-choose", event => trigger("choose", event.detail));
window.footnote?.shelved();
"""
_SCOPE = '<p class="scope" hidden role="status"></p>'


class Library:
    """The list of documents; each entry opens its document on the desk.

    `chosen` belongs to the session: None for all documents, or the ids that a question may use.
    """

    def __init__(self, read_only: bool) -> None:
        self.chosen = gr.State(None)
        self.shelves = gr.HTML(
            shelves(read_only), elem_id="library", js_on_load=_ON_SHELVES, **PLAIN
        )

    def wire(self) -> None:
        """Connects the events. A choice does not wait behind questions."""

        def choose(event: gr.EventData) -> tuple[str, ...] | None:
            wanted = event._data.get("documents")
            if not isinstance(wanted, list):
                return None
            return tuple(str(id) for id in wanted[:MOST_CHOSEN])

        self.shelves.choose(choose, None, [self.chosen], queue=False, **QUIET)


def scope() -> gr.HTML:
    """A line at the question that says so where not all documents are asked."""
    return gr.HTML(_SCOPE, elem_id="scope", js_on_load=None, **PLAIN)


def shelves(read_only: bool) -> str:
    """The frame of the list; without what changes it where it is read only."""
    return (
        '<section class="library" aria-labelledby="library-title">'
        '<h2 id="library-title">The documents</h2>'
        '<p class="count" role="status">Opening the library…</p>'
        f"{'' if read_only else _writing()}"
        '<div class="choosing" hidden>'
        '<label class="choice"><input type="checkbox" id="choose-all"><span></span></label>'
        '<input type="search" id="filter" aria-label="Filter the documents"'
        ' placeholder="Filter…" autocomplete="off" hidden></div>'
        '<ol class="entries"></ol>'
        '<button type="button" id="more-entries" hidden></button></section>'
    )


def _writing() -> str:
    kinds = ", ".join(sorted(SUFFIXES))
    return (
        f'<div class="writing" data-kinds="{escape(kinds)}" data-largest="{LARGEST}">'
        '<div class="begin-adding"><button type="button" id="add-documents">Add documents</button>'
        '<button type="button" id="index-again">Re-index</button>'
        '<span class="hint">or drop files anywhere</span></div>'
        f'<input type="file" id="files" multiple hidden tabindex="-1" accept="{escape(kinds)}"'
        ' aria-label="Files to add">'
        '<div class="work" hidden><progress aria-label="Indexing"></progress>'
        '<span role="status"></span></div>'
        '<p class="problem" role="alert" hidden></p>'
        '<ul class="arrivals" aria-label="Files that are added"></ul></div>'
    )
