"""The evaluation page: choose, run, stop, compare, open a case."""

import json
import shutil
import time
from pathlib import Path
from typing import Literal

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from rag.evals.cases import load
from rag.evals.feedback import KEPT, OPEN
from rag.evals.kept import FOLDER, kept
from rag.evals.run import KNOWN_FACTS
from tests.e2e import axe
from tests.e2e.conftest import Reader
from tests.serving import serving

DETAINED = "How many suspects did the police detain in last year's campaign?"
MISSED = {
    "id": "missed",
    "question": DETAINED,
    "facts": [["<b>forty</b>"]],
    "tags": ["<i>tag</i>", "mine"],
}
RIGHT = {"id": "right", "question": DETAINED, "facts": [["21,566"]], "tags": ["mine"]}
REFUSED = {"id": "no", "question": "How do I make pancakes?", "facts": [], "tags": ["other"]}


@pytest.fixture(autouse=True)
def _as_it_was(kept_beside: Path) -> None:
    for name in (KEPT, OPEN):
        (kept_beside / name).unlink(missing_ok=True)
    shutil.rmtree(kept_beside / FOLDER, ignore_errors=True)


def enter(page: Page) -> None:
    page.locator("a[href='#evaluation']").click()
    expect(page.locator(".choose")).to_be_visible()


def bring(page: Page, button: str, name: str, text: str) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=button).click()
    chooser.value.set_files(
        [{"name": name, "mimeType": "application/json", "buffer": text.encode()}]
    )


def bring_cases(page: Page, *cases: object) -> None:
    text = "\n".join(map(json.dumps, cases))
    bring(page, "Choose a file of cases", "mine.jsonl", text)
    expect(page.get_by_label("mine.jsonl")).to_be_checked()


def run(page: Page) -> None:
    page.get_by_role("button", name="Run the evaluation").click()
    expect(page.locator("#report h3")).to_be_visible(timeout=60_000)


def test_known_facts_are_run_measured_and_kept(judge: Reader, kept_beside: Path) -> None:
    page = judge.page
    enter(page)
    known = load(KNOWN_FACTS)
    expect(page.get_by_label("Known facts")).to_be_checked()
    expect(page.locator(".set").first).to_contain_text(f"{len(known):,} cases")
    page.locator(".chip", has_text="refusal").click()
    page.get_by_label("How many").fill("8")
    run(page)
    report = page.locator("#report")
    expect(report.locator("h3")).to_contain_text("of 8 are not right.")
    expect(report.locator(".keys")).to_contain_text("of the unanswerable questions are answered")
    for name in ("Refusals", "Reliability", "Risk and coverage", "Time by step"):
        expect(report.locator("figcaption", has_text=name)).to_be_visible()
    expect(report.locator("table").first).to_contain_text("avna")
    (run_kept,) = kept(kept_beside)
    assert run_kept.cases == 8
    expect(page.locator("select[name=against] option")).to_have_count(2)
    page.locator("select[name=against]").select_option(run_kept.name)
    run(page)
    expect(report).to_contain_text("Every case is judged as before.")


def test_ones_own_cases_open_as_they_were_answered(judge: Reader, kept_beside: Path) -> None:
    page = judge.page
    judge.ask("When was the Anti-Drug Law passed?")
    enter(page)
    bring_cases(page, MISSED, RIGHT, REFUSED)
    page.locator(".chip", has_text="mine").click()
    run(page)
    expect(page.locator("#report h3")).to_have_text("1 of 2 are not right.")
    case = page.locator(".cases li")
    expect(case).to_contain_text("A known fact is missing")
    expect(case).to_contain_text("<b>forty</b>")
    assert kept(kept_beside) == ()  # a person's own are nobody else's
    case.locator("a").click()
    expect(page.locator("#evaluation")).to_be_hidden()
    expect(page.locator(".turn")).to_have_count(1)
    expect(page.locator(".turn")).to_contain_text("21,566")
    expect(page.locator(".turn .notice")).to_contain_text("Expected: <b>forty</b>.")
    page.locator(".turn .note").first.click()
    assert "21,566" in judge.chosen()
    page.locator("a[href='#why-1']").click()
    expect(page.locator("#why .is-cited")).to_have_count(1)
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Conversations").click()
    expect(page.locator("#conversations li")).to_have_count(2)


def test_the_files_are_saved_and_compared_with(judge: Reader) -> None:
    page = judge.page
    enter(page)
    bring_cases(page, MISSED, RIGHT, REFUSED)
    run(page)
    saved = {}
    for name in ("results.json", "report.html"):
        with page.expect_download() as download:
            page.locator(f".download[data-file='{name}']").click()
        saved[name] = Path(download.value.path()).read_text("utf-8")
    assert saved["report.html"].startswith("<!doctype html>")
    results = json.loads(saved["results.json"])
    assert [case["id"] for case in results["cases"]] == ["missed", "right", "no"]
    results["cases"][1]["judgements"]["all_facts_found"] = False
    bring(page, "Choose an earlier results.json", "earlier.json", json.dumps(results))
    expect(page.locator("select[name=against]")).to_have_value("brought")
    run(page)
    expect(page.locator("#report summary").first).to_have_text("1 not right before, right now")


@pytest.mark.parametrize(
    ("button", "text", "says"),
    [
        ("Choose a file of cases", '{"id": 1}\n', "bad.json, line 1: “id” must be a string"),
        ("Choose a file of cases", "\n\n{\n", "bad.json, line 3: Expecting property name"),
        ("Choose a file of cases", "", "bad.json holds no cases"),
        ("Choose an earlier results.json", "<script>", "bad.json is no run"),
        ("Choose an earlier results.json", '{"run": 1, "cases": 2}', "bad.json is no run"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_line(
    judge: Reader, button: str, text: str, says: str
) -> None:
    enter(judge.page)
    bring(judge.page, button, "bad.json", text)
    expect(judge.page.locator("#progress .problem")).to_contain_text(says)
    expect(judge.page.get_by_label("Known facts")).to_be_checked()


def test_it_can_be_stopped_others_are_told_and_people_are_answered(
    judge: Reader, browser: Browser, keeping: str
) -> None:
    page = judge.page
    enter(page)
    page.get_by_role("button", name="Run the evaluation").click()
    expect(page.locator("#progress b")).to_contain_text("of 266")
    page.reload()  # the run is found again
    page.locator(".welcome").wait_for()
    enter(page)
    expect(page.locator("#progress progress")).to_be_visible()
    with browser.new_context() as context:
        other = Reader.opening(context, keeping).page
        enter(other)
        expect(other.locator("#progress progress")).to_have_count(0)
        other.get_by_role("button", name="Run the evaluation").click()
        expect(other.get_by_role("alert")).to_contain_text("an evaluation is running")
        other.get_by_role("link", name="‹ Conversation").click()
        started = time.monotonic()
        Reader(other).ask(DETAINED)
        assert time.monotonic() - started < 8
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#report h3")).to_contain_text("It was stopped after", timeout=30_000)


def test_read_only_shows_what_is_kept_and_starts_nothing(
    judge: Reader, browser: Browser, kept_beside: Path
) -> None:
    enter(judge.page)
    judge.page.get_by_label("How many").fill("8")
    run(judge.page)
    verdict = judge.page.locator("#report h3").inner_text()
    with serving(kept_beside, "--read-only") as address, browser.new_context() as context:
        page = Reader.opening(context, address).page
        enter(page)
        expect(page.locator(".choose .closed")).to_contain_text("no evaluation is started here")
        expect(page.get_by_role("button", name="Run the evaluation")).to_have_count(0)
        expect(page.locator(".choose .bring")).to_have_count(0)
        axe.check(page)
        page.get_by_role("button", name="Show the results").click()
        expect(page.locator("#report h3")).to_have_text(verdict)
        expect(page.locator("#report figure").first).to_be_visible()
        expect(page.locator("#report a[href^='#case-']")).to_have_count(0)  # answers are not kept
        axe.check(page)
        calls = httpx.get(f"{address}config").json()["dependencies"]
        events = {event for call in calls for _, event in call["targets"]}
        assert "earlier" in events
        assert events.isdisjoint({"begin", "bring"})
        (file,) = (kept_beside / FOLDER).iterdir()
        file.unlink()
        page.locator("a[href='#evaluation']").click()
        expect(page.locator(".choose")).to_contain_text("No results of an earlier one are kept")


def test_feedback_is_a_set_of_cases(judge: Reader, kept_beside: Path) -> None:
    page = judge.page
    (kept_beside / KEPT).write_text(json.dumps({**RIGHT, "tags": ["feedback"]}) + "\n", "utf-8")
    (kept_beside / OPEN).write_text('{"id": "x"}\n', "utf-8")
    enter(page)
    row = page.locator(".set", has_text="Feedback")
    expect(row).to_contain_text("1 case · ")
    expect(row).to_contain_text("1 more wait for a right answer")
    page.get_by_label("Feedback").check()
    expect(page.locator(".tags:visible")).to_have_count(0)
    run(page)
    expect(page.locator("#report h3")).to_have_text("All 1 are right.")


def test_the_keyboard_comes_and_goes(judge: Reader) -> None:
    page = judge.page
    page.locator("a[href='#evaluation']").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".choose")).to_be_visible()
    assert page.evaluate("document.activeElement.textContent") == "Evaluation"
    page.keyboard.press("Escape")
    expect(page.locator("#evaluation")).to_be_hidden()
    assert page.evaluate("document.activeElement.hash") == "#evaluation"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_axe_finds_nothing(judge: Reader, scheme: Literal["light", "dark"], width: int) -> None:
    page = judge.page
    judge.looks(scheme, width)
    enter(page)
    bring_cases(page, MISSED, RIGHT, REFUSED)
    axe.check(page)
    run(page)
    for fold in page.locator("#report summary").all():
        fold.click()
    axe.check(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("#evaluation").evaluate("e => e.scrollWidth <= e.clientWidth")
    for drawn in page.locator("#report svg:visible").all():
        box = drawn.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= width
