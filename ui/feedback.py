"""Thumbs: what a person says of an answer, kept as a case that the evaluation can run.

Who says it is known by a token of their browser, so that a changed mind replaces what they said.
"""

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Literal

import gradio as gr

from corpus.errors import FootnoteError
from rag.assistant import Assistant
from rag.errors import NotKept
from rag.evals import feedback as store
from rag.evals.feedback import LONGEST, REASONS, Opinion
from rag.types import Answer
from ui import page
from ui.page import Exchange
from ui.parts import PLAIN, QUIET

Said = Literal["", "good", "bad", "open", "back"]
Talk = tuple[Exchange, ...]
READ_ONLY = "This index is read-only: what you say of answers cannot be kept."
_SAYS: Mapping[Said, str] = {
    "good": "Kept as a case: the evaluation will expect this answer again.",
    "bad": "Kept as a case: the evaluation will expect what you said.",
    "open": "Kept. With the right answer it becomes a case for the evaluation.",
    "back": "Taken back.",
}
_ON_FEEDBACK = """
for (const name of ["known", "say", "unsay"]) {
  element.addEventListener(`footnote-${name}`, event => trigger(name, event.detail));
}
watch("value", () => window.footnote?.told?.());
"""


class Feedback:
    """What people say of answers. The cases are kept beside the index."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self.told = gr.HTML(
            told({}, store.writable(assistant.index.folder)),
            elem_id="feedback",
            js_on_load=_ON_FEEDBACK,
            **PLAIN,
        )
        gr.HTML(dialog(), elem_id="opinion", js_on_load=None, **PLAIN)

    def wire(self, talk: gr.State) -> None:
        """Connects the events; `talk` holds the answers that are spoken of."""

        def known(talk: Talk, event: gr.EventData) -> str:
            return self._told(talk, _who(event._data))

        def say(talk: Talk, event: gr.EventData) -> str:
            given: dict[str, Any] = event._data
            return self._after(talk, given, lambda: self._say(talk, given))

        def unsay(talk: Talk, event: gr.EventData) -> str:
            given: dict[str, Any] = event._data
            return self._after(talk, given, lambda: self._unsay(talk, given))

        self.told.known(known, [talk], [self.told], **QUIET)
        self.told.say(say, [talk], [self.told], **QUIET)
        self.told.unsay(unsay, [talk], [self.told], **QUIET)

    def _after(self, talk: Talk, given: Mapping[str, Any], change: Any) -> str:
        """What the page says after a change, or why there was none."""
        who, turn = _who(given), given.get("turn")
        try:
            said: Said = change()
        except FootnoteError as error:
            return self._told(talk, who, problem=str(error))
        return self._told(talk, who, said, turn if isinstance(turn, int) else 0)

    def _say(self, talk: Talk, given: Mapping[str, Any]) -> Said:
        turn, answer = _answer(talk, given.get("turn"))
        verdict = given.get("verdict")
        if verdict not in ("good", "bad"):
            raise NotKept("say whether the answer is good or bad")
        text = {name: str(given.get(name) or "") for name in ("reason", "note", "right")}
        row = store.case_row(
            store.case_id(_who(given), answer),
            answer,
            Opinion(verdict, **text),
            answer.question.history or page.history(talk[: turn - 1]),
        )
        store.keep(self._folder, row)
        return verdict if "facts" in row else "open"

    def _unsay(self, talk: Talk, given: Mapping[str, Any]) -> Said:
        _, answer = _answer(talk, given.get("turn"))
        store.take_back(self._folder, store.case_id(_who(given), answer))
        return "back"

    @property
    def _folder(self) -> Any:
        folder = self._assistant.index.folder
        if not store.writable(folder):
            raise NotKept(READ_ONLY)
        return folder

    def _told(self, talk: Talk, who: str, said: Said = "", turn: int = 0, problem: str = "") -> str:
        folder = self._assistant.index.folder
        ids = {
            store.case_id(who, exchange.answer): number
            for number, exchange in enumerate(talk, start=1)
            if exchange.answer is not None
        }
        found = store.given(folder, ids) if who and ids else {}
        mine = {ids[id]: _mine(row) for id, row in found.items()}
        return told(mine, store.writable(folder), said, turn, problem)


def told(
    mine: Mapping[int, Mapping[str, str]],
    writable: bool,
    said: Said = "",
    turn: int = 0,
    problem: str = "",
) -> str:
    """What this person has said, by turn, for the thumbs to show; and a line about the latest."""
    known = escape(json.dumps(mine, ensure_ascii=False))
    line = ""
    if problem:
        line = f'<p class="told problem" role="alert">{escape(problem)}</p>'
    elif said:
        more = '<button type="button" class="more">Say more</button>' if said != "back" else ""
        line = f'<p class="told" role="status">{_SAYS[said]} {more}</p>'
    return (
        f'<div class="feedback" data-mine="{known}" data-turn="{turn}"'
        f' data-writable="{"yes" if writable else "no"}"'
        f' data-read-only="{escape(READ_ONLY)}">{line}</div>'
    )


def dialog() -> str:
    """The form for a reason and the right answer."""
    reasons = "".join(
        f'<label><input type="radio" name="reason" value="{escape(key)}"> {escape(says)}</label>'
        for key, says in REASONS.items()
    )
    return (
        '<dialog class="opinion" aria-labelledby="opinion-title"><form method="dialog">'
        '<h2 id="opinion-title">What is wrong with this answer?</h2>'
        f'<fieldset class="reasons"><legend>Why</legend>{reasons}</fieldset>'
        '<label class="field">The right answer'
        "<small>In the documents’ own words, one fact a line, such as “21,566”</small>"
        f'<textarea name="right" rows="2" maxlength="{LONGEST}"></textarea></label>'
        f'<label class="field">Anything else<textarea name="note" rows="2" maxlength="{LONGEST}">'
        "</textarea></label>"
        '<p class="small">The question, what was asked before it and the answer are kept with this'
        " beside the index. Whoever opens the evaluation can see them.</p>"
        '<p class="buttons"><button type="submit" value="keep" class="keep">Keep</button>'
        '<button type="button" class="cancel">Close</button>'
        '<button type="button" class="back">Take it back</button></p></form></dialog>'
    )


def _mine(row: Mapping[str, Any]) -> dict[str, str]:
    about = row.get("feedback")
    about = about if isinstance(about, dict) else {}
    tags: Sequence[object] = row.get("tags") or ()
    kept = {name: str(about.get(name) or "") for name in ("reason", "note", "right")}
    return {"verdict": "good" if "good" in tags else "bad", **kept}


def _answer(talk: Talk, turn: object) -> tuple[int, Answer]:
    if isinstance(turn, int) and 0 < turn <= len(talk):
        answer = talk[turn - 1].answer
        if answer is not None:
            return turn, answer
    raise NotKept("this conversation has no such answer")


def _who(given: Mapping[str, Any]) -> str:
    return str(given.get("who") or "")[:100]
