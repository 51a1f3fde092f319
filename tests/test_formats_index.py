"""Files of every format, and broken ones among them: indexed, asked, quoted."""

import json
from pathlib import Path

import pytest

from tests import real_files
from tests.conftest import Footnote, Inside
from tests.real_files import GOOD

BROKEN = {
    "broken.pdf": lambda: real_files.report_pdf()[:1500],
    "scan.pdf": real_files.scanned_pdf,
    "archive.zip": lambda: b"PK",
    "old.doc": lambda: b"words",
    "empty.docx": lambda: b"",
    "page.docx": real_files.NEWS.encode,
}

# Question, words of the answer, the documents it may come from with the page there.
ASKED = [
    ("To what was the fee for a berth raised in April 2018?", "45 dollars", {"report.pdf": 2}),
    ("When is the next dredging planned?", "spring of 2024", {"report.pdf": 3}),
    ("How many votes were for the raised fee?", "nine votes", {"minutes.pdf": 2}),
    ("When did the bids come?", "March", {"talk.pptx": 2}),
    ("Who installed the refrigeration equipment?", "technicians", {"across.pdf": 1}),
    (
        "What was the keeper called?",
        "Prak",
        {"book.epub": None, "stories.json": None, "stories.jsonl": None},
    ),
    ("Who is the captain of the boat Apsara?", "Maly Chan", {"ships.xlsx": None}),
    ("What does a berth in the café basin cost a night?", "45 dollars", {"rules.rtf": None}),
    ("What has the fishermen's cooperative asked for?", "80 dollars", {"news.html": None}),
    ("How many were arrested in Kampot in 2017?", "16,210", {"arrests.csv": None}),
    (
        "Who pays two thirds of the dredger's cost?",
        "ministry",
        {"report.docx": None, "news.html": None, "talk.pptx": 2},
    ),
]


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Inside:
    folder = tmp_path_factory.mktemp("formats")
    documents = folder / "documents"
    documents.mkdir()
    for name, make in (GOOD | BROKEN).items():
        (documents / name).write_bytes(make())
    footnote = Inside(folder)
    report = footnote.json("index", documents, "--json")
    assert report["documents"] == len(GOOD)
    failed = {Path(one["path"]).name: one["reason"] for one in report["failed"]}
    assert set(failed) == set(BROKEN)
    assert all("\n" not in reason for reason in failed.values())
    return footnote


@pytest.mark.parametrize(("question", "words", "pages"), ASKED)
def test_an_answer_quotes_the_file_and_names_its_page(
    indexed: Footnote, question: str, words: str, pages: dict[str, int | None]
) -> None:
    answer = indexed.json("ask", question, "--json")
    cited = [c for c in answer["citations"] if c["document"] in pages and words in c["quote"]]
    assert cited, answer["answer"]
    assert all(c["page"] == pages[c["document"]] for c in cited)
    for citation in answer["citations"]:
        text = indexed("text", citation["document"]).stdout
        assert text[citation["start"] : citation["end"]] == citation["quote"]


def test_indexing_again_changes_nothing(indexed: Footnote) -> None:
    report = indexed.json("index", indexed.folder / "documents", "--json")
    assert (report["unchanged"], report["changed"], report["added"]) == (len(GOOD), 0, 0)


def test_pages_and_markup_survive_the_index(indexed: Footnote) -> None:
    from corpus.read import read
    from index.embed import embedder
    from index.search import Index

    index = Index.open(indexed.folder / ".footnote", embedder("minilm"))
    for name in GOOD:
        given, kept = read(indexed.folder / "documents" / name, name), index.document(name)
        assert json.dumps(dict(kept.metadata)) == json.dumps(dict(given.metadata))
        assert (kept.text, kept.pages, kept.title, kept.markdown) == (
            given.text,
            given.pages,
            given.title,
            given.markdown,
        )


def test_pages_without_text_are_said(footnote: Footnote, tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    scanned = real_files.scanned_pdf(2, "The third page has words.")
    (documents / "a.pdf").write_bytes(scanned)
    (documents / "b.md").write_text("---\nunread: all of it\n---\nThe keeper had two dogs.")
    reason = "no text on pages 1–2 (scanned, or drawn)"
    for _ in range(2):  # also where nothing has changed
        assert footnote("index", documents).stdout.splitlines()[1:] == [
            f"indexed in part: a.pdf: {reason}"
        ]
    said = footnote.json("status", "--json")
    assert said["unread"] == [{"document": "a.pdf", "reason": reason}]
    lines = footnote("status").stdout.splitlines()
    assert [line for line in lines if line.startswith("in part")] == [f"in part    a.pdf: {reason}"]
    for n in range(21):
        (documents / f"{n}.pdf").write_bytes(scanned)
    shown = footnote("index", documents).stdout.splitlines()[1:]
    assert len(shown) == 21
    assert shown[-1] == "indexed in part: 2 documents more, which `footnote status` names"
