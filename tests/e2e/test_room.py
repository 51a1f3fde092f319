import re
import time

from playwright.sync_api import Browser, expect

from rag.assistant import Assistant
from tests.e2e.conftest import Reader

DETAINED = "How many suspects did the police detain in last year's campaign?"
SEVERAL = "Which three drugs have spread widely, and how much was seized last year?"
PANCAKES = "How do I make pancakes without eggs?"


def test_a_click_on_a_citation_shows_the_very_words(reader: Reader, assistant: Assistant) -> None:
    answer = assistant.ask(DETAINED)
    reader.ask(DETAINED)
    expect(reader.turn.words).to_contain_text("21,566")
    expect(reader.turn.words.locator("strong")).to_contain_text("21,566")
    for citation in answer.citations:
        reader.page.locator(f"a.note[href$='-{citation.n}']").first.click()
        assert reader.marked(citation.n) == reader.chosen() == citation.quote
        assert reader.sees_chosen()
    expect(reader.page.locator("#source .source:visible h2")).to_have_text(
        answer.citations[-1].title
    )
    expect(reader.turn.sources.first).to_have_text(answer.citations[0].title)


def test_a_click_on_a_citation_answers_within_a_tenth_of_a_second(reader: Reader) -> None:
    reader.ask(DETAINED)
    reader.page.evaluate("document.querySelector('a[href=\"#library\"]#to-library').click()")
    assert reader.chosen() == ""
    took = reader.page.evaluate(
        """() => {
          const started = performance.now();
          document.querySelector(".note").click();
          document.querySelector("#source mark.chosen").getBoundingClientRect();
          return performance.now() - started;
        }"""
    )
    assert took < 100
    assert reader.sees_chosen()


def test_next_and_previous_go_through_the_citations(reader: Reader, assistant: Assistant) -> None:
    quotes = [citation.quote for citation in assistant.ask(SEVERAL).citations]
    assert len(quotes) > 1
    reader.ask(SEVERAL)
    reader.page.locator(".note").first.click()
    seen = [reader.chosen()]
    for _ in quotes[1:]:
        reader.page.get_by_role("button", name="Next citation").click()
        seen.append(reader.chosen())
        assert reader.sees_chosen()
    assert seen == quotes
    expect(reader.page.get_by_role("button", name="Next citation")).to_be_disabled()
    reader.page.get_by_role("button", name="Previous citation").click()
    assert reader.chosen() == quotes[-2]


def test_an_earlier_answer_keeps_its_citations(reader: Reader) -> None:
    reader.ask(DETAINED)
    first = reader.chosen()
    reader.ask("Who is Heng Sayhong?")
    expect(reader.page.locator(".turn").last.locator(".note[aria-current]")).to_have_count(1)
    assert reader.chosen() != first
    reader.page.locator("a.note[href='#cite-1-1']").click()
    reader.page.locator(".shelf[data-turn='1']").wait_for(state="attached")
    assert reader.chosen() == first
    reader.page.get_by_role("link", name="New conversation").click()
    expect(reader.page.locator(".welcome")).to_be_visible()
    expect(reader.page.locator(".library")).to_be_visible()


def test_what_the_documents_do_not_say_is_refused(reader: Reader, assistant: Assistant) -> None:
    answer = assistant.ask(PANCAKES)
    reader.ask(PANCAKES)
    expect(reader.turn.refusal).to_contain_text("Not in the documents")
    expect(reader.turn.refusal.locator(".words")).to_have_text(answer.text)
    expect(reader.turn.notes).to_have_count(0)
    near = list(dict.fromkeys(evidence.document.title for evidence in answer.evidence))[:3]
    expect(reader.turn.refusal.get_by_role("link")).to_have_text(near)
    reader.turn.refusal.get_by_role("link").first.click()
    expect(reader.page.locator("#source .source:visible h2")).to_have_text(
        answer.evidence[0].document.title
    )


def test_an_example_can_be_clicked(reader: Reader) -> None:
    example = reader.page.locator(".example").first
    question = example.inner_text()
    example.click()
    reader.wait_for(question)
    assert reader.turn.notes.count() >= 1


def test_the_library_opens_a_document(reader: Reader, assistant: Assistant) -> None:
    for entry in assistant.index.manifest.documents.values():
        expect(reader.page.locator(".library a", has_text=entry.title)).to_have_count(1)
    document = assistant.index.document("campaign-plan-no-01.md")
    reader.page.locator(".library a", has_text=document.title).click()
    shown = reader.page.locator("#source .source .text")
    expect(shown).to_be_visible()
    assert shown.evaluate("element => element.textContent") == document.text
    reader.page.locator("#to-library").click()
    expect(reader.page.locator(".library")).to_be_visible()


def test_nothing_in_a_document_renders_or_runs(reader: Reader, assistant: Assistant) -> None:
    question = "How many people did the marzipan factory of Lübeck employ in 1927?"
    answer = assistant.ask(question)
    assert "412" in answer.text
    reader.ask(question)
    reader.page.locator(".note").first.click()
    assert reader.marked(1) == answer.citations[0].quote
    document = assistant.index.document("marzipan.md")
    assert reader.page.locator("#source .text").evaluate("e => e.textContent") == document.text
    assert "<script>" in reader.page.locator("#source .text").inner_text()
    foreign = "script, img, iframe, a[href^=http], a[href^=javascript], .katex, b"
    for pane in ("#said", "#source", "#library"):
        assert reader.page.locator(pane).locator(foreign).count() == 0
    reader.ask("<img src=x onerror='window.owned=1'> ${window.owned=1} Who is Heng Sayhong?")
    assert reader.page.locator("#said img").count() == 0
    reader.page.wait_for_timeout(200)
    assert reader.page.evaluate("window.owned") is None


def test_the_keyboard_alone_is_enough(reader: Reader) -> None:
    page = reader.page
    page.locator("#question textarea").focus()
    page.keyboard.type("Who is Heng Sayhong?")
    page.keyboard.press("Enter")
    reader.wait_for("Who is Heng Sayhong?")
    page.locator("#to-library").focus()
    page.keyboard.press("Enter")
    assert reader.chosen() == ""
    for _ in range(20):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.matches('.note')"):
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert reader.sees_chosen()


def test_on_a_small_screen_the_source_slides_over_and_back(phone: Reader) -> None:
    page = phone.page
    phone.ask(DETAINED)
    expect(page.locator("#desk")).to_be_hidden()
    for leave in (
        lambda: page.get_by_role("button", name="Conversation").click(),
        lambda: page.keyboard.press("Escape"),
    ):
        page.locator(".note").first.click()
        expect(page.locator("#desk")).to_be_visible()
        page.wait_for_function("document.querySelector('#desk').getBoundingClientRect().left === 0")
        assert phone.sees_chosen()
        leave()
        expect(page.locator("#desk")).to_be_hidden()
        expect(page.locator(".note").first).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_two_people_do_not_see_each_other(reader: Reader, browser: Browser, address: str) -> None:
    reader.ask(DETAINED)
    with browser.new_context() as other:
        page = other.new_page()
        page.goto(address)
        page.locator(".welcome").wait_for()
        assert page.locator(".turn").count() == 0
        page.evaluate(
            "document.querySelector('#source .shelf').dispatchEvent(new CustomEvent("
            "'footnote-open', {bubbles: true, detail: {turn: 1, n: 1}}))"
        )
        expect(page.locator("#source .problem")).to_be_visible()


def test_a_question_that_cannot_be_asked_says_why(reader: Reader) -> None:
    reader.ask("why " * 6_000)
    expect(reader.page.locator(".turn .problem")).to_contain_text("characters")


def test_gradio_is_out_of_sight_and_the_page_is_there_at_once(reader: Reader) -> None:
    page = reader.page
    expect(page).to_have_title("Footnote")
    assert page.locator("footer:visible").count() == 0
    assert not re.search("gradio", page.locator("body").inner_text(), re.IGNORECASE)
    started = time.perf_counter()
    page.reload()
    page.locator(".library").wait_for()
    assert time.perf_counter() - started < 5
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert paint < 2_000
    per_line = page.evaluate(
        """() => {
          const text = document.querySelector(".welcome > p");
          const range = document.createRange();
          range.selectNodeContents(text);
          return text.textContent.length / new Set(
            [...range.getClientRects()].map(r => Math.round(r.top))).size;
        }"""
    )
    assert per_line < 75
