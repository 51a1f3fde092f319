"""What a run has to do, found before anything is changed but the texts."""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from corpus.errors import FootnoteError, UnreadableDocument
from corpus.find import PathGone, Walk, named, safe, walk
from corpus.read import read
from corpus.types import Document
from index.errors import IndexProblem
from index.files import FileState, is_below, now, settled, stamp_of
from index.snapshots import Snapshots
from index.types import Failure, IndexedDocument

READINGS = 3  # of a file that changes while it is read

Key = tuple[str, str]  # document and version


class SourceGone(FootnoteError):
    """Paths that the index holds documents of are not there, or are empty: `places` says which."""

    def __init__(self, places: str) -> None:
        super().__init__(
            f"{places}: nothing was changed; bring the documents back, or take them out of the"
            " index with --forget"
        )
        self.places = places


@dataclass(frozen=True, slots=True)
class Found:
    """The files to be indexed, with their document ids, and how many entries were passed over."""

    files: tuple[tuple[str, Path], ...]
    left_out: int = 0
    ignored: int = 0
    links: int = 0


@dataclass(slots=True)
class Plan:
    """`documents` is the new state; `fresh` are those of it whose records are to be written.

    `part`: how much of the files was looked at.
    """

    documents: dict[str, IndexedDocument] = field(default_factory=dict)
    fresh: list[IndexedDocument] = field(default_factory=list)
    files: dict[str, FileState] = field(default_factory=dict)
    failed: list[Failure] = field(default_factory=list)
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    moved: int = 0
    part: float = 0.0


def look(
    paths: Sequence[Path],
    folder: Path,
    added: Path,
    left_out: Collection[str],
    known: Mapping[str, FileState],
    indexed: Collection[str],
    forget: bool,
) -> Found:
    """The files at the paths and in `added`; nothing else of the index's own `folder`.

    `forget`: a path that is gone or empty has no documents. Else, where the index holds documents
    of it (`known` files, `indexed` ids), raises SourceGone; PathGone where it holds none.
    """
    walks: list[Walk] = []
    gone: list[str] = []

    def held(path: Path) -> int:
        return sum(is_below(file.path, path) for id, file in known.items() if id in indexed)

    for path in paths:
        try:
            found = walk(path, folder)
        except PathGone:
            if not (number := held(path)):
                raise
            gone.append(f"{safe(str(path))} is gone, with {_documents(number)}")
            continue
        walks.append(found)
        if not found.files and (number := held(path)):
            gone.append(f"{safe(str(path))} is empty, which held {_documents(number)}")
    if gone and not forget:
        raise SourceGone(", ".join(gone))
    if added.is_dir():
        walks.append(walk(added))
    files = named(walks)
    if not files and not gone:
        places = ", ".join(str(path) for path in paths) or "the index's own folder"
        raise FootnoteError(f"{places} holds no documents: nothing was changed")
    taken = tuple((id, path) for id, path in files if id not in left_out)
    ignored, links = sum(one.ignored for one in walks), sum(one.links for one in walks)
    return Found(taken, len(files) - len(taken), ignored, links)


@dataclass(frozen=True, slots=True)
class Planner:
    """`old`: the documents as they are; `intact`: those whose records are all there; `known`: the
    files as they were last read. `checksum`: every file is read, whatever it looks like.
    """

    old: Mapping[str, IndexedDocument]
    intact: Collection[Key]
    known: Mapping[str, FileState]
    snapshots: Snapshots
    checksum: bool = False

    def read(self, files: Sequence[tuple[str, Path]], plan: Plan) -> Iterator[IndexedDocument]:
        """Reads the files that may have changed, and keeps the texts of what is new.

        Gives the fresh documents as soon as it knows them; the plan is whole after the last one.
        """
        for number, (id, path) in enumerate(files, start=1):
            given = len(plan.fresh)
            self._look(id, path, plan)
            plan.part = number / len(files)
            yield from plan.fresh[given:]
        self._count_moved(plan)

    def _look(self, id: str, path: Path, plan: Plan) -> None:
        place = os.path.abspath(path)  # noqa: PTH100
        old, known = self.old.get(id), self._still(id, place, path)
        if old is not None and known is not None and known.version == old.version:
            plan.files[id] = known
            self._keep(plan, old)
            plan.unchanged += 1
            return
        if known is not None and known.problem:
            document, state = None, known
        else:
            document, state = read_at_rest(path, id)
        plan.files[id] = state
        if document is not None:
            self._take(plan, document)
            return
        reason = state.problem
        if path.is_dir():
            self._keep_below(plan, place)
        if old is not None:
            self._keep(plan, old)
            reason += " (what was indexed of it before stays)"
        plan.failed.append(Failure(str(path), reason))

    def read_texts(self, plan: Plan) -> Iterator[IndexedDocument]:
        """The same from the texts that the index keeps; a damaged one is read again."""
        for number, (id, old) in enumerate(self.old.items(), start=1):
            given = len(plan.fresh)
            known = self.known.get(id)
            document: Document | None
            try:
                document = self.snapshots.get(id, old.version)
            except IndexProblem as error:
                document = None
                if known is not None:
                    document, known = read_at_rest(Path(known.path), id)
                if document is None:
                    plan.failed.append(
                        Failure(known.path if known else id, f"{error}, and its file is gone")
                    )
                    continue
            if known is not None:
                plan.files[id] = known
            self._take(plan, document)
            plan.part = number / len(self.old)
            yield from plan.fresh[given:]

    def _still(self, id: str, place: str, path: Path) -> FileState | None:
        """What the file was when it was last read, if it is to be taken to be that still."""
        known = self.known.get(id)
        if self.checksum or known is None or known.stamp is None or known.path != place:
            return None
        return known if known.stamp == stamp_of(path) else None

    def _keep(self, plan: Plan, old: IndexedDocument) -> None:
        plan.documents[old.id] = old
        if (old.id, old.version) not in self.intact:
            plan.fresh.append(old)

    def _keep_below(self, plan: Plan, folder: str) -> None:
        """Of a folder that cannot be opened now, what was indexed of it before stays."""
        for id, known in self.known.items():
            if id in self.old and is_below(known.path, Path(folder)):
                plan.files[id] = known
                self._keep(plan, self.old[id])

    def _take(self, plan: Plan, document: Document) -> None:
        old = self.old.get(document.id)
        indexed = IndexedDocument(
            document.id,
            document.version,
            document.title,
            old.passages if old else 0,
            len(document.text),
            dict(document.metadata),
        )
        plan.documents[document.id] = indexed
        whole = (document.id, document.version) in self.intact
        if old == indexed:
            plan.unchanged += 1
        elif old is None:
            plan.added += 1
        else:
            plan.changed += 1
        if old != indexed or not whole or self.checksum:
            self.snapshots.put(document)
        if old != indexed or not whole:
            plan.fresh.append(indexed)

    def _count_moved(self, plan: Plan) -> None:
        gone = {old.version for id, old in self.old.items() if id not in plan.documents}
        new = [item for item in plan.fresh if item.id not in self.old]
        plan.moved = sum(item.version in gone for item in new)


def _documents(number: int) -> str:
    return f"{number:,} document{'' if number == 1 else 's'}"


def read_at_rest(path: Path, id: str) -> tuple[Document | None, FileState]:
    """The file as a document, with what it was when it was read: it did not change meanwhile.

    None where it cannot be read; the state says why.
    """
    place = os.path.abspath(path)  # noqa: PTH100
    for _ in range(READINGS):
        before, moment = stamp_of(path), now()
        try:
            document = read(path, id)
        except UnreadableDocument as error:
            # What has a cause (it cannot be opened, no process can be started) may pass by itself.
            lasts = error.__cause__ is None and stamp_of(path) == before and path.is_file()
            stamp = settled(before, moment) if lasts else None
            return None, FileState(place, "", stamp, str(error))
        if stamp_of(path) == before:
            return document, FileState(place, document.version, settled(before, moment))
    problem = "it is changed while it is read: index again when it is at rest"
    return None, FileState(place, "", None, problem)
