"""What can be wrong with a question or an answer.

BadQuestion       the question is empty or too long
BadSettings       a setting has a value that it cannot have
BadCases          a file of cases cannot be read
Busy              another evaluation is running
NotKept           feedback on an answer cannot be kept
ModelUnavailable  the language model cannot be reached, or refuses
"""

from corpus.errors import FootnoteError


class BadQuestion(FootnoteError):
    """The question cannot be asked."""


class BadSettings(FootnoteError):
    """A setting has a value that it cannot have."""


class BadCases(FootnoteError):
    """A file of cases cannot be read."""


class Busy(FootnoteError):
    """Another evaluation is running, and there is one at a time."""


class NotKept(FootnoteError):
    """Feedback on an answer cannot be kept."""


class ModelUnavailable(FootnoteError):
    """The language model cannot be reached, or refuses."""
