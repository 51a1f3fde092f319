"""What the packaged reader can do, on the questions that it was never trained on.

`python -m rag.models.measure_reader --data FOLDER` prints the figures of the model card: with the
right paragraph given (closed), and reading the five best paragraphs by BM25 (open).
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rag.models.reader_data import Bm25, plain
from rag.models.reader_sources import Collection, Context, Item, load
from rag.reader import Reader, Reading, best_span, whole_words

PASSAGES = 5
ABLE_WEIGHT, INSIDE_WEIGHT = 2.0, 2.0


@dataclass(frozen=True, slots=True)
class Found:
    """A sentence of a passage with what the reader says of it."""

    passage: int
    sentence: int
    words: str
    span: float
    null: float
    answerable: float
    inside: float
    rank: int
    gold: bool
    holds: bool

    @property
    def score(self) -> float:
        """How well the sentence answers."""
        able = ABLE_WEIGHT * self.answerable + INSIDE_WEIGHT * self.inside
        return self.span - self.null + able


def read(
    reader: Reader, contexts: Sequence[Context], item: Item, chosen: Sequence[int]
) -> list[Found]:
    """Every sentence of the chosen contexts."""
    found: list[Found] = []
    readings = reader.read(item.question, [contexts[i].text for i in chosen])
    lacks = [plain(contexts[item.context].text[a:b]) for a, b in item.answers]
    for rank, (i, reading) in enumerate(zip(chosen, readings, strict=True)):
        text = contexts[i].text
        for n, (lo, hi) in enumerate(contexts[i].sentences):
            best = best_span(reading, lo, hi)
            if best is None:
                continue
            score, start, end = best
            gold = i == item.context and any(
                lo < b and a < hi for a, b in (*item.answers, *item.gold_sentences)
            )
            said = f" {plain(text[lo:hi])} "
            start, end = whole_words(text, start, end)
            found.append(
                Found(
                    i,
                    n,
                    text[start:end],
                    score,
                    reading.null,
                    reading.answerable,
                    inside_of(reading, lo, hi),
                    rank,
                    gold,
                    gold or any(f" {answer} " in said for answer in lacks if answer),
                )
            )
    return found


def inside_of(reading: Reading, start: int, end: int) -> float:
    """The mean of the inside logits over a sentence."""
    within = (reading.tokens[:, 1] > start) & (reading.tokens[:, 0] < end)
    return float(reading.inside[within].mean()) if within.any() else -10.0


def overlap(said: str, answers: Sequence[str]) -> tuple[float, float]:
    """Exact match and token F1 with the best of the gold answers, as SQuAD counts them."""
    words = plain(said).split()
    exact, f1 = 0.0, 0.0
    for answer in answers:
        gold = plain(answer).split()
        exact = max(exact, float(words == gold))
        common = sum((Counter(words) & Counter(gold)).values())
        f1 = max(f1, 2 * common / (len(words) + len(gold)) if words or gold else 1.0)
    return exact, f1


def auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """How often an answerable question scores above an unanswerable one."""
    if not positive or not negative:
        return float("nan")
    p, n = np.array(positive)[:, None], np.array(negative)[None, :]
    return float(((p > n) + 0.5 * (p == n)).mean())


def measure(reader: Reader, name: str, found: Collection, closed: bool, pool: Collection) -> str:
    """One line of figures for a set."""
    contexts = found.contexts + [c for c in pool.contexts if not closed]
    search = Bm25([c.text for c in contexts])
    first = three = exact = f1 = held = retrieved = 0.0
    yes: list[tuple[float, float, float]] = []
    no: list[tuple[float, float, float]] = []
    for item in found.items:
        chosen = [item.context] if closed else search.top(item.question, PASSAGES)
        sentences = sorted(read(reader, contexts, item, chosen), key=lambda s: -s.score)
        margin = max(s.span - s.null for s in sentences)
        marks = (sentences[0].score, margin, max(s.answerable for s in sentences))
        if not item.answers and not item.gold_sentences:
            no.append(marks)
            continue
        yes.append(marks)
        retrieved += item.context in chosen
        first += sentences[0].gold
        held += sentences[0].holds
        three += any(s.gold for s in sentences[:3])
        golds = [contexts[item.context].text[a:b] for a, b in item.answers]
        if golds:
            best = overlap(sentences[0].words, golds)
            exact, f1 = exact + best[0], f1 + best[1]
    n = len(yes)
    worded = any(item.answers for item in found.items)
    shares = [first / n, three / n, held / n] if worded else [first / n, three / n, None]
    shares += [exact / n, f1 / n] if worded else [None, None]
    shares += [auc([y[k] for y in yes], [x[k] for x in no]) if no else None for k in range(3)]
    line = f"{name:22} {'given' if closed else 'top 5':6} {n:5} {len(no):5} {retrieved / n:6.3f} "
    return line + " ".join("    –" if x is None else f"{x:.3f}" for x in shares)


HEAD = (
    "set                    reads  answ.   not  there "
    "first three holds    EM    F1 AUC, of score, of span - null, of answerable"
)


def figures(reader: Reader, data: Path) -> list[str]:
    """All the lines of the card."""
    train, left = load(data)
    nothing = Collection([], [])
    clap = _together(left["clapnq_answerable"], left["clapnq_unanswerable"])
    others = Collection(
        train["clapnq_answerable"].contexts + train["clapnq_unanswerable"].contexts, []
    )
    return [
        HEAD,
        measure(reader, "SQuAD 2.0, 2 articles", left["squad2"], True, nothing),
        measure(reader, "SQuAD 2.0, 2 articles", left["squad2"], False, train["squad2"]),
        measure(reader, "new Wikipedia", left["new_wiki"], True, nothing),
        measure(reader, "new Wikipedia", left["new_wiki"], False, train["new_wiki"]),
        measure(reader, "written for it", left["written"], True, nothing),
        measure(reader, "invented reports", left["reports"], True, nothing),
        measure(reader, "invented reports", left["reports"], False, nothing),
        measure(reader, "CLAPNQ", clap, True, nothing),
        measure(reader, "CLAPNQ", clap, False, others),
    ]


def _together(a: Collection, b: Collection) -> Collection:
    by = len(a.contexts)
    moved = [Item(i.question, i.context + by, i.answers, i.gold_sentences) for i in b.items]
    return Collection(a.contexts + b.contexts, a.items + moved)


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=Path(__file__).parent / "reader")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    for line in figures(Reader(options.model, options.threads), options.data):
        print(line, flush=True)


if __name__ == "__main__":
    main()
