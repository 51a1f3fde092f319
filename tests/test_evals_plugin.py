"""The plugin as a team would use it, and `evaluate` from Python."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rag.assistant import Assistant
from rag.errors import BadCases
from rag.evals import evaluate
from rag.evals.cases import Case, load
from rag.evals.results import Results
from rag.evals.run import KNOWN_FACTS

pytest_plugins = ["rag.evals.plugin"]


@pytest.fixture(scope="session")
def footnote_assistant(assistant: Assistant) -> Assistant:
    return assistant


def test_known_facts_are_a_test(evaluation: Callable[[Path], Results], tmp_path: Path) -> None:
    file = tmp_path / "facts.jsonl"
    file.write_text("\n".join(KNOWN_FACTS.read_text("utf-8").splitlines()[:2]), "utf-8")
    results = evaluation(file)
    assert results.measures["failures"].value == 0
    assert len(results.cases) == 2


def test_evaluate_takes_cases_and_checks_them(assistant: Assistant) -> None:
    cases = load(KNOWN_FACTS)[:2]
    assert len(evaluate(cases, assistant).cases) == 2
    broken = Case("x", "Q?", (("12",),), ("nowhere.md",))
    with pytest.raises(BadCases, match="there is no document nowhere"):
        evaluate([broken], assistant)


def test_the_plugin_is_light() -> None:
    heavy = "numpy", "llama_index", "chromadb", "onnxruntime"
    code = f"import sys, rag.evals.plugin; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
