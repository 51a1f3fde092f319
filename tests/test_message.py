"""What a message asks is found among its greetings, thanks, frames and what leads up to it."""

import pytest

from rag.message import asked_before, asked_in, is_courtesy
from rag.types import Turn


@pytest.mark.parametrize(
    "message",
    [
        "Hi, who signed the plan?",
        "Hello there! Who signed the plan?",
        "I am writing on the budget of Leeds. Who signed the plan?",
        "Could you please tell me who signed the plan?",
        "I'd like to know who signed the plan.",
        "Do you know who signed the plan? Thanks!",
        "Quick question: who signed the plan?",
        "Who signed the plan, please?",
        "Ok. I was wondering who signed the plan",
        "Is there any information on who signed the plan?",
    ],
)
def test_the_question_is_found(message: str) -> None:
    assert asked_in(message).casefold().rstrip("?. ") == "who signed the plan"


@pytest.mark.parametrize(
    "message",
    [
        "Who signed the plan?",
        "My neighbour is Ann Brand. When was she born?",
        "You say that the store has no limit. Can you clarify?",
        "Great Depression after World War I",
        "If I borrow money, may I call it equity?",
        "Tell me about the plan.",
        "The mill burned down.",
        "Thanks",
    ],
)
def test_what_the_question_needs_stays(message: str) -> None:
    assert asked_in(message) == message


@pytest.mark.parametrize(
    ("message", "asked"),
    [
        ("I mean the mill", "What about the mill?"),
        ("No, I meant who built the mill", "who built the mill"),
        ("Do you know if the mill burned down?", "Is it true that the mill burned down?"),
        ("Tell me whether the reports mention fires", "Do the reports mention fires?"),
        ("Please explain why the mill burned.", "Why the mill burned?"),
        ("No, I meant whether it burned", "Is it true that it burned?"),
    ],
)
def test_what_was_meant_is_asked(message: str, asked: str) -> None:
    assert asked_in(message) == asked


def test_courtesies_and_the_replies_to_them_are_no_part_of_the_conversation() -> None:
    said = (
        Turn("user", "Please tell me who built the mill."),
        Turn("assistant", "Josiah Brand [1]."),
        Turn("user", "Thank you!"),
        Turn("assistant", "I answer questions."),
    )
    assert asked_before(said) == (Turn("user", "Who built the mill?"), said[1])


@pytest.mark.parametrize(
    "text",
    [
        "hi",
        "Hello there!",
        "Thanks a lot, that's all for now!",
        "ok, thank you",
        "What can you do?",
        "Who are you?",
        "Good morning. How are you today?",
    ],
)
def test_a_courtesy_asks_nothing_of_the_documents(text: str) -> None:
    assert is_courtesy(text)


@pytest.mark.parametrize(
    "text",
    ["Who are you, Hun Sen?", "What can police do?", "hi-fi", "Thank whom?", "help centres", ""],
)
def test_what_asks_more_is_no_courtesy(text: str) -> None:
    assert not is_courtesy(text)
