"""The public sets the reader learns from, read into one shape, with some of each left out.

What is left out is never trained on and gives the figures in the model card: whole articles where
a set has articles, so that no paragraph is on both sides.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LICENCES = {
    "squad2": "SQuAD 2.0, half of a public dev split; CC BY-SA 4.0 (rajpurkar)",
    "new_wiki": "SQuADShifts, newer Wikipedia; CC BY 4.0 (modestyachts/squadshifts-website)",
    "reddit": "SQuADShifts, Reddit posts; CC BY 4.0",
    "amazon": "SQuADShifts, product reviews; CC BY 4.0",
    "covidqa": "COVID-QA; Apache-2.0 (deepset-ai)",
    "clapnq": "CLAPNQ, half of its dev split; Apache-2.0 (primeqa/clapnq)",
    "written": "questions of this project (rag/models/written.jsonl, its licence) about passages of"
    " SQuADShifts and COVID-QA and about invented reports",
}
WRITTEN = Path(__file__).parent / "written.jsonl"
REPORTS = Path(__file__).parent / "reports.jsonl"  # the same kind of questions, all left out
YES_NO_KINDS = frozenset({"yes_no", "undecided"})
WRITTEN_KINDS = YES_NO_KINDS | {"answered", "several", "unanswered"}
LEFT_OUT_WRITTEN = 24  # one passage in so many, by digest
LEFT_OUT_SQUAD = frozenset({"Normans", "European_Union_law"})
LEFT_OUT_WIKI_QUESTIONS = 300
LEFT_OUT_CLAPNQ = 40
FILES = {
    "squad2": "squad2/squad2_half.json",
    "new_wiki": "squadshifts/new_wiki_v1.0.json",
    "reddit": "squadshifts/reddit_v1.0.json",
    "amazon": "squadshifts/amazon_reviews_v1.0.json",
    "covidqa": "covidqa/200423_covidQA.json",
}

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Context:
    """A text with the sentences in it (half-open ranges of code points)."""

    source: str
    title: str
    text: str
    sentences: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A question about a context: answer spans, or gold sentences, or neither (not answered)."""

    question: str
    context: int
    answers: tuple[Span, ...] = ()
    gold_sentences: tuple[Span, ...] = ()


@dataclass(slots=True)
class Collection:
    """Contexts, and the questions asked about them."""

    contexts: list[Context]
    items: list[Item]


_BREAK = re.compile(r"(?<=[.!?])[\"'”’)\]]*\s+(?=[\"'“‘(\[]*[A-Z0-9])|\n+")


def sentences(text: str) -> tuple[Span, ...]:
    """Sentence ranges by punctuation: rough, but the same rule for every set."""
    spans, start = [], 0
    for found in _BREAK.finditer(text):
        before = text[start : found.start()]
        if len(before) > 3 and re.search(r"\b(?:Mr|Mrs|Dr|St|[A-Z]|e\.g|i\.e|No|vs)\.$", before):
            continue
        if before.strip():
            spans.append((start, found.end()))
        start = found.end()
    if text[start:].strip():
        spans.append((start, len(text)))
    tidy = []
    for a, b in spans:
        part = text[a:b]
        tidy.append((a + len(part) - len(part.lstrip()), a + len(part.rstrip())))
    return tuple(tidy)


def _squad(path: Path, source: str) -> Collection:
    found = Collection([], [])
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        title = str(article.get("title", "")).replace("_", " ")
        for paragraph in article["paragraphs"]:
            text = paragraph["context"]
            context = Context(source, title, text, sentences(text))
            found.contexts.append(context)
            for asked in paragraph["qas"]:
                spans = tuple(_tight(text, a) for a in asked["answers"])
                if asked.get("is_impossible"):
                    spans = ()
                elif not spans:
                    continue
                question = " ".join(asked["question"].split())
                found.items.append(Item(question, len(found.contexts) - 1, spans))
    return found


def _tight(text: str, answer: dict[str, Any]) -> Span:
    start, words = int(answer["answer_start"]), str(answer["text"])
    end = start + len(words)
    part = text[start:end]
    return start + len(part) - len(part.lstrip()), start + len(part.rstrip())


_SPACED = (
    (re.compile(r" ([.,;:!?%)\]])"), r"\1"),
    (re.compile(r"([(\[$]) "), r"\1"),
    (re.compile(r" ('s|'re|'ve|'ll|'d|n't|'m|')(?= |$)"), r"\1"),
    (re.compile(r"`` ?"), '"'),
    (re.compile(r" ?''"), '"'),
    (re.compile(r" ([-–/]) "), r"\1"),
)


def untokenized(text: str) -> str:
    """`the sirens , King 's` as people write it."""
    for pattern, new in _SPACED:
        text = pattern.sub(new, text)
    return text


def _clapnq(path: Path) -> Collection:
    found = Collection([], [])
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        passage = row["passages"][0]
        gold = {s for out in row["output"] for s in out.get("selected_sentences", ())}
        text, spans, chosen = "", [], []
        for sentence in passage["sentences"]:
            clean = untokenized(sentence.strip())
            if not clean:
                continue
            text += " " if text else ""
            spans.append((len(text), len(text) + len(clean)))
            text += clean
            if sentence in gold:
                chosen.append(spans[-1])
        found.contexts.append(Context("clapnq", passage["title"], text, tuple(spans)))
        item = Item(row["input"], len(found.contexts) - 1, (), tuple(chosen))
        if chosen or "unanswerable" in path.name:
            found.items.append(item)
    return found


def _written(
    path: Path, sets: Mapping[str, Collection], kinds: frozenset[str] = WRITTEN_KINDS
) -> Collection:
    """Questions written for this project, each passage's answered and unanswered ones together.

    Their `kinds`: `answered` in a few words, by whole sentences (`several`), a question of yes or
    no that sentences decide (`yes_no`); `unanswered`, and yes or no left open (`undecided`).

    A line of the file names its passage by set, digest and range, or brings it along. Answers are
    ranges in it, so that no words of the sets stand in the file.
    """
    named = {(name, digest(c.text)): c for name, found in sets.items() for c in found.contexts}
    found = Collection([], [])
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if "text" in row:
            kind, title, text = "written", row["title"], row["text"]
        else:
            source = named[row["set"], row["of"]]
            start, end = row.get("range", (0, len(source.text)))
            kind, title, text = source.source, source.title, source.text[start:end]
        at = len(found.contexts)
        context = Context(kind, title, text, sentences(text))
        found.contexts.append(context)
        row = {kind: row.get(kind, []) for kind in kinds}
        for asked, start, end in row.get("answered", ()):
            found.items.append(Item(asked, at, ((start, end),)))
        for asked, numbers in (*row.get("several", ()), *row.get("yes_no", ())):
            gold = tuple(context.sentences[n - 1] for n in numbers)
            found.items.append(Item(asked, at, (), gold))
        for asked in (*row.get("unanswered", ()), *row.get("undecided", ())):
            found.items.append(Item(asked, at))
    return found


def digest(text: str) -> str:
    """What `written.jsonl` names a passage by."""
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _pick(source: Collection, keep: list[bool]) -> Collection:
    """The part of a collection whose contexts are kept, renumbered."""
    place = {old: new for new, old in enumerate(i for i, k in enumerate(keep) if k)}
    items = [
        Item(i.question, place[i.context], i.answers, i.gold_sentences)
        for i in source.items
        if i.context in place
    ]
    return Collection([c for c, k in zip(source.contexts, keep, strict=True) if k], items)


def _parted(source: Collection, keep: list[bool]) -> tuple[Collection, Collection]:
    return _pick(source, keep), _pick(source, [not k for k in keep])


def load(folder: Path) -> tuple[dict[str, Collection], dict[str, Collection]]:
    """(to train on, left out), by the name of the set."""
    train: dict[str, Collection] = {}
    left: dict[str, Collection] = {}
    whole = {name: _squad(folder / path, name) for name, path in FILES.items()}
    written = _written(WRITTEN, whole)
    keep = [int(digest(c.text), 16) % LEFT_OUT_WRITTEN != 0 for c in written.contexts]
    train["written"], left["written"] = _parted(written, keep)
    left["reports"] = _written(REPORTS, {}, WRITTEN_KINDS - YES_NO_KINDS)
    left["yes_no"] = _written(REPORTS, {}, YES_NO_KINDS)
    unseen = {c.text for c in left["written"].contexts}
    for name, found in whole.items():
        out: set[str] = set()
        if name == "squad2":
            out = {t.replace("_", " ") for t in LEFT_OUT_SQUAD}
        elif name == "new_wiki":
            out = _last_articles(found)
        keep = [c.title not in out and c.text not in unseen for c in found.contexts]
        train[name], rest = _parted(found, keep)
        if out:
            left[name] = _pick(rest, [c.title in out for c in rest.contexts])
    for kind in ("answerable", "unanswerable"):
        clapnq = _clapnq(folder / f"clapnq/clapnq_dev_half_{kind}.jsonl")
        titles = {c.title for c in clapnq.contexts[-LEFT_OUT_CLAPNQ:]}
        keep = [c.title not in titles for c in clapnq.contexts]
        train[f"clapnq_{kind}"], left[f"clapnq_{kind}"] = _parted(clapnq, keep)
    return train, left


def _last_articles(whole: Collection) -> set[str]:
    """The last articles that together hold about LEFT_OUT_WIKI_QUESTIONS questions."""
    out: set[str] = set()
    count = 0
    for context in reversed(whole.contexts):
        if context.title in out:
            continue
        if count >= LEFT_OUT_WIKI_QUESTIONS:
            break
        out.add(context.title)
        count += sum(whole.contexts[i.context].title == context.title for i in whole.items)
    return out
