"""A pytest plugin: known facts as part of a team's own tests.

Write `pytest_plugins = ["rag.evals.plugin"]` into the top `conftest.py`, then

    def test_what_the_handbook_says(evaluation):
        results = evaluation("tests/handbook.jsonl")
        assert results.measures["all_facts_found"].value >= 0.9
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.evals.cases import Case
    from rag.evals.results import Results


@pytest.fixture(scope="session")
def footnote_assistant() -> "Assistant":
    """The assistant that is asked; override it to ask another one, or another index."""
    from rag.assistant import Assistant
    from rag.settings import load

    return Assistant.open(load())


@pytest.fixture(scope="session")
def evaluation(
    footnote_assistant: "Assistant",
) -> "Callable[[Path | str | Sequence[Case]], Results]":
    """Asks and judges cases, from a file or given one by one, and returns the results."""
    from rag.evals import evaluate

    return lambda cases: evaluate(cases, footnote_assistant)
