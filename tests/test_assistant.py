"""The whole pipeline on small documents, with the real index and the packaged models."""

from pathlib import Path

import pytest

from index.build import build
from index.embed import embedder
from rag.assistant import Assistant
from rag.errors import BadQuestion
from rag.settings import Settings
from rag.types import Answer, Turn

DOCUMENTS = {
    "mill.md": """---
title: The mill at Harrow Ford
date: 2019
---
# The mill at Harrow Ford

The mill at Harrow Ford was built in 1847 by Josiah Brand, a carpenter from Leeds. It ground wheat
and barley for the villages nearby until 1931.

## The fire

A fire destroyed the roof in 1902. Nobody was hurt. It was rebuilt within five months, at a cost of
310 pounds, which the miller's widow, Ann Brand, borrowed from a bank in York.

## The museum

The museum in the mill opened in 1988. In 2018 it had 4,200 visitors. Of these, 1,100 were children.
Visitors can see:

- the waterwheel;
- the grinding stones;
- the miller's kitchen.
""",
    "guide.txt": """Visiting Harrow Ford

The museum at the old mill is open from April to October, every day but Monday. Tickets cost six
pounds. The museum counted 3,900 visitors in 2018, the town's office says.

The Harrow Bridge, downstream of the mill, was opened in 1911 by the Duchess of Devon.
""",
    "birds.txt": """Birds of the ford

Kingfishers and dippers nest below the weir. Grey herons come in winter. The warden, Tom Asher,
counted eleven pairs of dippers in 2020.
""",
    "flood.txt": """The flood in the Arne valley

The flood of 2014 drove 2,300 people from their homes in the Arne valley. Of these, 900 were taken
to a shelter in Tarn. The dam was repaired a year later.
""",
}


@pytest.fixture(scope="module")
def ford(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    folder = tmp_path_factory.mktemp("ford")
    documents = folder / "documents"
    documents.mkdir()
    for name, text in DOCUMENTS.items():
        (documents / name).write_text(text, encoding="utf-8")
    build([documents], folder / "index", embedder("minilm"))
    return Assistant.open(Settings(index=folder / "index", answers="extractive"))


def holds(assistant: Assistant, answer: Answer) -> Answer:
    """The promise: every citation's words are there, and every marker names a citation."""
    for citation in answer.citations:
        text = assistant.index.document(citation.document, citation.version).text
        assert citation.span.of(text) == citation.quote
        if citation.answer_span is not None:
            assert citation.answer_span.of(citation.quote).strip()
    numbers = [n for sentence in answer.sentences for n in sentence.citations]
    assert list(dict.fromkeys(numbers)) == [citation.n for citation in answer.citations]
    assert all(f"[{n}]" in answer.text for n in numbers)
    return answer


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("When was the mill at Harrow Ford built?", "1847"),
        ("Who built the mill?", "Josiah Brand"),
        ("What did it cost to rebuild the roof after the fire?", "310 pounds"),
        ("Who opened the Harrow Bridge?", "the Duchess of Devon"),
        ("Who counted the dippers?", "Tom Asher"),
    ],
)
def test_a_fact_is_the_sentence_that_states_it_with_the_words_marked(
    ford: Assistant, question: str, words: str
) -> None:
    answer = holds(ford, ford.ask(question))
    assert answer.outcome == "answered"
    assert len(answer.sentences) <= 2
    marked = [c.answer_span.of(c.quote) for c in answer.citations if c.answer_span]
    assert any(words in each or each in words for each in marked)


@pytest.mark.parametrize(
    "question",
    [
        "What is the boiling point of mercury?",
        "Who won the football world cup in 1998?",
        "What is Tom Asher's e-mail address?",
        "In which year did Ann Brand borrow the money?",
        "asdf qwerty zxcv",
    ],
)
def test_what_the_documents_do_not_say_is_refused(ford: Assistant, question: str) -> None:
    answer = ford.ask(question)
    assert answer.outcome == "not_in_corpus"
    assert answer.citations == answer.sentences == ()
    assert question in answer.text
    assert answer.evidence


def test_a_list_comes_with_its_items(ford: Assistant) -> None:
    answer = holds(ford, ford.ask("What can visitors see in the museum?"))
    assert {"waterwheel", "grinding stones", "kitchen"} <= {
        word for word in ("waterwheel", "grinding stones", "kitchen") if word in answer.text
    }


def test_a_sentence_that_leans_on_the_one_before_brings_it_along(ford: Assistant) -> None:
    answer = holds(ford, ford.ask("How many of the museum's visitors were children?"))
    assert "1,100" in answer.text
    assert "4,200 visitors" in answer.text
    first = answer.citations[0]
    assert "4,200 visitors" in first.quote
    assert first.answer_span
    assert "1,100" in first.answer_span.of(first.quote)
    assert [s.citations for s in answer.sentences[:2]] == [(1,), (1,)]


def test_a_part_of_the_number_that_reads_best_is_told_beside_it(ford: Assistant) -> None:
    question = "How many of the people driven out by the flood of 2014 found shelter?"
    assert "Of these, 900" in holds(ford, ford.ask(question)).text


def test_documents_that_differ_are_both_shown(ford: Assistant) -> None:
    answer = holds(ford, ford.ask("How many visitors did the museum have in 2018?"))
    assert "4,200" in answer.text
    assert "3,900" in answer.text
    assert "differ" in answer.text


def test_a_follow_up_finds_its_subject(ford: Assistant) -> None:
    history = (Turn("user", "Who built the mill at Harrow Ford?"),)
    answer = holds(ford, ford.ask("Where did he come from?", history))
    assert "Leeds" in answer.text
    assert answer.question.standalone != "Where did he come from?"


def test_the_second_half_of_a_double_question_leans_on_the_first(ford: Assistant) -> None:
    history = (Turn("user", "How many visitors did the museum have in 2018?"),)
    question = "How many visitors did the museum have in 2018 and how many of them were children?"
    answer = holds(ford, ford.ask(question, history))
    assert "1,100" in answer.text


@pytest.mark.parametrize(
    "question",
    [
        "Who is Heng Sayhong, and what is the capital of Peru?",
        "What is the capital of Peru and who is Heng Sayhong?",
    ],
)
def test_of_a_double_question_only_the_part_left_open_is_said_to_be_missing(
    assistant: Assistant, question: str
) -> None:
    answer = holds(assistant, assistant.ask(question))
    assert "Licadho" in answer.text
    (notice,) = answer.notices
    assert notice.casefold() == "not found in the documents: “what is the capital of peru?”"


@pytest.mark.parametrize("which", ["earlier", "first"])
def test_both_sides_of_a_comparison_are_shown(ford: Assistant, which: str) -> None:
    answer = holds(ford, ford.ask(f"Which was opened {which}, the museum or the Harrow Bridge?"))
    assert "1988" in answer.text
    assert "1911" in answer.text


def test_an_overview_takes_from_every_document_that_speaks_of_it(ford: Assistant) -> None:
    answer = holds(ford, ford.ask("What do the documents say about the museum?"))
    assert {citation.document for citation in answer.citations} == {"mill.md", "guide.txt"}
    assert not any(citation.answer_span for citation in answer.citations)  # no one thing is asked


def test_whether_something_is_mentioned_is_answered_by_where_it_is(ford: Assistant) -> None:
    answer = holds(ford, ford.ask("Do the documents mention kingfishers?"))
    assert {citation.document for citation in answer.citations} == {"birds.txt"}
    assert ford.ask("Do the documents mention lions?").outcome == "not_in_corpus"
    assert ford.ask("Does any document discuss the price of kingfishers?").outcome == (
        "not_in_corpus"
    )


def test_a_greeting_is_not_looked_up(ford: Assistant) -> None:
    answer = ford.ask("Hello there!")
    assert (answer.outcome, answer.evidence, answer.citations) == ("not_in_corpus", (), ())
    assert answer.text.startswith("I answer questions about the documents")


def test_only_the_documents_asked_for_are_used(ford: Assistant) -> None:
    answer = ford.ask("When was the mill built?", documents=["birds.txt"])
    assert {found.document.id for found in answer.evidence} == {"birds.txt"}
    assert answer.outcome == "not_in_corpus"


@pytest.mark.parametrize("question", ["", "  \n ", "a" * 4001])
def test_a_question_that_cannot_be_asked(ford: Assistant, question: str) -> None:
    with pytest.raises(BadQuestion, match="question"):
        ford.ask(question)


def test_the_same_question_gets_the_same_answer(ford: Assistant) -> None:
    one, two = (ford.ask("Who was the miller's widow?") for _ in range(2))
    assert (one.text, one.confidence, one.citations) == (two.text, two.confidence, two.citations)


def test_the_stream_ends_with_the_answer(ford: Assistant) -> None:
    *_, last = ford.stream("In which year did the museum in the mill open?")
    assert last.answer is not None
    assert "1988" in last.answer.text


def test_the_trace_says_what_was_weighed_and_why(ford: Assistant) -> None:
    answer = ford.ask("When did the museum open?")
    part = answer.trace["parts"][0]  # type: ignore[index]
    chosen = [one for one in part["candidates"] if one["chosen"]]
    assert len(chosen) == len(answer.citations)
    assert {"dense_rank", "lexical_rank", "probability", "signals", "answer"} <= chosen[0].keys()
    assert answer.trace["chosen"][0]["why"] == "states the answer"  # type: ignore[index]
    assert {"condense", "search", "read", "compose", "total"} <= answer.timings.keys()


def test_documents_that_differ_in_a_number_alone_are_told_apart(tmp_path: Path) -> None:
    words = "The committee met and wrote down what had been said about the harbour. " * 30
    for number in range(12):
        text = f"# Minutes {number}\n\n{words}\n\nThe code of meeting {number} is Q{number}7.\n"
        (tmp_path / f"minutes-{number}.md").write_text(text, encoding="utf-8")
    build([tmp_path], tmp_path / "index", embedder("minilm"))
    assistant = Assistant.open(Settings(index=tmp_path / "index", answers="extractive"))
    for number in (7, 11):
        answer = holds(assistant, assistant.ask(f"What is the code of meeting {number}?"))
        assert f"Q{number}7" in answer.text


def test_what_is_said_of_one_number_does_not_answer_for_another(tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    text = "The mayor signed the town's Plan No 01 on 3 May: the old bridge is unsafe and must go."
    # The title is made of the file's name, and its 002 says nothing of a plan.
    (documents / "002_56b4.txt").write_text(text, encoding="utf-8")
    build([documents], tmp_path / "index", embedder("minilm"))
    town = Assistant.open(Settings(index=tmp_path / "index", answers="extractive"))
    assert town.ask("On what date was Plan No 01 signed?").outcome == "answered"
    assert town.ask("On what date was Plan No 1 signed?").outcome == "answered"
    assert town.ask("On what date was Plan No 02 signed?").outcome == "not_in_corpus"


def test_what_is_so_does_not_answer_what_is_not_so(tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    text = """Article 7 of the charter prohibits the export of timber and of living animals.

The harbour office did not inspect the ferries, for want of divers.
"""
    (documents / "charter.txt").write_text(text, encoding="utf-8")
    build([documents], tmp_path / "index", embedder("minilm"))
    town = Assistant.open(Settings(index=tmp_path / "index", answers="extractive"))
    so = town.ask("What does Article 7 of the charter prohibit?").confidence
    assert town.ask("What does Article 7 of the charter not prohibit?").confidence < so / 2
    assert town.ask("What did the harbour office not inspect?").outcome == "answered"


def test_an_account_goes_on_with_the_sentences_behind(tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    text = """The Lorne ferry will not sail this winter, its owner said on Monday.

The ferry was withdrawn because its hull no longer met the rules for safety. Inspectors had found
rust under the car deck. Repairs would have taken eleven weeks, the owner added.

A café at the pier stays open. It sells soup and cake. In summer it has forty seats outside.
"""
    (documents / "ferry.txt").write_text(text, encoding="utf-8")
    build([documents], tmp_path / "index", embedder("minilm"))
    harbour = Assistant.open(Settings(index=tmp_path / "index", answers="extractive"))
    answer = holds(harbour, harbour.ask("Why was the ferry withdrawn?"))
    assert "no longer met the rules" in answer.sentences[0].text
    assert "rust under the car deck" in " ".join(answer.text.split())
    assert "cake" not in answer.text


def test_yes_or_no_is_decided_by_the_sentence_that_holds_all_its_words(tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    text = """Lorries wait for an hour on most days, the port of Lorne says.

New means, among them sniffer dogs and scanners, now serve in the harbour checks by night.
"""
    (documents / "port.txt").write_text(text, encoding="utf-8")
    build([documents], tmp_path / "index", embedder("minilm"))
    port = Assistant.open(Settings(index=tmp_path / "index", answers="extractive"))
    assert "sniffer dogs" in holds(port, port.ask("Are there dogs at the harbour checks?")).text
    assert port.ask("Are there horses at the harbour checks?").outcome == "not_in_corpus"


def test_what_somebody_says_of_a_thing_is_the_sentence_that_speaks_of_it(tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    text = """# The harbour plan

The council signed the harbour plan in May. It wants two new berths for ferries and a longer mole.
The plan also says that the town should go on with the purchase of a site for sailing courses.
Fishermen have been heard twice. Dredging begins in autumn, and the lighthouse is to be painted.
"""
    (documents / "plan.md").write_text(text, encoding="utf-8")
    build([documents], tmp_path / "index", embedder("minilm"))
    town = Assistant.open(Settings(index=tmp_path / "index", answers="extractive"))
    answer = holds(town, town.ask("What does the plan say about fishermen?"))
    assert [sentence.text for sentence in answer.sentences] == ["Fishermen have been heard twice."]


def test_an_overview_goes_on_with_the_sentences_behind(tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    text = """The council wants the mole at Lorne to be made longer, and asks the harbour master to
begin in May. Divers must first look at the old foundations and clear the wreck.

A café at the pier stays open. It sells soup and cake.
"""
    (documents / "mole.md").write_text(text, encoding="utf-8")
    build([documents], tmp_path / "index", embedder("minilm"))
    harbour = Assistant.open(Settings(index=tmp_path / "index", answers="extractive"))
    answer = holds(harbour, harbour.ask("What do the documents say about the mole?"))
    assert "Divers must first look" in answer.text
    assert "café" not in answer.text
