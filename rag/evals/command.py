"""What `footnote eval` runs: cases or a data set, measured, reported, held against bars."""

import hashlib
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from rag.assistant import Assistant
from rag.errors import BadCases
from rag.evals import report
from rag.evals.answers import Answers
from rag.evals.cases import Case, check_cases, load
from rag.evals.compare import compare, save
from rag.evals.datasets import DATASETS, Dataset, materialise
from rag.evals.journal import RunFile
from rag.evals.names import MEANINGS
from rag.evals.results import Journal, Progress, Results, Searches, commit, load_run
from rag.evals.run import KNOWN_FACTS, Opinion, run, run_dataset, run_retrieval, texts
from rag.settings import Settings

Bar = Callable[[str], AbstractContextManager[Progress | None]]
UNFINISHED = "unfinished.jsonl"
ALIASES = {"facts": "facts_found", "all_facts": "all_facts_found", "refusals": "false_refusals"}


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked of one evaluation; the defaults run the built-in corpus's known facts.

    `bars` are the least that measures may reach (for those where lower is better: the most).
    `sample`, `seed`, `articles`, `left_out` and `given` choose from a data set, see `datasets`.
    """

    cases: Path | None = None
    out: Path | None = None
    dataset: str | None = None
    data: Path | None = None
    sample: int | None = None
    seed: int = 0
    articles: Sequence[str] = ()
    left_out: Sequence[str] = ()
    given: bool = False
    answers: Path | None = None
    judge_with_model: bool = False
    compare: Path | None = None
    fail_on_regression: bool = False
    save: Path | None = None
    bars: tuple[tuple[str, float], ...] = ()
    check_only: bool = False


def main(settings: Settings, call: Call, bar: Bar = lambda _: nullcontext()) -> int:
    """Run, print the measures, write the reports; 1 below a bar or after a regression, else 0.

    A data set is indexed in the user's cache, once. Raises FootnoteError.
    """
    bars = _bars(call.bars)
    before = load_run(call.compare) if call.compare else None
    if call.fail_on_regression and before is None:
        raise BadCases("--fail-on-regression needs a run to compare with: --compare RUN.json")
    if call.dataset is None and call.check_only:
        return _check(settings, call)
    index, results = (
        _known(settings, call, bar) if call.dataset is None else _data(settings, call, bar)
    )
    comparison = compare(before[0], results.cases, before[1], call.seed) if before else None
    print(report.table(results, comparison))
    if call.out is not None:
        report.write(results, call.out, texts(index), comparison)
        (call.out / UNFINISHED).unlink(missing_ok=True)
    if call.save is not None:
        save(results, call.save)
    below = _below(results, bars)
    if comparison and call.fail_on_regression:
        below += comparison.regressions
    for line in below:
        print(f"footnote: {line}", file=sys.stderr)
    return 1 if below else 0


def _check(settings: Settings, call: Call) -> int:
    cases = load(call.cases or KNOWN_FACTS)
    problems = check_cases(cases, Documents(Assistant.open(settings).index))
    print(*(problems or (f"{len(cases)} cases, nothing wrong with them",)), sep="\n")
    return 1 if problems else 0


def fitting(cases: Sequence[Case], index: Searches) -> Sequence[Case]:
    """The cases, where nothing is wrong with them over this index; else raises BadCases."""
    if problems := check_cases(cases, Documents(index)):
        more = f" (and {len(problems) - 1} more, see --check-cases)" if problems[1:] else ""
        raise BadCases(f"{problems[0]}{more}; is this the index that the cases are about?")
    return cases


def _known(settings: Settings, call: Call, bar: Bar) -> tuple[Searches, Results]:
    assistant = Assistant.open(settings)
    cases = fitting(load(call.cases or KNOWN_FACTS), assistant.index)
    asks = partial(run, assistant, cases)
    what = {"cases": str(call.cases or KNOWN_FACTS.name)}
    return assistant.index, _ran(asks, assistant.index, settings, call, bar, what, cases)


def _data(settings: Settings, call: Call, bar: Bar) -> tuple[Searches, Results]:
    dataset = _load(call)
    with bar("Indexing") as progress:
        assistant = Assistant.open(_indexed(dataset, settings, progress))
    what = {
        "dataset": dataset.name,
        "sample": call.sample,
        "articles": list(call.articles),
        "given": call.given,
    }
    if dataset.name == "beir":
        if call.answers or call.judge_with_model:
            raise BadCases("beir measures search alone: leave --answers and --judge out")

        def asks(on_progress: Progress | None, seed: int, journal: Journal, **_: object) -> Results:
            return run_retrieval(assistant, dataset, on_progress, seed, journal=journal)
    else:
        asks = partial(run_dataset, assistant, dataset, given=call.given)
    questions = dataset.questions
    return assistant.index, _ran(asks, assistant.index, settings, call, bar, what, questions)


def _ran(
    asks: Callable[..., Results],
    index: Searches,
    settings: Settings,
    call: Call,
    bar: Bar,
    what: Mapping[str, object],
    items: Sequence[object],
) -> Results:
    """The results, with what was run; an interrupted run into the same folder goes on."""
    opinion: Opinion | None = None
    if call.judge_with_model:
        from rag.evals.model_judge import ModelJudge

        opinion = ModelJudge(settings)
        what = {**what, "model_judge": opinion.name}
    ask = Answers(call.answers) if call.answers else None
    if call.answers:
        what = {**what, "answers": str(call.answers), "answers_sha256": _hash(call.answers)}
    journal = None
    if call.out is not None:
        versions = {id: one.version for id, one in index.manifest.documents.items()}
        model = settings.model if settings.uses_model else "extractive"
        journal = RunFile(
            call.out / UNFINISHED,
            *(what, items, versions, settings.embedding, model, call.seed, commit()),
        )
    try:
        with bar("Judging" if ask else "Asking") as progress:
            results = asks(progress, call.seed, ask=ask, opinion=opinion, journal=journal)
    finally:
        if journal:
            journal.close()
    if journal and journal.resumed:
        what = {**what, "resumed_after": journal.resumed}
    return replace(results, run={**results.run, **what})


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Documents(Mapping[str, str]):
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


def _load(call: Call) -> Dataset:
    name, data = call.dataset or "", call.data
    if name not in DATASETS:
        raise BadCases(f"no data set “{name}”: they are {', '.join(DATASETS)}")
    if data is None:
        raise BadCases(f"where is {name}? name its file or folder with --data PATH")
    options: dict[str, object] = {"sample": call.sample, "seed": call.seed}
    if name == "squad":
        options |= {"articles": call.articles or None, "left_out": call.left_out}
    elif call.articles or call.left_out:
        raise BadCases(f"{name} has no articles to choose from: leave --articles out")
    if call.given and name not in ("squad", "clapnq"):
        raise BadCases(
            f"the questions of {name} were not written over one passage: leave --given out"
        )
    try:
        dataset = DATASETS[name](data, **options)
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise BadCases(f"{data} is not laid out like {name}: {error!r}") from error
    if not dataset.questions:
        raise BadCases(f"{data} holds no questions of {name}: name its own file or folder")
    return dataset


def _indexed(dataset: Dataset, settings: Settings, progress: Progress | None) -> Settings:
    """Settings whose index, in the user's cache, holds the data set's documents and no others."""
    from platformdirs import user_cache_path

    from index.build import build
    from index.embed import embedder
    from index.errors import IndexDamaged, IndexMismatch

    key = hashlib.sha256(settings.embedding.encode())
    for id, text in dataset.documents.items():
        key.update(f"\0{id}\0{text}".encode())
    place = user_cache_path("footnote") / "evals" / f"{dataset.name}-{key.hexdigest()[:16]}"
    model = embedder(settings.embedding, settings.base_url, settings.api_key)
    documents = materialise(dataset, place / "documents")
    try:
        build([documents], place / "index", model, progress=progress)
    except (IndexDamaged, IndexMismatch):  # of an older version, and made from the data alone
        shutil.rmtree(place / "index")
        build([documents], place / "index", model, progress=progress)
    return replace(settings, index=place / "index", chroma_url=None)


def _bars(given: Sequence[tuple[str, float]]) -> dict[str, float]:
    """The bars by the full names of their measures."""
    bars = {ALIASES.get(name, name): value for name, value in given}
    for name in bars:
        if name not in MEANINGS:
            raise BadCases(f"there is no measure “{name}”: they are {', '.join(MEANINGS)}")
    return bars


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
