"""The one writer of the app: what people add, remove and put back, and the index made of it.

A change is kept at once and indexed by a thread of its own, many changes in one run; whoever reads
the state sees how far it is. Questions are answered meanwhile, from the state before.
"""

import logging
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Condition, Thread
from typing import Literal

from corpus.errors import FootnoteError
from index import sources
from index.errors import IndexBusy
from index.search import Index
from index.types import IndexedDocument
from rag.assistant import Assistant

MOST_ADDED = 5_000  # files that may lie in the index's own folder
SETTLE = 0.2  # seconds in which further changes join a run
AGAIN = 2.0  # seconds until a busy index is tried again

State = Literal["current", "failed", "left out", "adding", "removing"]

_log = logging.getLogger("footnote")


@dataclass(frozen=True, slots=True)
class Entry:
    """A document as the library shows it. `problem`: why its file could not be read, or "".

    `added`: its file was uploaded, and removing it deletes the file. `unread`: what of the file has
    no text, or "".
    """

    id: str
    title: str
    state: State
    problem: str = ""
    added: bool = False
    date: str = ""
    kind: str = ""
    author: str = ""
    words: int = 0
    passages: int = 0
    unread: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """What the writer is at: `done` of `total` passages, 0 of 0 while it looks at the files.

    `problem` is why the last run failed, or "".
    """

    busy: bool = False
    done: int = 0
    total: int = 0
    waits: bool = False
    problem: str = ""


class Librarian:
    """Keeps the documents of one index. Safe for many threads."""

    def __init__(self, assistant: Assistant, read_only: bool = False) -> None:
        self._assistant = assistant
        self._folder = assistant.settings.index
        self.read_only = read_only or not os.access(self._folder, os.W_OK)
        self._change = Condition()
        self._wanted = self._made = 0  # how many changes there were, and how many are indexed
        self._adding: dict[str, int] = {}  # id → the change that it came with
        self._removing: dict[str, int] = {}
        self._work = Work()
        self._listed: tuple[object, tuple[Entry, ...]] = (None, ())
        self._writer: Thread | None = None
        if not self.read_only and self._unfinished():
            self.index()

    @property
    def work(self) -> Work:
        """What the writer is at now."""
        return self._work

    def add(self, name: str, data: bytes) -> str:
        """Keeps a file, to be indexed; the id it got. Raises FootnoteError."""
        self._may_write()
        with self._change:
            if len(_names(self._folder / sources.ADDED)) >= MOST_ADDED:
                raise FootnoteError(
                    f"{MOST_ADDED:,} files were added already: index their folder instead"
                )
            id = sources.add(self._folder, name, data)
            self._changed(self._adding, id)
        return id

    def remove(self, id: str) -> None:
        """Takes a document out. Raises FootnoteError."""
        self._may_write()
        with self._change:
            sources.remove(self._folder, id)
            self._adding.pop(id, None)
            self._changed(self._removing, id)

    def restore(self, id: str) -> None:
        """Takes a document that was left out in again. Raises FootnoteError."""
        self._may_write()
        with self._change:
            sources.restore(self._folder, id)
            self._removing.pop(id, None)
            self._changed(self._adding, id)

    def index(self) -> None:
        """Looks at all files again. Raises FootnoteError."""
        self._may_write()
        with self._change:
            self._changed({}, "")

    def entries(self) -> tuple[Entry, ...]:
        """Every document and every file that failed or is left out, by title."""
        index = self._assistant.index
        with self._change:
            adding, removing = frozenset(self._adding), frozenset(self._removing)
            state = (index, adding, removing, *map(_stamp, self._kept()))
            if self._listed[0] != state:
                self._listed = (state, self._list(index, adding, removing))
            return self._listed[1]

    def wait(self, seconds: float) -> bool:
        """Waits until every change is indexed; whether it is."""
        with self._change:
            return self._change.wait_for(lambda: self._made == self._wanted, seconds)

    def _may_write(self) -> None:
        if self.read_only:
            raise FootnoteError("the documents can be read here, and neither added nor removed")

    def _changed(self, whose: dict[str, int], id: str) -> None:
        self._wanted += 1
        whose[id] = self._wanted
        if self._writer is None:
            self._writer = Thread(target=self._write, name="librarian", daemon=True)
            self._writer.start()
        self._work = replace(self._work, busy=True)
        self._change.notify_all()

    def _write(self) -> None:
        """Indexes whatever has changed, for as long as the app runs."""
        while True:
            with self._change:
                self._change.wait_for(lambda: self._made < self._wanted)
            time.sleep(SETTLE)
            with self._change:
                upto = self._wanted
            problem = self._run()
            with self._change:
                self._made = upto
                for whose in (self._adding, self._removing) if not problem else ():
                    for id in [id for id, change in whose.items() if change <= upto]:
                        del whose[id]
                self._work = Work(busy=self._made < self._wanted, problem=problem)
                self._change.notify_all()

    def _run(self) -> str:
        """Makes the index again; why it could not, or "" when it was done."""
        settings, index = self._assistant.settings, self._assistant.index
        self._work = Work(busy=True)
        while True:
            try:
                sources.rebuild(self._folder, index.embedder, settings.chroma, self._progress)
                _ = self._assistant.index  # opened by the writer, so that no question waits for it
                return ""
            except IndexBusy:
                self._work = Work(busy=True, waits=True)
                time.sleep(AGAIN)
            except FootnoteError as error:
                return str(error)
            except Exception:
                _log.exception("the index could not be made")
                return "Something went wrong. The log says what."

    def _progress(self, done: int, total: int) -> None:
        self._work = Work(busy=True, done=done, total=total)

    def _unfinished(self) -> bool:
        """Whether files were added that no run has looked at, because the app was stopped."""
        known = {file.path for file in sources.files(self._folder)}
        home = (self._folder / sources.ADDED).absolute()
        return any(home / name not in known for name in _names(home))

    def _kept(self) -> tuple[Path, ...]:
        return (self._folder / "files.json", self._folder / sources.LEFT_OUT)

    def _list(
        self, index: Index, adding: frozenset[str], removing: frozenset[str]
    ) -> tuple[Entry, ...]:
        documents = index.manifest.documents
        files = {file.id: file for file in sources.files(self._folder)}
        left_out = set(sources.left_out(self._folder))
        entries = []
        for id in {*documents, *files, *left_out, *adding}:
            file, document = files.get(id), documents.get(id)
            problem = file.problem if file else ""
            state: State = "current" if document else "failed"
            if id in adding:
                state = "adding"
            elif id in removing:
                state = "removing"
            elif id in left_out:
                state = "left out"
            elif problem:
                state = "failed"
            elif document is None:
                continue  # a file that was removed
            entry = Entry(id, id, state, problem, bool(file and file.added))
            entries.append(_described(entry, document) if document else entry)
        return tuple(sorted(entries, key=lambda entry: (entry.title.casefold(), entry.id)))


def _described(entry: Entry, document: IndexedDocument) -> Entry:
    said = document.metadata
    return replace(
        entry,
        title=document.title,
        date=said.get("date", ""),
        kind=said.get("kind", ""),
        author=said.get("author", ""),
        words=max(1, round(document.characters / 6 / 100)) * 100,
        passages=document.passages,
        unread=document.unread,
    )


def _names(folder: Path) -> tuple[str, ...]:
    try:
        return tuple(name for name in os.listdir(folder) if name[0] != ".")  # noqa: PTH208
    except OSError:
        return ()


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_ino)
