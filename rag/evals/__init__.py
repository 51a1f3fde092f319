"""How good the answers are: known facts, published data sets, measures with intervals, reports.

Read `cases` and `facts`, then `judge` (one answer), `score` (many), `run` and `command`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.evals.cases import Case
    from rag.evals.results import Results
    from rag.evals.run import Asks

__all__ = ["evaluate"]


def evaluate(
    cases: "Path | str | Sequence[Case] | None" = None,
    assistant: "Asks | None" = None,
    seed: int = 0,
) -> "Results":
    """Ask what the documents are known to say and judge the answers.

    `cases` is a file or a folder of JSONL; None: the built-in corpus's known facts. `assistant`
    is a `rag.assistant.Assistant`, or whatever asks and has an index as it does; None: the one
    that environment and `footnote.toml` describe. Raises BadCases for cases that do not fit its
    documents.
    """
    # Everything is imported here, so that a test suite that loads the plugin pays nothing for it.
    from rag.assistant import Assistant
    from rag.evals.cases import load
    from rag.evals.command import fitting
    from rag.evals.run import KNOWN_FACTS, run
    from rag.settings import load as settings

    cases = KNOWN_FACTS if cases is None else cases
    found = load(Path(cases)) if isinstance(cases, Path | str) else cases
    asked = assistant or Assistant.open(settings())
    return run(asked, fitting(found, asked.index), seed=seed)
