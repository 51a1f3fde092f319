"""The app: a conversation, and beside it the source with the cited words marked.

The only file that imports gradio. What the page looks like is in assets/, what it says in page.py
and source.py; here is which event calls what.
"""

import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio as gr
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from corpus.errors import FootnoteError
from corpus.read import BUILT_IN
from rag.assistant import Assistant
from rag.settings import Settings
from rag.types import Answer
from ui import page, server
from ui.page import Exchange

ASSETS = Path(__file__).parent / "assets"
EXAMPLES = (
    "How many suspects did the police detain in last year's campaign?",
    "When was the Anti-Drug Law passed?",
    "What is chemical profiling for?",
    "Which three drugs have spread widely, and how much was seized last year?",
)

Talk = tuple[Exchange, ...]

_log = logging.getLogger("footnote")

_BAR = """
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
_HEADER = """
<div class="masthead">
  <h1>Footnote<sup aria-hidden="true">1</sup></h1>
  <a href="#library">Documents</a>
  <a href="#new" id="new">New conversation</a>
</div>
"""
_ON_TALK = """
element.addEventListener("footnote-ask", event => trigger("ask", event.detail));
element.addEventListener("footnote-new", () => trigger("fresh"));
watch("value", () => window.footnote?.talked());
"""
_ON_SHELF = """
element.addEventListener("footnote-open", event => trigger("open", event.detail));
watch("value", () => window.footnote?.arrived());
"""


def build(assistant: Assistant) -> gr.Blocks:
    """The app over an assistant. All that belongs to one person is in `talk`."""
    examples = EXAMPLES if _holds_built_in(assistant) else ()

    def ask(question: str, talk: Talk) -> Iterator[tuple[object, ...]]:
        question, same = question.strip(), gr.skip()
        if not question:
            yield same, same, same, same
            return
        exchange = Exchange(question)
        yield "", page.conversation((*talk, exchange)), same, same
        try:
            for delta in assistant.stream(question, page.history(talk)):
                so_far = exchange.so_far + delta.text
                exchange = Exchange(question, answer=delta.answer, so_far=so_far)
                if delta.answer is None:
                    yield same, page.conversation((*talk, exchange)), same, same
        except FootnoteError as error:
            exchange = Exchange(question, problem=str(error))
        except Exception:
            _log.exception("a question could not be answered")
            exchange = Exchange(question, problem="Something went wrong. The log says what.")
        talk = (*talk, exchange)
        cited = exchange.answer is not None and exchange.answer.citations
        yield same, page.conversation(talk), shelf(len(talk), talk) if cited else same, talk

    def ask_example(talk: Talk, event: gr.EventData) -> Iterator[tuple[object, ...]]:
        yield from ask(str(event.question), talk)

    def open_source(talk: Talk, event: gr.EventData) -> str:
        """A document by its id, or the sources of an earlier answer by its turn."""
        wanted: dict[str, object] = event._data
        turn = wanted.get("turn")
        if isinstance(turn, int):
            return shelf(turn, talk)
        try:
            return page.shelf([assistant.index.document(str(wanted.get("document")))])
        except FootnoteError as error:
            return page.missing(str(error))

    def shelf(turn: int, talk: Talk) -> str:
        answer: Answer | None = talk[turn - 1].answer if 0 < turn <= len(talk) else None
        if answer is None:
            return page.missing("This conversation has no such answer.")
        versions = dict.fromkeys((c.document, c.version) for c in answer.citations)
        try:
            documents = [assistant.index.document(id, version) for id, version in versions]
        except FootnoteError as error:
            return page.missing(str(error))
        current = assistant.index.manifest.documents
        return page.shelf(documents, answer.citations, turn, current)

    def library() -> str:
        return page.library(assistant.index.manifest.documents.values())

    def fresh() -> tuple[str, str, Talk]:
        return page.conversation((), examples), page.shelf(()), ()

    with gr.Blocks(title="Footnote", analytics_enabled=False, fill_width=True) as blocks:
        talk = gr.State(())
        plain = {"apply_default_css": False, "padding": False}
        gr.HTML(_HEADER, elem_id="masthead", js_on_load=None, **plain)
        with gr.Row(elem_id="room"):
            with gr.Column(elem_id="conversation"):
                said = gr.HTML(
                    page.conversation((), examples),
                    elem_id="said",
                    js_on_load=_ON_TALK,
                    **plain,
                )
                box = gr.Textbox(
                    elem_id="question",
                    label="Your question",
                    show_label=False,
                    container=False,
                    placeholder="Ask the documents…",
                    lines=1,
                    max_lines=6,
                    submit_btn="Ask",
                    autofocus=True,
                )
            with gr.Column(elem_id="desk"):
                gr.HTML(_BAR, elem_id="bar", js_on_load=None, **plain)
                with gr.Column(elem_id="paper"):
                    shelves = gr.HTML(library(), elem_id="library", js_on_load=None, **plain)
                    source = gr.HTML(
                        page.shelf(()), elem_id="source", js_on_load=_ON_SHELF, **plain
                    )
        quiet = {"show_progress": "hidden", "api_visibility": "private"}
        answered = [box, said, source, talk]
        box.submit(ask, [box, talk], answered, **quiet)
        said.ask(ask_example, [talk], answered, **quiet)
        said.fresh(fresh, None, [said, source, talk], **quiet)
        source.open(open_source, [talk], [source], **quiet)
        blocks.load(library, None, [shelves], **quiet)
    # Answers share the processor; more at once would only make each slower.
    return blocks.queue(default_concurrency_limit=max(4, os.cpu_count() or 1), max_size=256)


def serve(settings: Settings, host: str, port: int, auth: tuple[str, str] | None) -> None:
    """Serve the app until interrupted. Prints one line: the address to open.

    Raises FootnoteError where the address cannot be had, and what `Assistant.open` raises.
    """
    with server.listen(host, port) as listening:
        assistant = Assistant.open(settings)
        Thread(target=assistant.warm, daemon=True).start()
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        app.mount("/footnote", StaticFiles(directory=ASSETS))
        gr.mount_gradio_app(
            app,
            build(assistant),
            path="/",
            auth=auth,
            auth_message=_door(),
            head=_head(),
            theme=_theme(),
            favicon_path=str(ASSETS / "favicon.svg"),
            footer_links=[],
            max_file_size="1kb",  # nothing is uploaded
            run_history=False,
            show_error=False,
            enable_monitoring=False,
            ssr_mode=False,
            mcp_server=False,
            pwa=False,
        )
        if auth is None and not server.is_loopback(host):
            print(
                f"footnote: warning: anyone who reaches {host} can read the documents; "
                "ask for a password with --auth USER:PASSWORD",
                file=sys.stderr,
            )
        print(f"Footnote is open at {server.address(host, listening)}", flush=True)
        server.run(app, listening)


def _holds_built_in(assistant: Assistant) -> bool:
    return {path.name for path in BUILT_IN.glob("*.md")} <= set(assistant.index.manifest.documents)


def _head() -> str:
    """Our style and script. Gradio's own `css` would rewrite every rule."""
    style = (ASSETS / "room.css").read_text("utf-8")
    return f'<style>{style}</style><script src="footnote/room.js"></script>'


def _door() -> str:
    """What the page says that asks for the password."""
    style = (ASSETS / "login.css").read_text("utf-8")
    return f"<style>{style}</style><strong>Footnote</strong>Please say who you are."


def _theme() -> gr.themes.Base:
    """Gradio's plainest theme in the page's colours, so that the first paint is already right."""
    paper, ink, line, green = "#fefcf7", "#24221e", "#dcd5c6", "#285446"
    sans = ["system-ui", "sans-serif"]
    theme = gr.themes.Base(font=sans, font_mono=["ui-monospace", "monospace"])
    return theme.set(
        body_background_fill="#f6f3ec",
        body_background_fill_dark="#1a1917",
        background_fill_primary=paper,
        background_fill_primary_dark="#201e1b",
        background_fill_secondary=paper,
        background_fill_secondary_dark="#201e1b",
        body_text_color=ink,
        body_text_color_dark="#e4decf",
        border_color_primary=line,
        border_color_primary_dark="#37332c",
        button_primary_background_fill=green,
        button_primary_background_fill_hover=green,
        button_primary_background_fill_dark=green,
        button_primary_background_fill_hover_dark=green,
    )
