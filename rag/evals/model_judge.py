"""A language model as a second judge, through LlamaIndex's evaluators. Only asked for by name.

`model_faithful`: the quotes that the answer cites bear it out (FaithfulnessEvaluator).
`model_correct`: it says what the reference says, 4 or more of 5 (CorrectnessEvaluator).
`judge_failures`: the judge could not be reached, or its verdict could not be read; such a case
counts there, and neither for nor against the answer.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from rag.chat import OPENAI
from rag.errors import BadSettings
from rag.evals.judge import Judgements
from rag.settings import Settings

if TYPE_CHECKING:
    from llama_index.llms.openai_like import OpenAILike

_TIMEOUT = 120.0
_VERDICT = re.compile(r"\b(yes|no)\b", re.IGNORECASE)


class ModelJudge:
    """Judges answers with the model that the settings name."""

    def __init__(self, settings: Settings) -> None:
        """Raises BadSettings where no model can be asked."""
        from llama_index.core.evaluation import CorrectnessEvaluator, FaithfulnessEvaluator

        llm = language_model(settings)
        self.name = (
            f"openai:{settings.model} through LlamaIndex's FaithfulnessEvaluator and"
            " CorrectnessEvaluator"
        )
        self._faithful = FaithfulnessEvaluator(llm=llm)
        self._correct = CorrectnessEvaluator(llm=llm)

    def __call__(self, answer: Mapping[str, Any], question: str, reference: str) -> Judgements:
        """What the model says of an answer; nothing of a refusal."""
        if answer["outcome"] != "answered":
            return {}
        quotes = [citation["quote"] for citation in answer.get("citations") or ()]
        said = re.sub(r" ?\[\d+\]", "", answer["answer"])
        verdicts: dict[str, bool | None] = {}
        if quotes:
            verdicts["model_faithful"] = _read(lambda: self._faithfulness(question, said, quotes))
        if reference:
            verdicts["model_correct"] = _read(lambda: self._correctness(question, said, reference))
        failures = tuple(verdict is None for verdict in verdicts.values())
        return {**verdicts, "judge_failures": failures}

    def _faithfulness(self, question: str, said: str, quotes: list[str]) -> bool | None:
        result = self._faithful.evaluate(query=question, response=said, contexts=quotes)
        # The evaluator takes whatever is no "yes" for a "no": an excuse is neither.
        found = _VERDICT.search(result.feedback or "")
        return found[1].lower() == "yes" if found else None

    def _correctness(self, question: str, said: str, reference: str) -> bool | None:
        result = self._correct.evaluate(query=question, response=said, reference=reference)
        score = result.score
        readable = score is not None and math.isfinite(score) and 1 <= score <= 5
        return bool(result.passing) if readable else None


def _read(verdict: Callable[[], bool | None]) -> bool | None:
    # Whatever the client, the server or the evaluator's parser raises is a failure of the judge.
    try:
        return verdict()
    except Exception:
        return None


def language_model(settings: Settings) -> "OpenAILike":
    """The model that the settings name, as LlamaIndex knows one. Raises BadSettings."""
    from llama_index.llms.openai_like import OpenAILike

    if not (settings.api_key or settings.base_url):
        raise BadSettings("there is no model to ask: set OPENAI_API_KEY, or OPENAI_BASE_URL")
    return OpenAILike(
        model=settings.model,
        api_base=settings.base_url or OPENAI,
        api_key=settings.api_key or "none",  # the client insists on one
        is_chat_model=True,
        is_function_calling_model=False,
        context_window=128_000,
        max_retries=2,
        timeout=_TIMEOUT,
        temperature=0.0,
    )
