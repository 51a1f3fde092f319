"""Answers by a model on the screen: what is unsupported is marked, failures are told."""

import time
from statistics import median

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Reader, script
from tests.openai_server import Refuse, Say, Server

QUESTION = "How many suspects did the police detain in last year's campaign?"
# When a turn is asked for, when the server has begun it, and when its first word is painted.
WATCH = """n => {
  window.pressed = window.begun = window.shown = null;
  addEventListener("keydown", () => { window.pressed = Date.now(); }, {capture: true, once: true});
  const watcher = new MutationObserver(() => {
    const words = document.querySelector(`#turn-${n} .words`);
    if (!words) return;
    window.begun ??= Date.now();
    if (words.querySelector(".waiting") || !words.textContent.trim()) return;
    watcher.disconnect();
    requestAnimationFrame(() => { window.shown = Date.now(); });
  });
  watcher.observe(document.body, {childList: true, subtree: true, characterData: true});
}"""
MARZIPAN = "How many people did the marzipan factory of Lübeck employ in 1927?"


def test_an_answer_arrives_piece_by_piece(writer: Reader, model: Server) -> None:
    text = "Police detained 21,566 suspects [1.1][1.2][1.3]. "
    script(model, Say(text * 3, between=0.05))
    writer.begin(QUESTION)
    last = writer.page.locator(".turn").last
    expect(last).to_contain_text("21,566 suspects")
    expect(last).to_have_attribute("aria-busy", "true")
    expect(last.locator("a.note")).to_have_count(0)  # no link before it is whole
    expect(last.locator("a.note").first).to_be_visible()
    expect(last).not_to_have_attribute("aria-busy", "true")
    expect(last.locator(".confidence")).to_contain_text("openai:")


def test_what_the_documents_do_not_carry_is_marked_and_says_why(
    writer: Reader, model: Server
) -> None:
    script(
        model,
        Say("Police detained 21,566 suspects [1.1][1.2][1.3]. It cost 40 million dollars [1.1]."),
    )
    writer.ask(QUESTION)
    last = writer.page.locator(".turn").last
    expect(last).to_contain_text("21,566 suspects.")
    expect(last.locator(".doubtful")).to_have_text("It cost 40 million dollars.")
    expect(last.locator(".support")).to_contain_text("not supported by the documents: ")
    expect(last.locator(".reason")).to_contain_text("the source does not say 40")
    writer.page.reload()  # and says so again when it comes back
    expect(writer.page.locator(".turn .reason")).to_contain_text("the source does not say 40")


def test_a_model_that_fails_leaves_the_documents_words_and_a_notice(
    writer: Reader, model: Server
) -> None:
    script(model, Refuse(401))
    writer.ask(QUESTION)
    expect(writer.page.locator(".turn").last).to_contain_text("21,566")
    notice = writer.page.locator(".turn .notice")
    expect(notice).to_contain_text("model unavailable, answered from the documents alone")


def test_a_model_that_fails_midway_does_too(writer: Reader, model: Server) -> None:
    script(model, Say("It was 99,999 suspects and many more of them, so it seems.", cut=6))
    writer.ask(QUESTION)
    last = writer.page.locator(".turn").last
    expect(last.locator(".notice")).to_contain_text("model unavailable")
    expect(last).to_contain_text("21,566")
    expect(last).not_to_contain_text("99,999")


def test_a_model_that_obeys_a_hostile_document(writer: Reader, model: Server) -> None:
    script(
        model,
        Say(
            "<script>window.owned=1</script> <img src=x onerror='window.owned=1'> "
            "[click](javascript:window.owned=1) It employed 500 people [1.1]. "
            "See http://evil.example/?q=secret [9.9]. {{window.owned=1}} ${window.owned=1}"
        ),
    )
    writer.ask(MARZIPAN)
    page = writer.page
    last = page.locator(".turn").last
    expect(last.locator("script, img, iframe, a[href^=http], a[href^=javascript]")).to_have_count(0)
    expect(last).to_contain_text("<script>")
    expect(last.locator(".doubtful").first).to_be_visible()
    expect(last.locator(".answer")).not_to_contain_text("[9.9]")
    page.wait_for_timeout(200)
    assert page.evaluate("window.owned") is None


@pytest.mark.parametrize(
    "step", [Say("Too late.", before=60), Say("Police detained them.", size=7, between=60)]
)
def test_a_closed_tab_stops_a_model_that_is_silent(
    writer: Reader, model: Server, step: Say
) -> None:
    script(model, step)
    writer.begin(QUESTION)
    last = writer.page.locator(".turn").last
    expect(last).to_contain_text("Reading" if step.before else "Police", timeout=30_000)
    deadline = time.monotonic() + 20
    while not model.requests and time.monotonic() < deadline:
        writer.page.wait_for_timeout(50)
    writer.page.wait_for_timeout(500)
    assert model.requests
    assert not model.left.is_set()
    writer.page.close()
    assert model.left.wait(5)


def test_stop_ends_the_request_of_a_model_that_is_silent(writer: Reader, model: Server) -> None:
    script(model, Say("Too late.", before=60))
    writer.begin(QUESTION)
    while not model.requests:
        writer.page.wait_for_timeout(50)
    writer.page.get_by_role("button", name="Stop").click()
    assert model.left.wait(5)
    expect(writer.page.locator(".turn")).to_contain_text("Stopped before an answer came")


def test_the_first_word_is_on_the_screen_at_once(writer: Reader, model: Server) -> None:
    """`pytest tests/e2e/test_model.py -k first_word -s` prints the figure.

    From the model's first byte; the bar is 100 ms on a quiet machine. On a busy one everything
    takes longer, so the way from the key to the server and back to the screen is timed beside it.
    """
    page = writer.page
    script(model, Say("Police detained 21,566 suspects [1.1]. ", before=0.4, between=0.03))
    took, ways = [], []
    for n in range(1, 7):
        page.evaluate(WATCH, n)
        model.first.clear()  # the last one is the answer: a follow-up is rewritten before
        writer.ask(QUESTION)
        expect(page.locator(f"#turn-{n} .confidence")).to_be_visible(timeout=30_000)
        took.append(page.evaluate("window.shown") - model.first[-1] * 1000)
        ways.append(page.evaluate("window.begun - window.pressed"))
    took, ways = took[1:], ways[1:]  # the first of all loads what the others find loaded
    print(
        f"\nfirst word after the first byte: median {median(took):.0f} ms, least {min(took):.0f}; "
        f"from the key to the turn begun: median {median(ways):.0f} ms, least {min(ways):.0f}"
    )
    assert min(took) > 0
    assert min(took) < 100 + 3 * median(ways)


def test_a_closed_tab_stops_the_request(writer: Reader, model: Server) -> None:
    script(model, Say("Police detained 21,566 suspects [1.1]. " * 500, between=0.05))
    writer.begin(QUESTION)
    expect(writer.page.locator(".turn").last).to_contain_text("21,566 suspects", timeout=30_000)
    writer.page.close()
    assert model.left.wait(15)
