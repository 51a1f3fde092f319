"""The JSON that people's scripts rely on."""

import pytest

from rag.errors import BadQuestion
from rag.types import Turn
from rag.wire import turns


def test_a_history_of_questions_or_of_turns() -> None:
    assert turns(None) == ()
    assert turns(["a?", {"role": "assistant", "content": "b"}]) == (
        Turn("user", "a?"),
        Turn("assistant", "b"),
    )


@pytest.mark.parametrize(
    "history", ["a?", {"a": 1}, [1], [{"role": "system", "content": "x"}], [{}]]
)
def test_a_history_that_is_something_else_is_said(history: object) -> None:
    with pytest.raises(BadQuestion, match="history"):
        turns(history)
