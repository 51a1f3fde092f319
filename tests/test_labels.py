import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.labels import Ended, Label, Reply, Words

OFFERED = {1: 5, 2: 7, 3: 2}


def read(text: str, size: int = 1) -> tuple[str, list[tuple[str, list[str]]], int]:
    """What is shown, the sentences with their labels, and how many labels were dropped."""
    reply = Reply(OFFERED)
    pieces = []
    for at in range(0, len(text), size):
        pieces += list(reply.feed(text[at : at + size]))
    pieces += list(reply.close())
    shown = "".join(piece.text for piece in pieces if isinstance(piece, Words))
    ended = [piece for piece in pieces if isinstance(piece, Ended)]
    return shown, [(e.text, [_name(label) for label in e.labels]) for e in ended], reply.dropped


def _name(label: Label) -> str:
    return f"{label.passage}.{label.sentence}" if label.sentence else str(label.passage)


@pytest.mark.parametrize(
    ("written", "labels"),
    [
        ("So it is [2.4].", ["2.4"]),
        ("So it is. [2.4]", ["2.4"]),
        ("So it is.[2.4]", ["2.4"]),
        ("So it is [2.4][2.5].", ["2.4", "2.5"]),
        ("So it is [2.4] [1.1].", ["2.4", "1.1"]),
        ("So it is [2.4, 2.5].", ["2.4", "2.5"]),
        ("So it is [2.4; 2.5 and 1.1].", ["2.4", "2.5", "1.1"]),
        ("So it is [2.4-2.6].", ["2.4", "2.5", "2.6"]),
        ("So it is [2.4–6].", ["2.4", "2.5", "2.6"]),
        ("So it is [2.4 to 2.5].", ["2.4", "2.5"]),
        ("So it is (2.4).", ["2.4"]),
        ("So it is (2.4, 2.5).", ["2.4", "2.5"]),
        ("So it is 【2.4】.", ["2.4"]),
        ("So it is 【2.4†source】.", ["2.4"]),
        ("So it is [[2.4]].", ["2.4"]),
        ("So it is [^2.4].", ["2.4"]),
        ("So it is [p2.s4].", ["2.4"]),
        ("So it is [2:4].", ["2.4"]),
        ("So it is [passage 2].", ["2"]),
        ("So it is [2].", ["2"]),
        ("So it is [2.4](https://example.org/x).", ["2.4"]),
        ("So it is [2.4][2.4].", ["2.4"]),
        ("[2.4] So it is.", ["2.4"]),
    ],
)
def test_labels_are_understood_in_odd_forms(written: str, labels: list[str]) -> None:
    assert read(written) == ("So it is.", [("So it is.", labels)], 0)


@pytest.mark.parametrize(
    "written", ["So [9.9].", "So [1.6].", "So [0.1].", "So [1.0].", "So [12]."]
)
def test_a_label_that_was_not_offered_is_dropped_and_counted(written: str) -> None:
    assert read(written) == ("So.", [("So.", [])], 1)


@pytest.mark.parametrize(
    "written",
    [
        "It fell by (3.5) percent.",
        "It was founded (1997) in Rome.",
        "He said [sic] so.",
        "It cost 3 * 4 dollars, snake_case aside.",
        "The U.S. sent 2.4 tonnes.",
    ],
)
def test_what_is_no_label_stays(written: str) -> None:
    assert read(written) == (written, [(written, [])], 0)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("It is **bold** and __so__ on.", "It is bold and so on."),
        ("It is `so` in C# too.", "It is so in C# too."),
        ("See [this page](https://evil.example/?q=1).", "See this page."),
        ("See ![a cat](https://evil.example/cat.png).", "See a cat."),
        ("## The head\nIt is so.", "The head\nIt is so."),
        ("<think>It may be [1.1].</think>\nIt is so.", "It is so."),
        ("It is so [2.4", "It is so"),
        ("It is so [", "It is so"),
    ],
)
def test_markup_becomes_plain_text(written: str, shown: str) -> None:
    assert read(written)[0] == shown
    assert read(written, size=1000)[0] == shown


def test_html_is_left_as_the_characters_that_it_is() -> None:
    written = "It is <b onclick=x>so</b>."
    assert read(written)[0] == written


def test_a_label_that_leads_a_line_belongs_to_the_line() -> None:
    shown, sentences, _ = read(
        "It is so [1.1].\n[2.4] That too.\n- And this [3.1]\n- and that [3.2]"
    )
    assert sentences == [
        ("It is so.", ["1.1"]),
        ("That too.", ["2.4"]),
        ("And this", ["3.1"]),
        ("and that", ["3.2"]),
    ]
    assert shown == "It is so.\n That too.\n- And this\n- and that"


def test_labels_behind_a_full_stop_end_the_sentence_whatever_follows() -> None:
    _, sentences, _ = read("It is so. [1.1] and it is not. [1.2]")
    assert sentences == [("It is so.", ["1.1"]), ("and it is not.", ["1.2"])]


def test_a_full_stop_within_a_sentence_ends_nothing() -> None:
    _, sentences, _ = read("Plan No. 01 by Dr. Heng cost 3.5 million [1.2]. It failed [1.3].")
    assert [labels for _, labels in sentences] == [["1.2"], ["1.3"]]


@pytest.mark.parametrize("written", ["", " ", "\n\n", "[1.1]", "[1.1][1.2] [2.1]", "<think>so"])
def test_a_reply_without_words_has_no_sentences(written: str) -> None:
    shown, sentences, _ = read(written)
    assert not shown.strip()
    assert sentences == []


def test_words_are_shown_as_they_come() -> None:
    reply = Reply(OFFERED)
    assert list(reply.feed("The")) == [Words("The")]
    assert list(reply.feed(" police")) == [Words(" police")]
    assert list(reply.feed(" [1")) == []
    assert list(reply.feed(".2")) == []
    assert list(reply.feed("].")) == [Words(".")]
    assert list(reply.feed(" They")) == []  # it may yet go on: "No. 1"
    assert list(reply.feed(" left")) == [
        Ended("The police.", (Label(1, 2),)),
        Words(" They left"),
    ]


PIECES = st.sampled_from(
    [
        *"ab .!?\n[]()【】*`#_-<>1239,",
        " [1.2]",
        "[2.4-2.6]",
        "(1.1)",
        "[9.9]",
        "No. ",
        "A b. ",
        "é。",
    ]
)


@given(st.lists(PIECES, max_size=40).map("".join), st.integers(1, 9))
def test_it_does_not_matter_how_the_reply_is_cut(written: str, size: int) -> None:
    assert read(written, size) == read(written, 10_000)


@given(st.lists(PIECES, max_size=40).map("".join))
def test_no_label_is_ever_shown_and_every_word_is_in_a_sentence(written: str) -> None:
    shown, sentences, _ = read(written)
    assert "[1.2]" not in shown
    assert "[2.4-2.6]" not in shown
    for text, _ in sentences:
        assert text in shown
    assert sum(map(len, (_letters(text) for text, _ in sentences))) == len(_letters(shown))


def _letters(text: str) -> str:
    return "".join(c for c in text if c.isalpha())
