"""Answers by a model on the screen: what is unsupported is marked, failures are told."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.e2e.conftest import Reader
from tests.openai_server import Refuse, Say, Server, serving

QUESTION = "How many suspects did the police detain in last year's campaign?"


@contextmanager
def room(browser: Browser, index: Path, server: Server) -> Iterator[Reader]:
    """The app with that server for a model, in a window of its own."""
    environment = {**os.environ, "OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "k"}
    command = [
        str(Path(sys.executable).with_name("footnote")),
        "serve",
        "--index",
        str(index),
        "--port",
        "0",
    ]
    with (
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process,
        browser.new_context() as context,
    ):
        assert process.stdout is not None
        page = context.new_page()
        page.goto(process.stdout.readline().split()[-1])
        page.locator(".welcome").wait_for()
        try:
            yield Reader(page)
        finally:
            process.send_signal(signal.SIGTERM)


def test_what_the_documents_do_not_carry_is_marked(browser: Browser, built_in_index: Path) -> None:
    reply = Say(
        "Police detained 21,566 suspects [1.1][1.2][1.3]. It cost 40 million dollars [1.1]."
    )
    with serving(reply) as server, room(browser, built_in_index, server) as reader:
        reader.ask(QUESTION)
        expect(reader.page.locator(".turn").last).to_contain_text("21,566 suspects.")
        expect(reader.page.locator(".turn").last).to_contain_text("not supported by the documents")


def test_a_model_that_fails_leaves_the_documents_words_and_a_notice(
    browser: Browser, built_in_index: Path
) -> None:
    with serving(Refuse(401)) as server, room(browser, built_in_index, server) as reader:
        reader.ask(QUESTION)
        expect(reader.page.locator(".turn").last).to_contain_text("21,566")
        expect(reader.page.locator(".turn").last).to_contain_text("model unavailable")


def test_a_closed_tab_stops_the_request(browser: Browser, built_in_index: Path) -> None:
    reply = Say("Police detained 21,566 suspects [1.1]. " * 500, between=0.05)
    with serving(reply) as server, room(browser, built_in_index, server) as reader:
        box = reader.page.locator("#question textarea")
        box.fill(QUESTION)
        box.press("Enter")
        expect(reader.page.locator(".turn").last).to_contain_text("21,566 suspects", timeout=30_000)
        reader.page.close()
        assert server.left.wait(15)
