"""What can be told from words alone: kinds of answer, names, years, the shape of a question."""

import pytest

from rag.kinds import KINDS, kind_of_answer
from rag.shape import Shape, parts_of, shape_of, topic_of, without_frame
from rag.words import content_words, denies, figures, labels, leans_back, names, years


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How tall is the prime minister?", "height"),
        ("What is her e-mail address?", "contact"),
        ("How much did the campaign cost?", "money"),
        ("What share of them were users?", "share"),
        ("How old is Nary?", "age"),
        ("How many cases were there?", "number"),
        ("In which year was the law passed?", "year"),
        ("When was the law passed?", "date"),
        ("Who runs the group?", "person"),
        ("Where was he arrested?", "place"),
        ("Why did it fail?", "other"),
        ("How do relatives suffer when somebody is jailed?", "other"),
        ("What happens to people who sell drugs?", "other"),
        ("Who was there when it happened?", "person"),
        ("What help do addicts get?", "other"),
    ],
)
def test_the_kind_of_answer(question: str, kind: str) -> None:
    assert kind_of_answer(question).name == kind


@pytest.mark.parametrize(
    ("name", "text", "could_be"),
    [
        ("height", "He is 1.75 metres tall.", True),
        ("height", "He has ruled for 38 years.", False),
        ("contact", "Write to a@b.org.", True),
        ("contact", "He wrote an email.", False),
        ("number", "Seventy-seven cases", True),
        ("person", "the rights groups", True),
        ("person", "on 1 February 2021", False),
        ("place", "for two years", False),
        ("place", "in May 2019", False),
        ("age", "Nary, a 22-year-old student", True),
        ("date", "on February 19", True),
        ("money", "3,875 kilograms", False),
    ],
)
def test_what_a_text_must_hold_to_be_of_a_kind(name: str, text: str, could_be: bool) -> None:
    kind = next(kind for kind in KINDS if kind.name == name)
    assert bool(kind.holds.search(text)) is could_be


def test_names_years_and_figures() -> None:
    assert names("Did Hun Sen sign the Plan in 2021?") == ("hun", "sen", "plan")
    assert years("In 1997 and 2021, 3,875 of 21,566") == {"1997", "2021"}
    assert figures("3,875kg in 10.5 days") == {"3875", "10.5"}
    assert figures("No 01 of 0 and 0.5") == {"1", "0", "0.5"}
    assert content_words("What is the Plan’s aim?") == ("plan", "aim")


@pytest.mark.parametrize(
    ("question", "shape"),
    [
        ("How old is Nary?", Shape.FACT),
        ("Which countries border Cambodia?", Shape.LIST),
        ("Name the three members.", Shape.LIST),
        ("What do the documents say about rehabilitation?", Shape.OVERVIEW),
        ("What the reports say about rehabilitation?", Shape.OVERVIEW),
        ("What can you tell me about Licadho?", Shape.OVERVIEW),
        ("Do you have any information on drug prices?", Shape.OVERVIEW),
        ("What the police did?", Shape.FACT),
        ("What do the reports on seizures contain?", Shape.FACT),
        ("Please summarise the plan.", Shape.OVERVIEW),
        ("Did Nary mean to sell drugs?", Shape.YES_NO),
    ],
)
def test_the_shape_of_a_question(question: str, shape: Shape) -> None:
    assert shape_of(question) is shape


@pytest.mark.parametrize(
    "question",
    [
        "What do the documents say about rehabilitation?",
        "What does it say about rehabilitation?",
        "Compare what the articles say about rehabilitation.",
        "Do the documents mention rehabilitation?",
        "Does any report talk about rehabilitation?",
        "Which articles discuss rehabilitation?",
        "Is there anything in the documents about rehabilitation?",
        "Is there any information on rehabilitation in these files?",
        "Where do the documents mention rehabilitation?",
        "In which document is rehabilitation mentioned?",
        "Where in the documents does rehabilitation come up?",
    ],
)
def test_asked_where_it_is_spoken_of_what_is_said_of_it_is_told(question: str) -> None:
    assert shape_of(question) is Shape.OVERVIEW
    assert topic_of(question) == "rehabilitation"


@pytest.mark.parametrize(
    ("order", "question"),
    [
        ("List the members of the club.", "What are the members of the club?"),
        ("Please name all drugs that were found", "What are all drugs that were found?"),
        ("Name the man who built it", "Who is the man who built it?"),
        ("Give me the figures on arrests", "What are the figures on arrests?"),
        ("Tell me what was found in the hut", "Tell me what was found in the hut?"),
    ],
)
def test_an_order_to_list_is_read_as_a_question(order: str, question: str) -> None:
    assert without_frame(order) == question


def test_an_order_that_wants_several_is_a_list() -> None:
    assert shape_of("Give me the key figures on arrests.") is Shape.LIST
    assert shape_of("Give me the name of the plan.") is Shape.FACT
    assert shape_of("How many people came?") is Shape.FACT


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("How many were arrested?", ("How many were arrested?",)),
        (
            "How many were arrested and who arrested them?",
            ("How many were arrested?", "who arrested them?"),
        ),
        (
            "Were there more arrests in 2017 or in 2020?",
            ("Were there more arrests in 2017?", "Were there more arrests in 2020?"),
        ),
        (
            "How does the rent in Oslo compare with Bergen?",
            ("What about the rent in Oslo?", "What about the rent in Bergen?"),
        ),
        (
            "How wages in the north differed from those in the south?",
            ("What about wages in the north?", "What about wages in the south?"),
        ),
        (
            "How does Ada's motive differ from Bo's?",
            ("What about Ada's motive?", "What about Bo's motive?"),
        ),
        (
            "How does the first plan differ from the second one?",
            ("What about the first plan?", "What about the second one?"),
        ),
    ],
)
def test_a_question_is_taken_apart(question: str, parts: tuple[str, ...]) -> None:
    assert parts_of(question) == parts


def test_a_label_is_a_word_with_the_number_that_tells_it_from_others() -> None:
    assert labels("Plan No 01 of May 12 names Article 3.2 and 40 men") == {
        ("plan", "1"),
        ("article", "3.2"),
    }
    assert labels("In 2017 about 40 % of 12 towns; from 3 to 5") == frozenset()


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("What does Article 7 not prohibit?", True),
        ("Who didn't sign the charter?", True),
        ("What should they grow so that they don't break the law?", False),
        ("Who said that it was not his task?", False),
        ("What did not only the mayor say?", False),
    ],
)
def test_whether_it_is_asked_what_is_not_so(question: str, asked: bool) -> None:
    assert denies(question) is asked


@pytest.mark.parametrize(
    ("sentence", "leans"),
    [
        ("Of these, 900 were taken to a shelter.", True),
        ("The purpose is to combat fraud.", True),
        ("The others stayed at home.", True),
        ("The purpose of the law is to combat fraud.", False),
        ("The other bank was closed.", False),
    ],
)
def test_a_sentence_that_leans_on_the_one_before(sentence: str, leans: bool) -> None:
    assert leans_back(sentence) is leans
