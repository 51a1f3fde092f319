"""What can be wrong with an index.

IndexProblem
├── IndexMissing     there is no index there
├── IndexMismatch    made by another embedding model, or in another format
├── IndexBusy        another process is writing it
├── IndexDamaged     its files cannot be read
├── UnknownDocument  no document of that name, or not that version
└── IndexUnreachable the Chroma server does not answer, or refuses
"""

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
