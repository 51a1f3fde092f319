"""Thumbs: what a person says of an answer is kept, and becomes a case."""

import json
import shutil
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, expect

from rag.assistant import Assistant
from rag.evals.cases import load
from rag.evals.feedback import KEPT, OPEN
from tests.e2e import axe
from tests.e2e.conftest import Reader
from tests.serving import serving

DETAINED = "How many suspects did the police detain in last year's campaign?"
PASSED = "When was the Anti-Drug Law passed?"
PANCAKES = "How do I make pancakes without eggs?"


@pytest.fixture(autouse=True)
def _nothing_said_yet(kept_beside: Path) -> None:
    for name in (KEPT, OPEN):
        (kept_beside / name).unlink(missing_ok=True)


def thumb(reader: Reader, kind: str, turn: int = 1) -> None:
    reader.page.locator(f"a[href='#{kind}-{turn}']").click()


def pressed(reader: Reader, kind: str, turn: int = 1) -> None:
    """Waits until the thumb looks given."""
    link = reader.page.locator(f"a[href='#{kind}-{turn}']")
    expect(link).to_have_attribute("aria-pressed", "true")


def lines(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def test_a_good_answer_becomes_a_case(
    judge: Reader, kept_beside: Path, assistant: Assistant
) -> None:
    judge.ask(DETAINED)
    thumb(judge, "good")
    expect(judge.page.locator(".told")).to_contain_text("Kept as a case")
    pressed(judge, "good")
    (case,) = load(kept_beside / KEPT)
    citation = assistant.ask(DETAINED).citations[0]
    assert case.facts == (("21,566",),)
    assert (case.documents, case.quotes) == ((citation.document,), (citation.quote,))
    thumb(judge, "good")
    expect(judge.page.locator(".told")).to_contain_text("Taken back")
    assert (kept_beside / KEPT).read_bytes() == b""


def test_a_changed_mind_replaces_ones_own_and_survives_a_reload(
    judge: Reader, kept_beside: Path, browser: Browser, keeping: str
) -> None:
    judge.ask(DETAINED)
    thumb(judge, "good")
    pressed(judge, "good")
    with browser.new_context() as context:  # somebody else, of the same answer
        other = Reader.opening(context, keeping)
        other.ask(DETAINED)
        expect(other.page.locator("a[href='#good-1']")).to_have_attribute("aria-pressed", "false")
        thumb(other, "good")
        pressed(other, "good")
    thumb(judge, "bad")
    pressed(judge, "bad")
    dialog = judge.page.locator("dialog.opinion")
    dialog.get_by_label("It is wrong").check()
    dialog.get_by_label("The right answer").fill("10,461 cases")
    dialog.get_by_role("button", name="Keep").click()
    expect(judge.page.locator(".told")).to_contain_text("will expect what you said")
    assert [case.facts for case in load(kept_beside / KEPT)] == [
        (("21,566",),),
        (("10,461 cases",),),
    ]
    assert lines(kept_beside / OPEN) == []
    judge.page.wait_for_timeout(300)  # the browser writes the conversation down
    judge.page.reload()
    pressed(judge, "bad")
    thumb(judge, "bad")
    expect(dialog.get_by_label("The right answer")).to_have_value("10,461 cases")
    expect(dialog.get_by_label("It is wrong")).to_be_checked()
    dialog.get_by_role("button", name="Take it back").click()
    expect(judge.page.locator("a[href='#bad-1']")).to_have_attribute("aria-pressed", "false")
    assert len(load(kept_beside / KEPT)) == 1


def test_a_bad_answer_alone_waits_for_the_right_one(judge: Reader, kept_beside: Path) -> None:
    judge.ask(DETAINED)
    thumb(judge, "bad")
    dialog = judge.page.locator("dialog.opinion")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_text("It refused, but")).to_be_hidden()
    judge.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert judge.page.evaluate("document.activeElement.hash") == "#bad-1"
    pressed(judge, "bad")
    (row,) = lines(kept_beside / OPEN)
    assert "facts" not in row
    assert not (kept_beside / KEPT).exists()
    judge.page.locator(".told .more").click()
    dialog.get_by_label("it should have refused").check()
    dialog.get_by_label("Anything else").fill("<img src=x onerror=window.owned=1>")
    dialog.get_by_role("button", name="Keep").click()
    expect(judge.page.locator(".told")).to_contain_text("Kept as a case")
    (case,) = load(kept_beside / KEPT)
    assert case.facts == ()
    assert judge.page.evaluate("window.owned") is None


def test_the_conversation_before_is_part_of_the_case(judge: Reader, kept_beside: Path) -> None:
    judge.ask(DETAINED)
    judge.ask("In how many cases?")
    thumb(judge, "good", 2)
    pressed(judge, "good", 2)
    (case,) = load(kept_beside / KEPT)
    assert case.question == "In how many cases?"
    assert [turn.role for turn in case.history] == ["user", "assistant"]
    assert case.history[0].content == DETAINED
    judge.ask(PANCAKES)
    pressed(judge, "good", 2)


def test_a_right_refusal_is_a_case_too(judge: Reader, kept_beside: Path) -> None:
    judge.ask(PANCAKES)
    link = judge.page.locator("a[href='#good-1']")
    link.focus()
    judge.page.keyboard.press("Space")
    pressed(judge, "good")
    (case,) = load(kept_beside / KEPT)
    assert not case.answerable


def test_where_nothing_can_be_kept_the_thumbs_say_so(
    browser: Browser, index: Path, tmp_path: Path
) -> None:
    shutil.copytree(index, tmp_path / "index")
    (tmp_path / "index" / KEPT).mkdir()  # a folder that nobody can write lines to
    with serving(tmp_path / "index") as address, browser.new_context() as context:
        reader = Reader.opening(context, address)
        reader.ask(DETAINED)
        thumb_up = reader.page.locator("a[href='#good-1']")
        expect(thumb_up).to_have_attribute("aria-disabled", "true")
        thumb_up.click(force=True)
        expect(reader.page.get_by_role("alert")).to_contain_text("read-only")
        expect(thumb_up).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_axe_finds_nothing(judge: Reader, scheme: Literal["light", "dark"], width: int) -> None:
    page = judge.page
    judge.looks(scheme, width)
    judge.ask(PASSED)
    thumb(judge, "bad")
    pressed(judge, "bad")
    axe.check(page)
    page.locator("dialog.opinion .cancel").click()
    axe.check(page)
