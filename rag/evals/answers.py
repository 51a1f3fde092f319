"""Answers that were made elsewhere: the contract's JSON lines, or question and answer alone."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rag.errors import BadCases
from rag.evals.questions import json_lines
from rag.types import Turn

_REFUSAL = re.compile(
    r"^(?:i(?:'m| am) sorry|sorry\b|unfortunately\b|unanswerable|no answer\b|empty response)"
    r"|^(?:n/?a|none|unknown)\W*$"
    r"|\b(?:i|we) (?:do not|don't|cannot|can't|could not|couldn't) (?:know|answer|find|determine)"
    r"|\b(?:does|do|did) ?(?:not|n't) (?:say|contain|mention|provide|specify|state|include|answer"
    r"|give|have)\b"
    r"|\b(?:is|are|was|were) ?(?:not|n't) (?:mentioned|provided|specified|stated|given|available"
    r"|found|included)\b"
    r"|\bno (?:information|mention|details?)\b|\b(?:cannot|can't) be (?:answered|determined)\b",
    re.IGNORECASE,
)


class Answers:
    """Answers by the id of their case, else by their question."""

    def __init__(self, path: Path) -> None:
        """Raises BadCases with the line that is wrong."""
        self._path = path
        self._found: dict[str, Mapping[str, Any]] = {}
        for number, row in enumerate(json_lines(path), start=1):
            try:
                key, answer = _answer(row)
            except ValueError as error:
                raise BadCases(f"{path}, answer {number}: {error}") from error
            if key in self._found:
                raise BadCases(f"{path}, answer {number}: a second answer for {key[:60]!r}")
            self._found[key] = answer

    def __call__(
        self, id: str, question: str, history: Sequence[Turn] = ()
    ) -> tuple[Mapping[str, Any] | None, str | None]:
        """The answer for a case, or why there is none, which counts as a failure."""
        found = self._found.get(id) or self._found.get(question.strip())
        if found is None:
            return None, f"{self._path.name} has no answer for it"
        return (None, str(found["error"])) if "error" in found else (found, None)


def refuses(text: str) -> bool:
    """Whether plain text reads as "the documents do not say": empty, or its first 200 characters
    hold one of the common ways to say so.
    """
    return not text.strip() or bool(_REFUSAL.search(text.strip()[:200].replace("’", "'")))


def _answer(row: object) -> tuple[str, Mapping[str, Any]]:
    """The key of a line and its answer. Raises ValueError for what is no answer."""
    if not isinstance(row, dict):
        raise ValueError("an answer is a JSON object")
    key = row.get("id", row.get("question"))
    if not isinstance(key, str) or not key.strip():
        raise ValueError("it needs an “id” or a “question”, as a string")
    key = key if "id" in row else key.strip()
    if row.get("error"):
        return key, {"error": str(row["error"])}
    text = row.get("answer")
    if text is not None and not isinstance(text, str):
        raise ValueError("“answer” must be a string, or null for a refusal")
    said = text or ""
    outcome = row.get("outcome", "not_in_corpus" if refuses(said) else "answered")
    if outcome not in ("answered", "not_in_corpus"):
        raise ValueError("“outcome” is answered or not_in_corpus")
    _check(row)
    return key, {**row, "answer": said, "outcome": outcome}


def _check(row: dict[str, Any]) -> None:
    """Whether the parts of the contract's object that are there have its form."""
    confidence = row.get("confidence", 0.0)
    if not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
        raise ValueError("“confidence” must be a number from 0 to 1")
    for part, text in (("citations", "quote"), ("evidence", "text")):
        items = row.get(part, [])
        fits = isinstance(items, list) and all(
            isinstance(item, dict)
            and isinstance(item.get("document"), str)
            and isinstance(item.get(text), str)
            and all(isinstance(item.get(end), int) for end in ("start", "end"))
            and 0 <= item["start"] <= item["end"]
            for item in items
        )
        if not fits:
            raise ValueError(f"“{part}” must hold objects with document, start, end and {text}")
        for item in items:
            if not isinstance(item.get("version"), str | None):
                raise ValueError(f"“version” of {part} must be a string or null")
            if not _is_range(item.get("answer_span")):
                raise ValueError(f"“answer_span” of {part} must be [start, end] or null")
    if not all(isinstance(citation.get("n"), int) for citation in row.get("citations", [])):
        raise ValueError("every citation needs its number “n”")
    sentences = row.get("sentences", [])
    if not isinstance(sentences, list) or not all(
        isinstance(one, dict)
        and isinstance(one.get("text"), str)
        and isinstance(one.get("citations"), list)
        and all(isinstance(n, int) for n in one["citations"])
        for one in sentences
    ):
        raise ValueError("“sentences” must hold objects with text and citations, by number")
    for part in ("timings_ms", "tokens"):
        values = row.get(part) or {}
        if not isinstance(values, dict) or not all(
            isinstance(value, int | float) for value in values.values()
        ):
            raise ValueError(f"“{part}” must hold numbers by name")


def _is_range(value: object) -> bool:
    """Whether it is two offsets, or nothing."""
    if value is None:
        return True
    return isinstance(value, list) and len(value) == 2 and all(isinstance(n, int) for n in value)
