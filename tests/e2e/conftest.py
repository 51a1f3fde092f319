"""The app as people run it: `footnote serve` as a process, and a real browser before it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)

from corpus.read import BUILT_IN
from rag.assistant import Assistant
from rag.settings import Settings
from tests import openai_server
from tests.conftest import Footnote
from tests.openai_server import Say, Server, Step
from tests.serving import serving

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]

# A document that tries to be markup, script, template and instruction at once.
HOSTILE = """---
title: The <img src=x onerror="window.owned=1"> <b>Marzipan</b> file
kind: "<script>window.owned=1</script>"
---

# Marzipan <script>window.owned = 1</script>

The marzipan factory of Lübeck <img src="http://evil.example/x.png" onerror="window.owned=1"> \
employed 412 people in 1927.

The [factory gate](javascript:window.owned=1) was painted green, as \
![a picture](http://evil.example/gate.png) of <a href="http://evil.example">1931</a> shows.

${window.owned=1} {{window.owned}} $$\\href{javascript:window.owned=1}{x}$$
<!-- <iframe src="//evil.example">
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


# What Gradio writes to the console when a page is left while it waits for an answer.
LEAVING = ("AbortError: signal is aborted", "Connection errored out")
expect.set_options(timeout=15_000)  # the machine may be busy, and a model's client loads once


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium or Chrome as it is installed here."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        missing = "NO CHROMIUM OR CHROME HERE: THE BROWSER TESTS ARE NOT RUN"
        if os.environ.get("FOOTNOTE_REQUIRE_BROWSER"):
            pytest.fail(missing)
        pytest.skip(missing)
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=found, args=SWITCHES) as browser,
    ):
        yield browser


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the built-in documents and of a hostile one."""
    folder = tmp_path_factory.mktemp("room")
    documents = folder / "documents"
    shutil.copytree(BUILT_IN, documents)
    (documents / "marzipan.md").write_text(HOSTILE, "utf-8")
    done = Footnote(folder)("index", documents, "--index", folder / "index")
    assert done.returncode == 0, done.stderr
    return folder / "index"


@pytest.fixture(scope="session")
def assistant(index: Path) -> Assistant:
    """The same answers, to compare with what the page shows."""
    return Assistant.open(Settings(index=index, answers="extractive"))


@pytest.fixture(scope="session")
def address(index: Path) -> Iterator[str]:
    """Where the app is served."""
    with serving(index) as address:
        yield address


@pytest.fixture(scope="session")
def model() -> Iterator[Server]:
    """A language model that says what a test has it say, see `script`."""
    with openai_server.serving(Say("")) as server:
        yield server


def script(model: Server, *steps: Step) -> None:
    """What the model answers from now on."""
    model.script[:] = steps
    model.requests.clear()
    model.left.clear()


@pytest.fixture(scope="session")
def modelled(index: Path, model: Server) -> Iterator[str]:
    """Where the app is served that answers by that model."""
    key = {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "a key for tests"}
    with serving(index, env=key) as address:
        yield address


@pytest.fixture(scope="session")
def kept_beside(index: Path) -> Path:
    """A copy of the index for the tests that keep something beside it: feedback, runs."""
    return shutil.copytree(index, index.with_name("kept-beside"))


@pytest.fixture(scope="session")
def keeping(kept_beside: Path) -> Iterator[str]:
    """Where the app is served over that copy."""
    with serving(kept_beside) as address:
        yield address


@pytest.fixture
def judge(context: BrowserContext, keeping: str) -> "Reader":
    """Somebody who has just opened that app."""
    return Reader.opening(context, keeping)


@pytest.fixture
def writer(context: BrowserContext, modelled: str) -> "Reader":
    """Somebody who has just opened the app that answers by a model."""
    return Reader.opening(context, modelled)


class Reader:
    """One person at the page: what they do, and what they see."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @classmethod
    def opening(
        cls, context: BrowserContext, address: str, screen: ViewportSize | None = None
    ) -> "Reader":
        """Somebody who opens the app at an address, on such a screen."""
        page = context.new_page()
        if screen is not None:
            page.set_viewport_size(screen)
        page.goto(address)
        page.locator(".welcome").wait_for()
        return cls(page)

    def looks(self, scheme: Literal["light", "dark"], width: int) -> None:
        """Opens the app anew in that scheme and that wide."""
        self.page.emulate_media(color_scheme=scheme)
        self.page.reload()
        self.page.set_viewport_size({"width": width, "height": 844})
        self.page.locator(".welcome").wait_for()

    def ask(self, question: str) -> None:
        self.begin(question)
        self.wait_for(question)

    def begin(self, question: str) -> None:
        """Ask, and do not wait."""
        self.box.fill(question)
        self.box.press("Enter")

    @property
    def box(self) -> Locator:
        return self.page.locator("#question textarea")

    def wait_for(self, question: str) -> None:
        turn = self.page.locator("body:not(.answering) .turn", has_text=question).last
        turn.locator(".answer").wait_for()

    @property
    def turn(self) -> "Reader.Turn":
        return Reader.Turn(self)

    class Turn:
        """The latest answer."""

        def __init__(self, reader: "Reader") -> None:
            self._last = reader.page.locator(".turn").last
            self.words = self._last.locator(".words")
            self.notes = self._last.locator(".note")
            self.sources = self._last.locator(".sources a")
            self.refusal = self._last.locator(".refusal")

    def marked(self, n: int) -> str:
        """The words marked as citation `n`, as the document before us holds them."""
        words: str = self.page.evaluate(
            "n => [...document.querySelectorAll(`#source mark[data-cites~='${n}']`)]"
            ".map(mark => mark.textContent).join('')",
            n,
        )
        return words

    def chosen(self) -> str:
        """The words that are marked strongest."""
        words: str = self.page.evaluate(
            "[...document.querySelectorAll('#source mark.chosen')].map(m => m.textContent).join('')"
        )
        return words

    def sees_chosen(self) -> bool:
        """Whether the beginning of the chosen words is within the pane that is on the screen."""
        seen: bool = self.page.evaluate(
            """() => {
              const mark = document.querySelector("#source mark.cite.chosen");
              const at = mark.getClientRects()[0];
              const pane = document.querySelector("#paper").getBoundingClientRect();
              const hit = document.elementFromPoint(at.x + 2, at.y + at.height / 2);
              return at.top >= pane.top && at.bottom <= pane.bottom && mark.contains(hit);
            }"""
        )
        return seen


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser of one person; whatever leaves the machine or goes wrong fails the test."""
    problems: list[str] = []
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        context.set_default_timeout(10_000)
        context.on("weberror", lambda error: problems.append(str(error.error)))
        context.on(
            "console",
            lambda said: (
                problems.append(said.text)
                if said.type == "error" and not any(each in said.text for each in LEAVING)
                else None
            ),
        )
        context.on(
            "request",
            lambda request: (
                None
                if request.url.startswith(("data:", "blob:"))
                or urlsplit(request.url).hostname == "127.0.0.1"
                else problems.append(f"left the machine: {request.url}")
            ),
        )
        yield context
        assert problems == []


@pytest.fixture
def reader(context: BrowserContext, address: str) -> Reader:
    """Somebody who has just opened the app."""
    return Reader.opening(context, address)


@pytest.fixture
def phone(context: BrowserContext, address: str) -> Reader:
    """The same on a small screen."""
    return Reader.opening(context, address, {"width": 390, "height": 844})
