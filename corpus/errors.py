"""The root of every error a person may see, and this package's own.

FootnoteError
├── UnreadableDocument      corpus: a file cannot be read as a document
├── ModelDamaged            index, rag: a packaged model's file is missing or altered
├── IndexProblem            index: see index.errors
└── …                       rag: see rag.errors
"""


class FootnoteError(Exception):
    """Something a person can act on. Its text is one line: what is wrong, and what to do."""


class UnreadableDocument(FootnoteError):
    """A file cannot be read as a document. The text is the reason alone, without the path."""


class ModelDamaged(FootnoteError):
    """A packaged model's file is missing or not the one that was shipped."""
