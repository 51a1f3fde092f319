"""The conversation pane: which event asks, and what the page says while the answer arrives."""

import logging
from collections.abc import Iterator

import gradio as gr

from corpus.errors import FootnoteError
from corpus.read import BUILT_IN
from rag.assistant import Assistant
from ui import page
from ui.desk import Desk
from ui.page import Exchange
from ui.parts import PLAIN, QUIET

EXAMPLES = (
    "How many suspects did the police detain in last year's campaign?",
    "When was the Anti-Drug Law passed?",
    "What is chemical profiling for?",
    "Which three drugs have spread widely, and how much was seized last year?",
)

Talk = tuple[Exchange, ...]

_log = logging.getLogger("footnote")
_ON_TALK = """
element.addEventListener("footnote-ask", event => trigger("ask", event.detail));
element.addEventListener("footnote-new", () => trigger("fresh"));
watch("value", () => window.footnote?.talked());
"""


class Conversation:
    """Questions and answers. All that belongs to one person is in `talk`."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self._examples = EXAMPLES if _holds_built_in(assistant) else ()
        self.talk = gr.State(())
        self.said = gr.HTML(
            page.conversation((), self._examples),
            elem_id="said",
            js_on_load=_ON_TALK,
            **PLAIN,
        )
        self.box = gr.Textbox(
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

    def wire(self, desk: Desk) -> None:
        """Connects the events; the sources of an answer go to the desk."""
        assistant, shelf = self._assistant, desk.shelf

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

        def fresh() -> tuple[str, str, Talk]:
            return page.conversation((), self._examples), page.shelf(()), ()

        answered = [self.box, self.said, desk.source, self.talk]
        self.box.submit(ask, [self.box, self.talk], answered, **QUIET)
        self.said.ask(ask_example, [self.talk], answered, **QUIET)
        self.said.fresh(fresh, None, [self.said, desk.source, self.talk], **QUIET)


def _holds_built_in(assistant: Assistant) -> bool:
    return {path.name for path in BUILT_IN.glob("*.md")} <= set(assistant.index.manifest.documents)
