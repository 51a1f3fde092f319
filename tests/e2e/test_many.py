"""Many people at once: none fails, none gets another's answer, none sees another's page.

`FOOTNOTE_MANY=20x10` asks at full size (people x questions each) and prints the times.
"""

import json
import os
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from corpus.read import BUILT_IN
from rag.assistant import Assistant
from tests.e2e.conftest import Reader
from tests.serving import ask, serving

FULL = os.environ.get("FOOTNOTE_MANY")
PEOPLE, EACH = map(int, (FULL or "6x3").split("x"))
CASES = [
    json.loads(line)["question"]
    for line in (BUILT_IN.parent / "known_facts.jsonl").read_text("utf-8").splitlines()
]


@pytest.fixture(scope="module")
def app(built_in_index: Path) -> Iterator[str]:
    with serving(built_in_index, "--read-only") as address:
        yield address


def test_many_programs_at_once(app: str, built_in_index: Path, assistant: Assistant) -> None:
    begin = threading.Barrier(PEOPLE)

    def person(number: int) -> list[tuple[str, str, float]]:
        asked = []
        with httpx.Client(base_url=app, timeout=120) as http:
            begin.wait()
            for place in range(EACH):
                question = CASES[(number * EACH + place) % len(CASES)]
                started = time.perf_counter()
                answer = ask(http, question)
                took = time.perf_counter() - started
                assert answer["question"] == question
                asked.append((question, answer["answer"], took))
        return asked

    with ThreadPoolExecutor(PEOPLE) as people:
        everything = [each for asked in people.map(person, range(PEOPLE)) for each in asked]
    assert len(everything) == PEOPLE * EACH
    times = sorted(took for *_, took in everything)
    if FULL:
        p95 = times[int(len(times) * 0.95)]
        print(
            f"\n{PEOPLE} people, {EACH} questions each: median {statistics.median(times):.2f} s,"
            f" p95 {p95:.2f} s, longest {times[-1]:.2f} s, load {os.getloadavg()[0]:.1f}"
        )
    alone = Assistant.open(assistant.settings.__class__(built_in_index, answers="extractive"))
    for question, answer, _ in everything[:: max(1, len(everything) // 25)]:
        assert answer == alone.ask(question).text


def test_two_people_in_two_browsers_are_kept_apart(browser: Browser, app: str) -> None:
    """Both ask at once, again and again; each sees their own questions and answers alone."""
    questions = (CASES[:3], CASES[40:43])
    with browser.new_context() as one, browser.new_context() as other:
        pages = [context.new_page() for context in (one, other)]
        for page in pages:
            page.goto(app)
            page.locator(".welcome").wait_for()
        for round in range(3):
            for page, asks in zip(pages, questions, strict=True):
                page.locator("#question textarea").fill(asks[round])
                page.locator("#question textarea").press("Enter")
            for page, asks in zip(pages, questions, strict=True):
                Reader(page).wait_for(asks[round])
        for page, asks in zip(pages, questions, strict=True):
            shown = page.locator(".turn .question")
            expect(shown).to_have_count(3)
            for place, question in enumerate(asks):
                expect(shown.nth(place)).to_contain_text(question)
