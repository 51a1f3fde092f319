"""Conversations that stay: across a reload, in the list, as files, when documents change."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from rag.assistant import Assistant
from tests.conftest import Footnote
from tests.e2e.conftest import Reader, script
from tests.openai_server import Say, Server
from tests.serving import serving

DETAINED = "How many suspects did the police detain in last year's campaign?"
HENG = "Who is Heng Sayhong?"
PANCAKES = "How do I make pancakes without eggs?"


def questions(page: Page) -> list[str]:
    return page.locator(".turn .question").all_inner_texts()


def drawer(page: Page) -> Any:
    page.get_by_role("link", name="Conversations").click()
    opened = page.locator("#conversations[open]")
    expect(opened).to_be_visible()
    return opened


def names(page: Page) -> list[str]:
    return page.locator("#conversations .name").all_inner_texts()


def test_a_reload_brings_the_conversation_back(reader: Reader, assistant: Assistant) -> None:
    page = reader.page
    for question in (PANCAKES, DETAINED):
        reader.ask(question)
    before = page.locator("#said").inner_text()
    page.reload()
    expect(page.locator(".turn")).to_have_count(2)
    assert page.locator("#said").inner_text() == before
    page.locator(".note").first.click()
    (citation, *_) = assistant.ask(DETAINED).citations
    expect(page.locator("#source mark.chosen").first).to_be_visible()
    assert reader.chosen() == citation.quote
    reader.ask("And in how many cases?")  # it goes on where it was
    assert "10,461" in page.locator(".turn").last.inner_text()
    assert "Understood as" in page.locator(".turn").last.inner_text()


def test_a_reload_in_the_middle_leaves_the_question(writer: Reader, model: Server) -> None:
    page = writer.page
    script(model, Say("Police detained 21,566 suspects [1.1]. " * 400, between=0.03))
    writer.begin(DETAINED)
    expect(page.locator(".turn").last).to_contain_text("21,566 suspects")
    page.reload()
    expect(page.locator(".turn")).to_contain_text("The page was left before the answer came")
    assert questions(page) == [DETAINED]
    script(model, Say("Police detained 21,566 suspects [1.1][1.2]."))
    page.get_by_role("button", name="Retry").click()
    expect(page.locator(".turn .sources")).to_be_visible()
    assert questions(page) == [DETAINED]


def test_several_conversations_are_listed_renamed_opened_and_deleted(reader: Reader) -> None:
    page = reader.page
    reader.ask(DETAINED)
    reader.ask(PANCAKES)
    page.get_by_role("link", name="New conversation").click()
    expect(page.locator(".welcome")).to_be_visible()
    expect(reader.box).to_be_focused()
    reader.ask(HENG)
    opened = drawer(page)
    assert names(page) == [HENG, DETAINED]
    expect(opened.locator(".open:focus")).to_have_attribute("aria-current", "true")
    opened.get_by_role("button", name=f"Rename: {DETAINED}").click()
    page.keyboard.type("The <b>campaign</b>")
    page.keyboard.press("Enter")
    expect(opened.locator(".name").nth(1)).to_have_text("The <b>campaign</b>")
    opened.locator(".open").nth(1).click()
    expect(page.locator(".turn")).to_have_count(2)
    assert questions(page) == [DETAINED, PANCAKES]
    expect(reader.box).to_be_focused()
    opened = drawer(page)
    delete = opened.get_by_role("button", name="Delete: The <b>campaign</b>")
    delete.click()
    expect(delete).to_have_text("Delete for good?")
    assert len(names(page)) == 2
    delete.click()
    expect(opened.locator(".name")).to_have_text([HENG])
    expect(opened.locator(".open")).to_be_focused()
    page.keyboard.press("Escape")
    expect(opened).to_be_hidden()
    expect(page.get_by_role("link", name="Conversations")).to_be_focused()
    expect(page.locator(".welcome")).to_be_visible()  # the one that was open is gone
    page.reload()
    expect(page.locator(".welcome")).to_be_visible()
    drawer(page)
    assert names(page) == [HENG]


def test_a_conversation_is_exported(reader: Reader, assistant: Assistant) -> None:
    page = reader.page
    for question in (DETAINED, PANCAKES):
        reader.ask(question)
    opened = drawer(page)

    def saved(name: str) -> tuple[str, str]:
        with page.expect_download() as download:
            opened.get_by_role("button", name=f"{name}: {DETAINED}").click()
        return download.value.suggested_filename, Path(download.value.path()).read_text("utf-8")

    name, text = saved("Markdown")
    assert name == "how-many-suspects-did-the-police-detain-in-last-year-s-campa.md"
    (citation, *_) = assistant.ask(DETAINED).citations
    assert text.startswith(f"# {DETAINED}\n\n## {DETAINED}\n")
    assert f"[^1-1]: “{citation.quote}” — {citation.title}" in text
    assert f"## {PANCAKES}" in text
    name, text = saved("JSON")
    kept = json.loads(text)
    assert kept["title"] == DETAINED
    assert [answer["question"] for answer in kept["answers"]] == [DETAINED, PANCAKES]
    assert list(kept["answers"][0]) == [
        *("question", "standalone_question", "outcome", "answer", "confidence"),
        *("sentences", "citations", "evidence", "model", "timings_ms", "tokens", "notices"),
    ]
    assert len(kept["answers"][1]["evidence"]) >= 10


def test_the_oldest_give_way_and_it_is_said(reader: Reader) -> None:
    page = reader.page
    page.evaluate("window.footnote.store.limits.conversations = 2")
    for question in (DETAINED, PANCAKES, HENG):
        page.evaluate("window.footnote.links.new()")
        expect(page.locator(".welcome")).to_be_visible()
        reader.ask(question)
    opened = drawer(page)
    assert names(page) == [HENG, PANCAKES]
    expect(opened.locator(".trouble")).to_have_text("1 of the oldest gave way to a newer one.")


def test_two_windows_with_one_conversation_lose_nothing(
    reader: Reader, context: BrowserContext, address: str
) -> None:
    reader.ask(DETAINED)
    id = reader.page.evaluate("sessionStorage.getItem('footnote-open')")
    other = Reader(context.new_page())
    other.page.add_init_script(f"sessionStorage.setItem('footnote-open', '{id}')")
    other.page.goto(address)
    expect(other.page.locator(".turn")).to_have_count(1)
    other.ask(PANCAKES)
    reader.ask(HENG)
    drawer(reader.page)
    asked = reader.page.locator("#conversations .byline")
    expect(asked).to_contain_text(["2 questions", "2 questions"])


def test_a_conversation_deleted_in_another_window_goes_on_whole(
    reader: Reader, context: BrowserContext, address: str
) -> None:
    page = reader.page
    reader.ask(DETAINED)
    other = Reader.opening(context, address).page
    drawer(other)
    for name in ("Delete", "Delete for good?"):
        other.locator("#conversations li button", has_text=name).click()
    expect(other.locator("#conversations li")).to_have_count(0)
    reader.ask(PANCAKES)
    drawer(page)
    expect(page.locator("#conversations .byline")).to_contain_text(["2 questions"])
    page.reload()
    expect(page.locator(".turn .question")).to_have_text([DETAINED, PANCAKES])


def test_what_comes_back_is_not_believed(reader: Reader) -> None:
    """A conversation that was tampered with is neither markup nor a citation that stands."""
    page = reader.page
    reader.ask(DETAINED)
    kept = page.evaluate(
        """async () => {
          const { list, get } = window.footnote.store;
          return (await get((await list())[0].id)).turns;
        }"""
    )
    del kept[0]["markdown"]

    def revive(turns: object, run: str) -> None:
        page.evaluate(
            "([turns, run]) => window.footnote.send(document.querySelector('#latest .talk'),"
            " 'revive', {turns, run})",
            [turns, run],
        )
        page.locator(f"#latest [data-run='{run}']").wait_for()

    forged = json.loads(json.dumps(kept))
    forged[0]["question"] = "<img src=x onerror='window.owned=1'>"
    forged[0]["answer"]["citations"][0]["quote"] = "<script>window.owned=1</script> 99,999 suspects"
    forged[0]["answer"]["citations"][0]["answer_span"] = None
    revive(forged, "forged")
    expect(page.locator(".turn .note.doubt").first).to_be_visible()
    expect(page.locator(".sources")).to_contain_text("no longer kept")
    page.locator(".note").first.click()
    page.wait_for_timeout(300)
    assert "99,999" not in reader.chosen()
    assert page.locator("#said img, #said script, #source script").count() == 0
    assert page.evaluate("window.owned") is None
    broken = json.loads(json.dumps(kept))
    broken[0]["answer"]["citations"][0]["start"] = "0"
    revive(broken, "broken")
    expect(page.locator(".turn .problem")).to_contain_text("cannot be read")


@pytest.fixture
def changing(tmp_path: Path, index: Path) -> Iterator[tuple[str, Path, Footnote]]:
    """An app of its own, whose documents a test may change: address, folder, command."""
    documents = tmp_path / "documents"
    shutil.copytree(index.parent / "documents", documents)
    command = Footnote(tmp_path)
    assert command("index", documents, "--index", tmp_path / "index").returncode == 0
    with serving(tmp_path / "index") as address:
        yield address, documents, command


def test_a_document_that_has_changed_since(
    changing: tuple[str, Path, Footnote], context: BrowserContext, browser: Browser
) -> None:
    address, documents, command = changing
    page = context.new_page()
    page.goto(address)
    page.locator(".welcome").wait_for()
    reader = Reader(page)
    reader.ask(DETAINED)
    expect(page.locator(".sources")).not_to_contain_text("changed since")
    quote = reader.chosen()
    plan = documents / "campaign-plan-no-01.md"

    def change(words: str) -> None:
        plan.write_text(plan.read_text("utf-8").replace("21,566", words), "utf-8")
        done = command("index", documents, "--index", documents.parent / "index")
        assert done.returncode == 0, done.stderr
        page.reload()
        page.locator(".turn .note").first.wait_for()

    change("20,000")
    expect(page.locator(".sources")).to_contain_text("changed since")
    page.locator(".note").first.hover()
    expect(page.locator("#card")).to_contain_text("The document has changed since")
    page.locator(".note").first.click()
    expect(page.locator("#source .changed")).to_be_visible()
    assert reader.chosen() == quote
    for line in ("One line more.", "And another."):
        plan.write_text(f"{plan.read_text('utf-8')}\n{line}\n", "utf-8")
        change("20,000")
    # The version that was cited is two versions older than the state that the app still held.
    expect(page.locator(".sources")).to_contain_text("no longer kept")
    page.locator(".note").first.hover()
    expect(page.locator("#card")).to_contain_text(quote)
    expect(page.locator("#card")).to_contain_text("its source cannot be shown")
    page.locator(".note").first.click()
    expect(page.locator("#source .changed")).to_contain_text("no longer kept")
    expect(page.locator("#source blockquote")).to_have_text(quote)
