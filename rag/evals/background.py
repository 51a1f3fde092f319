"""One evaluation at a time, in a thread of its own, behind the people who ask.

It waits while somebody's question is being answered, stops when it is told to, and stops by itself
when nobody has looked at it for a while: its page was closed.
"""

import logging
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from corpus.errors import FootnoteError
from index.search import Index
from rag.assistant import Assistant
from rag.errors import Busy
from rag.evals.cases import Case
from rag.evals.compare import Comparison, compare
from rag.evals.kept import keep
from rag.evals.results import Judged, Results, scored, what_ran
from rag.evals.run import Answered, failed, run
from rag.types import Answer, Turn
from rag.wire import as_json

State = Literal["running", "stopped", "done", "failed"]
PATIENCE = 2.0  # seconds for which a case waits for people's questions, at most
ABANDONED = 180.0  # seconds; a browser lets the clocks of a hidden page tick once a minute
FINISHED = 3  # runs that stay in memory
EVIDENCE = 20

_log = logging.getLogger("footnote")


class Stopped(Exception):
    """The run was told to stop."""


class Run:
    """An evaluation on its way. `token` is its secret name: who has it may look and stop.

    `results` are there when it is over, also those of the cases that a stopped run had asked.
    `answers` are the answers by case, for showing them as they were.
    """

    def __init__(
        self,
        assistant: Assistant,
        cases: Sequence[Case],
        what: str,
        before: tuple[Sequence[Judged], Mapping[str, Any]] | None = None,
        kept_in: Path | None = None,
    ) -> None:
        self.token = secrets.token_urlsafe(16)
        self.what = what
        self.cases = tuple(cases)
        self.state: State = "running"
        self.results: Results | None = None
        self.comparison: Comparison | None = None
        self.answers: dict[str, Answer] = {}
        self.notes: list[str] = []
        self.done: list[Judged] = []
        self._before, self._kept_in = before, kept_in
        self._assistant = assistant
        self._stop = threading.Event()
        self._started = self._looked = time.monotonic()
        self._ended: float | None = None

    @property
    def index(self) -> Index:
        """The index that it asks."""
        return self._assistant.index

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop, or nobody looks any more."""
        return self._stop.is_set() or time.monotonic() - self._looked > ABANDONED

    @property
    def seconds(self) -> float:
        """How long it has run, or ran."""
        return (self._ended or time.monotonic()) - self._started

    def looked(self) -> None:
        """Somebody is there."""
        self._looked = time.monotonic()

    def stop(self) -> None:
        """Stop at the next chance."""
        self._stop.set()

    def work(self) -> None:
        """Ask all cases and measure; whatever goes wrong is said in `notes`."""
        started = datetime.now(UTC).isoformat(timespec="seconds")
        state: State = "done"
        try:
            index = self.index
            try:
                results = run(self._assistant, self.cases, ask=self._ask, journal=self)
            except Stopped:
                state = "stopped"
                results = scored(self.done, what_ran(index, self.done, started))
            self._measured(replace(results, run={**results.run, "cases": self.what}), state)
            if self.index is not index:
                self.notes.append("The documents changed while this ran: the figures are of both.")
        except FootnoteError as error:
            state = "failed"
            self.notes.append(str(error))
        except Exception:
            _log.exception("an evaluation could not be finished")
            state = "failed"
            self.notes.append("Something went wrong. The log says what.")
        self._ended = time.monotonic()
        self.state = state

    def _measured(self, results: Results, state: State) -> None:
        if self._before and results.cases:
            try:
                self.comparison = compare(self._before[0], results.cases, self._before[1])
            except FootnoteError as error:
                self.notes.append(f"Not compared: {error}.")
        self.results = results
        if self._kept_in and state == "done":
            try:
                keep(results, self._kept_in, self.what)
            except OSError as error:
                why = (error.strerror or str(error)).lower()
                self.notes.append(f"This run could not be kept beside the index: {why}.")

    def _ask(self, id: str, question: str, history: Sequence[Turn]) -> Answered:
        """The answer to a case, after the people who wait for theirs. Raises Stopped."""
        self._assistant.traffic.quiet(PATIENCE)
        answer: Answer | None = None
        try:
            for delta in self._assistant.stream(question, history):
                self._go_on()
                answer = delta.answer
        except Stopped:
            raise
        except Exception as error:
            return failed(error)
        assert answer is not None
        self.answers[id] = replace(answer, evidence=answer.evidence[:EVIDENCE])
        return as_json(answer, trace=True), None

    def _go_on(self) -> None:
        """Raises Stopped where it is to end."""
        if self.stopping:
            raise Stopped

    # A journal (rag.evals.results.Journal), which also ends a run:

    def begin(self, total: int) -> Sequence[Judged]:
        """Nothing is finished yet."""
        return ()

    def add(self, judged: Judged) -> None:
        """Count a finished case. Raises Stopped."""
        self._go_on()
        self.done.append(judged)


class Runs:
    """The evaluations of a server: one runs, the last few that are over can be looked at."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: dict[str, Run] = {}

    @property
    def current(self) -> Run | None:
        """The one that runs."""
        return next((run for run in list(self._runs.values()) if run.state == "running"), None)

    def start(self, run: Run) -> None:
        """Begin a run. Raises Busy while another one is on its way."""
        with self._lock:
            if other := self.current:
                raise Busy(
                    f"an evaluation is running on this server ({len(other.done):,} of"
                    f" {len(other.cases):,} cases): try again when it is over"
                )
            for old in list(self._runs)[: max(0, len(self._runs) - FINISHED + 1)]:
                del self._runs[old]
            self._runs[run.token] = run
        threading.Thread(target=run.work, name="evaluation", daemon=True).start()

    def find(self, token: object) -> Run | None:
        """The run with that token, which counts as a look at it."""
        run = self._runs.get(token) if isinstance(token, str) else None
        if run is not None:
            run.looked()
        return run
