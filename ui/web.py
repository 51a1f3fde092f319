"""The app: a conversation, and beside it the source with the cited words marked.

Here the parts are put together and served. What a part does is in its module, what it looks like in
assets/: the conversation (talk.py, page.py), the source (desk.py, source.py), the documents
(library.py).
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
from ui import server
from ui.desk import BAR, Desk
from ui.library import Library
from ui.parts import PLAIN
from ui.talk import Conversation

ASSETS = Path(__file__).parent / "assets"
STYLES = ("base", "talk", "library", "source")
SCRIPTS = ("room", "talk", "source")  # room.js first: the others hang on it
_HEADER = """
<div class="masthead">
  <h1>Footnote<sup aria-hidden="true">1</sup></h1>
  <a href="#library">Documents</a>
  <a href="#new" id="new">New conversation</a>
</div>
"""


def build(assistant: Assistant) -> gr.Blocks:
    """The app over an assistant."""
    with gr.Blocks(title="Footnote", analytics_enabled=False, fill_width=True) as blocks:
        gr.HTML(_HEADER, elem_id="masthead", js_on_load=None, **PLAIN)
        with gr.Row(elem_id="room"):
            with gr.Column(elem_id="conversation"):
                conversation = Conversation(assistant)
            with gr.Column(elem_id="desk"):
                gr.HTML(BAR, elem_id="bar", js_on_load=None, **PLAIN)
                with gr.Column(elem_id="paper"):
                    library = Library(assistant)
                    desk = Desk(assistant)
        conversation.wire(desk)
        desk.wire(conversation.talk)
        library.wire(blocks)
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


def _head() -> str:
    """Our styles and scripts. Gradio's own `css` would rewrite every rule."""
    styles = "".join((ASSETS / f"{name}.css").read_text("utf-8") for name in STYLES)
    scripts = "".join(f'<script src="footnote/{name}.js"></script>' for name in SCRIPTS)
    return f"<style>{styles}</style>{scripts}"


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
