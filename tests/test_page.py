import hashlib
import html
import re
from dataclasses import replace

from corpus.types import Document, Span
from index.types import IndexedDocument
from rag.types import Answer, AnswerSentence, Citation, Question, Support
from ui import markdown, notes, page, pane
from ui.notes import CHANGED, Standing
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
        for citation, how in zip(citations, support, strict=False)
    )
    text = "\n\n".join(f"{s.text} [{s.citations[0]}]" for s in sentences)
    question = Question("How many?", "How many?", ("many",), "How many?")
    return Answer(question, "answered", text, 0.91, sentences, citations, (), "extractive")


def shown(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())


def conversation(*exchanges: Exchange) -> str:
    return page.earlier(exchanges) + page.latest(exchanges)


def test_an_answer_links_each_citation_and_names_its_sources() -> None:
    markup = conversation(Exchange("How many?", answered("supported", "supported")))
    assert markup.count('href="#cite-1-1"') == 2  # in the sentence, and below
    assert 'aria-label="Citation 2, The mill" aria-describedby="card-1-2">[2]</a>' in markup
    assert "<strong>412</strong>" in markup
    assert markup.count('<p class="words">') == 2
    assert "1, 2 The mill" in shown(markup)
    assert "High confidence" in shown(markup)


def test_words_that_answer_are_strong_in_the_one_of_two_sentences_that_share_a_footnote() -> None:
    both = cite(1, 0, 49, Span(44, 48))
    sentences = tuple(
        AnswerSentence(words, (1,), "supported")
        for words in ("The mill had 412 workers.", "It burned down in 1931.")
    )
    answer = replace(answered(), citations=(both,), sentences=sentences)
    markup = page.latest([Exchange("When?", answer)])
    words = re.findall(r'<p class="words">(.*?)</p>', markup, re.DOTALL)
    assert "It burned down in <strong>1931</strong>." in " ".join(words)
    assert " ".join(words).count("<strong>") == 1


def test_words_that_answer_are_strong_where_the_document_breaks_its_lines() -> None:
    quote = "The mill had\n  412\nworkers."
    broken = replace(cite(1, 0, 0), quote=quote, answer_span=Span(15, 26))
    told = AnswerSentence("The mill had 412 workers.", (1,), "supported")
    markup = page.latest(
        [Exchange("?", replace(answered(), citations=(broken,), sentences=(told,)))]
    )
    assert "The mill had <strong>412 workers</strong>." in markup


def test_what_a_model_says_where_the_documents_do_not_is_shown_as_unsupported() -> None:
    made_up = AnswerSentence("It had 99 <b>dogs</b>.", (), "unsupported", "no such number")
    answer = replace(
        answered(),
        outcome="not_in_corpus",
        text="The documents do not answer “How many?”.",
        citations=(),
        sentences=(made_up,),
        notices=("the documents do not seem to answer this",),
    )
    markup = conversation(Exchange("How many?", answer))
    assert '<span class="doubtful">It had 99 &lt;b&gt;dogs&lt;/b&gt;.</span>' in markup
    assert 'href="#cite' not in markup
    words = shown(markup)
    assert "not supported by the documents : no such number" in words
    assert words.index("Not in the documents") < words.index("99 <b>dogs")
    copied = markdown.exchange("How many?", answer, {})
    assert "The documents do not answer" in copied
    assert "*(not supported by the documents: no such number)*" in copied
    assert "without support" not in shown(
        conversation(Exchange("?", replace(answer, sentences=())))
    )


def test_what_is_not_supported_says_so_and_why() -> None:
    answer = answered("partial", "unsupported")
    told = replace(answer.sentences[1], why="the source does not say 1932 <b>")
    answer = replace(
        answer,
        sentences=(answer.sentences[0], told),
        notices=("model unavailable: <timeout>",),
        confidence=0.2,
    )
    words = shown(conversation(Exchange("How many?", answer)))
    assert "partly supported" in words
    assert "not supported by the documents : the source does not say 1932 <b>" in words
    assert "model unavailable: <timeout>" in words
    assert "Low confidence" in words


def test_a_card_shows_the_words_with_their_date_and_page() -> None:
    answer = answered("supported", "supported")
    answer = replace(answer, citations=(replace(answer.citations[0], page=7), answer.citations[1]))
    stands = {1: Standing("1931-05-02"), 2: Standing(doubt=CHANGED)}
    markup = page.latest([Exchange("How many?", answer)], stand=lambda c: stands[c.n])
    first, second = re.findall(
        r'<span class="card" id="card-1-\d" hidden>.*?</span></span>', markup
    )
    assert shown(first) == "“The mill had 412 workers.” The mill 1931-05-02, page 7"
    assert CHANGED in second
    assert "· " not in shown(markup)
    assert "changed since" not in shown(markup).replace(CHANGED, "")  # the source's first citation


def test_a_long_quote_is_shown_around_the_words_that_answer() -> None:
    text = "word " * 400 + "the answer is here " + "more " * 400
    at = text.index("the answer")
    cited = Citation(1, "a.md", "0" * 64, "A", Span(0, len(text)), text, Span(at, at + 10))
    card = notes.cards(1, [cited], {1: Standing()})
    assert "<strong>the answer</strong> is here more" in card
    assert card.count("…") == 2
    assert len(card) < 900


def test_a_question_understood_otherwise_says_how() -> None:
    answer = answered("supported", "supported")
    question = replace(answer.question, text="And he?", standalone="And the <miller>?")
    markup = conversation(Exchange("And he?", replace(answer, question=question)))
    assert "Understood as: And the <miller>?" in shown(markup)
    assert "Understood" not in conversation(Exchange("How many?", answer))


def test_what_can_be_done_depends_on_what_there_is() -> None:
    answer = answered("supported", "supported")
    markup = conversation(
        Exchange("one", answer),
        Exchange("two", problem="no"),
        Exchange("three", so_far="It has [1]", stopped=True),
    )
    first, second, third = markup.split("<section")[1:]
    assert 'href="#why-1"' in first
    assert "Good answer" in first
    assert "retry" not in first  # only the last one: what follows would be lost without a word
    assert "#why-2" not in second
    assert 'class="retry"' in third
    assert "Stopped" in third
    assert "Edit" in first
    assert "Edit" in second
    assert "actions" not in conversation(Exchange("four", so_far="It"))


def test_words_of_people_models_and_documents_are_never_markup() -> None:
    hostile = '"><img src=x onerror=alert(1)>'
    answer = replace(
        answered("supported", "partial"),
        model=hostile,
        notices=(hostile,),
        sentences=(AnswerSentence(hostile, (1,), "partial", hostile),),
        citations=(replace(cite(1, 0, 25), title=hostile),),
    )
    quoted = replace(answer, citations=(replace(cite(1, 0, 25), quote=hostile, document=hostile),))
    document = replace(
        MILL, id=hostile, title=hostile, metadata={"date": hostile, "source": hostile}
    )
    for markup in (
        conversation(Exchange(hostile, answer), Exchange(hostile, so_far=hostile)),
        conversation(Exchange(hostile, problem=hostile, within=(hostile,))),
        page.latest([Exchange(hostile, quoted)], stand=lambda _: Standing(hostile), run=hostile),
        page.latest((), [hostile]),
        pane.shelf([document], [cite(1, 0, 25)]),
        pane.missing(hostile),
    ):
        assert "<img" not in markup
        assert "onerror=alert(1)>" not in markup


def test_a_shelf_marks_each_document_and_says_when_one_has_changed() -> None:
    current = {MILL.id: IndexedDocument(MILL.id, "0" * 64, MILL.title, 1, len(TEXT))}
    markup = pane.shelf([MILL], [cite(1, 0, 25)], 3, current)
    assert 'data-turn="3"' in markup
    assert "The mill had 412 workers.</mark>" in markup
    assert "changed since" in markup
    assert "changed since" not in pane.shelf([MILL], [cite(1, 0, 25)], 3)


def test_the_history_leaves_out_what_was_not_answered() -> None:
    answer = answered("supported", "supported")
    turns = page.history([Exchange("How many?", answer), Exchange("Why?", problem="no index")])
    assert [(turn.role, turn.content) for turn in turns] == [
        ("user", "How many?"),
        ("assistant", answer.text),
    ]
