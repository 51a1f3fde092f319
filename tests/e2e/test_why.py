"""The drawer that says why this answer."""

import re
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from rag.assistant import Assistant
from tests.e2e import axe
from tests.e2e.conftest import Reader, script
from tests.openai_server import Say, Server

SEVERAL = "Which three drugs have spread widely, and how much was seized last year?"
DETAINED = "How many suspects did the police detain in last year's campaign?"
PANCAKES = "How do I make pancakes without eggs?"
MARZIPAN = "How many people did the marzipan factory of Lübeck employ in 1927?"


def explain(reader: Reader, turn: int = 1) -> None:
    reader.page.locator(f"a[href='#why-{turn}']").click()
    expect(reader.page.locator("#why .why")).to_have_attribute("data-turn", str(turn))
    expect(reader.page.locator("#why .why")).to_be_visible()


def place(reader: Reader) -> None:
    """Waits until the place of what was left out is on the screen, and at rest."""
    reader.page.locator(".shelf[data-turn='0'] mark.chosen").first.wait_for()
    expect(reader.page.locator("#why")).to_be_hidden()
    reader.page.evaluate("document.getAnimations().forEach(each => each.finish())")


def focused(page: Page) -> str:
    words: str = page.evaluate("document.activeElement.textContent.trim()")
    return words


def test_it_says_what_was_understood_found_and_chosen(reader: Reader, assistant: Assistant) -> None:
    answer = assistant.ask(SEVERAL)
    reader.ask(SEVERAL)
    explain(reader)
    why = reader.page.locator("#why")
    expect(why).to_contain_text("It asks for several things.")
    for citation in answer.citations:
        cited = why.locator(".candidates li", has_text=f"Cited as [{citation.n}]")
        expect(cited.locator("p").first).to_have_text(citation.quote)
        assert citation.answer_span is not None
        expect(cited.locator("strong")).to_have_text(citation.answer_span.of(citation.quote))
    parts = answer.trace["parts"]
    assert isinstance(parts, list)
    for part in parts:
        expect(why).to_contain_text(f"probability of {part['confidence']:.2f}")
        for candidate in part["candidates"][:5]:
            row = why.locator("section > .candidates > li", has_text=candidate["text"]).first
            expect(row).to_contain_text(f"{candidate['probability']:.2f}")
    expect(why).to_contain_text(f"is {answer.confidence:.2f}.")
    expect(why.locator(".legend")).to_contain_text("reading")


def test_a_probability_is_as_wide_as_it_says(reader: Reader, assistant: Assistant) -> None:
    reader.ask(DETAINED)
    explain(reader)
    first = reader.page.locator("#why .candidates li").first
    shares = first.evaluate(
        "li => li.querySelector('.fill').getBoundingClientRect().width"
        " / li.querySelector('.track').getBoundingClientRect().width"
    )
    assert shares == pytest.approx(assistant.ask(DETAINED).evidence[0].probability, abs=0.02)


def test_it_comes_by_the_keyboard_and_goes_with_escape(reader: Reader) -> None:
    reader.ask(DETAINED)
    page = reader.page
    page.locator("a[href='#why-1']").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#why .candidates").first).to_be_visible()
    assert focused(page) == "Why this answer"
    page.keyboard.press("Tab")
    assert focused(page) == "Close"
    assert page.locator("#desk").evaluate("desk => desk.inert")
    page.keyboard.press("Escape")
    expect(page.locator("#why")).to_be_hidden()
    assert page.evaluate("document.activeElement.hash") == "#why-1"
    assert not page.locator("#desk").evaluate("desk => desk.inert")
    expect(page.locator("#source mark.chosen").first).to_be_visible()


def test_what_was_left_out_is_shown_in_its_place(reader: Reader) -> None:
    reader.ask(DETAINED)
    explain(reader)
    row = reader.page.locator("#why .candidates > li", has_text="Left out").first
    words = row.locator("p").first.inner_text()
    row.locator("a").click()
    place(reader)
    assert reader.chosen() == words
    assert reader.sees_chosen()
    expect(reader.page.locator("#source .source:visible header")).to_contain_text("not cited in it")
    reader.page.locator("#return").click()
    expect(row).to_be_visible()
    reader.page.locator("#why .is-cited a").first.click()
    expect(reader.page.locator("#why")).to_be_hidden()
    reader.page.locator(".shelf[data-turn='1']").wait_for(state="attached")
    assert "21,566" in reader.chosen()


def test_a_refusal_says_what_was_too_unlikely(reader: Reader) -> None:
    reader.ask(PANCAKES)
    explain(reader)
    why = reader.page.locator("#why")
    expect(why).to_contain_text("None of them answers the question well enough")
    expect(why.locator(".is-cited")).to_have_count(0)
    expect(why.locator(".candidates li").first).to_contain_text("Left out: unlikely to answer")


def test_of_a_model_it_shows_what_was_asked_and_what_came_back(
    writer: Reader, model: Server
) -> None:
    reply = "Police detained 21,566 suspects [1.1][1.2][1.3]. It cost 40 million dollars [1.1]."
    script(model, Say(reply, usage=(812, 64)))
    writer.begin(DETAINED)
    link = writer.page.locator("a[href='#why-1']")
    expect(link).to_be_visible(timeout=40_000)  # the first question loads the model's client
    explain(writer)
    why = writer.page.locator("#why")
    checked = why.locator(".checked li")
    expect(checked.first).to_contain_text("The cited words carry it")
    expect(checked.last).to_contain_text("The documents do not carry it")
    expect(why).to_contain_text("812 tokens in and 64 out")
    why.get_by_text("Its reply, as it came").click()
    expect(why.locator("pre", has_text="40 million dollars [1.1]").first).to_be_visible()
    why.get_by_text("The prompt", exact=True).click()
    expect(why.locator("pre", has_text="Question: How many suspects").first).to_be_visible()
    whole = why.evaluate("element => element.textContent")
    assert "Bearer" not in whole
    assert "api_key" not in whole


def test_nothing_in_it_renders_or_runs(reader: Reader) -> None:
    reader.ask(MARZIPAN)
    explain(reader)
    why = reader.page.locator("#why")
    expect(why).to_contain_text('<img src="http://evil.example/x.png"')
    assert why.locator("img, script, iframe, b b").count() == 0
    assert reader.page.evaluate("window.owned") is None


def test_after_a_reload_it_is_still_known(reader: Reader) -> None:
    reader.ask(DETAINED)
    expect(reader.page.locator("a[href='#why-1']")).to_be_visible()
    reader.page.wait_for_timeout(300)  # the browser writes it down
    reader.page.reload()
    expect(reader.page.locator(".turn")).to_contain_text("21,566")
    explain(reader)
    expect(reader.page.locator("#why .is-cited")).to_contain_text("Cited as [1]: states the answer")


def test_on_a_phone_it_covers_all(phone: Reader) -> None:
    phone.ask(DETAINED)
    explain(phone)
    page = phone.page
    page.evaluate("document.getAnimations().forEach(each => each.finish())")
    box = page.locator("#why").bounding_box()
    assert box is not None
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 390, 844)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator("#why .candidates > li", has_text="Left out").first.locator("a").click()
    place(phone)
    assert phone.sees_chosen()
    page.locator("#return").click()
    page.keyboard.press("Escape")
    expect(page.locator("#why")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_axe_finds_nothing(reader: Reader, scheme: Literal["light", "dark"], width: int) -> None:
    page = reader.page
    reader.looks(scheme, width)
    reader.ask(SEVERAL)
    explain(reader)
    for fold in page.locator("#why summary").all():
        fold.click()
    axe.check(page)
    assert re.search(r"\d+ ms", page.locator("#why .legend").inner_text())
