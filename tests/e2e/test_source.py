"""The source pane in a real browser: marks, contents, find, pages, links; what must not happen."""

import random
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from corpus.read import SUFFIXES, read_bytes
from corpus.split import sentences
from corpus.types import Document, Span
from rag.types import Citation
from tests.conftest import Footnote
from tests.e2e.axe import check
from tests.e2e.conftest import Reader
from tests.real_files import GOOD
from tests.serving import serving
from ui import pane
from ui.links import follow

MARKDOWN = """# The harbour

The **harbour** of Kep has *two* [piers](http://evil.example/p) and `one` light. It was built in \
1931.

> The master said that **nobody** had asked him.

| Year | Ships |
|------|------:|
| 2016 | **412** |
| 2017 | 398 |

## The silt

It grew by eleven centimetres a year. It is **said
to** come from the river.
"""
SMALL: dict[str, bytes] = {
    "harbour.md": MARKDOWN.encode(),
    "harbour.markdown": MARKDOWN.encode(),
    "harbour.txt": b"The harbour\n\nIt has **two** piers. It was built in 1931.\n",
    "harbour.text": b"The harbour has < two > piers & a light. It was built in 1931.\n",
}


def documents() -> list[Document]:
    """One of every format at least."""
    files = SMALL | {name: make() for name, make in GOOD.items()}
    return [read_bytes(data, name) for name, data in files.items()]


def citation(document: Document, n: int, span: Span) -> Citation:
    words = span.of(document.text)
    page = document.page_of(span)
    return Citation(n, document.id, document.version, document.title, span, words, page=page)


def put(page: Page, markup: str) -> None:
    """Has the pane hold what the server would send."""
    page.evaluate(
        """markup => {
          document.querySelector("#source .shelf").outerHTML = markup;
          footnote.arrived();
        }""",
        markup,
    )


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of a few files of other formats."""
    folder = tmp_path_factory.mktemp("held")
    files = folder / "documents"
    files.mkdir()
    for name in ("report.pdf", "talk.pptx", "news.html"):
        (files / name).write_bytes(GOOD[name]())
    (files / "harbour.md").write_bytes(SMALL["harbour.md"])
    assert Footnote(folder)("index", files, "--index", folder / "index").returncode == 0
    return folder / "index"


@pytest.fixture(scope="module")
def served(held: Path) -> Iterator[str]:
    with serving(held) as address:
        yield address


def at(document: Document, words: str) -> str:
    start = document.text.index(words)
    name = quote(document.id, safe="")
    return f"at-{name}@{document.version}:{start}-{start + len(words)}"


def opened(context: BrowserContext, address: str, link: str) -> Page:
    page = context.new_page()
    page.goto(f"{address}#{link}")
    page.locator("#source .source").wait_for()
    return page


def test_two_hundred_citations_of_all_formats_are_marked_word_for_word(reader: Reader) -> None:
    held = documents()
    suffixes = {"." + document.id.rpartition(".")[2] for document in held}
    twins = {".htm", ".xhtml", ".tsv", ".ndjson", ".docm", ".pptm", ".xlsm"}  # read as another is
    assert suffixes | twins >= SUFFIXES
    chance = random.Random(5)
    chosen = 0
    while chosen < 200:
        for document in held:
            spans = [sentence.span for sentence in sentences(document)]
            some = [
                citation(document, n, Span(one.start, max(one.end, two.end)))
                for n, (one, two) in enumerate(
                    ((one, chance.choice([one, one, *spans[at : at + 3]])))
                    for at in chance.sample(range(len(spans)), min(6, len(spans)))
                    for one in [spans[at]]
                )
                if n
            ] or [citation(document, 1, spans[0])]
            put(reader.page, pane.shelf([document], some, 1))
            for cited in some:
                badge = reader.page.locator(f"#source .badge[data-n='{cited.n}']")
                badge.evaluate("badge => badge.click()")
                assert reader.chosen() == reader.marked(cited.n) == cited.quote
                chosen += 1
            text = reader.page.locator("#source .text").evaluate("e => e.textContent")
            assert text == document.text


IMG = '<img src="http://evil.example/x.png" onerror="window.owned=1">'
PAYLOADS = (
    "<script>window.owned=1</script>",
    IMG,
    "<svg onload=window.owned=1>",
    "<svg><script>window.owned=1</script></svg>",
    '<iframe src="javascript:window.owned=1"></iframe>',
    "<iframe srcdoc='<script>parent.owned=1</script>'></iframe>",
    '<a href="javascript:window.owned=1">x</a>',
    "[x](javascript:window.owned=1)",
    '[x](http://evil.example "><script>window.owned=1</script>")',
    "![x](http://evil.example/y.png)",
    '![x"onerror="window.owned=1](x)',
    "[x]: javascript:window.owned=1",
    "<javascript:window.owned=1>",
    "<http://evil.example>",
    "</div></article><script>window.owned=1</script>",
    "</mark></strong><img src=x onerror=window.owned=1>",
    "--><script>window.owned=1</script><!--",
    "<!--<img src=x onerror=window.owned=1>-->",
    "<style>body{background:url(http://evil.example/b)}</style>",
    "<link rel=stylesheet href=http://evil.example/c.css>",
    "<meta http-equiv=refresh content='0;url=http://evil.example'>",
    "<base href=http://evil.example/>",
    "<object data=http://evil.example/o></object><embed src=http://evil.example/e>",
    "<video src=http://evil.example/v><source onerror=window.owned=1></video>",
    "<form action=http://evil.example><button autofocus onfocus=window.owned=1>x</button></form>",
    "<details open ontoggle=window.owned=1>x</details>",
    "<math><mi//xlink:href='javascript:window.owned=1'>x</math>",
    "<template><script>window.owned=1</script></template>",
    "&lt;script&gt;window.owned=1&lt;/script&gt; &#60;img src=x&#62;",
    "\\u003cscript\\u003ewindow.owned=1\\u003c/script\\u003e %3Cscript%3E",
    "＜script＞window.owned=1＜/script＞",
    "\u202e>tpircs/<1=denwo.wodniw>tpircs<\u202c",
    "<scr\u200bipt>window.owned=1</scr\u200bipt>",
    "<scr\0ipt>window.owned=1</scr\0ipt>",
    "${window.owned=1} {{window.owned=1}} #{window.owned=1} <%= window.owned=1 %>",
    "$$\\href{javascript:window.owned=1}{x}$$ \\(\\unicode{60}\\)",
    "**<b onmouseover=window.owned=1>**x**</b>**",
    "`</code><script>window.owned=1</script>`",
    "```html\n<script>window.owned=1</script>\n```",
    "| <img src=x onerror=window.owned=1> | b |\n|---|---|\n| <script>window.owned=1</script> | d",
    "> <img src=x onerror=window.owned=1>\n> </blockquote><script>window.owned=1</script>",
    "# <img src=x onerror=window.owned=1>\n## \"'><script>window.owned=1</script>",
    "' onclick=window.owned=1 x='",
    '" autofocus onfocus=window.owned=1 x="',
)
FOREIGN = (
    "script, img, svg, iframe, object, embed, link, meta, base, form, style, video, details,"
    " template, math, button, input, b, a:not(.badge), [onclick], [onerror], [onfocus], [style]"
)


def test_nothing_of_a_document_runs_renders_or_leaves(reader: Reader) -> None:
    page = reader.page
    assert len(PAYLOADS) >= 30
    for payload in PAYLOADS:
        text = f"Before. {payload} After.\n\n{payload}\n\nThe end.\n"
        name = payload.replace("\0", "") + ".md"
        known = dict.fromkeys(("kind", "author", "date", "source", "title"), payload)
        document = Document(name, "0" * 64, payload, text, known, markdown=True)
        end = text.index(" After")
        other = Document("b.md", "1" * 64, payload, text, known)
        shelf = pane.shelf(
            [document, other],
            [citation(document, 1, Span(3, end + 2)), citation(other, 2, Span(0, 4))],
            1,
            link=payload,
            notice=payload,
        )
        put(page, shelf)
        shown = page.locator("#source .text").first.evaluate("e => e.textContent")
        assert shown == text.replace("\0", "\N{REPLACEMENT CHARACTER}")
        assert page.locator("#source .shelf").locator(FOREIGN).count() == 0, payload
        page.locator("#source .source:visible h2").wait_for()
        if page.locator("#to-outline").is_visible():
            page.locator("#to-outline").click()
            assert page.locator("#outline").locator("img, script, a").count() == 0
            page.keyboard.press("Escape")
        assert page.locator("#bar").locator("img, script, svg, iframe, b").count() == 0
    put(page, pane.missing(IMG, IMG))
    assert page.locator("#source .shelf").locator(FOREIGN).count() == 0
    page.wait_for_timeout(150)
    assert page.evaluate("window.owned") is None


def test_find_goes_through_the_words_wherever_they_stand(reader: Reader) -> None:
    page = reader.page
    rest = "".join(f"Paragraph {n} of the filling.\n\n" for n in range(3_000))
    text = f"The **harbour** of Kep.\n\n{rest}It is said\nto be the HARBOUR\n\nof Kep, too.\n"
    document = read_bytes(text.encode(), "harbour.md")
    put(page, pane.shelf([document]))
    before = page.locator("#source .text").inner_html()
    page.locator("#paper").press("/")
    field = page.get_by_role("searchbox", name="Find in this document")
    expect(field).to_be_focused()
    field.fill("harbour of kep")
    expect(page.locator("#find-count")).to_have_text("1 of 2")
    now = "[...CSS.highlights.get('found-now')].map(r => r.toString()).join('|')"
    assert page.evaluate(now) == "harbour** of Kep"
    field.press("Enter")
    expect(page.locator("#find-count")).to_have_text("2 of 2")
    assert page.evaluate(now).split() == ["HARBOUR", "of", "Kep"]
    page.wait_for_timeout(100)
    inside = page.evaluate(
        """() => {
          const [range] = CSS.highlights.get("found-now");
          const at = range.getBoundingClientRect();
          const pane = document.querySelector("#paper").getBoundingClientRect();
          return at.top >= pane.top && at.bottom <= pane.bottom;
        }"""
    )
    assert inside
    field.press("Shift+Enter")
    expect(page.locator("#find-count")).to_have_text("1 of 2")
    field.fill("no such words (")
    expect(page.locator("#find-count")).to_have_text("Not found")
    check(page)
    field.press("Escape")
    expect(page.locator("#find")).to_be_hidden()
    expect(page.locator("#to-find")).to_be_focused()
    assert page.evaluate("CSS.highlights.size") == 0
    assert page.locator("#source .text").inner_html() == before


def test_the_contents_lead_to_each_part_and_tell_the_present_one(reader: Reader) -> None:
    page = reader.page
    parts = "".join(f"## Part {n}\n\n{'Words of it go on. ' * 90}\n\n" for n in range(60))
    put(page, pane.shelf([read_bytes(f"# The **book**\n\n{parts}".encode(), "book.md")]))
    button = page.get_by_role("button", name="Contents")
    button.click()
    expect(page.locator("#outline button")).to_have_count(61)
    expect(page.locator("#outline button").first).to_have_text("The book")
    check(page)
    for _ in range(50):
        page.keyboard.press("ArrowDown")
    expect(page.locator("#outline button:focus")).to_have_text("Part 49")
    page.keyboard.press("Enter")
    expect(page.locator("#outline")).to_be_hidden()
    expect(page.locator("#title")).to_have_text("Part 49")
    button.click()
    expect(page.locator("#outline [aria-current]")).to_have_text("Part 49")
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    put(page, pane.shelf([read_bytes(b"No headings here.\n", "a.txt")]))
    expect(button).to_be_hidden()


def test_pages_are_shown_in_the_flow_and_in_the_place_of_a_citation(reader: Reader) -> None:
    page = reader.page
    for name, words, place in (
        ("report.pdf", "45 dollars", "1 of 1 · p. 2"),
        ("talk.pptx", "bids came in March", "1 of 1 · slide 2"),
    ):
        document = read_bytes(GOOD[name](), name)
        start = document.text.index(words)
        cited = citation(document, 1, Span(start, start + len(words)))
        put(page, pane.shelf([document], [cited], 1))
        expect(page.locator("#place")).to_have_text(place)
        expect(page.locator("#source .page")).to_have_count(len(document.pages))
        assert reader.sees_chosen()
        check(page)


def test_the_documents_of_an_answer_can_be_switched(reader: Reader) -> None:
    page = reader.page
    one, two = (read_bytes(SMALL[name], name) for name in ("harbour.md", "harbour.txt"))
    cited = [
        citation(one, 1, Span(20, 30)),
        citation(two, 2, Span(2, 9)),
        citation(one, 3, Span(40, 50)),
    ]
    put(page, pane.shelf([one, two], cited, 1))
    tabs = page.locator("#tabs button")
    expect(tabs).to_have_count(2)
    expect(tabs.locator(".count")).to_have_text(["2", "1"])
    expect(tabs.first).to_have_attribute("aria-current", "true")
    tabs.nth(1).click()
    assert reader.chosen() == cited[1].quote
    expect(tabs.nth(1)).to_have_attribute("aria-current", "true")
    page.get_by_role("link", name="Citation 2").press("Enter")
    page.get_by_role("button", name="Next citation").click()
    assert reader.chosen() == cited[2].quote
    expect(tabs.first).to_have_attribute("aria-current", "true")
    check(page)


def test_a_copied_link_opens_the_app_at_the_words(
    context: BrowserContext, served: str, held: Path
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    document = read_bytes(GOOD["report.pdf"](), "report.pdf")
    page = opened(context, served, at(document, "45 dollars"))
    assert Reader(page).chosen() == "45 dollars"
    assert Reader(page).sees_chosen()
    expect(page.locator("#place")).to_contain_text("p. 2")
    page.evaluate("history.replaceState(null, '', location.pathname)")
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#copy-link")).to_have_text("Copied")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.url == f"{served}#{at(document, '45 dollars')}"
    page.reload()
    expect(page.locator("#source mark.chosen").first).to_have_text("45 dollars")
    page.evaluate("location.hash = 'doc-harbour.md'")
    expect(page.locator("#source .source:visible")).to_have_attribute("data-id", "harbour.md")
    page.reload()
    expect(page.locator("#source .source:visible")).to_have_attribute("data-id", "harbour.md")
    page.locator("#to-library").click()
    assert "#" not in page.url


def test_a_link_that_leads_nowhere_says_so_in_a_line(context: BrowserContext, served: str) -> None:
    page = opened(context, served, "doc-nothing")
    version = "0" * 64
    for link in (
        "at-x",
        "at-harbour.md@zz:1-2",
        f"at-..%2F..%2Fetc%2Fpasswd@{version}:0-5",
        f"at-%FF@{version}:0-5",
        "doc-%3Cimg%20src=x%20onerror=window.owned=1%3E",
        "doc-" + "x" * 9_000,
    ):
        page.evaluate("link => { location.hash = link; }", link)
        said = page.locator(f"#source .shelf[data-link^='{link[:60]}'] .problem")
        expect(said).to_be_visible()
        assert "\n" not in said.inner_text()
        assert page.locator("#source img").count() == 0
    page.evaluate(f"location.hash = 'at-harbour.md@{version}:0-5'")
    expect(page.locator("#source .changed")).to_contain_text("no longer kept")
    expect(page.locator("#source mark")).to_have_count(0)
    check(page)
    page.evaluate("location.hash = 'doc-nothing'")
    expect(page.locator("#source .problem")).to_be_visible()
    expect(page.locator("#tools")).to_be_hidden()
    link = at(read_bytes(SMALL["harbour.md"], "harbour.md"), "two")
    page.evaluate("link => { location.hash = link; }", link)
    expect(page.locator("#source mark.chosen")).to_have_text("two")
    expect(page.locator("#copy-link")).to_be_visible()
    expect(page.locator("#title")).to_have_text("The harbour")


def test_two_megabytes_are_laid_out_and_chosen_in_an_instant(reader: Reader) -> None:
    page = reader.page
    parts = [f"## Part {n}\n\n{'A sentence that goes on and on. ' * 60}\n\n" for n in range(1_050)]
    document = read_bytes("".join(parts).encode(), "big.md")
    assert len(document.text) > 2_000_000
    spans = (Span(40, 70), Span(1_000_000, 1_000_100), Span(1_999_000, 1_999_100))
    cited = [citation(document, n, span) for n, span in enumerate(spans, 1)]
    put(page, pane.shelf([document], cited, 1))
    took = page.evaluate(
        """() => [2, 3, 1].map(n => {
          const started = performance.now();
          document.querySelector(`#source .badge[data-n="${n}"]`).click();
          document.querySelector("#next").click();
          document.querySelector("#source mark.chosen").getBoundingClientRect();
          return performance.now() - started;
        })"""
    )
    assert sorted(took)[1] < 100, took
    assert reader.chosen() == cited[1].quote
    page.wait_for_timeout(50)
    assert reader.sees_chosen()
    page.locator("#paper").press("/")
    page.locator("#find-words").fill("sentence that goes")
    expect(page.locator("#find-count")).to_have_text("1 of 63,000")


def test_links_are_followed_to_the_index_alone(held: Path) -> None:
    from index.embed import embedder
    from index.search import Index

    index = Index.open(held, embedder("minilm"))
    document = index.document("harbour.md")
    good = at(document, "two")
    assert '<mark class="cite" data-cites="1">' in follow(index, good)
    for bad in (good.replace("-harbour", "-../harbour"), good + "9" * 8, good + "\n", "", "at-"):
        assert 'class="problem"' in follow(index, bad)
