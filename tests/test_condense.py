"""Follow-ups find their subject; questions that stand alone are left alone."""

import pytest

from rag.condense import condense, leans, subject_of
from rag.types import Turn


def after(*earlier: str) -> tuple[Turn, ...]:
    return tuple(Turn("user", question) for question in earlier)


@pytest.mark.parametrize(
    "question",
    [
        "How many of them were sent to rehabilitation?",
        "And in 2020?",
        "In how many cases?",
        "Members?",
        "What about Laos?",
        "Why?",
        "Where was he born?",
        "Who helped them with that?",
        "And the second one?",
        "how many died?",
    ],
)
def test_a_question_that_leans_on_the_conversation_is_known(question: str) -> None:
    assert leans(question)


@pytest.mark.parametrize(
    "question",
    [
        "How many people were arrested in 2017?",
        "Who is the secretary-general of the NACD?",
        "When did Cambodia pass its Anti-Drug Law?",
        "What share of those arrested were only users?",
        "Summarise the plan.",
        "In which month are the elections?",
        "Did Sivan say that he regretted it?",
        "Is it true that Ann Brand kept the mill?",
    ],
)
def test_a_question_that_stands_alone_is_known(question: str) -> None:
    assert not leans(question)


def test_a_question_that_stands_alone_is_left_alone() -> None:
    question = condense("Who wrote Hamlet?", after("How many people were arrested?"))
    assert question.standalone == "Who wrote Hamlet?"
    assert question.searches == question.readings == ("Who wrote Hamlet?",)


def test_without_a_conversation_nothing_changes() -> None:
    assert condense("  And   in 2020? ").standalone == "And in 2020?"


@pytest.mark.parametrize(
    ("earlier", "question", "standalone"),
    [
        ("How many were arrested in 2017?", "And in 2020?", "How many were arrested in 2020?"),
        ("How old is Nary?", "And Chanthea?", "How old is Chanthea?"),
        ("What is the third phase?", "And the second one?", "What is the second phase?"),
        ("Tell me about Sivan.", "Why did he leave?", "Why did Sivan leave?"),
        (
            "Did prices fall in Laos?",
            "What about in Vietnam?",
            "Did prices fall in Vietnam?",
        ),
        (
            "How many people were arrested in 2017?",
            "And how many of those ended up in rehab?",
            "how many people arrested in 2017 ended up in rehab?",
        ),
        (
            "How many people were arrested in Cambodia's crackdown?",
            "How many of those people went home?",
            "How many people arrested in Cambodia's crackdown went home?",
        ),
        (
            "How many kilos of wheat were sold last year?",
            "What about barley and oats?",
            "How many kilos of barley and oats were sold last year?",
        ),
        (
            "What is the Baltic Assembly for?",
            "Members?",
            "What are the members of the Baltic Assembly?",
        ),
        ("Tell me about the old mill.", "The owner?", "What is the owner of the old mill?"),
        ("Who is Nary?", "How old is she?", "How old is Nary?"),
        ("What happened to Nary?", "And to Ann?", "What happened to Ann?"),
        ("Who said that prices would fall?", "Why?", "Why prices would fall?"),
        ("Do police use dogs?", "How many?", "How many (police use dogs)?"),
        ("What is the Baltic Assembly?", "Who heads it?", "Who heads Baltic Assembly?"),
        (
            "How many ships were held last year?",
            "On the strength of which law?",
            "On the strength of which law ships were held last year?",
        ),
        (
            "How many people were arrested in 2017?",
            "How many went home?",
            "How many went home (people arrested in 2017)?",
        ),
    ],
)
def test_what_was_left_out_comes_from_the_question_before(
    earlier: str, question: str, standalone: str
) -> None:
    assert condense(question, after(earlier)).standalone == standalone


class Remembering:
    """A memory of one answer, in which everything is near."""

    def __init__(self, answer: str = "Ada Lovelace") -> None:
        self.answer = answer

    def answered(self, question: str) -> str | None:
        return self.answer if question == "Who was the first programmer?" else None

    def near(self, one: str, other: str) -> bool:
        return True


def test_a_pronoun_may_stand_for_what_was_answered() -> None:
    earlier = after("Who was the first programmer?")
    for answer in ("Ada Lovelace", "Ada Lovelace, who wrote of it in the notes to a translation"):
        question = condense("What did she write?", earlier, Remembering(answer))
        assert question.standalone == "What did Ada Lovelace write?"


def test_a_question_on_the_same_subject_is_read_alone_and_searched_for_with_its_context() -> None:
    history = (*after("Which fees are there?"), Turn("assistant", "An entry fee of 5 euros."))
    question = condense("Can the entry be had for free?", history, Remembering())
    assert question.standalone == "Can the entry be had for free?"
    assert question.readings == ("Can the entry be had for free?",)
    assert "An entry fee of 5 euros. Can the entry be had for free?" in question.searches


def test_follow_ups_of_follow_ups_keep_the_subject() -> None:
    question = condense("And in 2022?", after("How many were arrested in 2017?", "And in 2020?"))
    assert question.standalone == "How many were arrested in 2022?"


def test_what_a_follow_up_replaces_is_in_none_of_its_readings() -> None:
    question = condense("And in 2014?", after("How many people were arrested in 2017?"))
    assert "How many people were arrested in 2014?" in question.readings
    assert not any("2017" in reading for reading in question.readings)


def test_a_question_that_names_nothing_goes_on_about_what_was_named() -> None:
    history = after("How many people were arrested in 2017?", "What share were only users?")
    question = condense("How many went home?", history, Remembering())
    assert "How many went home (people arrested in 2017)?" in question.readings


def test_a_year_takes_the_place_of_what_said_when() -> None:
    earlier = after("What was the weight of drugs seized in the campaign that Hun Sen reported on?")
    question = condense("And in 2022?", earlier)
    assert "What was the weight of drugs seized in 2022?" in question.readings


def test_either_of_two_names_may_be_exchanged() -> None:
    readings = condense("And Rome?", after("How does Oslo help Paris?")).readings
    assert {"How does Oslo help Rome?", "How does Rome help Paris?"} <= set(readings)


def test_a_thing_is_not_the_person_who_was_the_answer() -> None:
    history = after("Who was the first programmer?")
    readings = condense("Where is its office?", history, Remembering()).readings
    assert not any("Ada" in reading for reading in readings)


def test_one_of_them_leans_though_it_names_somebody() -> None:
    history = after("Which countries are in the Baltic Assembly?")
    readings = condense("Is Latvia one of them?", history).readings
    assert "Is Latvia one of countries in the Baltic Assembly?" in readings


def test_what_somebody_does_is_not_asked_without_saying_who() -> None:
    readings = condense("Where does he work?", after("Who is Heng Sayhong?")).readings
    assert readings
    assert all("Heng Sayhong" in reading for reading in readings)
    readings = condense("Who leads it?", after("What is the Baltic Assembly for?")).readings
    assert readings
    assert all("Baltic Assembly" in reading for reading in readings)


def test_a_change_of_subject_is_a_change_of_subject() -> None:
    history = after("How many were arrested in 2017?", "Who painted the Mona Lisa?")
    assert "2017" not in " ".join(condense("And when?", history).readings)


def test_both_turns_are_searched_for_and_the_last_one_alone_is_read() -> None:
    question = condense("How many of them were freed?", after("How many people were arrested?"))
    assert "How many people were arrested? How many of them were freed?" in question.searches
    assert "How many of them were freed?" in question.readings


def test_a_question_that_says_too_little_is_not_read_alone() -> None:
    question = condense("What do they look for?", after("How many dogs are on patrol?"))
    assert question.readings
    assert "What do they look for?" not in question.readings


def test_the_subject_is_the_question_without_the_words_that_ask() -> None:
    assert subject_of("How many people were arrested in 2017?") == "people arrested in 2017"
    assert subject_of("What was the levy on sugar for?") == "levy on sugar"
    assert subject_of("When was Plan No 01 signed?") == "Plan No 01"
    assert subject_of("How deep is Lake Bled?") == "deep Lake Bled"
    assert subject_of("Who carries undercover operations out?") == "undercover operations"


def test_a_name_alone_is_not_asked_by_itself_where_it_has_a_place() -> None:
    assert "Chanthea?" not in condense("and Chanthea?", after("How old is Nary?")).readings
    earlier = after("What happened to Nary after she was arrested?")
    assert condense("And her husband?", earlier).readings == ("Nary’s husband?",)


def test_a_question_for_the_same_thing_may_be_answered_by_the_same_sentence() -> None:
    earlier = after("How many suspects were detained?")
    assert not condense("And how many cases was that?", earlier).moves_on
    assert condense("Who helped them?", earlier).moves_on


def test_a_phrase_alone_is_what_the_next_question_is_about() -> None:
    earlier = after("Jumbo frames")
    assert condense("How is it set up?", earlier).standalone == "How is Jumbo frames set up?"


def test_a_person_is_not_the_place_that_was_named_with_them() -> None:
    earlier = after("How is Andrew Carnegie connected to the Netherlands?")
    assert condense("How old was he when he died?", earlier).standalone == (
        "How old was Andrew Carnegie when he died?"
    )


def test_what_says_more_than_a_name_does_not_replace_one() -> None:
    question = condense(
        "What about lending with Prosper?", after("Are advisers at Fidelity insured by Chubb?")
    )
    assert not any("insured by Prosper" in reading for reading in question.readings)


@pytest.mark.parametrize(
    ("text", "standalone"),
    [
        ("What happened to her?", "What happened to Nary?"),
        ("Who helped her in prison?", "Who helped Nary in prison?"),
        ("Why did the police arrest her?", "Why did the police arrest Nary?"),
        ("What is her job?", "What is Nary’s job?"),
        ("Which of her friends were there?", "Which of Nary’s friends were there?"),
    ],
)
def test_her_is_whom_it_happens_to_or_whose_it_is(text: str, standalone: str) -> None:
    assert condense(text, after("Who is Nary?")).standalone == standalone


def test_the_subject_of_a_double_question_is_that_of_its_first_half() -> None:
    question = "How many cases did the police handle, and how many suspects were there?"
    assert subject_of(question) == "cases the police handle"
