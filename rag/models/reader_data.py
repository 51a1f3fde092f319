"""Training examples: questions with passages that answer them and passages that do not.

A group is one question with one to three passages. At most one holds the answer; the others are
near to it: a passage that BM25 ranks high, or the same passage without its answering sentence.
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from rag.models.reader_sources import Collection, Context, Item, Span, sentences
from rag.models.reader_swaps import Swapper

CLS, SEP = 101, 102
MAX_QUESTION, MAX_TOKENS = 48, 288
NOT_HERE, SPAN, SENTENCES = 0, 1, 2
# How often a question of a set is taken in one pass, and what is put beside it.
TAKEN = {"new_wiki": 0.8, "reddit": 0.25, "amazon": 0.2, "covidqa": 0.6, "squad2": 1.6}
TAKEN |= {"clapnq_answerable": 2.0, "clapnq_unanswerable": 2.0, "written": 1.0}
NEAR = {"reddit": 0.5, "amazon": 0.4}  # of the others: 0.9
SWAPPED = {"reddit": 0.15, "amazon": 0.1, "squad2": 0.2, "new_wiki": 0.2, "covidqa": 0.2}
WITHOUT_SENTENCE = 0.3


@dataclass(slots=True)
class Example:
    """A question with a passage; code-point ranges of what answers it."""

    question: str
    passage: str
    group: int
    kind: int = NOT_HERE
    answer: Span = (0, 0)
    gold: list[Span] = field(default_factory=list)  # sentences that answer


def plain(text: str) -> str:
    """Words in lower case, without articles and punctuation."""
    words = re.findall(r"\w+", text.lower())
    return " ".join(w for w in words if w not in ("a", "an", "the"))


class Bm25:
    """A small BM25 over numpy postings; stems by cutting a plural s."""

    def __init__(self, texts: list[str], k1: float = 1.2, b: float = 0.75) -> None:
        postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        lengths = np.zeros(len(texts), dtype=np.float32)
        for i, text in enumerate(texts):
            words = self.words(text)
            lengths[i] = len(words)
            for word, n in Counter(words).items():
                postings[word].append((i, n))
        norm = k1 * (1 - b + b * lengths / lengths.mean())
        self.size = len(texts)
        self.postings: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        for word, where in postings.items():
            ids = np.array([i for i, _ in where])
            tf = np.array([n for _, n in where], dtype=np.float32)
            idf = math.log(1 + (self.size - len(ids) + 0.5) / (len(ids) + 0.5))
            self.postings[word] = ids, idf * tf * (k1 + 1) / (tf + norm[ids])

    @staticmethod
    def words(text: str) -> list[str]:
        """The words that are indexed."""
        found = re.findall(r"\w+", text.lower())
        return [w[:-1] if len(w) > 3 and w.endswith("s") else w for w in found]

    def top(self, query: str, n: int) -> list[int]:
        """The n best texts, best first."""
        scores = np.zeros(self.size, dtype=np.float32)
        for word in set(self.words(query)):
            if word in self.postings:
                ids, values = self.postings[word]
                scores[ids] += values
        best = np.argpartition(-scores, min(n, self.size - 1))[:n]
        return [int(i) for i in best[np.argsort(-scores[best], kind="stable")]]


def _words(text: str, span: Span) -> int:
    return text.count(" ", *span) + 1


def window(rng: random.Random, context: Context, must: Span, limit: int) -> tuple[int, int]:
    """Indices [first, last) of whole sentences around a range, of at most about `limit` words."""
    spans = context.sentences
    first = max(i for i, s in enumerate(spans) if s[0] <= must[0] or i == 0)
    last = min((i + 1 for i, s in enumerate(spans) if s[1] >= must[1]), default=len(spans))
    last = max(last, first + 1)
    size = sum(_words(context.text, s) for s in spans[first:last])
    ways = [-1, 1]
    while ways:
        way = rng.choice(ways)
        new = first - 1 if way < 0 else last
        if not 0 <= new < len(spans) or size + _words(context.text, spans[new]) > limit:
            ways.remove(way)
            continue
        size += _words(context.text, spans[new])
        first, last = (new, last) if way < 0 else (first, new + 1)
    return first, last


class Builder:
    """Makes the examples of one pass; another seed gives other windows, swaps and near passages."""

    def __init__(self, sets: dict[str, Collection]) -> None:
        self.sets = sets
        self.units: dict[str, list[tuple[int, int, int]]] = {}  # context, first, last sentence
        self.search: dict[str, Bm25] = {}
        pools = {n: "clapnq" if n.startswith("clapnq") else n for n in sets}
        self.pool_of = pools
        fixed = random.Random(0)
        for name, found in sets.items():
            if name == "clapnq_unanswerable":
                continue
            units = []
            for i, context in enumerate(found.contexts):
                at = 0
                while at < len(context.sentences):
                    start = context.sentences[at]
                    _, last = window(fixed, _after(context, at), start, 120)
                    units.append((i, at, at + last))
                    at += last
            self.units[name] = units
            texts = [_cut(found.contexts[i], a, b)[0] for i, a, b in units]
            self.search[name] = Bm25(texts)
        self.swapper = Swapper(
            (f"{n}/{s.contexts[i.context].title}", i.question)
            for n, s in sets.items()
            for i in s.items
        )

    def build(self, seed: int) -> list[Example]:
        """The examples of one pass."""
        rng = random.Random(seed)
        made: list[Example] = []
        group = 0
        for name, found in self.sets.items():
            for item in found.items:
                taken = TAKEN[name]
                times = int(taken) + (rng.random() < taken % 1)
                for _ in range(times):
                    made += self._group(rng, name, found, item, group)
                    group += 1
                    if item.answers and rng.random() < SWAPPED.get(name, 0):
                        made += self._swapped(rng, name, found, item, group)
                        group += 1
        return made

    def _limit(self, rng: random.Random) -> int:
        return rng.randint(70, 150)

    def _group(
        self, rng: random.Random, name: str, found: Collection, item: Item, group: int
    ) -> list[Example]:
        context = found.contexts[item.context]
        question = _worn(rng, item.question)
        answer = rng.choice(item.answers) if item.answers else None
        must = answer or (item.gold_sentences[0] if item.gold_sentences else None)
        if must is None:
            at = rng.choice(context.sentences)
            a, b = window(rng, context, at, self._limit(rng) + 20)
            text, _ = _cut(context, a, b)
            return [Example(question, _titled(rng, context, text), group)]
        if answer is None:
            must = (must[0], item.gold_sentences[-1][1])
        a, b = window(rng, context, must, self._limit(rng))
        gold = [i for i in range(a, b) if _meets(context.sentences[i], answer, item.gold_sentences)]
        drop = [i for i in range(a, b) if i not in gold]
        dropped = {rng.choice(drop)} if len(drop) > 2 and rng.random() < 0.12 else set()
        text, moved = _cut(context, a, b, dropped)
        first = Example(question, text, group)
        first.gold = [moved[i] for i in gold]
        if answer is None:
            first.kind = SENTENCES
        else:
            first.kind = SPAN
            shift = moved[gold[0]][0] - context.sentences[gold[0]][0]
            end = min(answer[1] + shift, moved[gold[-1]][1])
            first.answer = (answer[0] + shift, end)
            if name == "covidqa" and answer[1] - answer[0] > 240:
                first.kind = SENTENCES
        _add_title(rng, context, first)
        examples = [first]
        lacks = [plain(context.text[s:e]) for s, e in item.answers]
        if drop and rng.random() < WITHOUT_SENTENCE:
            rest, _ = _cut(context, a, b, set(gold))
            if not _holds(rest, lacks):
                examples.append(Example(question, _titled(rng, context, rest), group))
        wanted = (rng.random() < NEAR.get(name, 0.9)) + (rng.random() < NEAR.get(name, 0.9) / 2)
        for near in self._near(rng, name, item, lacks, wanted):
            examples.append(Example(question, near, group))
        return examples

    def _near(
        self, rng: random.Random, name: str, item: Item, lacks: list[str], wanted: int
    ) -> list[str]:
        """Passages that BM25 ranks high and that do not hold the answer."""
        pool = "clapnq_answerable" if name.startswith("clapnq") else name
        found = self.sets[pool]
        good = []
        for unit in self.search[pool].top(item.question, 14):
            i, a, b = self.units[pool][unit]
            if name != "covidqa" and i == item.context and item.gold_sentences:
                continue
            context = found.contexts[i]
            text, _ = _cut(context, a, b)
            overlaps = i == item.context and any(
                _overlap((context.sentences[a][0], context.sentences[b - 1][1]), s)
                for s in (*item.answers, *item.gold_sentences)
            )
            if overlaps or (lacks and _holds(text, lacks)):
                continue
            good.append((context, text))
            if len(good) == 5:
                break
        chosen: list[str] = []
        while good and len(chosen) < wanted:
            context, text = good.pop(min(int(rng.expovariate(0.6)), len(good) - 1))
            chosen.append(_titled(rng, context, text))
        return chosen

    def _swapped(
        self, rng: random.Random, name: str, found: Collection, item: Item, group: int
    ) -> list[Example]:
        context = found.contexts[item.context]
        a, b = window(rng, context, item.answers[0], self._limit(rng))
        text, _ = _cut(context, a, b)
        made = self.swapper.swap(rng, f"{name}/{context.title}", item.question, text)
        if made is None:
            return []
        return [Example(_worn(rng, made), _titled(rng, context, text), group)]


def _after(context: Context, at: int) -> Context:
    return Context(context.source, context.title, context.text, context.sentences[at:])


def _overlap(a: Span, b: Span) -> bool:
    return a[0] < b[1] and b[0] < a[1]


def _meets(sentence: Span, answer: Span | None, gold: tuple[Span, ...]) -> bool:
    return _overlap(sentence, answer) if answer else sentence in gold


def _holds(text: str, lacks: list[str]) -> bool:
    padded = f" {plain(text)} "
    return any(f" {answer} " in padded for answer in lacks)


def _cut(
    context: Context, first: int, last: int, dropped: set[int] | None = None
) -> tuple[str, dict[int, Span]]:
    """Sentences first to last as a text, with each sentence's range in it."""
    text, moved = "", {}
    for i in range(first, last):
        if dropped and i in dropped:
            continue
        s, e = context.sentences[i]
        text += " " if text else ""
        moved[i] = (len(text), len(text) + e - s)
        text += context.text[s:e]
    return text, moved


def _titled(rng: random.Random, context: Context, text: str) -> str:
    named = context.title and context.source not in ("reddit", "amazon")
    return f"{context.title}\n{text}" if named and rng.random() < 0.25 else text


def _add_title(rng: random.Random, context: Context, example: Example) -> None:
    old = len(example.passage)
    example.passage = _titled(rng, context, example.passage)
    by = len(example.passage) - old
    example.answer = (example.answer[0] + by, example.answer[1] + by)
    example.gold = [(s + by, e + by) for s, e in example.gold]


def _worn(rng: random.Random, question: str) -> str:
    """Now and then without its question mark, or put the way people put things in a chat."""
    if rng.random() < 0.12:
        question = question.rstrip("? ")
    if rng.random() < 0.03:
        opening = rng.choice(("tell me,", "do you know", "can you tell me", "and", "so"))
        question = f"{opening} {question}"
    return question


def encode(examples: list[Example], tokenizer: Tokenizer, path: Path) -> dict[str, int]:
    """Write a pass as flat arrays; says what is in it."""
    tokenizer.no_padding()
    tokenizer.no_truncation()
    ids: list[np.ndarray] = []
    inside: list[np.ndarray] = []
    rows: list[tuple[int, int, int, int, int, int]] = []
    count: Counter[str] = Counter()
    for at in range(0, len(examples), 4096):
        part = examples[at : at + 4096]
        asked = tokenizer.encode_batch([e.question for e in part], add_special_tokens=False)
        read = tokenizer.encode_batch([e.passage for e in part], add_special_tokens=False)
        for example, q, p in zip(part, asked, read, strict=True):
            qids = q.ids[:MAX_QUESTION]
            room = MAX_TOKENS - len(qids) - 3
            head = len(qids) + 2
            offsets = np.array(p.offsets[:room])
            kind, start, end = example.kind, 0, 0
            if kind == SPAN:
                hit = np.flatnonzero(
                    (offsets[:, 1] > example.answer[0]) & (offsets[:, 0] < example.answer[1])
                )
                if not len(hit):
                    count["lost"] += 1
                    continue
                start, end = head + int(hit[0]), head + int(hit[-1])
            mask = np.zeros(head + len(offsets) + 1, dtype=np.uint8)
            for s, e in example.gold:
                mask[head:-1] |= (offsets[:, 1] > s) & (offsets[:, 0] < e)
            if kind == SENTENCES and not mask.any():
                count["lost"] += 1
                continue
            ids.append(np.array([CLS, *qids, SEP, *p.ids[:room], SEP], dtype=np.uint16))
            inside.append(mask)
            rows.append((len(mask), len(qids), example.group, kind, start, end))
            count[("not here", "span", "sentences")[kind]] += 1
            count["tokens"] += len(mask)
    temporary = path.with_suffix(".tmp.npz")
    np.savez(
        temporary,
        ids=np.concatenate(ids),
        inside=np.concatenate(inside),
        rows=np.array(rows, dtype=np.int32),
    )
    temporary.rename(path)
    return dict(count)


__all__ = ["Bm25", "Builder", "Example", "encode", "plain", "sentences"]
