"""A question in British spelling finds what documents say in American spelling, and back."""

from pathlib import Path

import pytest

from index.build import build
from index.embed import embedder
from rag.assistant import Assistant
from rag.settings import Settings
from rag.spelling import other_spellings, respelled


@pytest.mark.parametrize(
    ("british", "american"),
    [
        ("criminalisation", "criminalization"),
        ("Organised", "Organized"),
        ("labour", "labor"),
        ("neighbouring", "neighboring"),
        ("centres", "centers"),
        ("kilometre", "kilometer"),
        ("offence", "offense"),
        ("programmes", "programs"),
        ("travelled", "traveled"),
        ("counselling", "counseling"),
        ("analysed", "analyzed"),
        ("grey", "gray"),
    ],
)
def test_each_spelling_leads_to_the_other(british: str, american: str) -> None:
    assert american in other_spellings(british)
    assert british in other_spellings(american)


def test_only_what_the_documents_spell_otherwise_is_changed() -> None:
    holds = {"criminalization", "centre", "prize"}
    asked = "Does criminalisation of the centre promise a prize?"
    expected = "Does criminalization of the centre promise a prize?"
    assert respelled(asked, lambda word: int(word in holds)) == expected


def test_a_question_is_read_in_the_spelling_of_the_documents(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "harbor.txt").write_text(
        "The harbor of Tull was modernized in 1962 by Ines Ford, an engineer. The labor union "
        "counted 310 dockers that year.",
        encoding="utf-8",
    )
    build([folder], tmp_path / "index", embedder("minilm"))
    assistant = Assistant.open(Settings(index=tmp_path / "index", answers="extractive"))
    answer = assistant.ask("Who modernised the harbour of Tull?")
    assert answer.outcome == "answered"
    assert answer.question.text == "Who modernised the harbour of Tull?"
    assert answer.question.standalone == "Who modernized the harbor of Tull?"


@pytest.fixture(scope="module")
def clerk(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    folder = tmp_path_factory.mktemp("clerk")
    (folder / "documents").mkdir()
    (folder / "documents" / "clerk.txt").write_text(
        "Chanthea Vyrith, the clerk of Tull, is 31 years old. She noted the percentages by hand.",
        encoding="utf-8",
    )
    build([folder / "documents"], folder / "index", embedder("minilm"))
    return Assistant.open(Settings(index=folder / "index", answers="extractive"))


@pytest.mark.parametrize(
    ("question", "word", "nearest"),
    [
        ("How old is Chantea?", "Chantea", "Chanthea"),
        ("how old is chantea?", "chantea", "Chanthea"),
        ("Who is Virith?", "Virith", "Vyrith"),
    ],
)
def test_a_mistyped_name_is_pointed_out(
    clerk: Assistant, question: str, word: str, nearest: str
) -> None:
    line = f"No document has the word “{word}”; the nearest to it is “{nearest}”."
    assert clerk.ask(question).notices == (line,)


@pytest.mark.parametrize(
    "question",
    ["How old is Chanthea Vyrith?", "Which percentage is noted?", "Where is Timbuktu?", "Ngô 123?"],
)
def test_a_word_that_is_there_or_like_none_is_not(clerk: Assistant, question: str) -> None:
    assert clerk.ask(question).notices == ()
