"""Data sets of others, read where they lie, as documents and questions."""

import json
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
    `documents` are the documents that are relevant to it.
    """

    id: str
    question: str
    answerable: bool
    gold: tuple[Gold, ...] = ()
    answers: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    history: tuple[Turn, ...] = ()
    tags: tuple[str, ...] = ()


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


def squad(
    path: Path,
    articles: Sequence[str] | None = None,
    sample: int | None = None,
    seed: int = 0,
    left_out: Sequence[str] = (),
    whole_articles: bool = False,
) -> Dataset:
    """SQuAD 1.1 or 2.0 JSON for open retrieval: every paragraph is a document.

    `articles` names the articles to take (all of them: None), `left_out` those to leave out, by
    title. With `whole_articles` a document is an article, its paragraphs parted by empty lines.
    """
    data = {
        str(article.get("title") or number): article
        for number, article in enumerate(_json(path, "data"))
    }
    unknown = [title for title in (*(articles or ()), *left_out) if title not in data]
    if unknown:
        raise BadCases(f"{path} has no article {unknown[0]!r}: it has {', '.join(sorted(data))}")
    shelf = _Shelf()
    questions: list[DatasetQuestion] = []
    for title, article in data.items():
        if title in left_out or (articles is not None and title not in articles):
            continue
        paragraphs = article["paragraphs"]
        groups = [paragraphs] if whole_articles else [[paragraph] for paragraph in paragraphs]
        for number, group in enumerate(groups):
            text = _Text(*(paragraph["context"] for paragraph in group))
            name = title if whole_articles else f"{title}/{number:03}"
            document = shelf.add(name, text.text)
            for part, paragraph in enumerate(group):
                for qa in paragraph["qas"]:
                    places = [_place(answer, paragraph["context"]) for answer in qa["answers"]]
                    spans = [text.span(start, end, part) for start, end in places]
                    questions.append(_squad_question(qa, document, spans, title))
    return Dataset("squad", shelf.documents, tuple(questions)).sample(sample, seed)


def _place(answer: Mapping[str, Any], context: str) -> tuple[int, int]:
    """Where the answer stands; the place nearest to the stated one where that is off (COVID-QA)."""
    words, start = answer["text"].strip(), int(answer["answer_start"])
    places = [found.start() for found in re.finditer(re.escape(words), context)]
    if not words or not places:
        raise BadCases(f"an answer is not in its paragraph: {answer['text'][:60]!r}")
    start = min(places, key=lambda place: abs(place - start))
    return start, start + len(words)


def _squad_question(
    qa: Mapping[str, Any], document: str, spans: Sequence[Span], title: str
) -> DatasetQuestion:
    answerable = not qa.get("is_impossible", False)
    return DatasetQuestion(
        id=str(qa["id"]),
        question=qa["question"].strip(),
        answerable=answerable,
        gold=tuple(Gold(document, span) for span in dict.fromkeys(spans)),
        answers=tuple(dict.fromkeys(answer["text"] for answer in qa["answers"])),
        documents=(document,) if answerable else (),
        tags=(title,),
    )


def clapnq(path: Path, sample: int | None = None, seed: int = 0) -> Dataset:
    """CLAPNQ: its passages as documents, its gold sentences as gold.

    `path` is the folder with its files, or one of them. Questions that no annotator answered from
    the passage are unanswerable.
    """
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    shelf = _Shelf()
    questions: list[DatasetQuestion] = []
    for row in (row for file in files for row in json_lines(file)):
        passage = row["passages"][0]
        text = _Text(passage["text"])
        document = shelf.add(passage["title"], text.text)
        chosen = {s for output in row["output"] for s in output["selected_sentences"]}
        gold = []
        at = 0
        for sentence in passage["sentences"]:
            start = passage["text"].index(sentence, at)
            at = start + len(sentence)
            if sentence in chosen:
                gold.append(Gold(document, text.span(start, at)))
        answerable = any(output["answer"].strip() for output in row["output"])
        questions.append(
            DatasetQuestion(
                id=str(row["id"]),
                question=row["input"],
                answerable=answerable,
                gold=tuple(gold),
                documents=(document,) if answerable else (),
                tags=("answerable" if answerable else "unanswerable",),
            )
        )
    return Dataset("clapnq", shelf.documents, tuple(questions)).sample(sample, seed)


def mtrag(path: Path, sample: int | None = None, seed: int = 0) -> Dataset:
    """MT-RAG's tasks with reference passages: the passages of all tasks are the documents.

    The question is the last turn, `history` what came before. Tasks that are not answerable from
    the documents have no reference passages.
    """
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    rows = [row for file in files for row in json_lines(file)]
    shelf = _Shelf()
    questions = []
    for row in rows:
        references = []
        for context in row["contexts"]:
            name = f"{row['Collection']}/{context['document_id']}"
            references.append(shelf.add(name, _Text(context["text"]).text))
        *history, last = row["input"]
        kinds = [*row["answerability"], *row["Multi-Turn"]]
        questions.append(
            DatasetQuestion(
                id=row["task_id"],
                question=last["text"].strip(),
                answerable=bool(references),
                documents=tuple(dict.fromkeys(references)),
                history=tuple(
                    Turn("user" if turn["speaker"] == "user" else "assistant", turn["text"])
                    for turn in history
                ),
                tags=(
                    row["Collection"],
                    "later turn" if history else "first turn",
                    *(kind.lower() for kind in kinds if kind != "N/A"),
                ),
            )
        )
    return Dataset("mtrag", shelf.documents, tuple(questions)).sample(sample, seed)


def beir(path: Path, sample: int | None = None, seed: int = 0) -> Dataset:
    """A folder in BEIR's layout: `corpus.jsonl`, `queries.jsonl` and one `qrels*.tsv`.

    A document is its title, an empty line and its text. Every judgement above 0 is relevant.
    """
    tables = sorted([*path.glob("qrels*.tsv"), *path.glob("qrels/test.tsv")])
    if not tables:
        raise BadCases(f"{path} has no qrels*.tsv: name a folder in BEIR's layout")
    shelf = _Shelf()
    ids = {}
    for row in json_lines(path / "corpus.jsonl"):
        parts = (part for part in (row.get("title", ""), row["text"]) if part.strip())
        text = _Text(*parts).text
        if text:
            ids[row["_id"]] = shelf.add(row["_id"], text)
    relevant: dict[str, list[str]] = {}
    for line in tables[-1].read_text("utf-8").splitlines()[1:]:
        query, document, grade = line.split("\t")
        if int(grade) > 0 and document in ids:
            relevant.setdefault(query, []).append(ids[document])
    questions = tuple(
        DatasetQuestion(
            id=row["_id"],
            question=row["text"],
            answerable=True,
            documents=tuple(relevant[row["_id"]]),
        )
        for row in json_lines(path / "queries.jsonl")
        if row["_id"] in relevant
    )
    return Dataset("beir", shelf.documents, questions).sample(sample, seed)


DATASETS: Mapping[str, Callable[..., Dataset]] = {
    "beir": beir,
    "clapnq": clapnq,
    "mtrag": mtrag,
    "squad": squad,
}


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
        lines: Iterable[str] = path.read_text("utf-8").split("\n")
    except OSError as error:
        raise BadCases(f"cannot read {path}: {error.strerror}") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError as error:
                raise BadCases(f"{path}, line {number}: not JSON: {error}") from error


class _Shelf:
    """Documents under ids that are safe as file names; the same name and text only once."""

    def __init__(self) -> None:
        self.documents: dict[str, str] = {}
        self._ids: dict[tuple[str, str], str] = {}

    def add(self, name: str, text: str) -> str:
        if (name, text) not in self._ids:
            stem = re.sub(r"[^\w()/+-]+", "_", name).strip("/")[:120] or "_"
            id, number = f"{stem}.txt", 2
            while id in self.documents:
                id, number = f"{stem}_{number}.txt", number + 1
            self._ids[name, text] = id
            self.documents[id] = text
        return self._ids[name, text]


class _Text:
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


def _json(path: Path, key: str) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))[key]
    except OSError as error:
        raise BadCases(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadCases(f"{path} is not the JSON of this data set: {error}") from error
