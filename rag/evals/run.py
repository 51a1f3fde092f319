"""Cases or a data set → an assistant's answers → results. `main` is what `footnote eval` runs."""

import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from corpus.errors import FootnoteError
from corpus.read import BUILT_IN
from index.types import Hit
from rag.errors import BadCases
from rag.evals import judge, report
from rag.evals.cases import Case, check_cases, load
from rag.evals.datasets import DATASETS, Dataset, DatasetQuestion, materialise
from rag.evals.measures import ndcg_at, recall_at
from rag.evals.results import Judged, Progress, Results, Searches, collect
from rag.settings import Settings
from rag.types import Answer, Turn
from rag.wire import as_json

KNOWN_FACTS = BUILT_IN.parent / "known_facts.jsonl"


class Asks(Protocol):
    """What of an assistant an evaluation needs."""

    @property
    def index(self) -> Searches:
        """The index it answers from."""
        ...

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """The answer to a question."""
        ...


def run(
    assistant: Asks, cases: Sequence[Case], on_progress: Progress | None = None, seed: int = 0
) -> Results:
    """Ask every case and judge the answers. A failure to answer is a result, not an error."""
    text_of = _texts(assistant.index)

    def judged(case: Case) -> Judged:
        answer, error = _asked(assistant, case.question, case.history, trace=True)
        if answer is None:
            judgements = judge.failed(case.answerable, len(case.facts))
        else:
            judgements = judge.judge_case(answer, case, text_of)
        return Judged(case.id, case.question, case.tags, answer, judgements, error)

    return collect(assistant.index, cases, judged, on_progress, seed)


def run_dataset(
    assistant: Asks, dataset: Dataset, on_progress: Progress | None = None, seed: int = 0
) -> Results:
    """The same for a data set whose documents the assistant's index holds.

    For questions with a conversation before them, recall@5 is also that of the last turn asked
    alone; `gain` is the difference.
    """
    text_of = _texts(assistant.index)
    moot: set[str] = set()
    if not any(question.gold for question in dataset.questions):
        moot |= {"right", "right_answer"}
    if not any(question.answers for question in dataset.questions):
        moot |= {"squad_exact", "squad_f1"}

    def judged(question: DatasetQuestion) -> Judged:
        answer, error = _asked(assistant, question.question, question.history)
        if answer is None:
            judgements = judge.failed(question.answerable)
        else:
            judgements = judge.judge_question(answer, question, text_of)
            if question.history and question.documents:
                judgements |= _alone(assistant, question, answer)
            for name in moot:
                judgements.pop(name, None)
        return Judged(question.id, question.question, question.tags, answer, judgements, error)

    return collect(assistant.index, dataset.questions, judged, on_progress, seed)


def run_retrieval(
    assistant: Asks, dataset: Dataset, on_progress: Progress | None = None, seed: int = 0
) -> Results:
    """nDCG@10 and recall@10 of the index's search alone: lexical, dense, and both fused."""

    def judged(question: DatasetQuestion) -> Judged:
        hits = assistant.index.search((question.question,), 200)
        rankings = {
            "": _ranked(hits),
            "_lexical": _ranked(_by(hits, "lexical_rank")),
            "_dense": _ranked(_by(hits, "dense_rank")),
        }
        gains = dict.fromkeys(question.documents, 1.0)
        found: judge.Judgements = {}
        for name, ranking in rankings.items():
            found[f"ndcg@10{name}"] = ndcg_at(10, ranking, gains)
            found[f"recall@10{name}"] = recall_at(10, ranking, question.documents)
        return Judged(question.id, question.question, question.tags, None, found)

    return collect(assistant.index, dataset.questions, judged, on_progress, seed)


def main(
    settings: Settings,
    cases: Path | None = None,
    out: Path | None = None,
    dataset: str | None = None,
    data: Path | None = None,
    sample: int | None = None,
    seed: int = 0,
    articles: Sequence[str] | None = None,
    left_out: Sequence[str] = (),
    bars: Mapping[str, float] | None = None,
    check_only: bool = False,
    bar: Callable[[str], AbstractContextManager[Progress | None]] = lambda _: nullcontext(),
) -> int:
    """Run cases, or a data set, print the measures, write reports into `out`; the exit code.

    Without `cases` the built-in corpus's known facts are run, over the index that the settings
    name; a data set is indexed in the user's cache, once. `articles` and `left_out` are for squad,
    by title. `bars` are the least (for measures where lower is better: the most)
    that measures may reach; 1 is returned below one. Raises FootnoteError.
    """
    from rag.assistant import Assistant

    what: dict[str, object]
    if dataset is None:
        assistant = Assistant.open(settings)
        known = load(cases or KNOWN_FACTS)
        problems = check_cases(known, _Documents(assistant.index))
        if check_only:
            print(*(problems or (f"{len(known)} cases, nothing wrong with them",)), sep="\n")
            return 1 if problems else 0
        if problems:
            more = f" (and {len(problems) - 1} more, see --check-cases)" if problems[1:] else ""
            raise BadCases(f"{problems[0]}{more}; is this the index that the cases are about?")
        with bar("Asking") as progress:
            results = run(assistant, known, progress, seed)
        what = {"cases": str(cases or KNOWN_FACTS.name)}
    else:
        loaded = _load(dataset, data, sample, seed, articles, left_out)
        place = _place(loaded, settings)
        with bar("Indexing") as progress:
            assistant = Assistant.open(_indexed(loaded, place, settings, progress))
        with bar("Asking") as progress:
            runs = run_retrieval if dataset == "beir" else run_dataset
            results = runs(assistant, loaded, progress, seed)
        what = {"dataset": dataset, "sample": sample, "articles": list(articles or ())}
    results = replace(results, run={**results.run, **what})
    print(report.table(results))
    if out is not None:
        report.write(results, out)
    below = _below(results, bars or {})
    for line in below:
        print(f"footnote: {line}", file=sys.stderr)
    return 1 if below else 0


def _asked(
    assistant: Asks, question: str, history: Sequence[Turn], trace: bool = False
) -> tuple[dict[str, Any] | None, str | None]:
    # Whatever goes wrong is counted as a failure of this case; the other cases are still asked.
    try:
        return as_json(assistant.ask(question, history), trace), None
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"


def _alone(
    assistant: Asks, question: DatasetQuestion, answer: Mapping[str, Any]
) -> judge.Judgements:
    alone, _ = _asked(assistant, question.question, ())
    if alone is None:
        return {}
    after = judge.recall_of(answer, question.documents)
    before = judge.recall_of(alone, question.documents)
    return {"recall@5_last_turn": before, "recall@5_gain": after - before}


def _texts(index: Searches) -> judge.TextOf:
    @lru_cache(maxsize=256)
    def text_of(id: str, version: str | None) -> str | None:
        try:
            return index.document(id, version).text
        except FootnoteError:
            return None

    return text_of


class _Documents(Mapping[str, str]):
    """The texts of an index's documents by id, read when they are needed."""

    def __init__(self, index: Searches) -> None:
        self._index = index

    def __getitem__(self, id: str) -> str:
        if id not in self._index.manifest.documents:
            raise KeyError(id)
        return self._index.document(id).text

    def __iter__(self) -> Iterator[str]:
        return iter(self._index.manifest.documents)

    def __len__(self) -> int:
        return len(self._index.manifest.documents)


def _by(hits: Sequence[Hit], rank: str) -> list[Hit]:
    """The hits that one of the two searches found, in its order."""
    ranked = [(getattr(hit, rank), hit) for hit in hits if getattr(hit, rank) is not None]
    return [hit for _, hit in sorted(ranked, key=lambda pair: int(pair[0]))]


def _ranked(hits: Sequence[Hit]) -> list[str]:
    """The documents in the order of their best passage."""
    return list(dict.fromkeys(hit.passage.document.id for hit in hits))


def _load(
    name: str,
    data: Path | None,
    sample: int | None,
    seed: int,
    articles: Sequence[str] | None,
    left_out: Sequence[str],
) -> Dataset:
    if name not in DATASETS:
        raise BadCases(f"no data set “{name}”: they are {', '.join(DATASETS)}")
    if data is None:
        raise BadCases(f"where is {name}? name its file or folder with --data PATH")
    if name == "squad":
        return DATASETS[name](data, articles=articles, sample=sample, seed=seed, left_out=left_out)
    if articles or left_out:
        raise BadCases(f"{name} has no articles to choose from: leave --articles out")
    return DATASETS[name](data, sample=sample, seed=seed)


def _place(dataset: Dataset, settings: Settings) -> Path:
    """Where the data set's documents and index are kept, one place for the same documents."""
    from platformdirs import user_cache_path

    key = hashlib.sha256(settings.embedding.encode())
    for id, text in dataset.documents.items():
        key.update(f"\0{id}\0{text}".encode())
    return user_cache_path("footnote") / "evals" / f"{dataset.name}-{key.hexdigest()[:16]}"


def _indexed(
    dataset: Dataset, place: Path, settings: Settings, progress: Progress | None
) -> Settings:
    """Settings whose index holds the data set's documents and nothing else."""
    from index.build import build
    from index.embed import embedder

    model = embedder(settings.embedding, settings.base_url, settings.api_key)
    documents = materialise(dataset, place / "documents")
    build([documents], place / "index", model, progress=progress)
    return replace(settings, index=place / "index", chroma_url=None)


def _below(results: Results, bars: Mapping[str, float]) -> list[str]:
    found = []
    for name, least in bars.items():
        if name not in results.measures:
            known = ", ".join(results.measures)
            raise BadCases(f"this run has no measure “{name}” for a bar: it has {known}")
        measure = results.measures[name]
        if (measure.value < least) if measure.better == "higher" else (measure.value > least):
            side = "below" if measure.better == "higher" else "above"
            found.append(f"{name} is {measure.value:.3f}, {side} its bar of {least:g}")
    return found
