import hashlib
import html
import re
import time
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from corpus.types import Document, Span
from rag.types import Citation
from ui.source import located, render

TAG = re.compile(r"<[^>]*>")
MARK = re.compile(
    r"<mark class=\"(?:cite|gap)\" data-cites=\"([\d ]+)\"[^>]*>(.*?)</mark>", re.DOTALL
)
HTML = re.compile(
    r"</?(?:div|p|h[3-6]|pre|blockquote|span|mark|strong|em|code|s)(?: [a-z-]+=\"[a-z0-9 ]*\")*>"
    r'|<a class="badge" href="#mark-\d+" data-n="\d+" aria-label="Citation \d+"></a>'
)

# What a browser keeps as it is, with much that is special in Markdown and in HTML.
words = st.text(
    st.one_of(
        st.sampled_from("\n\n\n #-*>`|<&\"'[]()_$\\\t\r.0aé漢😀"),
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    ),
    max_size=120,
)


def document(text: str, id: str = "a.md", pages: tuple[Span, ...] = ()) -> Document:
    version = hashlib.sha256(text.encode()).hexdigest()
    return Document(id, version, "A title", text, pages=pages, markdown=not id.endswith(".txt"))


def cite(doc: Document, n: int, start: int, end: int, answer: Span | None = None) -> Citation:
    span = Span(start, end)
    return Citation(n, doc.id, doc.version, doc.title, span, span.of(doc.text), answer)


def badge(n: int) -> str:
    return f'<a class="badge" href="#mark-{n}" data-n="{n}" aria-label="Citation {n}"></a>'


def plain(markup: str) -> str:
    return html.unescape(TAG.sub("", markup))


def marked(markup: str, n: int) -> str:
    pieces = (inner for ns, inner in MARK.findall(markup) if str(n) in ns.split())
    return "".join(plain(inner) for inner in pieces)


@st.composite
def cited(draw: st.DrawFn) -> tuple[Document, list[Citation]]:
    text = draw(words)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=3)))
    pages = tuple(Span(a, b) for a, b in pairwise([0, *cuts, len(text)])) if cuts else ()
    doc = document(text, draw(st.sampled_from(["a.md", "a.txt", "a.pdf", "a.pptx"])), pages)
    citations = []
    for n in range(1, draw(st.integers(0, 4)) + 1):
        start, end = sorted(
            (draw(st.integers(0, len(doc.text))), draw(st.integers(0, len(doc.text))))
        )
        if start == end:
            continue
        a, b = sorted((draw(st.integers(0, end - start)), draw(st.integers(0, end - start))))
        citations.append(cite(doc, n, start, end, Span(a, b) if a < b else None))
    return doc, citations


@given(cited())
def test_the_text_is_all_there_and_marked_words_are_the_quote(
    case: tuple[Document, list[Citation]],
) -> None:
    doc, citations = case
    markup = render(doc, citations)
    assert plain(markup) == doc.text
    assert not HTML.sub("", markup).count("<")
    shown = [int(page) for page in re.findall(r'data-page="(\d+)"', markup)]
    assert shown == list(range(1, len(shown) + 1))
    assert sorted(re.findall(r'data-n="(\d+)"', markup)) == sorted(
        set(re.findall(r'data-n="(\d+)"', markup))
    )
    for citation in citations:
        assert marked(markup, citation.n) == citation.quote


def test_nothing_in_a_document_becomes_markup() -> None:
    hostile = '<script>alert(1)</script> <img src=x onerror="alert(1)"> [a](javascript:x) &lt;b&gt;'
    markup = render(document(hostile))
    assert plain(markup) == hostile
    assert HTML.sub("", markup).count("<") == 0


def test_a_quote_over_two_paragraphs_is_marked_in_each() -> None:
    doc = document("First one.\n\nSecond one.\n")
    markup = render(doc, [cite(doc, 1, 6, 18)])
    assert f'<p>First <mark class="cite" data-cites="1">{badge(1)}one.</mark></p>' in markup
    assert '<p><mark class="cite" data-cites="1">Second</mark> one.</p>' in markup
    assert marked(markup, 1) == "one.\n\nSecond"


def test_overlapping_quotes_keep_their_numbers_and_the_answer_is_strong() -> None:
    doc = document("In all 21,566 suspects were detained.")
    markup = render(doc, [cite(doc, 1, 0, 22, Span(7, 13)), cite(doc, 2, 14, 37)])
    assert "<strong>21,566</strong>" in markup
    assert f'data-cites="1 2">{badge(2)}suspects</mark>' in markup


def test_a_citation_of_other_words_or_of_another_version_is_not_marked() -> None:
    doc, other = document("What it says now."), document("What it said then.")
    assert not located(doc, cite(other, 1, 0, 4))
    moved = Citation(1, doc.id, doc.version, doc.title, Span(0, 4), "Whatever", None)
    assert "<mark" not in render(doc, [moved, cite(other, 2, 0, 4)])


def test_markdown_is_set_lightly_and_plain_text_as_it_stands() -> None:
    text = "# Title\nA line.\n\n- one\n- two\n\n    verse\n      verse\n"
    markup = render(document(text))
    assert '<h3 class="level1"><span class="sign"># </span>Title</h3>' in markup
    assert '<div class="item"><span class="sign">- </span>two</div>' in markup
    assert '<p class="kept">    verse' in markup
    assert "<h3" not in render(document(text, "a.txt"))


def test_emphasis_quotations_and_tables_are_set_and_their_signs_only_hidden() -> None:
    text = (
        "A **bold** *word*, `a * b`, [a link](http://x.example) and ![a picture](y.png), \\*.\n\n"
        "> Said in\n> short.\n>\n> Twice.\n\n| a | b |\n|---|--:|\n| 1 | **2** |\n\nLater\n=====\n"
    )
    doc = document(text)
    start, end = text.index("bold") - 2, text.index(" and")
    markup = render(doc, [cite(doc, 1, start, end)])
    assert plain(markup) == text
    assert marked(markup, 1) == text[start:end]
    hidden = [plain(part) for part in re.findall(r'<span class="sign">(.*?)</span>', markup)]
    assert {"**", "*", "`", "[", "](http://x.example)", "![", "](y.png)", "\\", "> "} <= set(hidden)
    assert '<strong class="bold">bold</strong>' in markup
    assert "<code>a * b</code>" in markup
    assert markup.count('role="row"') == 2
    assert markup.count('role="columnheader"') == 2
    assert markup.count("<blockquote>") == markup.count("</blockquote>") == 1
    assert '<h3 class="level1">Later' in markup
    assert "href" not in HTML.sub("", markup)


def test_a_star_in_a_file_of_another_format_is_a_star() -> None:
    markup = render(document("# Head\n\nIt is *p* and **q**.", "a.pdf"))
    assert "It is *p* and **q**." in markup
    assert "<h3" in markup


def test_pages_begin_between_blocks_and_within_them() -> None:
    text = "One.\n\nTwo goes on over the page.\n"
    doc = document(text, "a.pdf", (Span(0, 6), Span(6, 20), Span(20, len(text))))
    markup = render(doc, [cite(doc, 1, 15, 26)])
    assert '<div class="page" data-page="1"></div><p>One.' in markup
    assert '<div class="page" data-page="2"></div><p>Two' in markup
    assert '<span class="page" data-page="3"></span>' in markup
    assert marked(markup, 1) == text[15:26]
    assert "data-page" not in render(document(text, "a.pdf", (Span(0, len(text)),)))
    assert 'class="page slide"' in render(document(text, "a.pptx", (Span(0, 6), Span(6, 34))))


def test_text_made_to_be_slow_is_not() -> None:
    started = time.process_time()
    for hostile in (
        "**a ",
        "*a ",
        "_a ",
        "[a](",
        "`",
        "~~a ",
        "\\",
        "> ",
        "| ",
        "# a #",
        "__a ",
        "- ",
    ):
        text = hostile * (200_000 // len(hostile))
        assert plain(render(document(text))) == text
    text = "# a" + " " * 200_000 + "b"
    assert plain(render(document(text))) == text
    assert time.process_time() - started < 10


def test_a_document_of_two_megabytes_is_quick() -> None:
    text = (
        "## Heading\n\nA sentence of a document, neither long nor short, that goes on. \n\n"
        * 26_000
    )
    doc = document(text)
    started = time.process_time()
    markup = render(doc, [cite(doc, 1, 1_000_000, 1_000_200)])
    assert time.process_time() - started < 2
    assert marked(markup, 1) == text[1_000_000:1_000_200]
