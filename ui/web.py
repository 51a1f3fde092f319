"""The app: a conversation, and beside it the source with the cited words marked.

Here the parts are put together and served. What a part does is in its module, what it looks like in
assets/: the conversation (talk.py, page.py), the source (desk.py, pane.py, source.py), the
documents (library.py, librarian.py), why an answer is as it is (why.py), the evaluation
(evalpage.py), opinions (feedback.py), endpoints for programs (api.py). door.py stands before all.
"""

import os
import sys
from pathlib import Path
from threading import Thread

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio as gr
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from rag.assistant import Assistant
from rag.settings import Settings
from ui import api, library_routes, server
from ui.desk import BAR, Desk
from ui.door import USER, Door
from ui.evalpage import Evaluation
from ui.feedback import Feedback
from ui.librarian import Librarian
from ui.library import Library, scope
from ui.parts import PLAIN
from ui.people import People
from ui.talk import Conversation, composer
from ui.why import Why

ASSETS = Path(__file__).parent / "assets"
STYLES = ("base", "talk", "kept", "library", "source", "tools", "why", "evaluation", "feedback")
SCRIPTS = (  # room.js first: the others hang on it
    *("room", "store", "talk", "kept", "notes"),
    *("source", "find", "outline", "library", "arrivals", "why", "evaluation", "feedback"),
)
_HEADER = """
<div class="masthead">
  <h1>Footnote<sup aria-hidden="true">1</sup></h1>
  <nav aria-label="Footnote">
    <a href="#new" id="new">New<span> conversation</span></a>
    <a href="#conversations">Conversations</a>
    <a href="#library">Documents</a>
    <a href="#evaluation">Evaluation</a>
  </nav>
  <p id="tell" role="status"></p>
</div>
<dialog id="conversations" aria-labelledby="conversations-title">
  <header>
    <h2 id="conversations-title">Conversations</h2>
    <button type="button" class="close">Close</button>
  </header>
  <button type="button" class="begin">New conversation</button>
  <ul class="kept"></ul>
  <p class="none">What you ask is listed here.</p>
  <p class="trouble" role="status"></p>
  <p class="aside">Kept in this browser only, and sent nowhere but back to Footnote when you open
    one. The newest 200 stay, up to 40 MB; the oldest give way.</p>
</dialog>
"""


def build(assistant: Assistant, read_only: bool = False, runs: bool = True) -> gr.Blocks:
    """The app over an assistant. `read_only`: documents are neither added nor removed.

    `runs`: evaluations can be started, else only the results of kept ones are shown.
    """
    with gr.Blocks(title="Footnote", analytics_enabled=False, fill_width=True) as blocks:
        api.offer(blocks, api.Endpoints(assistant))
        gr.HTML(_HEADER, elem_id="masthead", js_on_load=None, **PLAIN)
        with gr.Row(elem_id="room"):
            with gr.Column(elem_id="conversation"):
                conversation = Conversation(assistant)
                scope()
                composer()
                feedback = Feedback(assistant)
            with gr.Column(elem_id="desk"):
                gr.HTML(BAR, elem_id="bar", js_on_load=None, **PLAIN)
                with gr.Column(elem_id="paper"):
                    library = Library(read_only)
                    desk = Desk(assistant)
            why = Why(assistant)
        with gr.Column(elem_id="evaluation"):
            evaluation = Evaluation(assistant, runs)
        conversation.wire(desk, library.chosen)
        desk.wire(conversation.talk)
        evaluation.wire()
        feedback.wire(conversation.talk)
        why.wire(conversation.talk, desk.source)
        library.wire()
    # Answers share the processor; more at once would only make each slower.
    return blocks.queue(default_concurrency_limit=max(4, os.cpu_count() or 1), max_size=256)


def serve(
    settings: Settings,
    host: str,
    port: int,
    people: People | None = None,
    read_only: bool | None = None,
    mcp: bool = False,
) -> None:
    """Serve the app until interrupted. Prints one line: the address to open.

    `people` may come in, everybody where it is None. `read_only`: documents are neither added nor
    removed, no evaluation is started; None: only where everybody may come in from other machines.
    `mcp`: the endpoints as MCP tools too.
    Raises FootnoteError where the address cannot be had, and what `Assistant.open` raises.
    """
    at_home = server.is_loopback(host)
    if read_only is None:
        read_only = people is None and not at_home
    with server.listen(host, port) as listening:
        assistant = Assistant.open(settings)
        Thread(target=assistant.warm, daemon=True).start()
        librarian = Librarian(assistant, read_only)
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        app.mount("/footnote", StaticFiles(directory=ASSETS))
        app.include_router(library_routes.routes(librarian))
        if mcp:
            api.serve_tools(app, api.Endpoints(assistant))
        gr.mount_gradio_app(
            app,
            build(assistant, librarian.read_only, runs=not read_only),
            path="/",
            # Gradio's own check, behind ours: nobody gets by it without a name.
            auth_dependency=None if people is None else lambda asked: asked.scope.get(USER),
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
        if people is None and not at_home:
            may = "read" if librarian.read_only else "read, add and remove"
            print(
                f"footnote: warning: anyone who reaches {host} can {may} the documents; "
                "ask for passwords with --users FILE or --auth USER:PASSWORD",
                file=sys.stderr,
            )
        print(f"Footnote is open at {server.address(host, listening)}", flush=True)
        if mcp:
            print(f"MCP tools are at {server.address(host, listening)}mcp", flush=True)
        server.run(app, Door(app, people, at_home, library_routes.UPLOADS), listening)


def _head() -> str:
    """Our styles and scripts. Gradio's own `css` would rewrite every rule.

    The scripts stand in the page itself: those with an address may come after the components that
    call them.
    """
    styles = "".join((ASSETS / f"{name}.css").read_text("utf-8") for name in STYLES)
    scripts = ((ASSETS / f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    return f"<style>{styles}</style>" + "".join(f"<script>{script}</script>" for script in scripts)


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
