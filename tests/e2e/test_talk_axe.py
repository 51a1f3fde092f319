"""No serious or critical violation that axe-core knows, in any state of the conversation."""

from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e import axe
from tests.e2e.conftest import Reader, script
from tests.openai_server import Say, Server

DETAINED = "How many suspects did the police detain in last year's campaign?"
PANCAKES = "How do I make pancakes without eggs?"
DOUBTED = Say("Police detained 21,566 suspects [1.1][1.2][1.3]. It cost 40 million dollars [1.1].")


def test_axe_finds_what_is_wrong(browser: Browser) -> None:
    """The check itself can fail."""
    with browser.new_context() as context:
        page = context.new_page()
        page.set_content("<html lang=en><title>t</title><main><button></button></main></html>")
        assert any("button-name" in line for line in axe.violations(page))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_the_conversation_in_every_state(
    browser: Browser, modelled: str, model: Server, scheme: Literal["light", "dark"], width: int
) -> None:
    with browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme
    ) as context:
        page = context.new_page()
        page.goto(modelled)
        page.locator(".welcome").wait_for()
        axe.check(page)
        reader = Reader(page)
        script(model, DOUBTED)
        reader.ask(DETAINED)
        expect(page.locator(".support")).to_be_visible()
        axe.check(page)
        page.locator(".note").first.click()
        expect(page.locator("#source mark.chosen").first).to_be_visible()
        axe.check(page)
        if width < 860:
            page.keyboard.press("Escape")
        page.locator(".edit").click()
        axe.check(page)
        page.keyboard.press("Escape")
        reader.ask(PANCAKES)
        expect(page.locator(".refusal")).to_be_visible()
        axe.check(page)
        script(model, Say("Police detained 21,566 suspects [1.1]. " * 400, between=0.05))
        reader.begin(DETAINED)
        expect(page.locator("#turn-3")).to_contain_text("21,566")
        axe.check(page)
        page.get_by_role("button", name="Stop").click()
        expect(page.locator("#turn-3 .notice")).to_be_visible()
        axe.check(page)
        page.locator("#turn-1 .note").first.hover()
        expect(page.locator("#card")).to_be_visible()
        axe.check(page)
        page.get_by_role("link", name="Conversations").click()
        expect(page.locator("#conversations .name")).to_be_visible()
        axe.check(page, "#conversations")
