"""The evaluation page: choose cases, run them, see what they come to, open any of them.

A run goes on in the server and is found again by its token, which only the page that started it
has. Files that a person chooses are read by the browser; nothing of them is written to the disk.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr

from corpus.errors import FootnoteError
from index.search import Index
from rag.assistant import Assistant
from rag.errors import BadCases
from rag.evals import kept, page, report
from rag.evals.background import Run, Runs
from rag.evals.feedback import OPEN, rows
from rag.evals.results import Judged, parse_run, scored
from rag.evals.run import texts
from rag.evals.sets import CaseSet, beside, uploaded
from ui import cases, measured, notes
from ui import kept as turns
from ui.cases import BROUGHT, Choice
from ui.page import Exchange
from ui.parts import PLAIN, QUIET

Before = tuple[str, tuple[Judged, ...], Mapping[str, Any]]
_HEAD = """
<div class="evaluation-head">
  <a href="#conversation">‹ Conversation</a>
  <h2 tabindex="-1">Evaluation</h2>
  <p>Ask what the documents are known to say, and see how often the answers are right.</p>
</div>
"""
_ON_FORM = """
for (const name of ["opened", "bring", "begin", "earlier"]) {
  element.addEventListener(`footnote-${name}`, event => trigger(name, event.detail));
}
watch("value", () => window.footnote?.offered?.());
"""
_ON_PROGRESS = """
for (const name of ["look", "halt"]) {
  element.addEventListener(`footnote-${name}`, event => trigger(name, event.detail));
}
watch("value", () => window.footnote?.progressed?.());
"""
_ON_REPORT = """
element.addEventListener("footnote-case", async event => {
  window.footnote.reopened(await server.case(event.detail));
});
element.addEventListener("footnote-file", async event => {
  window.footnote.saved(event.detail.name, await server.file(event.detail));
});
watch("value", () => window.footnote?.reported?.());
"""


class Evaluation:
    """The page. What belongs to one person: the file of cases and the run they brought along.

    `runs`: evaluations can be started, else only the results of kept ones are shown.
    """

    def __init__(self, assistant: Assistant, runs: bool = True) -> None:
        self._assistant = assistant
        self._may_run = runs
        self._runs = Runs()
        self._known: tuple[object, tuple[CaseSet, ...]] = (None, ())
        self.brought = gr.State(None)
        self.before = gr.State(None)

        def case(wanted: dict[str, Any]) -> dict[str, object] | None:
            return self._case(wanted)

        def file(wanted: dict[str, Any]) -> str:
            return self._file(wanted)

        gr.HTML(_HEAD, js_on_load=None, **PLAIN)
        self.form = gr.HTML(cases.unopened(), elem_id="choose", js_on_load=_ON_FORM, **PLAIN)
        self.progress = gr.HTML(
            cases.nothing(), elem_id="progress", js_on_load=_ON_PROGRESS, **PLAIN
        )
        self.report = gr.HTML(
            measured.empty(),
            elem_id="report",
            js_on_load=_ON_REPORT,
            server_functions=[case, file],
            **PLAIN,
        )

    def wire(self) -> None:
        """Connects the events of the page."""
        mine = [self.brought, self.before]
        shown = [self.progress, self.report]
        if not self._may_run:  # what would start or read anything is not there to be called
            self.form.opened(self._list, None, [self.form], **QUIET)
            self.form.earlier(self._earlier, None, shown, **QUIET)
            return
        self.form.opened(self._offer, mine, [self.form], **QUIET)
        self.form.bring(self._bring, mine, [self.form, self.progress, *mine], **QUIET)
        self.form.begin(self._begin, mine, shown, **QUIET)
        self.progress.look(self._look, None, shown, **QUIET)
        self.progress.halt(self._halt, None, shown, **QUIET)

    def _case(self, wanted: Mapping[str, Any]) -> dict[str, object] | None:
        """A case as it was answered, as the browser keeps a turn; None where it is not known."""
        run, at = self._runs.find(wanted.get("token")), wanted.get("at")
        if run is None or run.results is None or not isinstance(at, int):
            return None
        if not 0 <= at < len(run.results.cases):
            return None
        exchange = _turn(run, run.results.cases[at])
        cited = exchange.answer.citations if exchange.answer else ()
        return turns.record(exchange, {c.n: notes.standing(run.index, c) for c in cited})

    def _file(self, wanted: Mapping[str, Any]) -> str:
        """A file of a run that is over, for its page to save; "" where there is none."""
        run = self._runs.find(wanted.get("token"))
        if run is None or run.results is None:
            return ""
        if wanted.get("name") == "report.html":
            return page.page(run.results, texts(run.index), run.comparison)
        return report.json_text(run.results)

    def _list(self, event: gr.EventData) -> str:
        """The runs that are kept, to choose one from."""
        return cases.kept_only(
            kept.kept(self._assistant.index.folder), _choice(event._data).against
        )

    def _earlier(self, event: gr.EventData) -> tuple[object, object]:
        """The results of a run that is kept."""
        try:
            shown = _results(self._assistant.index.folder, _choice(event._data).against)
        except FootnoteError as error:
            return cases.problem(str(error)), gr.skip()
        return cases.nothing(), shown

    def _offer(self, brought: CaseSet | None, before: Before | None, event: gr.EventData) -> str:
        return self._form(brought, before, _choice(event._data))

    def _form(self, brought: CaseSet | None, before: Before | None, choice: Choice) -> str:
        folder = self._assistant.index.folder
        settings = self._assistant.settings
        return cases.form(
            self._sets(),
            kept.kept(folder),
            choice,
            open_feedback=sum(1 for _ in rows(folder / OPEN)),
            brought=brought,
            against=before[0] if before else "",
            model=settings.model if settings.uses_model else "",
        )

    def _bring(
        self, brought: CaseSet | None, before: Before | None, event: gr.EventData
    ) -> tuple[object, ...]:
        """A file of cases, or an earlier run, as the browser has read it."""
        given: dict[str, Any] = event._data
        choice, said = _choice(given), cases.nothing()
        name, text = str(given.get("name"))[:120], str(given.get("text"))
        try:
            if given.get("kind") == "run":
                before = (name, *parse_run(text, name))
                choice = Choice(choice.chosen, choice.tags, choice.sample, BROUGHT)
            else:
                brought = uploaded(name, text, self._assistant.index)
                choice = Choice(BROUGHT, (), None, choice.against)
        except FootnoteError as error:
            said = cases.problem(str(error))
        return self._form(brought, before, choice), said, brought, before

    def _begin(
        self, brought: CaseSet | None, before: Before | None, event: gr.EventData
    ) -> tuple[str, object]:
        choice = _choice(event._data)
        try:
            run = self._run(choice, brought, before)
            self._runs.start(run)
        except FootnoteError as error:
            return cases.problem(str(error)), gr.skip()
        return cases.progress(run), measured.empty()

    def _run(self, choice: Choice, brought: CaseSet | None, before: Before | None) -> Run:
        own = choice.chosen == BROUGHT
        sets = {one.name: one for one in self._sets()}
        one = brought if own else sets.get(choice.chosen)
        if one is None:
            raise BadCases("choose the cases to ask first")
        chosen = one.chosen(tuple(choice.tags), choice.sample)
        if not chosen:
            raise BadCases("no case has these tags: choose others")
        earlier: tuple[Sequence[Judged], Mapping[str, Any]] | None = None
        folder = self._assistant.index.folder
        if choice.against == BROUGHT and before:
            earlier = before[1:]
        elif choice.against:
            earlier = kept.read(folder, choice.against)
        # What somebody brought along is theirs: it is not kept where others see it.
        return Run(self._assistant, chosen, one.name, earlier, None if own else folder)

    def _look(self, event: gr.EventData) -> tuple[object, object]:
        run = self._runs.find(event._data.get("token"))
        if run is None:
            return cases.nothing(), gr.skip()
        if run.state == "running":
            return cases.progress(run), gr.skip()
        return cases.progress(run), measured.report(run)

    def _halt(self, event: gr.EventData) -> tuple[object, object]:
        if run := self._runs.find(event._data.get("token")):
            run.stop()
        return self._look(event)

    def _sets(self) -> tuple[CaseSet, ...]:
        """The sets, worked out anew when the documents or the files have changed."""
        index: Index = self._assistant.index
        files = sorted(index.folder.glob("*.jsonl"))
        stamp = (id(index.manifest), *((f.name, *_stamp(f)) for f in files))
        if self._known[0] != stamp:
            self._known = (stamp, tuple(beside(index.folder, index)))
        return self._known[1]


@lru_cache(maxsize=kept.MOST)  # a run that is kept stays as it is; its intervals take time
def _results(folder: Path, name: str) -> str:
    """The results of a kept run as HTML. Raises BadCases."""
    judged, ran = kept.read(folder, name)
    found = next((one for one in kept.kept(folder) if one.name == name), None)
    if found is None:
        raise BadCases("there is no such run: choose one from the list")
    return measured.earlier(found, scored(judged, ran))


def _turn(run: Run, case: Judged) -> Exchange:
    answer = run.answers.get(case.id)
    if answer is None:
        return Exchange(case.question, problem=f"This case failed: {case.error or 'no answer'}")
    asked = [turn.content for turn in answer.question.history if turn.role == "user"]
    after = f" after “{'” and “'.join(asked)}”" if asked else ""
    note = (
        f"From the evaluation of {run.what}, case {case.id}{after}."
        f" Expected: {case.expected or 'not said'}."
    )
    return Exchange(case.question, replace(answer, notices=(note, *answer.notices)))


def _choice(given: Mapping[str, Any]) -> Choice:
    """What the form says, whatever a browser may send."""
    tags, sample = given.get("tags"), given.get("sample")
    return Choice(
        str(given.get("set") or ""),
        tuple(map(str, tags)) if isinstance(tags, list) else (),
        sample if isinstance(sample, int) and sample > 0 else None,
        str(given.get("against") or ""),
    )


def _stamp(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)
