"""Known facts: what the documents are known to say, one case a line, and checks of the cases."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import BadCases, BadQuestion
from rag.evals.facts import matches
from rag.quantities import tokens
from rag.types import Turn
from rag.wire import turns


@dataclass(frozen=True, slots=True)
class Case:
    """One question and what a right answer says.

    Every entry of `facts` must be met by one of its aliases; no facts mean that the right answer
    is a refusal. `quotes` are the words of `documents` that carry the facts.
    """

    id: str
    question: str
    facts: tuple[tuple[str, ...], ...]
    documents: tuple[str, ...] = ()
    quotes: tuple[str, ...] = ()
    history: tuple[Turn, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def answerable(self) -> bool:
        """Whether the documents answer the question."""
        return bool(self.facts)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a case."""

    case: str
    text: str

    def __str__(self) -> str:
        return f"case {self.case}: {self.text}"


def load(path: Path) -> tuple[Case, ...]:
    """The cases of a JSONL file, or of all of them in a folder. Raises BadCases with the line."""
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    return _some((case for file in files for case in _load(file)), str(path))


def parse(text: str, name: str) -> tuple[Case, ...]:
    """The cases of a JSONL file's text; `name` is what errors call it. Raises BadCases."""
    return _some(_parse(text, name), name)


def _some(cases: Iterable[Case], name: str) -> tuple[Case, ...]:
    found = tuple(cases)
    if not found:
        raise BadCases(f"{name} holds no cases: write one JSON object a line")
    return found


def _load(file: Path) -> Iterator[Case]:
    try:
        text = file.read_text("utf-8-sig")
    except OSError as error:
        raise BadCases(f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadCases(f"{file} is not UTF-8: save it as UTF-8") from error
    yield from _parse(text, str(file))


def _parse(text: str, name: str) -> Iterator[Case]:
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if line.strip():
            try:
                yield _case(json.loads(line))
            except (ValueError, BadQuestion, RecursionError) as error:
                raise BadCases(f"{name}, line {number}: {error}") from error


def _case(row: object) -> Case:
    if not isinstance(row, dict):
        raise ValueError("a case is a JSON object")
    for name in ("id", "question"):
        if not isinstance(row.get(name), str) or not row[name].strip():
            raise ValueError(f"“{name}” must be a string that is not empty")
    facts = row.get("facts")
    if not isinstance(facts, list):
        raise ValueError("“facts” must be a list of lists of aliases, empty for a refusal")
    return Case(
        id=row["id"],
        question=row["question"],
        facts=tuple(_strings(aliases, "every entry of “facts”") for aliases in facts),
        documents=_strings(row.get("documents", []), "“documents”"),
        quotes=_strings(row.get("quotes", []), "“quotes”"),
        history=turns(row.get("history")),
        tags=_strings(row.get("tags", []), "“tags”"),
    )


def _strings(value: object, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"{name} must be a list of strings")
    return tuple(value)


def check_cases(cases: Sequence[Case], documents: Mapping[str, str]) -> tuple[Problem, ...]:
    """What is wrong with the cases, given the text of every document by id; empty if nothing."""
    seen: set[str] = set()
    problems = []
    for case in cases:
        if case.id in seen:
            problems.append(Problem(case.id, "another case has the same id"))
        seen.add(case.id)
        problems += [Problem(case.id, text) for text in _problems(case, documents)]
    return tuple(problems)


def _problems(case: Case, documents: Mapping[str, str]) -> Iterator[str]:
    named = [documents[id] for id in case.documents if id in documents]
    for id in case.documents:
        if id not in documents:
            yield f"there is no document {id}"
    for aliases in case.facts:
        if not aliases:
            yield "a fact has no alias"
        elif empty := [alias for alias in aliases if not tokens(alias)]:
            yield f"an alias has no words: {empty[0]!r}"
        elif named and not any(matches(alias, text) for alias in aliases for text in named):
            yield f"its documents do not state the fact {aliases[0]!r}"
    if case.quotes and not case.facts:
        yield "it has quotes and no facts"
    for quote in case.quotes:
        if not quote.strip():
            yield "a quote is empty"
        elif not any(quote in text for text in (named if case.documents else documents.values())):
            yield f"the quote is not in its documents: {quote[:60]!r}"
