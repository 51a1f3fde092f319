"""An answer as Markdown, with its footnotes: what is copied and exported.

Words of people, models and documents are escaped, so that they stay words wherever it is pasted.
"""

import re
from collections.abc import Mapping

from rag.types import Answer, AnswerSentence, Citation
from ui.notes import Standing, where

_SIGNS = re.compile(r"([\\`*_\[\]<>|~#$&])")
_STARTS = re.compile(r"^(\d{1,9})([.)])|^([-+=])", re.MULTILINE)
_SUPPORT = {"partial": "partly supported", "unsupported": "not supported by the documents"}


def exchange(question: str, answer: Answer | None, standings: Mapping[int, Standing]) -> str:
    """A question as a heading, and below it the answer with a footnote for each citation."""
    head = f"## {_line(question)}"
    if answer is None:
        return f"{head}\n\n*No answer.*\n"
    notices = "".join(f"> {_line(notice)}\n\n" for notice in answer.notices)
    if not answer.sentences:
        return f"{head}\n\n{_line(answer.text)}\n\n{notices}".rstrip() + "\n"
    paragraphs = "\n\n".join(
        " ".join(map(_sentence, sentences)) for sentences in paragraphs_of(answer)
    )
    feet = "".join(f"{_foot(c, standings.get(c.n, Standing()))}\n" for c in answer.citations)
    # Where the documents do not answer, the sentences are what a model said all the same.
    refusal = f"{_line(answer.text)}\n\n" if answer.outcome == "not_in_corpus" else ""
    return f"{head}\n\n{refusal}{paragraphs}\n\n{notices}{feet}".rstrip() + "\n"


def paragraphs_of(answer: Answer) -> list[list[AnswerSentence]]:
    """The sentences by paragraph; a new one where the answer's text begins one."""
    paragraphs: list[list[AnswerSentence]] = [[]]
    at = 0
    for sentence in answer.sentences:
        found = answer.text.find(sentence.text, at)
        if found >= 0:
            if "\n\n" in answer.text[at:found] and paragraphs[-1]:
                paragraphs.append([])
            at = found + len(sentence.text)
        paragraphs[-1].append(sentence)
    return paragraphs


def _sentence(sentence: AnswerSentence) -> str:
    notes = "".join(f"[^{n}]" for n in sentence.citations)
    doubt = _SUPPORT.get(sentence.support, "")
    why = f": {_line(sentence.why)}" if doubt and sentence.why else ""
    return f"{_line(sentence.text)}{notes}{f' *({doubt}{why})*' if doubt else ''}"


def _foot(citation: Citation, standing: Standing) -> str:
    place = where(citation, standing)
    return (
        f"[^{citation.n}]: “{_line(citation.quote)}” — {_line(citation.title)}"
        f"{f', {_line(place)}' if place else ''} ({_line(citation.document)})"
        f"{f'. {standing.doubt}' if standing.doubt else ''}"
    )


def _line(text: str) -> str:
    """On one line, escaped."""
    escaped = _SIGNS.sub(r"\\\1", " ".join(text.split()))
    return _STARTS.sub(r"\1\\\2\3" if re.match(r"\d", escaped) else r"\\\3", escaped)
