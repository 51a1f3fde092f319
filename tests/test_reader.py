"""The packaged reader: its hash, its readings, its spans."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from corpus.errors import ModelDamaged
from rag import evidence
from rag.reader import MODEL, Reader, best_span, whole_words

PASSAGE = (
    "Rollo was a Viking who led the Norsemen. In 911 he was granted land around Rouen by "
    "King Charles III. His grandson built a castle of stone."
)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.packaged(threads=1)


def test_says_where_a_passage_answers(reader: Reader) -> None:
    (reading,) = reader.read("When was Rollo granted land?", [PASSAGE])
    found = best_span(reading, 0, len(PASSAGE))
    assert found is not None
    assert PASSAGE[slice(*whole_words(PASSAGE, *found[1:]))] == "911"
    assert found[0] > reading.null


def test_tells_a_passage_that_answers_from_one_that_does_not(reader: Reader) -> None:
    question = "When was Rollo granted land?"
    here, elsewhere = reader.read(question, [PASSAGE, "Bread is baked from flour and water."])
    assert here.answerable > elsewhere.answerable
    assert best_margin(here) > best_margin(elsewhere)


def best_margin(reading) -> float:  # type: ignore[no-untyped-def]
    found = best_span(reading, 0, 1 << 30)
    assert found is not None
    return found[0] - reading.null


def test_offsets_count_code_points(reader: Reader) -> None:
    text = "Naïve 🦊 café: " + PASSAGE
    (reading,) = reader.read("When was Rollo granted land?", [text])
    found = best_span(reading, 0, len(text))
    assert found is not None
    assert text[found[1] : found[2]] == "911"


def test_order_and_company_change_nothing(reader: Reader) -> None:
    passages = [PASSAGE, "Bread is baked from flour.", PASSAGE * 2]
    question = "Who granted land to Rollo?"
    forward = reader.read(question, passages)
    backward = reader.read(question, passages[::-1])[::-1]
    for a, b in zip(forward, backward, strict=True):
        assert np.array_equal(a.tokens, b.tokens)
        assert np.array_equal(a.start, b.start)


def test_a_long_passage_is_read_in_windows(reader: Reader) -> None:
    filler = "The weather was fine and the harvest was good that year. " * 60
    text = filler + PASSAGE + " " + filler
    (reading,) = reader.read("When was Rollo granted land?", [text])
    found = best_span(reading, 0, len(text))
    assert found is not None
    assert text[found[1] : found[2]] == "911"
    assert len(reading.tokens) == len(reading.start) == len(reading.end) == len(reading.inside)


def test_nothing_to_read(reader: Reader) -> None:
    assert reader.read("Who?", []) == []
    (empty,) = reader.read("", [""])
    assert best_span(empty, 0, 0) is None


def test_a_span_stays_inside_its_range(reader: Reader) -> None:
    (reading,) = reader.read("When was Rollo granted land?", [PASSAGE])
    lo = PASSAGE.index("His grandson")
    found = best_span(reading, lo, len(PASSAGE))
    assert found is not None
    assert lo <= found[1] < found[2] <= len(PASSAGE)


@pytest.mark.parametrize(
    ("text", "part", "whole"),
    [
        ("about 3.5 million people", "5 m", "3.5 million"),
        ("some 1,200,000 of them", "200", "1,200,000"),
        ("they didn't go", "didn", "didn't"),
        ("Rollo's men", "Roll", "Rollo"),
        ('the "Kyoto Protocol" (1997),', '"Kyoto Protocol" (1997),', '"Kyoto Protocol" (1997)'),
        ("in the U.S. then", "U.S. ", "U.S."),
        ("(see below), he said", "(see below),", "see below"),
    ],
)
def test_spans_are_whole_words(text: str, part: str, whole: str) -> None:
    at = text.index(part)
    start, end = whole_words(text, at, at + len(part))
    assert text[start:end] == whole


def test_an_altered_model_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "reader"
    shutil.copytree(MODEL, folder)
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelDamaged, match="not the file that was shipped"):
        Reader(folder)


@pytest.mark.parametrize("left", ["", "{", '{"refuse_below": 0.2, "sentence": {"bias": 1}}', "[]"])
def test_damaged_combinations_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    weights = tmp_path / "evidence.json"
    weights.write_text(left, encoding="utf-8")
    monkeypatch.setattr(evidence, "WEIGHTS", weights)
    evidence._table.cache_clear()
    with pytest.raises(ModelDamaged, match="install Footnote again"):
        evidence.fitted()
    evidence._table.cache_clear()
