"""What can be wrong with an index.

IndexProblem
├── IndexMissing     there is no index there
├── IndexMismatch    made by another embedding model, or in another format
├── IndexBusy        another process is writing it
├── IndexDamaged     its files cannot be read
├── UnknownDocument  no document of that name, or not that version
└── IndexUnreachable the Chroma server does not answer, or refuses
"""

from pathlib import Path

from corpus.errors import FootnoteError


class IndexProblem(FootnoteError):
    """Something is wrong with the index."""


class IndexMissing(IndexProblem):
    """There is no index at the place named."""


class IndexMismatch(IndexProblem):
    """The index was made by another embedding model, or in another format."""


class IndexBusy(IndexProblem):
    """Another process is writing the index."""


class IndexDamaged(IndexProblem):
    """The index's files are there and cannot be used."""


class IndexUnreachable(IndexProblem):
    """The Chroma server does not answer, or refuses."""


class UnknownDocument(IndexProblem):
    """The index has no document of that name, or not that version of it."""


_FULL = ("disk is full", "no space left", "disk quota")
_FAILING = ("disk i/o error", "file too large", "input/output error")
_READ_ONLY = ("readonly", "read-only", "permission denied")


def unusable(folder: Path, error: BaseException) -> IndexProblem:
    """What the library that keeps its files in `folder`, within an index, means by its error."""
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    index = folder.parents[2] if folder.parent.parent.name == "stores" else folder.parent
    if any(sign in reason.lower() for sign in _FULL):
        return IndexProblem(f"the index in {index} cannot be written: the disk is full")
    if any(sign in reason.lower() for sign in _FAILING):
        return IndexProblem(
            f"the index in {index} cannot be written or read ({reason}): see that the disk works"
            " and has room"
        )
    if any(sign in reason.lower() for sign in _READ_ONLY):
        return IndexProblem(f"the index in {index} cannot be written: it is read-only")
    return IndexDamaged(
        f"the files in {folder} are damaged ({reason}): run `footnote index --rebuild`"
    )
