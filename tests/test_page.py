import hashlib
import html
import re
from dataclasses import replace

from corpus.types import Document, Span
from index.types import IndexedDocument
from rag.types import Answer, AnswerSentence, Citation, Question, Support
from ui import page
from ui.page import Exchange

TEXT = "The mill had 412 workers. It burned down in 1931."
MILL = Document("mill.md", hashlib.sha256(TEXT.encode()).hexdigest(), "The mill", TEXT)


def cite(n: int, start: int, end: int, answer: Span | None = None) -> Citation:
    span = Span(start, end)
    return Citation(n, MILL.id, MILL.version, MILL.title, span, span.of(TEXT), answer)


def answered(*support: Support) -> Answer:
    citations = (cite(1, 0, 25, Span(13, 16)), cite(2, 26, 49))
    sentences = tuple(
        AnswerSentence(citation.quote, (citation.n,), how)
        for citation, how in zip(citations, support, strict=True)
    )
    text = "\n\n".join(f"{s.text} [{s.citations[0]}]" for s in sentences)
    question = Question("How many?", "How many?", ("many",), "How many?")
    return Answer(question, "answered", text, 0.91, sentences, citations, (), "extractive")


def shown(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())


def test_an_answer_links_each_citation_and_names_its_sources() -> None:
    markup = page.conversation([Exchange("How many?", answered("supported", "supported"))])
    assert markup.count('href="#cite-1-1"') == 2  # in the sentence, and below
    assert 'title="The mill">[2]</a>' in markup
    assert "<strong>412</strong>" in markup
    assert markup.count('<p class="words">') == 2
    assert "1, 2 The mill" in shown(markup)
    assert "High confidence" in shown(markup)


def test_what_is_not_supported_says_so_in_words() -> None:
    answer = answered("partial", "unsupported")
    answer = replace(answer, notices=("model unavailable: <timeout>",), confidence=0.2)
    words = shown(page.conversation([Exchange("How many?", answer)]))
    assert "partly supported" in words
    assert "not supported by the documents" in words
    assert "model unavailable: <timeout>" in words
    assert "Low confidence" in words


def test_words_of_people_models_and_documents_are_never_markup() -> None:
    hostile = '"><img src=x onerror=alert(1)>'
    answer = replace(
        answered("supported", "partial"),
        model=hostile,
        notices=(hostile,),
        sentences=(AnswerSentence(hostile, (1,), "partial"),),
        citations=(replace(cite(1, 0, 25), title=hostile),),
    )
    document = replace(
        MILL, id=hostile, title=hostile, metadata={"date": hostile, "source": hostile}
    )
    entry = IndexedDocument(hostile, "0" * 64, hostile, 1, 900, {"kind": hostile})
    for markup in (
        page.conversation([Exchange(hostile, answer), Exchange(hostile, so_far=hostile)]),
        page.conversation([Exchange(hostile, problem=hostile)]),
        page.conversation((), [hostile]),
        page.shelf([document], [cite(1, 0, 25)]),
        page.missing(hostile),
        page.library([entry]),
    ):
        assert "<img" not in markup
        assert "onerror=alert(1)>" not in markup


def test_a_shelf_marks_each_document_and_says_when_one_has_changed() -> None:
    current = {MILL.id: IndexedDocument(MILL.id, "0" * 64, MILL.title, 1, len(TEXT))}
    markup = page.shelf([MILL], [cite(1, 0, 25)], 3, current)
    assert 'data-turn="3"' in markup
    assert 'data-cites="1">The mill had 412 workers.</mark>' in markup.replace(
        ' data-begins="1"', ""
    )
    assert "changed since" in markup
    assert "changed since" not in page.shelf([MILL], [cite(1, 0, 25)], 3)


def test_the_history_leaves_out_what_was_not_answered() -> None:
    answer = answered("supported", "supported")
    turns = page.history([Exchange("How many?", answer), Exchange("Why?", problem="no index")])
    assert [(turn.role, turn.content) for turn in turns] == [
        ("user", "How many?"),
        ("assistant", answer.text),
    ]
