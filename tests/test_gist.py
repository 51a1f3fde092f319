"""Questions about documents as such are answered by the sentences that say most of each."""

from pathlib import Path

import pytest

from index.build import build
from index.embed import embedder
from rag.assistant import Assistant
from rag.settings import Settings
from rag.types import Answer
from tests.openai_server import Say, serving
from tests.test_assistant import DOCUMENTS, holds


def made(folder: Path, documents: dict[str, str]) -> Assistant:
    (folder / "documents").mkdir()
    for name, text in documents.items():
        (folder / "documents" / name).write_text(text, encoding="utf-8")
    build([folder / "documents"], folder / "index", embedder("minilm"))
    return Assistant.open(Settings(index=folder / "index", answers="extractive"))


@pytest.fixture(scope="module")
def ford(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    return made(tmp_path_factory.mktemp("ford"), DOCUMENTS)


def cited(answer: Answer) -> set[str]:
    assert answer.outcome == "answered"
    return {citation.document for citation in answer.citations}


@pytest.mark.parametrize(
    "question",
    [
        "What are these documents about?",
        "Summarise the documents.",
        "Please give me a short overview of all the files",
        "What's in this folder?",
        "What do these articles cover?",
    ],
)
def test_asked_for_all_documents_each_is_told(ford: Assistant, question: str) -> None:
    assert cited(holds(ford, ford.ask(question))) == set(DOCUMENTS)


@pytest.mark.parametrize(
    ("question", "document"),
    [
        ("Summarise birds.txt", "birds.txt"),
        ("What is birds about?", "birds.txt"),
        ("What does the guide about visiting Harrow Ford say?", None),
        ("Give me a summary of the article about the birds of the ford", "birds.txt"),
        ("Summarise the flood reports", None),
        ("What is the article “Visiting Harrow Ford” about?", "guide.txt"),
    ],
)
def test_a_document_is_named_by_its_file_or_its_title(
    ford: Assistant, question: str, document: str | None
) -> None:
    answer = ford.ask(question)
    told_whole = "says what the document is about" in str(answer.trace["chosen"])
    assert told_whole == (document is not None)
    if document:
        assert cited(answer) == {document}


def test_the_first_sentence_is_always_told(ford: Assistant) -> None:
    answer = ford.ask("Summarise mill.md")
    assert answer.sentences[0].text.startswith("The mill at Harrow Ford was built in 1847")


def test_a_document_that_is_not_there_is_not_made_up(ford: Assistant) -> None:
    assert ford.ask("Summarise the article about Napoleon's horses").outcome == "not_in_corpus"
    assert ford.ask("Summarise lions.txt").outcome == "not_in_corpus"


def test_only_the_documents_asked_for_are_told(ford: Assistant) -> None:
    answer = ford.ask("What are these documents about?", documents=["birds.txt"])
    assert cited(answer) == {"birds.txt"}


def test_of_many_documents_some_are_told_and_the_rest_is_said(tmp_path: Path) -> None:
    texts = {f"{n:02}.txt": f"Town {n} has a market of its own every {n} days." for n in range(12)}
    answer = made(tmp_path, texts).ask("What are these documents about?")
    assert len(cited(answer)) == 8
    assert answer.notices == ("4 more documents are not told of here: name one to read of it.",)


def test_a_sentence_that_lacks_its_person_is_not_told(tmp_path: Path) -> None:
    text = (
        "Ana Ruiz left the farm for the harbour town. Hunger on the farm was her reason to leave "
        "the farm. Nobody on the farm spoke about the harbour town. At the harbour Ruiz found work "
        "that she kept. The farm and the harbour town lie far apart."
    )
    answer = made(tmp_path, {"ruiz.txt": text}).ask("Summarise ruiz.txt")
    told = [sentence.text for sentence in answer.sentences]
    assert len(told) == 4
    assert not any("her reason" in sentence for sentence in told)


def test_a_document_without_a_sentence_is_told_by_what_it_has(tmp_path: Path) -> None:
    assistant = made(tmp_path, {"a.md": "# Only a heading\n", "b.txt": "Why?"})
    answer = assistant.ask("What are these documents about?")
    assert answer.outcome == "not_in_corpus"


def test_a_model_is_shown_more_of_each_document_than_is_quoted(ford: Assistant) -> None:
    index = ford.settings.index
    alone = ford.ask("What are these documents about?")
    said = "The warden counted eleven pairs of dippers in 2020 [3.1]."
    with serving(Say(said)) as server:
        settings = Settings(index, model="a-model", base_url=server.url, api_key="sk-none")
        answer = Assistant.open(settings).ask("What are these documents about?")
        shown = " ".join(m["content"] for m in server.requests[-1]["messages"]).split()
    assert len(answer.evidence) > len(alone.sentences)
    assert all(" ".join(e.text.split()) in " ".join(shown) for e in alone.evidence)
    assert answer.model == "openai:a-model"
