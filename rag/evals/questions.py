"""A published data set as documents and questions, whatever its files look like."""

import json
import random
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.text import normalise
from corpus.types import Span
from rag.errors import BadCases
from rag.types import Turn

_MARK = "\ue000"


@dataclass(frozen=True, slots=True)
class Gold:
    """Words that answer a question: `span` counts in the text of `document`."""

    document: str
    span: Span


@dataclass(frozen=True, slots=True)
class DatasetQuestion:
    """One question of a data set.

    `gold` are the places that answer it and `answers` their words, as far as the set marks them;
    `documents` are the documents that are relevant to it; `given` is the one that it was written
    over, `reference` an answer in somebody's own words, or "".
    """

    id: str
    question: str
    answerable: bool
    gold: tuple[Gold, ...] = ()
    answers: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    history: tuple[Turn, ...] = ()
    tags: tuple[str, ...] = ()
    given: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Dataset:
    """The documents of a data set, by id, and its questions in their own order."""

    name: str
    documents: Mapping[str, str]
    questions: tuple[DatasetQuestion, ...]

    def sample(self, size: int | None, seed: int = 0) -> "Dataset":
        """The same documents with `size` of the questions; the same ones for the same seed."""
        if size is None or size >= len(self.questions):
            return self
        if size < 1:
            raise BadCases(f"cannot take a sample of {size} questions: name 1 or more")
        chosen = sorted(random.Random(seed).sample(range(len(self.questions)), size))  # noqa: S311
        return Dataset(self.name, self.documents, tuple(self.questions[i] for i in chosen))


def materialise(dataset: Dataset, folder: Path) -> Path:
    """Write the documents as UTF-8 text files under `folder`, best an empty one, and return it."""
    for id, text in dataset.documents.items():
        file = folder / id
        if not file.exists() or file.read_bytes() != text.encode():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())
    return folder


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSONL file; empty lines are left out. Raises BadCases with the line."""
    try:
        lines: Iterable[str] = path.read_text("utf-8-sig").split("\n")
    except OSError as error:
        raise BadCases(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadCases(f"{path} is not UTF-8: save it as UTF-8") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError as error:
                raise BadCases(f"{path}, line {number}: not JSON: {error}") from error


def json_part(path: Path, key: str) -> Any:
    """What a JSON file holds under `key`. Raises BadCases."""
    try:
        return json.loads(path.read_text("utf-8"))[key]
    except OSError as error:
        raise BadCases(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadCases(f"{path} is not the JSON of this data set: {error}") from error


class Shelf:
    """Documents under ids that are safe as file names; the same name and text only once."""

    def __init__(self) -> None:
        self.documents: dict[str, str] = {}
        self._ids: dict[tuple[str, str], str] = {}

    def add(self, name: str, text: str, suffix: str = ".txt") -> str:
        """The id under which the text now stands."""
        if (name, text) not in self._ids:
            stem = re.sub(r"[^\w()/+-]+", "_", name).strip("/")[:120] or "_"
            id, number = f"{stem}{suffix}", 2
            while id in self.documents:
                id, number = f"{stem}_{number}{suffix}", number + 1
            self._ids[name, text] = id
            self.documents[id] = text
        return self._ids[name, text]


class Joined:
    """Texts parted by empty lines, as a document's text is normalised; offsets in each carried."""

    def __init__(self, *parts: str) -> None:
        self._parts = parts
        self._starts: list[int] = []
        self.text = ""
        for part in parts:
            self.text += "\n\n" if self.text else ""
            self._starts.append(len(self.text))
            self.text += normalise(part)

    def span(self, start: int, end: int, part: int = 0) -> Span:
        """Where the characters `start` to `end` of a part, as it was given, stand in the text."""
        return Span(self._at(start, part), self._at(end, part))

    def _at(self, offset: int, part: int) -> int:
        # The mark keeps white space before it from being taken for the end of a line.
        return self._starts[part] + len(normalise(self._parts[part][:offset] + _MARK)) - 1
