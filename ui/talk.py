"""The conversation pane: which event asks, and what the page says while the answer arrives."""

import logging
import os
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import gradio as gr

from corpus.errors import FootnoteError
from corpus.read import BUILT_IN
from rag.assistant import Assistant
from rag.types import Citation, Delta
from ui import kept, notes, page, pane
from ui.desk import Desk
from ui.notes import Standings
from ui.page import Exchange
from ui.parts import PLAIN, QUIET
from ui.running import Run, Running

EXAMPLES = (
    "How many suspects did the police detain in last year's campaign?",
    "When was the Anti-Drug Law passed?",
    "What is chemical profiling for?",
    "Which three drugs have spread widely, and how much was seized last year?",
)
WAITING_FOR_MODELS = 32  # answers by a language model that are waited for at once

COMPOSER = """
<form class="ask" id="ask" aria-label="Ask the documents">
  <div class="box">
    <textarea rows="1" aria-label="Your question" placeholder="Ask the documents…"
      enterkeyhint="send"></textarea>
    <button type="submit">Ask</button>
    <button type="button" class="stop" hidden>Stop</button>
  </div>
  <p class="problem" role="alert"></p>
</form>
"""

Talk = tuple[Exchange, ...]
Chosen = tuple[str, ...] | None

_log = logging.getLogger("footnote")
_ON_TALK = """
element.addEventListener("footnote-ask", event => trigger("ask", event.detail));
element.addEventListener("footnote-stop", event => trigger("halt", event.detail));
element.addEventListener("footnote-new", event => trigger("fresh", event.detail));
element.addEventListener("footnote-revive", event => trigger("revive", event.detail));
watch("value", () => window.footnote?.talked());
"""
_ON_COMPOSER = "window.footnote?.opened();"
_ON_KEPT = 'watch("value", () => window.footnote?.keep(props.value));'


class Conversation:
    """Questions and answers. All that belongs to one person is in `talk` and `_running`."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self._examples = EXAMPLES if _holds_built_in(assistant) else ()
        # Answering is work for the processor; waiting for a model is not.
        models = WAITING_FOR_MODELS if assistant.settings.uses_model else 0
        self._pool = ThreadPoolExecutor(max(4, os.cpu_count() or 1, models), "answer")
        self.talk = gr.State(())
        self._running = gr.State(Running())
        with gr.Column(elem_id="said"):
            self._earlier = gr.HTML("", elem_id="earlier", js_on_load=None, **PLAIN)
            gr.HTML(page.PASSED, js_on_load=None, **PLAIN)
            self._latest = gr.HTML(
                page.latest((), self._examples), elem_id="latest", js_on_load=_ON_TALK, **PLAIN
            )
        self._kept = gr.HTML(None, html_template="", elem_id="kept", js_on_load=_ON_KEPT, **PLAIN)

    def wire(self, desk: Desk, chosen: gr.State) -> None:
        """Connects the events. The sources of an answer go to the desk; `chosen` are the ids of the
        documents that are asked, None for all.
        """
        self._desk = desk
        whole = [self._earlier, self._latest, desk.source, self.talk]

        async def ask(
            talk: Talk, running: Running, chosen: Chosen, event: gr.EventData
        ) -> AsyncIterator[tuple[object, ...]]:
            wanted: dict[str, Any] = event._data
            question = str(wanted.get("question", "")).strip()
            talk = _until(talk, wanted.get("turn"))
            run = str(wanted.get("run", ""))
            documents = None if wanted.get("all") else chosen
            if question:
                async for shown in self._ask(question, talk, running, run, documents):
                    yield shown

        def halt(running: Running, event: gr.EventData) -> None:
            running.stop(str(event._data.get("run", "")))

        def fresh(running: Running, event: gr.EventData) -> tuple[object, ...]:
            running.leave()
            run = str(event._data.get("run", ""))
            return "", page.latest((), self._examples, run=run), pane.shelf(()), ()

        def revive(running: Running, event: gr.EventData) -> tuple[object, ...]:
            running.leave()
            wanted: dict[str, Any] = event._data
            return self._revived(wanted.get("turns"), str(wanted.get("run", "")))

        self._latest.ask(
            ask,
            [self.talk, self._running, chosen],
            [self._latest, desk.source, self.talk, self._kept],
            concurrency_limit=None,  # the pool is what limits
            **QUIET,
        )
        self._latest.halt(halt, [self._running], None, queue=False, **QUIET)
        self._latest.fresh(fresh, [self._running], whole, **QUIET)
        self._latest.revive(revive, [self._running], whole, **QUIET)

    async def _ask(
        self,
        question: str,
        before: Talk,
        running: Running,
        name: str,
        chosen: Chosen,
    ) -> AsyncIterator[tuple[object, ...]]:
        """The last turn as it grows; at its end its sources, and what the browser keeps of it."""
        same = gr.skip()
        documents, within = self._within_reach(chosen)
        exchange = Exchange(question, within=within)
        so_far = ""

        def begin() -> Iterator[Delta]:
            return self._assistant.stream(question, page.history(before), documents)

        def latest() -> str:
            return page.latest((*before, exchange), stand=stand, run=name)

        stand = self._standings()
        run = Run(begin, self._pool)
        goes_on = running.begin(name, run)
        yield latest(), same, same, same
        try:
            async for delta in run.pieces() if goes_on else _nothing():
                so_far += delta.text
                exchange = Exchange(question, delta.answer, so_far, within=within)
                if delta.answer is None:
                    # Also where nothing came: only here does Gradio see that the page was closed.
                    yield latest() if delta.text else same, same, same, same
        except FootnoteError as error:
            exchange = Exchange(question, problem=str(error), within=within)
        except Exception:
            _log.exception("a question could not be answered")
            said = "Something went wrong. The log says what."
            exchange = Exchange(question, problem=said, within=within)
        finally:
            awaited = running.end(run) or not goes_on
        if not awaited:
            return
        if not exchange.finished:
            exchange = Exchange(question, None, so_far, stopped=True, within=within)
        talk = (*before, exchange)
        yield latest(), self._sources(talk), talk, self._keep(talk)

    def _keep(self, talk: Talk) -> dict[str, object]:
        """The last turn, for the browser to keep."""
        stand, answer = self._standings(), talk[-1].answer
        standings = {c.n: stand(c) for c in answer.citations} if answer else {}
        return {"turn": len(talk), "kept": kept.record(talk[-1], standings)}

    def _revived(self, turns: object, run: str) -> tuple[object, ...]:
        """A conversation that the browser had kept, with its citations looked up again."""
        stand = self._standings()
        try:
            talk = kept.revive(turns, self._assistant.index)
        except FootnoteError as error:
            exchange = Exchange("A conversation from before", problem=str(error))
            return "", page.latest((exchange,), run=run), pane.shelf(()), ()
        shelf = self._sources(talk)
        shelf = shelf if isinstance(shelf, str) else pane.shelf(())
        latest = page.latest(talk, self._examples, stand, run)
        return page.earlier(talk, stand, run), latest, shelf, talk

    def _sources(self, talk: Talk) -> object:
        """The sources of the last answer; nothing new where it has none."""
        answer = talk[-1].answer if talk else None
        return self._desk.shelf(len(talk), talk) if answer and answer.citations else gr.skip()

    def _standings(self) -> Standings:
        index = self._assistant.index

        def stand(citation: Citation) -> notes.Standing:
            return notes.standing(index, citation)

        return stand

    def _within_reach(self, chosen: Chosen) -> tuple[Chosen, tuple[str, ...]]:
        """Of the chosen documents those that are there, by id and by title."""
        if chosen is None:
            return None, ()
        documents = self._assistant.index.manifest.documents
        known = {id: documents[id].title for id in chosen if id in documents}
        return tuple(known), tuple(known.values())


async def _nothing() -> AsyncIterator[Delta]:
    return
    yield


def composer() -> gr.HTML:
    """Where the question is written. All it does is done by assets/talk.js."""
    return gr.HTML(COMPOSER, elem_id="question", js_on_load=_ON_COMPOSER, **PLAIN)


def _until(talk: Talk, turn: object) -> Talk:
    """The turns before the one that is asked again; all where a new one is asked."""
    return talk[: turn - 1] if isinstance(turn, int) and 0 < turn <= len(talk) else talk


def _holds_built_in(assistant: Assistant) -> bool:
    return {path.name for path in BUILT_IN.glob("*.md")} <= set(assistant.index.manifest.documents)
