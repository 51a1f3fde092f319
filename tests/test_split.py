import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.read import BUILT_IN, find, read, read_bytes
from corpus.split import around, passages, sentences
from corpus.types import Document, Span


def document(text: str) -> Document:
    return read_bytes(text.encode(), "note.md")


def split(text: str) -> list[str]:
    found = document(text)
    return [sentence.span.of(found.text) for sentence in sentences(found)]


def headings(text: str) -> list[str]:
    found = document(text)
    return [s.span.of(found.text) for s in sentences(found) if s.is_heading]


# Sentences are parted by ¦ here.
@pytest.mark.parametrize(
    "marked",
    [
        "Mr. Smith met Dr. Jones.¦They talked.",
        "He lives in the U.S. and works.¦She lives in the U.K.¦The rest is known.",
        "J. K. Rowling wrote it.¦J.R.R. Tolkien did not.",
        "It cost 3.14 dollars.¦Then 2.5 more, at v2.0.1 of example.com.¦It worked.",
        "See e.g. the report, i.e. No. 5.¦Next one.",
        "Foods Inc. bought Bar Corp.¦The deal closed on Jan. 5.¦It was big.",
        "Gen. Lee and St. John met Sen. Sanders vs. the rest.¦All left.",
        "The speech was by Hun Sen.¦Police listened.",
        "The plan is Plan No 01 of February 19.¦It has a Part B.¦The rest is Fig. 3.",
        "Smith et al. 2019 show it (d. 1560) at (c. EUR 5).¦The church is Trinity-St. Paul's.",
        "He said no.¦Nobody left.",
        "At 5 p.m. Monday it rained.¦At 6 a.m.¦The sun came.",
        "World War I.¦The war ended.¦Vitamin C.¦It is good.",
        "“It must go on . . . because of it,” he said.¦“It will take time.”",
        "Wait… what?¦Yes…¦Then he left.¦Well . . . no.",
        "“It is done.”¦He said so.¦“Stop!” he cried.¦“Is it?” Hun Sen asked.¦“Is it?”¦The end.",
        '"One."¦"Two."¦\'Three.\'¦(He left.¦She stayed.)¦Then it ended.',
        "What?!¦No!!¦Is it (?) The one?¦Yahoo! is a site.",
        "The text ended.[1]¦Next one.[12][13]¦Third.¹¦Fourth.[citation needed]¦Fifth.",
        "One; two: three, four.¦Five.",
        "**Bold one.**¦Next *two.*¦And `code.`¦Then [x](https://a.b/c.d).",
        "i went home.¦then i slept, e.g. here.",
        "🎉 Done.¦🎉 Again!¦1.5 of 2.",
        "彼は来た。¦「そうです。」¦彼は言った。¦「はい。」と言った。¦本当？¦はい！",
        "هذا سؤال؟¦نعم هذا جواب.¦والسلام۔",
        "यह पहला है।¦यह दूसरा है।",
        "នេះជាប្រយោគ។¦នេះជាទីពីរ។ល។¦ហើយ។¦ចប់",
        "Это первое.¦Это второе!¦Третье?",
    ],
)
def test_sentences_end_where_they_should(marked: str) -> None:
    parts = marked.split("¦")
    unspaced = any("\u3000" <= c <= "\u9fff" or "\u0900" <= c <= "\u17ff" for c in marked)
    assert split(("" if unspaced else " ").join(parts)) == parts
    assert split("\n\n".join(f"{part} " for part in parts)) == parts or "i went" in marked


def test_wrapped_lines_make_one_sentence() -> None:
    text = (
        "The committee met in the morning to consider whether the harbour of\n"
        "Kep should be dredged before the rains, and it heard eleven people on\n"
        "the matter. Nobody objected."
    )
    assert split(text) == [text[:-17], "Nobody objected."]


def test_lines_of_a_list_and_of_an_article_stay_apart() -> None:
    assert split("Apples\nGreen pears\nPlums and figs") == [
        "Apples",
        "Green pears",
        "Plums and figs",
    ]
    assert split("apples\npears\nplums") == ["apples", "pears", "plums"]
    article = ["The harbour " + "was dredged again " * 12 + year for year in ("in 2001", "in 2002")]
    assert split("\n".join(article)) == article


def test_marks_of_markdown_are_in_no_sentence() -> None:
    text = """# The harbour #

Setext
------

> Quoted one. Quoted two.
> > Deeper.

- First item. It goes
  on here.
* [ ] Second
  3. Third

| name | depth |
|------|------:|
| Kep  | 3.5 m. Deep. |

***

```python
# not a heading

x = 1
```
####
Last 1. one
12. wrapped line."""
    assert split(text) == [
        "The harbour",
        "Setext",
        "Quoted one.",
        "Quoted two.",
        "Deeper.",
        "First item.",
        "It goes\n  on here.",
        "[ ] Second",
        "Third",
        "name | depth",
        "Kep  | 3.5 m. Deep.",
        "# not a heading",
        "x = 1",
        "Last 1. one",
        "12. wrapped line.",
    ]
    assert headings(text) == ["The harbour", "Setext"]


def test_a_fence_that_is_never_closed_is_none() -> None:
    assert split("```\nOne. Two.\n\n## Three") == ["```", "One.", "Two.", "Three"]


def test_headings_without_marks() -> None:
    text = """The harbour of Kep

How it began

It was dredged in 1901. It was small.

Case 1: The ferry

The ferry sank.

Dredged: 3 times.

3 March 1901

By A. Writer

"A quote."

The end"""
    assert headings(text) == ["The harbour of Kep", "How it began", "Case 1: The ferry"]
    assert headings("Who dredged it?\n\n" + "The harbour was dredged by many people. " * 4) == [
        "Who dredged it?"
    ]
    assert headings("Title of it\n" + "The harbour was dredged by many people. " * 4) == [
        "Title of it"
    ]
    assert headings("Apples\n\nPears\n\nPlums\n\nFigs\n\nThey are fruit.") == []


def test_long_sentences_are_cut_at_clauses_then_spaces_then_anywhere() -> None:
    clauses = "The harbour was dredged by the people of the town, " * 60
    assert all(piece.endswith(",") and len(piece) <= 1000 for piece in split(clauses))
    words = split("dredged " * 500)
    assert len(words) > 2
    assert all(set(piece.split()) == {"dredged"} for piece in words)
    assert "".join(split("x" * 5000)) == "x" * 5000
    accents = split("q" + "q\u0303\u0301" * 400)
    assert all(piece[0] == "q" for piece in accents)


def test_markup_alone_is_still_a_sentence() -> None:
    assert split("```x\n```") == ["```x\n```"]


def test_lines_that_documents_bring_from_elsewhere_are_no_trouble() -> None:
    found = Document("a.txt", "0" * 64, "", "One.\r\nTwo\u2028 \x0b\r\n\r\n## Three \r\n")
    assert [s.span.of(found.text) for s in sentences(found)] == ["One.", "Two", "Three"]


# --- passages


SECTIONED = "\n\n".join(
    [
        "# The harbour",
        "## Its **beginning**",
        " ".join(f"The dredging of the harbour took {n} months and many hands." for n in range(30)),
        "## Its end",
        " ".join(f"The harbour was then closed for {n} months by decree." for n in range(12)),
        "### A note",
        "It was short.",
        "### Another note",
        "It was short too.",
        "## Nothing here",
    ]
)


def words(text: str) -> int:
    return len(text.split())


def test_passages_are_whole_sentences_of_one_section() -> None:
    found = passages(document(SECTIONED), count=words, size=100)
    assert all(words(p.text) <= 100 for p in found)
    assert all(words(p.text) > 40 for p in found[:-1])
    assert found[0].heading == "The harbour › Its beginning"
    assert found[-2].heading == "The harbour › Its end"
    assert "#" not in found[0].text


def test_neighbours_share_a_sentence_within_a_section_only() -> None:
    found = passages(document(SECTIONED), count=words, size=100)
    for one, two in pairwise(found):
        shared = set(one.sentences) & set(two.sentences)
        assert len(shared) == (one.heading == two.heading)


def test_short_sections_are_joined_with_their_headings() -> None:
    last = passages(document(SECTIONED), count=words, size=100)[-1]
    assert last.text.startswith("A note\n\nIt was short.\n\n### Another note")
    assert last.text.endswith("## Nothing here")
    assert last.heading == "The harbour"
    assert [s.is_heading for s in last.sentences] == [True, False, True, False, True]


def test_the_title_of_front_matter_leads_the_heading() -> None:
    found = document("---\ntitle: The harbour\n---\n\nIt was dredged.\n\n## Later\n\nIt closed.")
    assert passages(found)[0].heading == "The harbour"


def test_a_document_of_headings_alone_has_a_passage() -> None:
    (only,) = passages(document("# One\n\n## Two\n\n## Three"))
    assert only.text == "Two\n\n## Three"
    assert only.heading == "One"


def test_a_long_sentence_is_no_reason_to_cut_or_to_share_it() -> None:
    long = "The harbour " + "and the quay " * 40 + "closed."
    found = passages(document(f"It opened. {long} {long} It is gone."), count=words, size=60)
    assert [len(p.sentences) for p in found] == [1, 1, 1, 1]


def test_the_estimate_of_tokens_is_not_far_off_for_any_script() -> None:
    assert len(passages(document("The harbour was dredged. " * 100))) in range(4, 8)
    assert len(passages(document("港口已经疏浚了。" * 100))) in range(4, 10)
    assert len(passages(document("x" * 100_000))) > 50


def test_the_built_in_corpus_splits_into_passages_that_the_embedder_takes() -> None:
    for id, path in find([BUILT_IN]):
        found = passages(read(path, id))
        assert all(40 <= words(p.text) <= 150 for p in found), id
        assert all(p.heading for p in found)


# --- properties

FRAGMENTS = st.sampled_from(
    [
        *[
            "The port opened.",
            "He said “no.”",
            "Mr. A. B. Smith",
            "3.14",
            "U.S.",
            "wait…",
            "?!",
            "។",
        ],
        *[
            "终于。",
            "e\u0301",
            "\u00a0",
            "🏴‍☠️",
            "x" * 700,
            "a b, " * 300,
            "“",
            ")",
            "...",
            "i.e.",
            "ok",
        ],
        *[" ", " ", "\n", "\n", "\n\n", "\r\n", "\r\n\r\n", "\t", "\u2028", "\f", "  \n"],
    ]
)
MARKS = st.sampled_from(
    [
        "# ",
        "## ",
        "- ",
        "* ",
        "1. ",
        "> ",
        "| ",
        " | ",
        "|",
        "```",
        "~~~",
        "---",
        "===",
        "***",
        "|-|",
    ]
)
PROSE = st.lists(FRAGMENTS, max_size=40).map("".join)
ODD = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=8)
MARKDOWN = st.lists(FRAGMENTS | MARKS | ODD, max_size=40).map("".join)
MARKUP = set("#-*+•‣◦▪>|=_~`:.)0123456789")


def covered(found: Document) -> str:
    """The text with the characters of its sentences made spaces."""
    rest = list(found.text)
    end = 0
    for sentence in sentences(found):
        span = sentence.span
        piece = span.of(found.text)
        assert piece
        assert piece == piece.strip()
        assert len(piece) <= 1000
        assert end <= span.start
        end = span.end
        rest[span.start : span.end] = " " * len(span)
    return "".join(rest)


@given(PROSE)
def test_every_character_of_prose_is_in_exactly_one_sentence(text: str) -> None:
    assert not covered(document(f"Start {text}")).strip()


@given(MARKDOWN)
def test_only_markup_is_in_no_sentence(text: str) -> None:
    for line in covered(document(f"Start {text}")).split("\n"):
        fence = line.strip().startswith(("```", "~~~"))
        assert fence or set(line) <= MARKUP | {" ", "\t"}, line


@given(st.text(min_size=1))
def test_no_text_is_too_odd_to_split(text: str) -> None:
    found = Document("a.md", "0" * 64, "", text)
    covered(found)
    passages(found)


@given(MARKDOWN, st.integers(5, 200))
def test_passages_hold_every_sentence_and_their_words_are_the_document_s(
    text: str, size: int
) -> None:
    found = document(f"Start {text}")
    all_sentences = sentences(found)
    body = {s for s in all_sentences if not s.is_heading}
    made = passages(found, size=size)
    assert made
    assert body <= {s for p in made for s in p.sentences}
    assert len({p.id for p in made}) == len(made)
    starts = [p.span.start for p in made]
    assert starts == sorted(starts)
    for p in made:
        assert p.span == Span(p.sentences[0].span.start, p.sentences[-1].span.end)
        first = all_sentences.index(p.sentences[0])
        assert p.sentences == all_sentences[first : first + len(p.sentences)]


@given(PROSE, st.integers(2, 6))
def test_repeated_text_has_its_offsets_each_time(text: str, times: int) -> None:
    found = document("\n\n".join([f"Start {text}", *["It is so. It is so."] * times]))
    spans = [s.span for s in sentences(found) if s.span.of(found.text) == "It is so."]
    assert len(spans) >= 2 * times
    assert len(set(spans)) == len(spans)


@given(PROSE)
def test_line_ends_make_no_difference(text: str) -> None:
    text = text.replace("\r", "")
    assert document(f"Start {text}") == document(f"Start {text}".replace("\n", "\r\n"))


@pytest.mark.parametrize(
    "hostile",
    [
        *["x", "word ", ". a", "a. ", "! a", "a\n", "a\n\n", 'a."', "(", "a (", "[", "* a ", "_"],
        *[
            "# ",
            "# a\n",
            "> ",
            "| ",
            "|-",
            "- ",
            "```\n",
            "```a\n",
            "~~~a\n\n",
            "。a",
            "ក",
            "\u0301",
        ],
        *["1.", "1. ", "“a!” Aa Bb Cc ", "a" + " " * 500, "---\na: b\n", "a, ", "[a](", "A B.\n\n"],
    ],
)
def test_splitting_is_linear_in_the_text(hostile: str) -> None:
    found = Document("a.md", "0" * 64, "", hostile * (200_000 // len(hostile)))
    started = time.process_time()
    sentences(found)
    assert time.process_time() - started < 5  # it is a tenth of that; quadratic would be minutes


def test_what_stands_around_a_passage_is_whole_sentences_within_the_room() -> None:
    text = " ".join(f"Sentence number {n} says a little of its own." for n in range(200))
    passage = passages(document(text), size=40)[30]
    wide = around(passage, 600)
    assert wide.start < passage.span.start < passage.span.end < wide.end
    assert 500 < wide.end - wide.start <= 600
    assert wide.of(text).startswith("Sentence")
    assert wide.of(text).endswith("own.")
    assert around(passage, 10) == passage.span
    first = passages(document(text), size=40)[0]
    assert around(first, 10**6).of(text) == text
