import json
from pathlib import Path

import pytest

from corpus.read import find, read
from corpus.types import Span
from rag.errors import BadCases
from rag.evals import datasets
from rag.evals.datasets import Dataset, Gold, materialise
from rag.types import Turn


def lines(file: Path, *rows: object) -> Path:
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return file


@pytest.fixture
def squad_file(tmp_path: Path) -> Path:
    def answer(context: str, text: str) -> dict[str, object]:
        return {"text": text, "answer_start": context.index(text)}

    river = "  The Wye\u00a0rises on Plynlimon.\r\nIt is 250 km long. "
    bridge = "A bridge at Chepstow crosses it."
    data = [
        {
            "title": "The Wye: a river",
            "paragraphs": [
                {
                    "context": river,
                    "qas": [
                        {
                            "id": "q1",
                            "question": "Where does the Wye rise? ",
                            "answers": [answer(river, "Plynlimon"), answer(river, "on Plynlimon")],
                        },
                        {
                            "id": "q2",
                            "question": "How deep is it?",
                            "answers": [],
                            "is_impossible": True,
                        },
                    ],
                },
                {
                    "context": bridge,
                    "qas": [
                        {
                            "id": "q3",
                            "question": "Where is the bridge?",
                            "answers": [{"text": " Chepstow", "answer_start": 0}],
                        }
                    ],
                },
            ],
        },
        {"title": "Else", "paragraphs": [{"context": "No questions here.", "qas": []}]},
    ]
    file = tmp_path / "squad.json"
    file.write_text(json.dumps({"data": data}), "utf-8")
    return file


def words(dataset: Dataset) -> list[list[str]]:
    """The words at the gold spans of each question."""
    return [[g.span.of(dataset.documents[g.document]) for g in q.gold] for q in dataset.questions]


def survives(dataset: Dataset, folder: Path) -> bool:
    """Whether reading the files of a data set gives the very texts that its spans count in."""
    materialise(dataset, folder)
    return {id: read(file, id).text for id, file in find([folder])} == dataset.documents


@pytest.mark.parametrize("whole", [False, True])
def test_squad_has_its_answers_where_it_says(squad_file: Path, tmp_path: Path, whole: bool) -> None:
    dataset = datasets.squad(squad_file, whole_articles=whole)
    assert len(dataset.documents) == (2 if whole else 3)
    assert words(dataset) == [["Plynlimon", "on Plynlimon"], [], ["Chepstow"]]
    assert [q.answerable for q in dataset.questions] == [True, False, True]
    assert dataset.questions[0].question == "Where does the Wye rise?"
    assert dataset.questions[0].tags == ("The Wye: a river",)
    assert survives(dataset, tmp_path / "documents")


def test_squad_takes_articles_by_title(squad_file: Path) -> None:
    assert len(datasets.squad(squad_file, articles=["Else"]).documents) == 1
    assert len(datasets.squad(squad_file, left_out=["Else"]).documents) == 2
    with pytest.raises(BadCases, match="no article 'Severn': it has Else, The Wye"):
        datasets.squad(squad_file, articles=["Severn"])


def test_a_sample_is_the_same_for_the_same_seed(squad_file: Path) -> None:
    whole = datasets.squad(squad_file)
    sample = datasets.squad(squad_file, sample=2, seed=3)
    assert sample == datasets.squad(squad_file, sample=2, seed=3)
    assert [q for q in whole.questions if q in sample.questions] == list(sample.questions)
    assert sample.documents == whole.documents
    assert whole.sample(99) == whole
    with pytest.raises(BadCases, match="sample of 0"):
        whole.sample(0)


def test_clapnq_marks_the_gold_sentences(tmp_path: Path) -> None:
    sentences = ["It rained .", "It rained .", "Then it stopped ."]
    passage = {"title": "Rain?", "text": " ".join(sentences) + " ", "sentences": sentences}
    answered = {"answer": "It stopped.", "selected_sentences": ["Then it stopped ."]}
    nothing = {"answer": "", "selected_sentences": []}
    lines(
        tmp_path / "dev.jsonl",
        {"id": "1", "input": "what then", "passages": [passage], "output": [answered]},
        {"id": "2", "input": "when", "passages": [passage], "output": [nothing]},
    )
    dataset = datasets.clapnq(tmp_path)
    assert list(dataset.documents) == ["Rain_.txt"]
    assert words(dataset) == [["Then it stopped ."], []]
    assert [q.answerable for q in dataset.questions] == [True, False]
    assert survives(dataset, tmp_path / "documents")


def test_mtrag_has_the_conversation_as_history(tmp_path: Path) -> None:
    def turn(speaker: str, text: str) -> dict[str, str]:
        return {"speaker": speaker, "text": text}

    row = {
        "task_id": "t<::>2",
        "Collection": "govt",
        "Multi-Turn": ["Follow-up"],
        "answerability": ["ANSWERABLE"],
        "contexts": [
            {"document_id": "a/../b", "text": "\nOne."},
            {"document_id": "c", "text": "2."},
        ],
        "input": [turn("user", "First?"), turn("agent", "Yes."), turn("user", "And then? ")],
    }
    single = row | {
        "task_id": "s",
        "Multi-Turn": ["N/A"],
        "contexts": [],
        "input": row["input"][:1],
    }
    dataset = datasets.mtrag(lines(tmp_path / "tasks.jsonl", row, single))
    first, second = dataset.questions
    assert first.history == (Turn("user", "First?"), Turn("assistant", "Yes."))
    assert first.question == "And then?"
    assert first.documents == ("govt/a/_/b.txt", "govt/c.txt")
    assert first.tags == ("govt", "later turn", "answerable", "follow-up")
    assert (second.history, second.documents, second.answerable) == ((), (), False)
    assert survives(dataset, tmp_path / "documents")


def test_beir_has_the_relevant_documents(tmp_path: Path) -> None:
    lines(
        tmp_path / "corpus.jsonl",
        {"_id": "1", "title": "Rain", "text": "It\u2028falls."},
        {"_id": "2", "title": "", "text": "Snow too."},
    )
    lines(tmp_path / "queries.jsonl", {"_id": "9", "text": "rain"}, {"_id": "8", "text": "sun"})
    (tmp_path / "qrels_test.tsv").write_text("query-id\tcorpus-id\tscore\n9\t1\t1\n9\t2\t0\n")
    dataset = datasets.beir(tmp_path)
    assert dataset.documents == {"1.txt": "Rain\n\nIt\nfalls.", "2.txt": "Snow too."}
    assert [(q.question, q.documents) for q in dataset.questions] == [("rain", ("1.txt",))]
    assert survives(dataset, tmp_path / "documents")


def test_llama_rag_finds_its_contexts_in_the_source_files(tmp_path: Path) -> None:
    source = tmp_path / "source_files"
    source.mkdir()
    (source / "wye.txt").write_text("The Wye rises\non Plynlimon.\n\nIt is 250 km long.\n")
    (source / "notes.md").write_text("# Notes\n\nNothing of note.\n")
    (source / "scan.pdf").write_bytes(b"%PDF-1.4")
    examples = [
        {
            "query": "Where does the Wye rise? ",
            "reference_contexts": ["The Wye rises on  Plynlimon."],
            "reference_answer": "On Plynlimon, a hill.",
        },
        {"query": "And then?", "reference_contexts": ["not there"], "reference_answer": None},
    ]
    (tmp_path / "rag_dataset.json").write_text(json.dumps({"examples": examples}))
    dataset = datasets.llama_rag(tmp_path)
    assert list(dataset.documents) == ["notes.md", "wye.txt"]
    assert words(dataset) == [["The Wye rises\non Plynlimon."], []]
    first, second = dataset.questions
    assert (first.question, first.documents) == ("Where does the Wye rise?", ("wye.txt",))
    assert (first.reference, second.reference) == ("On Plynlimon, a hill.", "")
    assert survives(dataset, tmp_path / "documents")


def test_materialise_writes_each_document_under_its_id(tmp_path: Path) -> None:
    folder = materialise(Dataset("x", {"a/b.txt": "Óne.\n\nTwo.", "c.txt": "3."}, ()), tmp_path)
    written = {id: file.read_bytes().decode() for id, file in find([folder])}
    assert written == {"a/b.txt": "Óne.\n\nTwo.", "c.txt": "3."}


@pytest.mark.parametrize("name", ["squad", "clapnq", "mtrag", "beir", "llama-rag"])
def test_what_is_not_there_or_not_json_is_one_line(name: str, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.write_text("{")
    for path in (bad, tmp_path / "nowhere"):
        with pytest.raises(BadCases) as raised:
            datasets.DATASETS[name](path)
        assert "\n" not in str(raised.value)


def test_gold_counts_in_its_document() -> None:
    assert Gold("a.txt", Span(0, 3)).span.of("One two") == "One"
