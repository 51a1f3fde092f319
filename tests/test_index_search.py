"""Questions → Hits: both searches, their fusion, filters, and the state that a reader sees."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from index.build import build
from index.embed import embedder
from index.errors import IndexMissing
from index.search import Index

TEXTS = {
    "bees.txt": "Bees sleep in the hive at night. A queen lives for up to five years.",
    "bread.md": "# Bread\n\nThe dough rests for hours.\n\n## Baking\n\nThe oven has 230 degrees.",
    "café.txt": "The naïve visitor orders a crème brûlée. It costs 7.50 in the Café Zürich.",
    "ships.txt": "The Vasa sank in 1628, on her maiden voyage. She was raised in 1961.",
    "日本.txt": "東京は日本の首都です。人口は約一千四百万人です。",
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    docs, folder = tmp_path_factory.mktemp("docs"), tmp_path_factory.mktemp("made") / "index"
    for name, text in TEXTS.items():
        (docs / name).write_text(text, encoding="utf-8")
    build([docs], folder, embedder("minilm"))
    return Index.open(folder, embedder("minilm"))


@pytest.mark.parametrize(
    ("question", "document"),
    [
        ("When did the Vasa sink?", "ships.txt"),
        ("how warm must it be to bake", "bread.md"),
        ("How long do monarchs of insects survive?", "bees.txt"),
        ("creme brulee in cafe zurich", "café.txt"),
        ("首都", "日本.txt"),
    ],
)
def test_the_right_passage_is_first(index: Index, question: str, document: str) -> None:
    hit = index.search([question])[0]
    assert hit.passage.document.id == document
    assert hit.dense_rank is not None
    assert hit.dense is not None
    assert -1 <= hit.dense <= 1.0001


def test_scores_fall_and_ranks_count_from_0(index: Index) -> None:
    hits = index.search(["When did the Vasa sink?"])
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert (hits[0].dense_rank, hits[0].lexical_rank) == (0, 0)
    assert sorted(hit.dense_rank for hit in hits if hit.dense_rank is not None) == list(
        range(len(hits))
    )
    unworded = [hit for hit in hits if hit.lexical_rank is None]
    assert all(hit.lexical is None for hit in unworded)


def test_headings_find_their_section_and_are_not_its_text(index: Index) -> None:
    hit = index.search(["baking"])[0]
    assert "230 degrees" in hit.passage.text
    assert index.frequency("baking") == 1


def test_k_and_documents_limit(index: Index) -> None:
    assert len(index.search(["the"], 2)) == 2
    hits = index.search(["When did the Vasa sink?"], documents=["bees.txt", "bread.md", "gone.txt"])
    assert {hit.passage.document.id for hit in hits} == {"bees.txt", "bread.md"}
    assert index.search(["Vasa"], documents=[]) == ()
    assert index.search(["Vasa"], documents=["gone.txt"]) == ()


def test_several_queries_are_fused(index: Index) -> None:
    both = index.search(["When did the Vasa sink?", "How long does a queen bee live?"], 2)
    assert {hit.passage.document.id for hit in both} == {"ships.txt", "bees.txt"}


@pytest.mark.parametrize(
    "text",
    ["", "  ", "?", '"', "AND OR NOT", "title:x^2 +(", "a:b -c [1 TO", "\0\ud7ff", "x" * 5000],
)
def test_no_text_is_syntax(index: Index, text: str) -> None:
    index.search([text])
    index.search([text, "Vasa"])


def test_frequency_knows_forms_and_accents(index: Index) -> None:
    assert index.frequency("sinking") == 0
    assert index.frequency("degree") == index.frequency("Degrees") == 1
    assert index.frequency("cafe") == index.frequency("Café") == 1
    assert index.frequency("zeppelin") == index.frequency("") == index.frequency("?!") == 0


def test_many_threads_see_the_same(index: Index) -> None:
    questions = ["When did the Vasa sink?", "How long does a queen bee live?", "首都"] * 8
    alone = [index.search([question]) for question in questions]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda question: index.search([question]), questions)) == alone


@pytest.fixture
def changing(tmp_path: Path) -> tuple[Path, Path]:
    docs = tmp_path / "docs"
    docs.mkdir()
    for number in range(8):
        (docs / f"{number}.txt").write_text(f"Parcel {number} went to the lighthouse on Monday.")
    build([docs], tmp_path / "index", embedder("minilm"))
    return docs, tmp_path / "index"


def test_an_open_index_keeps_its_state_until_refreshed(changing: tuple[Path, Path]) -> None:
    docs, folder = changing
    index = Index.open(folder, embedder("minilm"))
    assert index.refresh() is index
    before = index.search(["the lighthouse"])
    (docs / "3.txt").write_text("Parcel 3 was lost at sea.")
    (docs / "4.txt").unlink()
    build([docs], folder, embedder("minilm"))

    # The old state lacks what is gone and never shows what is new; its texts can still be shown.
    during = index.search(["parcel lost at sea"])
    assert {hit.passage.document.version for hit in during} <= {
        document.version for document in index.manifest.documents.values()
    }
    assert index.document("4.txt").text.startswith("Parcel 4")

    after = index.refresh()
    assert after is not index
    assert after.refresh() is after
    assert after.search(["lost at sea"], 1)[0].passage.text == "Parcel 3 was lost at sea."
    assert len(before) == 8
    assert after.passages == 7
    assert "4.txt" not in {hit.passage.document.id for hit in after.search(["parcel"], 20)}


def test_there_is_no_index_there(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(IndexMissing, match="run `footnote index`"):
            Index.open(place, embedder("minilm"))
    assert list(tmp_path.iterdir()) == []
