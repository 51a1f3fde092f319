"""The questions written for the reader's training hold what they claim to."""

import json
from collections import Counter

from rag.models.reader_sources import REPORTS, WRITTEN, sentences

ROWS = [
    json.loads(line)
    for path in (WRITTEN, REPORTS)
    for line in path.read_text(encoding="utf-8").splitlines()
]


def test_answers_stand_in_their_passages_and_sentences_are_there() -> None:
    own = [row for row in ROWS if "text" in row]
    assert len(own) > 20
    for row in own:
        for question, start, end in row["answered"]:
            answer = row["text"][start:end]
            assert answer == answer.strip() != "", question
        last = len(sentences(row["text"]))
        for question, numbers in (*row.get("several", ()), *row.get("yes_no", ())):
            assert numbers, question
            assert 1 <= min(numbers) <= max(numbers) <= last, question


def test_no_question_is_both_answered_and_not() -> None:
    for row in ROWS:
        asked = [q for kind in ("answered", "several", "yes_no") for q, *_ in row.get(kind, ())]
        both = set(asked) & {*row["unanswered"], *row.get("undecided", ())}
        assert not both, both
        assert not [q for q, n in Counter(asked).items() if n > 1]
