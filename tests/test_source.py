import hashlib
import html
import re
import time

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
    r"</?(?:div|p|h[3-6]|pre|blockquote|span|mark|strong)(?: [a-z-]+=\"[a-z0-9 ]*\")*>"
)

# What a browser keeps as it is, with much that is special in Markdown and in HTML.
words = st.text(
    st.one_of(
        st.sampled_from("\n\n\n #-*>`|<&\"'[]()_$\\\t\r.0aé漢😀"),
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    ),
    max_size=120,
)


def document(text: str, id: str = "a.md") -> Document:
    return Document(id, hashlib.sha256(text.encode()).hexdigest(), "A title", text)


def cite(doc: Document, n: int, start: int, end: int, answer: Span | None = None) -> Citation:
    span = Span(start, end)
    return Citation(n, doc.id, doc.version, doc.title, span, span.of(doc.text), answer)


def plain(markup: str) -> str:
    return html.unescape(TAG.sub("", markup))


def marked(markup: str, n: int) -> str:
    pieces = (inner for ns, inner in MARK.findall(markup) if str(n) in ns.split())
    return "".join(plain(inner) for inner in pieces)


@st.composite
def cited(draw: st.DrawFn) -> tuple[Document, list[Citation]]:
    doc = document(draw(words), draw(st.sampled_from(["a.md", "a.txt"])))
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
    assert '<p>First <mark class="cite" data-cites="1" data-begins="1">one.</mark></p>' in markup
    assert '<p><mark class="cite" data-cites="1">Second</mark> one.</p>' in markup
    assert marked(markup, 1) == "one.\n\nSecond"


def test_overlapping_quotes_keep_their_numbers_and_the_answer_is_strong() -> None:
    doc = document("In all 21,566 suspects were detained.")
    markup = render(doc, [cite(doc, 1, 0, 22, Span(7, 13)), cite(doc, 2, 14, 37)])
    assert "<strong>21,566</strong>" in markup
    assert 'data-cites="1 2" data-begins="2">suspects</mark>' in markup


def test_a_citation_of_other_words_or_of_another_version_is_not_marked() -> None:
    doc, other = document("What it says now."), document("What it said then.")
    assert not located(doc, cite(other, 1, 0, 4))
    moved = Citation(1, doc.id, doc.version, doc.title, Span(0, 4), "Whatever", None)
    assert "<mark" not in render(doc, [moved, cite(other, 2, 0, 4)])


def test_markdown_is_set_lightly_and_plain_text_as_it_stands() -> None:
    text = "# Title\nA line.\n\n- one\n- two\n\n    verse\n      verse\n"
    markup = render(document(text))
    assert '<h3 class="title"><span class="sign"># </span>Title</h3>' in markup
    assert '<div class="item"><span class="sign">- </span>two</div>' in markup
    assert '<p class="kept">    verse' in markup
    assert "<h3" not in render(document(text, "a.txt"))


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
