"""Fits the two combinations in `evidence.json`, and says how well they do on sets left out.

    python -m rag.models.make_evidence --data FOLDER [--write]

FOLDER holds the public sets in the layout that `reader_sources.py` names. Only what the reader was
not trained on is used, and the built-in corpus with its known facts. Each set is left out in turn:
the figures printed for it come from combinations fitted on the others.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from corpus.read import BUILT_IN, find, read
from corpus.types import Span
from index.build import build
from index.embed import embedder
from index.search import Index
from rag.evals.cases import load as load_cases
from rag.evals.datasets import Dataset, DatasetQuestion, Gold, materialise, squad
from rag.evals.measures import auroc, ece, exact_match, token_f1
from rag.evidence import WEIGHTS, Combination, Combinations, Query, Weigher, conclude
from rag.models.reader_sources import LEFT_OUT_SQUAD, Collection
from rag.models.reader_sources import load as load_sources
from rag.reader import Reader
from rag.shape import Shape, shape_of
from rag.types import Evidence

REFUSED = 0.05
SENTENCE = (
    "span",
    "margin",
    "answerable",
    "inside",
    "inside_most",
    "shared",
    "shared_near",
    "passage_shared",
    "dense",
    "rank",
    "lacks_figures",
)
CONFIDENCE = (
    "margin",
    "answerable",
    "answerable_around",
    "dense",
    "missing_names",
    "lacks_figures",
    "uncounted",
    "wrong_measure",
    "yes_no",
    "undenied",
)
AGAINST = frozenset({"missing_names", "lacks_figures", "uncounted", "wrong_measure", "undenied"})
EITHER = frozenset({"yes_no"})
FOR = frozenset((*SENTENCE, *CONFIDENCE)) - AGAINST - EITHER
# On the squares of the weights, as does best on sets left out.
SENTENCE_PENALTY, CONFIDENCE_PENALTY = 0.1, 0.02
# What the signals against an answer weigh before any data: a small set holds few of each.
PRIOR = dict.fromkeys(AGAINST, -1.0) | {"wrong_measure": -2.0}
HITS = 24


@dataclass(frozen=True)
class Asked:
    """One question with the sentences found for it, their signals, and which of them are gold."""

    question: DatasetQuestion
    query: Query
    found: Sequence[Evidence]

    def gold(self, one: Evidence) -> bool:
        """Whether the sentence holds words that answer."""
        return any(
            gold.document == one.document.id
            and gold.span.start < one.span.end
            and one.span.start < gold.span.end
            for gold in self.question.gold
        )


def sets(data: Path) -> Iterator[Dataset]:
    """The sets to fit on, by name: what the reader has not seen."""
    for title in sorted(LEFT_OUT_SQUAD):
        taken = squad(data / "squad2/squad2_half.json", articles=[title])
        yield Dataset(title, taken.documents, taken.questions)
    _, left = load_sources(data)
    wiki = _from_sources("new_wiki", left["new_wiki"])
    yield wiki
    yield _from_sources("clapnq", left["clapnq_answerable"], left["clapnq_unanswerable"])
    yield _from_sources("written", left["written"])
    yield _from_sources("reports", left["reports"])
    yield _from_sources("yes or no", left["yes_no"])
    home = built_in()
    yield home
    yield _elsewhere(home, wiki)


def _from_sources(name: str, *collections: Collection) -> Dataset:
    """What `reader_sources` leaves out of a set, each context a document."""
    documents, questions = {}, []
    for part, collection in enumerate(collections):
        ids = [f"{part}/{number:04}.txt" for number in range(len(collection.contexts))]
        documents |= dict(zip(ids, (c.text for c in collection.contexts), strict=True))
        for item in collection.items:
            id = ids[item.context]
            spans = item.answers or item.gold_sentences
            gold = tuple(Gold(id, Span(*span)) for span in spans)
            number = f"{name}-{len(questions)}"
            questions.append(DatasetQuestion(number, item.question, bool(gold), gold))
    return Dataset(name, documents, tuple(questions))


def _elsewhere(home: Dataset, other: Dataset) -> Dataset:
    """A set's documents, with questions of another that have nothing to do with them."""
    questions = (replace(q, answerable=False, gold=()) for q in other.questions[::3])
    return Dataset("elsewhere", home.documents, tuple(questions))


def built_in() -> Dataset:
    """The built-in corpus with its known facts that ask for one thing and stand alone."""
    texts = {id: read(path, id) for id, path in find([BUILT_IN])}
    questions = []
    for case in load_cases(BUILT_IN.parent / "known_facts.jsonl"):
        if case.history or shape_of(case.question) not in (Shape.FACT, Shape.YES_NO):
            continue
        gold = tuple(
            Gold(id, Span(at, at + len(quote)))
            for quote in case.quotes
            for id in case.documents
            if (at := texts[id].text.find(quote)) >= 0
        )
        questions.append(DatasetQuestion(case.id, case.question, case.answerable, gold))
    documents = {id: text.text for id, text in texts.items()}
    return Dataset("built-in", documents, tuple(questions))


def ask(dataset: Dataset, reader: Reader) -> list[Asked]:
    """Every question of the set, searched for over an index of its documents."""
    model = embedder("minilm")
    with tempfile.TemporaryDirectory() as folder:
        build([materialise(dataset, Path(folder, "documents"))], Path(folder, "index"), model)
        index = Index.open(Path(folder, "index"), model)
        weigher = Weigher(index, reader)
        return [
            Asked(q, *weigher.signals(q.question, index.search((q.question,), HITS)))
            for q in dataset.questions
        ]


def fit(sets: Sequence[Sequence[Asked]]) -> Combinations:
    """Both combinations, every question weighing the same."""
    sentence = _fit_sentence(sets)
    return sentence, _fit_confidence(sets, sentence)


def _fit_sentence(sets: Sequence[Sequence[Asked]]) -> Combination:
    rows, labels = [], []
    for asked in sets:
        read = [(one, a.gold(one)) for a in asked for one in a.found if "margin" in one.signals]
        rows += [[one.signals.get(name, 0.0) for name in SENTENCE] for one, _ in read]
        labels += [gold for _, gold in read]
    return _logistic(SENTENCE, rows, labels, SENTENCE_PENALTY)


def _fit_confidence(sets: Sequence[Sequence[Asked]], sentence: Combination) -> Combination:
    rows, labels = [], []
    for asked in sets:
        for a in asked:
            weighed = conclude(a.query, a.found, (sentence, Combination(0.0, {})))
            rows.append([weighed.signals.get(name, 0.0) for name in CONFIDENCE])
            labels.append(bool(weighed.evidence) and a.gold(weighed.evidence[0]))
    return _logistic(CONFIDENCE, rows, labels, CONFIDENCE_PENALTY)


def _logistic(
    names: Sequence[str],
    rows: Sequence[Sequence[float]],
    labels: Sequence[bool],
    penalty: float,
) -> Combination:
    """Logistic regression with an L2 penalty, on standardised signals, given on their own scale.

    A signal that can only speak against an answer, or only for one, is held to that side, so that
    a small set's accidents cannot turn it round.
    """
    table = np.asarray(rows)
    scale = table.std(axis=0) + 1e-9
    x = np.column_stack([table / scale, np.ones(len(table))])
    prior = np.append([PRIOR.get(n, 0.0) * s for n, s in zip(names, scale, strict=True)], 0.0)
    sign = np.where(np.asarray(labels), 1.0, -1.0)

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        odds = sign * (x @ w)
        slope = -sign * expit(-odds) / len(x)
        away = (w - prior) * penalty
        away[-1] = 0.0
        loss = np.logaddexp(0, -odds).mean() + away @ (w - prior) / 2
        return float(loss), x.T @ slope + away

    bounds = [
        (None, 0.0) if n in AGAINST else (0.0, None) if n in FOR else (None, None) for n in names
    ]
    found = minimize(
        loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B", bounds=[*bounds, (None, None)]
    )
    # The penalty orders well and makes all odds small: a line through them sets that right.
    line = LinearOdds.fit(x @ found.x, sign)
    weights = np.round(line.slope * found.x[:-1] / scale, 5).tolist()
    bias = line.slope * float(found.x[-1]) + line.bias
    return Combination(round(bias, 5), dict(zip(names, weights, strict=True)))


@dataclass(frozen=True)
class LinearOdds:
    """Platt's scaling of log-odds (Platt 1999)."""

    slope: float
    bias: float

    @classmethod
    def fit(cls, odds: np.ndarray, sign: np.ndarray) -> "LinearOdds":
        """`sign` is 1.0 for what is so, -1.0 for what is not."""

        def loss(w: np.ndarray) -> float:
            return float(np.logaddexp(0, -sign * (w[0] * odds + w[1])).mean())

        slope, bias = minimize(loss, np.array([1.0, 0.0]), method="L-BFGS-B").x
        return cls(float(slope), float(bias))


def figures(asked: Sequence[Asked], combinations: Combinations) -> dict[str, float]:
    """How well the combinations do on a set."""
    answers = [(a, conclude(a.query, a.found, combinations)) for a in asked]
    able = [(a, w) for a, w in answers if a.question.answerable]
    if not able:
        return {
            "n": len(asked),
            "mean confidence": float(np.mean([w.confidence for _, w in answers])),
        }
    right = [bool(w.evidence) and a.gold(w.evidence[0]) for a, w in answers]
    confidence = [w.confidence for _, w in answers]

    def among(k: int) -> float:
        return float(np.mean([any(a.gold(e) for e in w.evidence[:k]) for a, w in able]))

    shown = {"n": len(asked), "first": among(1), "three": among(3), "ece": ece(confidence, right)}
    if len(able) < len(answers):
        shown["auc"] = auroc(confidence, [a.question.answerable for a, _ in answers])
        least = np.sort([w.confidence for _, w in able])[int(0.04 * len(able))]
        refused = [w.confidence < least for a, w in answers if not a.question.answerable]
        shown["refused_at_4%"] = float(np.mean(refused))
    spans = [(a.question, w.evidence[0]) for a, w in able if a.question.answers and w.evidence]
    if spans:
        words = [e.answer.of(e.document.text) if e.answer else "" for _, e in spans]
        golds = [q.answers for q, _ in spans]
        shown["em"] = float(np.mean([exact_match(w, g) for w, g in zip(words, golds, strict=True)]))
        shown["f1"] = float(np.mean([token_f1(w, g) for w, g in zip(words, golds, strict=True)]))
    return shown


def refusing_at(sets: Sequence[Sequence[Asked]], combinations: Combinations) -> float:
    """The probability below which REFUSED of the answerable questions of all sets lie."""
    able = [
        conclude(a.query, a.found, combinations).confidence
        for asked in sets
        for a in asked
        if a.question.answerable
    ]
    return round(float(np.quantile(able, REFUSED)), 3)


def main() -> None:
    """Fits, prints the figures on each set left out, and with --write writes evidence.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    reader = Reader.packaged()
    asked = {dataset.name: ask(dataset, reader) for dataset in sets(options.data)}
    for name in asked:
        others = [those for other, those in asked.items() if other != name]
        shown = figures(asked[name], fit(others))
        print(f"{name:20}", "  ".join(f"{key} {value:.3f}" for key, value in shown.items()))
    everything = list(asked.values())
    combinations = fit(everything)
    table = {
        "made_by": "python -m rag.models.make_evidence --data FOLDER --write",
        "fitted_on": {name: len(those) for name, those in asked.items()},
        "refuse_below": refusing_at(everything, combinations),
        "sentence": {"bias": combinations[0].bias, "weights": combinations[0].weights},
        "confidence": {"bias": combinations[1].bias, "weights": combinations[1].weights},
    }
    print(json.dumps(table, indent=1))
    if options.write:
        WEIGHTS.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
