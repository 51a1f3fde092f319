"""The README's pictures: `make screenshot` names the first one in FOOTNOTE_SCREENSHOT."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Reader
from tests.serving import serving

QUESTIONS = (
    "What is the capital of Iceland?",
    "Which three drugs have spread widely, and how much was seized last year?",
)
LARGEST = 200_000  # bytes: people wait for a README


@pytest.fixture
def shown(built_in_index: Path, tmp_path: Path) -> Iterator[str]:
    """Where the app is served over the built-in documents alone."""
    index = tmp_path / "index"
    shutil.copytree(built_in_index, index)
    with serving(index) as address:
        yield address


def test_the_pictures_of_the_readme(browser: Browser, shown: str, tmp_path: Path) -> None:
    first = Path(os.environ.get("FOOTNOTE_SCREENSHOT") or tmp_path / "screenshot.png")

    def take(page: Page, name: str) -> None:
        page.evaluate("document.fonts.ready.then(() => document.activeElement.blur())")
        page.wait_for_timeout(700)
        target = first.with_stem(f"{first.stem}{name}")
        page.screenshot(path=target, timeout=60_000)
        with Image.open(target) as image:
            assert len(image.getcolors(1_000_000) or ()) > 100  # not a blank page
            image.convert("RGB").quantize(128).save(target, optimize=True)
        assert target.stat().st_size < LARGEST

    with browser.new_context(viewport={"width": 1360, "height": 850}) as context:
        page = context.new_page()
        page.goto(shown)
        expect(page.locator(".library li a")).not_to_have_count(0)
        take(page, "-library")
        reader = Reader(page)
        for question in QUESTIONS:
            reader.ask(question)
        expect(page.locator("#place")).to_contain_text("1 of")
        take(page, "")
        page.emulate_media(color_scheme="dark")
        take(page, "-dark")
        page.emulate_media(color_scheme="light")
        page.locator("a[href='#why-2']").click()
        expect(page.locator("#why .why")).to_have_attribute("data-turn", "2")
        take(page, "-why")
        page.locator(".why-close").click()
        page.locator("a[href='#evaluation']").click()
        page.get_by_label("How many").fill("40")
        page.get_by_role("button", name="Run the evaluation").click()
        expect(page.locator("#report h3")).to_be_visible(timeout=120_000)
        page.locator("#report h3").scroll_into_view_if_needed()
        take(page, "-evaluation")
