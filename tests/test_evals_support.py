import json
from pathlib import Path

import pytest

from rag.evals.support import citation_precision, citation_recall, error_rates, supported

LONG = "The Wye is a river 250 km long."
SOURCE = "It enters the Severn estuary at Chepstow."


@pytest.mark.parametrize(
    ("claim", "quotes", "expected"),
    [
        ("The river is 250 kilometres long.", [LONG], True),
        ("The river Wye is 260 km long.", [LONG], False),
        ("Rivers enter the Severn estuary.", [SOURCE], True),
        ("The Wye, a river 250 km long, enters the Severn estuary at Chepstow.", [LONG], False),
        (
            "The Wye, a river 250 km long, enters the Severn estuary at Chepstow.",
            [LONG, SOURCE],
            True,
        ),
        ("The river is the 4th longest river.", [LONG], False),
        ("The river is 250 m long.", [LONG], False),
        ("The river is 250,000 metres long.", [LONG], True),
        ("It is so.", [], False),
    ],
)
def test_support_needs_the_numbers_and_most_words(
    claim: str, quotes: list[str], expected: bool
) -> None:
    assert supported(claim, quotes) is expected


def test_citation_recall_and_precision_as_in_alce() -> None:
    joint = "A river 250 km long that enters the Severn estuary at Chepstow."
    answer = [
        (joint, [LONG, SOURCE]),  # both needed
        ("The river is 250 km long.", [LONG, SOURCE]),  # the second is not
        ("Nobody knows.", []),
        ("Bristol is a city.", [LONG]),
    ]
    assert citation_recall(answer) == (True, True, False, False)
    assert citation_precision(answer) == (True, True, True, False, False)


def test_the_judges_errors_are_measured(tmp_path: Path) -> None:
    row = {
        "passages": [{"sentences": [LONG, SOURCE]}],
        "output": [
            {"answer": "A river 250 km long.", "selected_sentences": [LONG]},
            {"answer": "Nobody can say at all.", "selected_sentences": [LONG]},
            {"answer": "", "selected_sentences": []},
        ],
    }
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    assert error_rates(tmp_path) == (0.5, 0.0, 0.0)
