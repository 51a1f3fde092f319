"""The conversation, as a person uses it: footnotes, asking, stopping, asking again, copying."""

import json
import time
from typing import Any

from playwright.sync_api import Page, expect

from rag.assistant import Assistant
from tests.e2e.conftest import Reader, script
from tests.openai_server import Say, Server

DETAINED = "How many suspects did the police detain in last year's campaign?"
HENG = "Who is Heng Sayhong?"
PANCAKES = "How do I make pancakes without eggs?"
SLOW = Say("Police detained 21,566 suspects [1.1]. " * 400, between=0.03)


def questions(page: Page) -> list[str]:
    return page.locator(".turn .question").all_inner_texts()


def card(page: Page) -> Any:
    return page.locator("#card:popover-open")


def on_the_screen(page: Page) -> bool:
    inside: bool = page.evaluate(
        """() => {
          const box = document.querySelector("#card").getBoundingClientRect();
          return box.left >= 0 && box.top >= 0 && box.right <= innerWidth
            && box.bottom <= innerHeight && box.width > 100;
        }"""
    )
    return inside


# --- the words behind a number ------------------------------------------------------------------


def test_a_number_shows_its_words_to_the_mouse(reader: Reader, assistant: Assistant) -> None:
    page, (citation, *_) = reader.page, assistant.ask(DETAINED).citations
    reader.ask(DETAINED)
    for width, height in ((1280, 800), (860, 500), (1280, 300)):
        page.set_viewport_size({"width": width, "height": height})
        page.mouse.move(3, 3)
        expect(card(page)).to_have_count(0)
        page.locator(".note").first.hover()
        expect(card(page)).to_contain_text(citation.quote)
        assert on_the_screen(page)
    expect(card(page)).to_contain_text(citation.title)
    assert citation.answer_span
    answering = citation.answer_span.of(citation.quote)
    assert card(page).locator("strong").inner_text() == answering
    card(page).hover()  # it can be reached, and stays
    page.wait_for_timeout(400)
    expect(card(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(card(page)).to_have_count(0)


def test_a_number_shows_its_words_to_the_keyboard(reader: Reader, assistant: Assistant) -> None:
    page, (citation, *_) = reader.page, assistant.ask(DETAINED).citations
    reader.ask(DETAINED)
    for _ in range(20):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.matches('.note')"):
            break
    expect(card(page)).to_contain_text(citation.quote)
    note = page.locator(".note:focus")
    described = page.locator(f"#{note.get_attribute('aria-describedby')}")
    assert citation.quote in (described.text_content() or "")
    page.keyboard.press("Escape")
    expect(card(page)).to_have_count(0)
    expect(note).to_be_focused()
    page.keyboard.press("Tab")
    expect(card(page)).to_have_count(0)


def test_a_finger_opens_the_source_at_once(phone: Reader) -> None:
    page = phone.page
    phone.ask(DETAINED)
    touch = (
        "e => e.dispatchEvent(new PointerEvent('pointerover', {bubbles: true, pointerType: 't'}))"
    )
    page.locator(".note").first.evaluate(touch.replace("'t'", "'touch'"))
    page.wait_for_timeout(300)
    expect(card(page)).to_have_count(0)
    page.locator(".note").first.click()
    expect(page.locator("#source mark.chosen").first).to_be_visible()
    expect(card(page)).to_have_count(0)


# --- writing a question -------------------------------------------------------------------------


def test_a_question_may_have_lines_and_is_asked_once(reader: Reader) -> None:
    page = reader.page
    reader.box.press("Enter")
    reader.box.fill("   ")
    reader.box.press("Enter")
    assert questions(page) == []
    reader.box.fill("Who is")
    reader.box.press("Shift+Enter")
    reader.box.type("Heng Sayhong?")
    tall = reader.box.bounding_box()
    assert tall
    assert tall["height"] > 50
    page.evaluate("for (const _ of [1, 2, 3]) document.querySelector('#ask').requestSubmit()")
    reader.wait_for("Heng Sayhong?")
    assert questions(page) == ["Who is\nHeng Sayhong?"]
    assert reader.box.input_value() == ""
    small = reader.box.bounding_box()
    assert small
    assert small["height"] < tall["height"]


def test_a_question_that_is_being_written_survives_a_reload(reader: Reader) -> None:
    reader.box.fill("Who is Heng")
    reader.page.reload()
    expect(reader.box).to_have_value("Who is Heng")


def test_long_words_and_many_lines_stay_in_their_column(phone: Reader) -> None:
    page = phone.page
    phone.ask("a" * 900 + "\n" * 30 + "?")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    box = phone.box.bounding_box()
    assert box
    assert box["y"] + box["height"] < 844
    turn = page.locator(".turn .question").bounding_box()
    assert turn
    assert turn["x"] + turn["width"] <= 390


# --- stop, retry, edit --------------------------------------------------------------------------


def test_stop_ends_the_answer_and_the_request(writer: Reader, model: Server) -> None:
    page = writer.page
    script(model, SLOW)
    writer.begin(DETAINED)
    last = page.locator(".turn").last
    expect(last).to_contain_text("21,566 suspects")
    expect(last).to_have_attribute("aria-busy", "true")
    writer.box.fill("Another one?")  # is written meanwhile, and not asked
    writer.box.press("Enter")
    assert questions(page) == [DETAINED]
    page.get_by_role("button", name="Stop").click()
    expect(last).to_contain_text("Stopped: what stands here is not the whole answer")
    expect(last).to_contain_text("21,566 suspects")
    assert model.left.wait(5)
    expect(writer.box).to_be_focused()
    expect(writer.box).to_have_value("Another one?")
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
    script(model, Say("Police detained 21,566 suspects [1.1][1.2]."))
    page.get_by_role("button", name="Retry").click()
    expect(page.locator(".turn .sources")).to_be_visible()
    assert questions(page) == [DETAINED]
    expect(writer.box).to_be_focused()


def test_stop_before_the_model_says_anything(writer: Reader, model: Server) -> None:
    script(model, Say("Late [1.1].", before=20))
    writer.begin(DETAINED)
    expect(writer.page.locator(".waiting")).to_be_visible()
    started = time.perf_counter()
    writer.page.get_by_role("button", name="Stop").click()
    expect(writer.page.locator(".turn")).to_contain_text("Stopped before an answer came")
    assert time.perf_counter() - started < 3


def test_a_new_conversation_in_the_middle_of_an_answer(writer: Reader, model: Server) -> None:
    page = writer.page
    script(model, SLOW)
    writer.begin(DETAINED)
    expect(page.locator(".turn").last).to_contain_text("21,566 suspects")
    page.get_by_role("link", name="New conversation").click()
    expect(page.locator(".welcome")).to_be_visible()
    assert model.left.wait(5)
    page.wait_for_timeout(300)
    assert questions(page) == []


def test_a_question_right_after_a_new_conversation_is_not_lost(reader: Reader) -> None:
    page = reader.page
    reader.ask(DETAINED)
    page.evaluate("() => { window.footnote.links.new(); }")
    reader.ask(HENG)
    assert questions(page) == [HENG]
    expect(page.locator(".turn .sources")).to_be_visible()


def test_an_app_that_has_gone_is_told(reader: Reader) -> None:
    page = reader.page
    page.clock.install()
    page.evaluate(
        "document.querySelector('#latest').addEventListener('footnote-ask', e =>"
        " e.stopImmediatePropagation(), true)"
    )
    reader.begin(HENG)
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.clock.fast_forward(31_000)
    expect(page.locator("#ask .problem")).to_contain_text("does not answer")
    expect(reader.box).to_have_value(HENG)
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()


def test_an_edited_question_takes_the_place_of_what_followed(reader: Reader) -> None:
    page = reader.page
    for question in (DETAINED, PANCAKES, HENG):
        reader.ask(question)
    first = page.locator("#turn-1")
    first.get_by_role("button", name="Edit").click()
    field = first.get_by_label("The question, to be put otherwise")
    expect(field).to_be_focused()
    expect(field).to_have_value(DETAINED)
    expect(first).to_contain_text("drops the 2 answers after it")
    page.keyboard.press("Escape")
    expect(first.get_by_role("button", name="Edit")).to_be_focused()
    assert questions(page) == [DETAINED, PANCAKES, HENG]
    page.keyboard.press("Enter")
    field.fill("When was the Anti-Drug Law passed?")
    field.press("Enter")
    reader.wait_for("When was the Anti-Drug Law passed?")
    assert questions(page) == ["When was the Anti-Drug Law passed?"]
    expect(reader.box).to_be_focused()
    reader.ask(HENG)
    assert questions(page) == ["When was the Anti-Drug Law passed?", HENG]
    page.locator("a.note[href='#cite-1-1']").click()
    page.locator(".shelf[data-turn='1']").wait_for(state="attached")


# --- copy, and what is said aloud ---------------------------------------------------------------


def test_an_answer_is_copied_with_its_footnotes(reader: Reader, assistant: Assistant) -> None:
    page, answer = reader.page, assistant.ask(DETAINED)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    reader.ask(DETAINED)
    button = page.get_by_role("button", name="Copy", exact=True)
    button.click()
    expect(page.locator(".turn .copy")).to_have_text("Copied")
    text = page.evaluate("navigator.clipboard.readText()")
    (citation, *_) = answer.citations
    assert f"{answer.sentences[0].text}[^1]" in text
    assert f"[^1]: “{citation.quote}” — {citation.title}" in text
    assert citation.document in text


def test_an_answer_is_announced_once(reader: Reader) -> None:
    page = reader.page
    page.evaluate(
        """() => {
          window.told = [];
          new MutationObserver(() => {
            const text = document.querySelector("#tell").textContent;
            if (text) window.told.push(text);
          }).observe(document.querySelector("#tell"), {childList: true});
        }"""
    )
    reader.ask(DETAINED)
    page.wait_for_timeout(200)
    told = page.evaluate("window.told")
    assert len(told) == 1
    assert "21,566" in told[0]
    assert "[1]" not in told[0]
    live = page.locator(
        "#said [aria-live], #said [role=log], #said [role=alert], #said [role=status]"
    )
    expect(live).to_have_count(0)


def test_a_hundred_turns_stay_quick(reader: Reader, assistant: Assistant) -> None:
    """A conversation of a hundred turns is opened, goes on, and streams nothing but its end."""
    from ui.kept import record
    from ui.page import Exchange

    page = reader.page
    turn = record(Exchange(DETAINED, assistant.ask(DETAINED)), {})
    turn.pop("markdown")
    page.evaluate(
        "turns => window.footnote.send(document.querySelector('#latest .talk'), 'revive',"
        " {turns, run: 'many'})",
        json.loads(json.dumps([turn] * 100)),
    )
    expect(page.locator(".turn")).to_have_count(100)
    page.evaluate(
        """() => {
          window.changes = 0;
          new MutationObserver(() => (window.changes += 1)).observe(
            document.querySelector("#earlier .talk"),
            {childList: true, subtree: true, characterData: true});
        }"""
    )
    started = time.perf_counter()
    reader.ask(HENG)
    assert time.perf_counter() - started < 5
    assert page.evaluate("window.changes") == 0
    assert [turn.get_attribute("id") for turn in page.locator(".turn").all()] == [
        f"turn-{n}" for n in range(1, 102)
    ]
    expect(page.get_by_role("button", name="Retry")).to_have_count(1)
