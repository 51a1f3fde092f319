import os
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.e2e.conftest import Reader


def test_the_picture_of_the_readme(browser: Browser, address: str, tmp_path: Path) -> None:
    """`make screenshot` names the file in FOOTNOTE_SCREENSHOT."""
    target = Path(os.environ.get("FOOTNOTE_SCREENSHOT") or tmp_path / "screenshot.png")
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        page.goto(address)
        page.locator(".welcome").wait_for()
        reader = Reader(page)
        for question in (
            "What is the capital of Iceland?",
            "Which three drugs have spread widely, and how much was seized last year?",
        ):
            reader.ask(question)
        expect(page.locator("#place")).to_contain_text("1 of")
        page.evaluate("document.fonts.ready.then(() => document.activeElement.blur())")
        page.wait_for_timeout(700)
        page.screenshot(path=target)
    assert target.stat().st_size > 20_000
