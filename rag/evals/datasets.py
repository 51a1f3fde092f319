"""Data sets of others, read where they lie, as documents and questions."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from corpus.errors import UnreadableDocument
from corpus.read import find, read
from corpus.text import normalise
from corpus.types import Span
from rag.errors import BadCases
from rag.evals.questions import (
    Dataset,
    DatasetQuestion,
    Gold,
    Joined,
    Shelf,
    json_lines,
    json_part,
    materialise,
)
from rag.types import Turn

__all__ = [
    "DATASETS",
    "Dataset",
    "DatasetQuestion",
    "Gold",
    "beir",
    "clapnq",
    "llama_rag",
    "materialise",
    "mtrag",
    "squad",
]


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
        for number, article in enumerate(json_part(path, "data"))
    }
    unknown = [title for title in (*(articles or ()), *left_out) if title not in data]
    if unknown:
        raise BadCases(f"{path} has no article {unknown[0]!r}: it has {', '.join(sorted(data))}")
    shelf = Shelf()
    questions: list[DatasetQuestion] = []
    for title, article in data.items():
        if title in left_out or (articles is not None and title not in articles):
            continue
        paragraphs = article["paragraphs"]
        groups = [paragraphs] if whole_articles else [[paragraph] for paragraph in paragraphs]
        for number, group in enumerate(groups):
            text = Joined(*(paragraph["context"] for paragraph in group))
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
        given=document,
    )


def clapnq(path: Path, sample: int | None = None, seed: int = 0) -> Dataset:
    """CLAPNQ: its passages as documents, its gold sentences as gold.

    `path` is the folder with its files, or one of them. Questions that no annotator answered from
    the passage are unanswerable.
    """
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    shelf = Shelf()
    questions: list[DatasetQuestion] = []
    for row in (row for file in files for row in json_lines(file)):
        passage = row["passages"][0]
        text = Joined(passage["text"])
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
                given=document,
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
    shelf = Shelf()
    questions = []
    for row in rows:
        references = []
        for context in row["contexts"]:
            name = f"{row['Collection']}/{context['document_id']}"
            references.append(shelf.add(name, Joined(context["text"]).text))
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
    shelf = Shelf()
    ids = {}
    for row in json_lines(path / "corpus.jsonl"):
        parts = (part for part in (row.get("title", ""), row["text"]) if part.strip())
        text = Joined(*parts).text
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


def llama_rag(path: Path, sample: int | None = None, seed: int = 0) -> Dataset:
    """LlamaIndex's labelled data sets: a folder with `rag_dataset.json` and `source_files/`.

    A question's reference contexts are its gold where they stand in a source file, however their
    white space was set; its reference answer is `reference`. Files of other formats are left out.
    """
    examples = json_part(path / "rag_dataset.json", "examples")
    shelf = Shelf()
    texts = {}
    for name, file in find([path / "source_files"]):
        try:
            text = read(file, name).text
        except UnreadableDocument:
            continue
        texts[shelf.add(str(Path(name).with_suffix("")), text, Path(name).suffix.lower())] = text
    if not texts:
        raise BadCases(f"{path / 'source_files'} holds no text or Markdown file")
    questions = []
    for number, example in enumerate(examples):
        contexts = example.get("reference_contexts") or ()
        gold = [place for context in contexts for place in _places(context, texts)]
        questions.append(
            DatasetQuestion(
                id=f"{number:04}",
                question=example["query"].strip(),
                answerable=True,
                gold=tuple(dict.fromkeys(gold)),
                documents=tuple(dict.fromkeys(place.document for place in gold)),
                reference=(example.get("reference_answer") or "").strip(),
            )
        )
    return Dataset("llama-rag", shelf.documents, tuple(questions)).sample(sample, seed)


def _places(context: str, texts: Mapping[str, str]) -> list[Gold]:
    """Where the words of a context follow one another in the texts: the first place in each."""
    words = normalise(context).split()
    pattern = re.compile(r"\s+".join(map(re.escape, words)))
    found = ((id, pattern.search(text)) for id, text in texts.items() if words)
    return [Gold(id, Span(*place.span())) for id, place in found if place]


DATASETS: Mapping[str, Callable[..., Dataset]] = {
    "beir": beir,
    "clapnq": clapnq,
    "llama-rag": llama_rag,
    "mtrag": mtrag,
    "squad": squad,
}
