import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from llama_index.core import Settings as Global

from rag.errors import BadSettings
from rag.evals.model_judge import ModelJudge
from rag.evals.score import score
from rag.settings import Settings
from tests.openai_server import Raw, Refuse, Server, serving

ANSWER = {
    "outcome": "answered",
    "answer": "It is 250 km long. [1]",
    "citations": [{"n": 1, "quote": "The Wye is 250 km long."}],
}
QUESTION, REFERENCE = "How long is the Wye?", "250 km"


def says(text: str) -> Raw:
    message = {"role": "assistant", "content": text}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    reply = {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": choices}
    return Raw(json.dumps(reply).encode(), "application/json")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def judge(server: Server) -> ModelJudge:
    return ModelJudge(Settings(index=Path("index"), base_url=server.url, api_key="k"))


def test_the_model_says_yes_and_four_of_five(server: Server, judge: ModelJudge) -> None:
    server.script += [says("YES"), says("4.5\nIt says the same.")]
    judged = judge(ANSWER, QUESTION, REFERENCE)
    assert judged["model_faithful"] is judged["model_correct"] is True
    assert judged["judge_failures"] == (False, False)
    assert "The Wye is 250 km long." in json.dumps(server.requests[0])
    assert "[1]" not in server.prompt


def test_the_model_says_no_and_two_of_five(server: Server, judge: ModelJudge) -> None:
    server.script += [says("NO"), says("2\nIt says something else.")]
    judged = judge(ANSWER, QUESTION, REFERENCE)
    assert judged["model_faithful"] is judged["model_correct"] is False


@pytest.mark.parametrize(
    "step", [says("As a model I would rather not say."), says(""), Refuse(400), Raw(b"<html>")]
)
def test_what_cannot_be_read_is_a_failure_of_the_judge(
    server: Server, judge: ModelJudge, step: Raw | Refuse
) -> None:
    server.script.append(step)
    judged = judge(ANSWER, QUESTION, REFERENCE)
    assert judged["model_faithful"] is judged["model_correct"] is None
    measures = score([judged])
    assert measures["judge_failures"].value == 1
    assert "model_faithful" not in measures


def test_a_refusal_is_not_judged(server: Server, judge: ModelJudge) -> None:
    assert judge({"outcome": "not_in_corpus", "answer": "No."}, QUESTION, REFERENCE) == {}
    assert server.requests == []


def test_the_global_settings_stay_untouched(server: Server, judge: ModelJudge) -> None:
    server.script += [says("YES"), says("5")]
    judge(ANSWER, QUESTION, REFERENCE)
    assert Global._llm is None
    assert Global._embed_model is None


def test_a_judge_needs_a_model() -> None:
    with pytest.raises(BadSettings, match="there is no model to ask"):
        ModelJudge(Settings(index=Path("index")))
