"""Text to measure on: real paragraphs where there are some, then made ones of their words."""

import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

from corpus.read import BUILT_IN

DOCUMENT = 4500  # characters, about: eight paragraphs
LONGEST = 1500  # characters of a paragraph; longer ones are cut at sentence ends
_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*|\d[\d,.]*")


def write_documents(folder: Path, passages: int, data: Path | None, seed: int = 0) -> list[str]:
    """Writes documents of about that many passages into `folder`; gives questions about them.

    `data` holds SQuAD files (.json) and BEIR corpora (corpus.jsonl), however deep.
    """
    folder.mkdir(parents=True)
    questions: list[str] = []
    paragraphs = _paragraphs(data, questions, seed)
    number = written = 0
    while written < passages:
        part: list[str] = []
        while sum(map(len, part)) < min(DOCUMENT, 560 * (passages - written)):
            part.append(next(paragraphs))
        (folder / f"{number:06}.txt").write_text("\n\n".join(part), encoding="utf-8")
        number += 1
        written += sum(max(1, round(len(text) / 560)) for text in part)
    return questions


def _paragraphs(data: Path | None, questions: list[str], seed: int) -> Iterator[str]:
    seen: set[str] = set()
    known: Counter[str] = Counter()
    lengths: list[int] = []
    for text, asked in _real(data) if data else _built_in():
        if text in seen:
            continue
        seen.add(text)
        known.update(_WORD.findall(text))
        questions += asked
        for piece in _cut(text):
            lengths.append(len(piece))
            yield piece
    yield from _made(known, lengths, questions, seed)


def _cut(text: str) -> Iterator[str]:
    piece = ""
    for sentence in re.split(r"(?<=[.!?])\s+", text):
        if piece and len(piece) + len(sentence) > LONGEST:
            yield piece
            piece = ""
        piece += f" {sentence}" if piece else sentence
    yield piece


def _real(data: Path) -> Iterator[tuple[str, list[str]]]:
    for file in sorted(data.rglob("*.json")):
        for article in json.loads(file.read_text(encoding="utf-8")).get("data", ()):
            for paragraph in article["paragraphs"]:
                yield paragraph["context"], [qa["question"] for qa in paragraph["qas"]]
    for file in sorted(data.rglob("corpus.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            yield f"{row['title']}. {row['text']}", []


def _built_in() -> Iterator[tuple[str, list[str]]]:
    for file in sorted(BUILT_IN.glob("*.md")):
        for text in file.read_text(encoding="utf-8").split("\n\n"):
            if len(text) > 200:
                yield text, []


def _made(
    known: Counter[str], lengths: list[int], questions: list[str], seed: int
) -> Iterator[str]:
    """Sentences of known words at their frequencies, and of names and numbers all their own."""
    choose = random.Random(seed)
    words, totals = list(known), list(accumulate(known.values()))
    few = len(questions) < 200
    while True:
        wanted = choose.choice(lengths)
        sentences: list[str] = []
        while sum(map(len, sentences)) < wanted:
            name = "".join(choose.choices("abcdefghiklmnoprstuvwz", k=choose.randint(4, 9)))
            picked = choose.choices(words, cum_weights=totals, k=choose.randint(7, 26))
            picked[choose.randrange(len(picked))] = name.capitalize()
            sentences.append(f"{' '.join(picked).capitalize()} {choose.randint(1, 2100)}.")
        if few and len(questions) < 2000:
            some = " ".join(choose.choice(sentences).rstrip(".").split()[-5:])
            questions.append(f"What is said of {some}?")
        yield " ".join(sentences)
