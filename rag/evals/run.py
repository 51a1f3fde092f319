"""Cases or a data set → an assistant's answers → results."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

from corpus.errors import FootnoteError
from corpus.read import BUILT_IN
from index.types import Hit
from rag.evals import judge
from rag.evals.cases import Case
from rag.evals.measures import ndcg_at, recall_at
from rag.evals.places import TextOf
from rag.evals.questions import Dataset, DatasetQuestion
from rag.evals.results import Journal, Judged, Progress, Results, Searches, collect
from rag.types import Answer, Turn
from rag.wire import as_json

KNOWN_FACTS = BUILT_IN.parent / "known_facts.jsonl"

Answered = tuple[Mapping[str, Any] | None, str | None]
Ask = Callable[[str, str, Sequence[Turn]], Answered]
"""Id, question and history of a case → the contract's object, or None and what went wrong."""
Opinion = Callable[[Mapping[str, Any], str, str], judge.Judgements]
"""Answer, question and reference answer → what another judge says of them."""


class Asks(Protocol):
    """What of an assistant an evaluation needs."""

    @property
    def index(self) -> Searches:
        """The index it answers from."""
        ...

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        documents: Collection[str] | None = None,
    ) -> Answer:
        """The answer to a question."""
        ...


def run(
    assistant: Asks,
    cases: Sequence[Case],
    on_progress: Progress | None = None,
    seed: int = 0,
    *,
    ask: Ask | None = None,
    opinion: Opinion | None = None,
    journal: Journal | None = None,
) -> Results:
    """Ask every case and judge the answers. A failure to answer is a result, not an error.

    `ask` answers in the place of the assistant, whose index then only holds the documents.
    """
    text_of = texts(assistant.index)
    asked = ask or (lambda _, question, history: _asked(assistant, question, history, trace=True))

    def judged(case: Case) -> Judged:
        answer, error = asked(case.id, case.question, case.history)
        if answer is None:
            judgements = judge.failed(case.answerable, len(case.facts))
        else:
            judgements = judge.judge_case(answer, case, text_of)
            if opinion:
                facts = "; ".join(aliases[0] for aliases in case.facts)
                judgements |= opinion(answer, case.question, " ".join(case.quotes) or facts)
        expected = "; ".join(aliases[0] for aliases in case.facts) or "a refusal"
        return Judged(case.id, case.question, case.tags, answer, judgements, error, expected)

    return collect(assistant.index, cases, judged, on_progress, seed, journal)


def run_dataset(
    assistant: Asks,
    dataset: Dataset,
    on_progress: Progress | None = None,
    seed: int = 0,
    *,
    given: bool = False,
    ask: Ask | None = None,
    opinion: Opinion | None = None,
    journal: Journal | None = None,
) -> Results:
    """The same for a data set whose documents the assistant's index holds.

    For questions with a conversation before them, recall@5 is also that of the last turn asked
    alone; `gain` is the difference. `given`: each question is asked of its own document alone.
    """
    text_of = texts(assistant.index)
    moot: set[str] = set()
    if not any(question.gold for question in dataset.questions):
        moot |= {"right", "right_answer"}
    if not any(question.answers for question in dataset.questions):
        moot |= {"squad_exact", "squad_f1"}

    def judged(question: DatasetQuestion) -> Judged:
        only = (question.given,) if given and question.given else None
        if ask:
            answer, error = ask(question.id, question.question, question.history)
        else:
            answer, error = _asked(assistant, question.question, question.history, only)
        if answer is None:
            judgements = judge.failed(question.answerable)
        else:
            judgements = judge.judge_question(answer, question, text_of)
            if question.history and question.documents and not ask:
                judgements |= _alone(assistant, question, answer)
            if opinion:
                reference = question.reference or "; ".join(question.answers)
                judgements |= opinion(answer, question.question, reference)
            for name in moot:
                judgements.pop(name, None)
        expected = question.reference or "; ".join(question.answers)
        expected = expected if question.answerable else "a refusal"
        return Judged(
            question.id, question.question, question.tags, answer, judgements, error, expected
        )

    return collect(assistant.index, dataset.questions, judged, on_progress, seed, journal)


def run_retrieval(
    assistant: Asks,
    dataset: Dataset,
    on_progress: Progress | None = None,
    seed: int = 0,
    *,
    journal: Journal | None = None,
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

    return collect(assistant.index, dataset.questions, judged, on_progress, seed, journal)


def texts(index: Searches) -> TextOf:
    """The texts of an index's documents by id and version; None for what it does not hold."""

    @lru_cache(maxsize=256)
    def text_of(id: str, version: str | None) -> str | None:
        try:
            return index.document(id, version).text
        except FootnoteError:
            return None

    return text_of


def _asked(
    assistant: Asks,
    question: str,
    history: Sequence[Turn],
    documents: Collection[str] | None = None,
    trace: bool = False,
) -> Answered:
    try:
        only = {} if documents is None else {"documents": documents}
        return as_json(assistant.ask(question, history, **only), trace), None
    except Exception as error:
        return failed(error)


def failed(error: Exception) -> Answered:
    """Whatever went wrong, as a failure of this case; the other cases are still asked."""
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


def _by(hits: Sequence[Hit], rank: str) -> list[Hit]:
    """The hits that one of the two searches found, in its order."""
    ranked = [(getattr(hit, rank), hit) for hit in hits if getattr(hit, rank) is not None]
    return [hit for _, hit in sorted(ranked, key=lambda pair: int(pair[0]))]


def _ranked(hits: Sequence[Hit]) -> list[str]:
    """The documents in the order of their best passage."""
    return list(dict.fromkeys(hit.passage.document.id for hit in hits))
