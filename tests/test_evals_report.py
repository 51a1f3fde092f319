import json
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from rag.evals.cases import Case
from rag.evals.compare import compare
from rag.evals.judge import failed, judge_case
from rag.evals.page import page
from rag.evals.report import summary, table, write
from rag.evals.results import Judged, Results, scored

TEXT = "Before it. <script>alert(1)</script> is what & it says. After it."
QUOTE = "<script>alert(1)</script> is what & it says."
RUN = {
    "commit": None,
    "index": {"embedding": "minilm", "documents": 1, "passages": 1},
    "model": "extractive",
    "seed": 0,
    "started": "2026-01-02T03:04:05+00:00",
    "judge": "lexical",
}


def text_of(id: str, version: str | None) -> str | None:
    return TEXT if id == "a.txt" else None


def answer(quote: str = QUOTE, **more: Any) -> dict[str, Any]:
    start = TEXT.index(QUOTE)
    place = {"document": "a.txt", "start": start, "end": start + len(QUOTE), "text": QUOTE}
    return {
        "outcome": "answered",
        "answer": f"{QUOTE} [1]",
        "confidence": 0.8,
        "sentences": [{"text": QUOTE, "citations": [1]}],
        "citations": [{**place, "n": 1, "quote": quote}],
        "evidence": [place],
        "timings_ms": {"search": 3.0, "read": 9.0, "total": 12.0},
    } | more


def case(id: str, given: Mapping[str, Any] | None, fact: str = "elsewhere") -> Judged:
    known = Case(id, f"What does {id} say?", ((fact,),), ("a.txt",), tags=(id[0],))
    judgements = judge_case(given, known, text_of) if given else failed(True, 1)
    error = None if given else "TimeoutError: too \x00 late"
    return Judged(id, known.question, known.tags, given, judgements, error, fact)


@pytest.fixture(scope="module")
def results() -> Results:
    refusal = answer(outcome="not_in_corpus", citations=[], sentences=[], answer="They do not say.")
    cases = [
        case("right", answer(), "says"),
        case("wrong", answer()),
        case("moved", answer(quote="Words that are not there."), "says"),
        case("refused", refusal),
        case("late", None),
    ]
    return scored(cases, RUN)


class Page(HTMLParser):
    """The tags of a page, and the text in the marked words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.marked: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] == "mark":
            self.marked.append(data)

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(f"/{tag}")


def test_the_page_has_charts_and_loads_nothing(results: Results) -> None:
    text = page(results, text_of)
    read = Page(text)
    assert read.tags.count("svg") == 4
    assert read.links == []
    assert "http" not in text.replace("http-equiv", "")
    assert text.count("<figcaption>") == 4
    assert "Reliability" in text


def test_the_page_shows_every_failing_case_with_its_sources_marked(results: Results) -> None:
    text = page(results, text_of)
    read = Page(text)
    assert read.tags.count("details") == len(results.failing) == 4
    assert read.marked == [QUOTE, "Words that are not there.", QUOTE]
    assert "Before it. <mark>" in text
    assert "these words are not where it says" in text
    assert "considered: a.txt" in text


def test_what_documents_say_is_never_markup(results: Results) -> None:
    text = page(results, text_of)
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_the_xml_holds_every_case(results: Results, tmp_path: Path) -> None:
    write(results, tmp_path, text_of)
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert {name: suite.get(name) for name in ("tests", "failures", "errors")} == {
        "tests": "5",
        "failures": "3",
        "errors": "1",
    }
    found = {one.get("name"): [child.tag for child in one] for one in suite}
    assert found["right"] == []
    assert found["wrong"] == ["failure"]
    assert found["late"] == ["error"]
    failure = suite.find("testcase[@name='wrong']/failure")
    assert failure is not None
    assert "expected: elsewhere" in str(failure.text)


def test_the_files_are_whole_json_and_markdown(results: Results, tmp_path: Path) -> None:
    write(results, tmp_path)
    whole = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert [one["id"] for one in whole["cases"]] == [one.id for one in results.cases]
    text = (tmp_path / "summary.md").read_text("utf-8")
    assert "| all_facts_found |" in text
    assert "\\<script\\>" in text


def test_a_comparison_and_others_stand_in_the_reports(results: Results) -> None:
    better = scored([case(one.id, answer(), "says") for one in results.cases], RUN)
    comparison = compare(results.cases, better.cases, RUN)
    others = {"Footnote": better, "Another": results}
    for text in (summary(better, comparison, others), page(better, text_of, comparison, others)):
        assert "Beside others" in text
        assert "Another" in text
        assert "What differs" in text
        assert "What does wrong say?" in text
    assert "now right      wrong: What does wrong say?" in table(better, comparison)
