"""What is read from a real file of each format."""

import json
from datetime import date, datetime, time
from functools import cache

import pytest
from openpyxl import Workbook

from corpus.errors import UnreadableDocument
from corpus.read import read_bytes
from corpus.split import passages, sentences
from corpus.text import normalise
from corpus.types import Document, Span
from tests import real_files
from tests.real_files import GOOD, NEWS, RTF, drawn_pdf, packed, saved


@cache
def read(name: str) -> Document:
    return read_bytes(GOOD[name](), name)


def text_of(data: bytes | str, name: str) -> str:
    return read_bytes(data.encode() if isinstance(data, str) else data, name).text


def page_of(document: Document, words: str) -> int | None:
    start = document.text.index(words)
    return document.page_of(Span(start, start + len(words)))


@pytest.mark.parametrize("name", GOOD)
def test_every_format_gives_normalised_text_that_splits_exactly(name: str) -> None:
    document = read(name)
    assert normalise(document.text) == document.text
    assert document.markdown
    for passage in passages(document):
        assert passage.text == document.text[passage.span.start : passage.span.end]
    covered = "".join(sentence.span.of(document.text) for sentence in sentences(document))
    assert len(covered) > 0.8 * len("".join(document.text.split()))
    ends = [page.end for page in document.pages]
    assert [page.start for page in document.pages] == ([0, *ends[:-1]] if ends else [])
    assert ends[-1:] in ([], [len(document.text)])


# --- PDF


def test_a_report_keeps_its_headings_lists_tables_notes_and_pages() -> None:
    document = read("report.pdf")
    assert document.title == "Annual report of the harbour"
    assert document.metadata["author"] == "Harbour Authority"
    lines = document.text.split("\n")
    assert [line for line in lines if line.startswith("#")] == [
        "# Annual report 2018",
        "# Summary",
        "## Traffic",
        "# Money",
        "# Outlook",
    ]
    assert "- Year: 2017; Ships: 398; Tonnes landed: 16,210." in lines
    assert "- Two lights were added at the west pier." in lines
    assert any(line.endswith("more than was planned for the whole year.") for line in lines)
    assert "In total 17,700² tonnes were landed by ship." in lines
    assert "² Counted by the pilot office." in lines
    assert real_files.SILT.strip() in document.text
    assert "Page " not in document.text
    assert "Harbour Authority of Kep" not in document.text
    assert [page_of(document, words) for words in ("17,700²", "45 dollars", "2024")] == [1, 2, 3]


def test_two_columns_are_read_one_after_the_other() -> None:
    document = read("columns.pdf")
    assert document.text.startswith("# A study of boats in two columns\n\nSentence 0 says")
    flowing = " ".join(document.text.split())
    at = [flowing.index(sentence) for sentence in real_files.BOATS]
    assert at == sorted(at)
    assert len(document.pages) == 2


def test_columns_drawn_across_are_parted_and_their_words_made_whole() -> None:
    left, right = read("across.pdf").text.split("\n\n")
    assert left == (
        "The fishermen's cooperative bought refrigeration equipment in September for thirteen"
        " thousand dollars. It was installed at the landing place by technicians from the"
        " long-term partner, who trained seven people to keep it running."
    )
    assert right.startswith("Meanwhile the schoolteachers held")
    assert "members. Attendance was disappointing until the cooperative provided" in right


def test_a_paragraph_that_crosses_a_page_is_one_paragraph() -> None:
    document = read("minutes.pdf")
    assert document.text.count("\n\n") == 2  # the heading, the long paragraph, the decision
    assert document.metadata == {
        "title": "Minutes of the council",
        "author": "The clerk",
        "date": "2019-05-02",
    }
    first, second = document.pages
    assert first.end == second.start > 500
    assert page_of(document, "nine votes to four") == 2


def test_words_parted_at_the_end_of_a_page_stand_whole_on_the_first() -> None:
    file = real_files.io.BytesIO()
    page = real_files.canvas.Canvas(file)
    for i in range(8):
        page.drawString(60, 400 - 14 * i, "The harbour was dredged in the long dry season of that")
    page.drawString(60, 288, "year, when the water was low and every man was at lei-")
    page.showPage()
    page.drawString(60, 800, "sure to help with the work, which lasted for nine weeks in all.")
    page.save()
    document = read_bytes(file.getvalue(), "a.pdf")
    assert "at leisure to help" in document.text
    assert page_of(document, "leisure") == 1
    assert page_of(document, "nine weeks") == 2


def test_a_page_is_read_in_its_own_direction() -> None:
    file = real_files.io.BytesIO()
    page = real_files.canvas.Canvas(file)
    page.rotate(90)
    page.drawString(100, -300, "The table on this page is turned,")
    page.drawString(100, -314, "so that it has room.")
    page.save()
    assert (
        text_of(file.getvalue(), "a.pdf")
        == "The table on this page is turned, so that it has room."
    )


def test_titles_that_programs_make_up_are_none() -> None:
    for title in ("Microsoft Word - Document1", "untitled", "(anonymous)", "report_v3.docx", "7"):
        file = real_files.io.BytesIO()
        page = real_files.canvas.Canvas(file)
        page.setTitle(title)
        page.drawString(60, 700, "The harbour was dredged in 2018.")
        page.save()
        document = read_bytes(file.getvalue(), "old-port.pdf")
        assert (document.title, "title" in document.metadata) == ("Old port", False)
    kept = real_files.canvas.Canvas(file := real_files.io.BytesIO())
    kept.setTitle("Microsoft Word - The harbour of Kep")
    kept.drawString(60, 700, "The harbour was dredged in 2018.")
    kept.save()
    assert read_bytes(file.getvalue(), "a.pdf").title == "The harbour of Kep"


def test_pages_without_text_are_named() -> None:
    document = read_bytes(real_files.scanned_pdf(2, "The third page has words."), "a.pdf")
    assert document.metadata["unread"] == "no text on pages 1–2 (scanned, or drawn)"
    assert page_of(document, "third") == 3


def test_a_scan_with_a_stamp_has_no_text() -> None:
    document = read_bytes(real_files.stamped_pdf("The third page has words."), "a.pdf")
    assert document.metadata["unread"] == "no text on pages 1–2 (scanned, or drawn)"
    assert page_of(document, "third") == 3
    with pytest.raises(UnreadableDocument, match="holds no text: it is scanned"):
        read_bytes(real_files.stamped_pdf(), "a.pdf")


def test_a_picture_with_words_is_no_scan() -> None:
    said = "The ferry to the island ran aground."
    for made in (
        real_files.stamped_pdf(said, width=290),
        real_files.stamped_pdf(said, stamp="The harbour was dredged in March 2018."),
    ):
        assert "unread" not in read_bytes(made, "a.pdf").metadata


def test_the_text_of_a_record_is_a_known_field_or_the_longest() -> None:
    long = "The keeper lit the lantern each evening at six, and in the winter already at four, "
    long += "until the tower was closed in 1974."
    records = [
        {"title": "Known", "remarks": long, "content": "It hung in the tower.", "year": 1970},
        {"title": "Longest", "source": "The archive of Kep", "Remarks": long, "year": 1974},
        {"name": "Naga", "remarks": "Built in Kampot.", "year": 1981},
    ]
    for data, id in (
        (json.dumps(records), "a.json"),
        ("\n".join(map(json.dumps, records)), "a.jsonl"),
    ):
        parts = read_bytes(data.encode(), id).text.split("\n\n")
        assert parts == [
            *("## Known", "It hung in the tower.", f"remarks: {long}; year: 1970."),
            *("## Longest", long, "source: The archive of Kep; year: 1974."),
            "- name: Naga; remarks: Built in Kampot.; year: 1981.",
        ]


def raw_pdf(content: bytes) -> bytes:
    """A page that draws with a font in which 256 octal is the ligature of f and i."""
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
        b"/Resources<</Font<</F 5 0 R>>>>>>endobj\n"
        b"4 0 obj<</Length " + str(len(content)).encode() + b">>stream\n" + content + b"\nendstream"
        b" endobj\n5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Times-Roman/Encoding"
        b"<</Type/Encoding/Differences[174/fi/fl]>>>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
    )


def test_a_ligature_is_its_letters() -> None:
    text = text_of(
        raw_pdf(b"BT /F 12 Tf 60 700 Td (A speci\\256cation of \\257oods.) Tj ET"), "a.pdf"
    )
    assert text == "A specification of floods."


Line = tuple[float, float, str]


def pages_pdf(pages: list[list[Line]], fonts: dict[str, tuple[str, int]] | None = None) -> bytes:
    """Lines on pages; those that begin with a key of `fonts` are set in that font."""
    file = real_files.io.BytesIO()
    page = real_files.canvas.Canvas(file)
    for lines in pages:
        for x, y, words in lines:
            marks = [font for start, font in (fonts or {}).items() if words.startswith(start)]
            page.setFont(*(marks[0] if marks else ("Times-Roman", 11)))
            page.drawString(x, y, words)
        page.showPage()
    page.save()
    return file.getvalue()


def prose(number: int, y: float = 700) -> list[Line]:
    words = f"On day {number} the pilots counted the boats that came in before the rain,"
    return [(60, y, words), (60, y - 14, "and wrote their number down in the book of the port.")]


def test_heads_feet_and_page_numbers_are_dropped_wherever_they_are_alike() -> None:
    names = ["Boats"] * 4 + ["Crews"] * 4
    pages: list[list[Line]] = [
        [(60, 800, f"Chapter of {name}"), (500, 800, str(i + 7)), *prose(i)]
        for i, name in enumerate(names)
    ]
    text = text_of(pages_pdf(pages), "a.pdf")
    assert "Chapter" not in text
    assert text.count("On day") == text.count("book of the port.") == 8
    assert len(text.split("\n\n")) == 8


def test_pages_that_begin_alike_keep_what_they_say() -> None:
    """As in letters to many people, also where the text begins at the very top."""
    pages = [prose(i, 770) for i in range(8)]
    assert text_of(pages_pdf(pages), "a.pdf").count("book of the port.") == 8


def test_a_number_in_the_text_is_no_page_number() -> None:
    pages = [[*prose(1), (60, 500, "412")], [*prose(2), (60, 480, "398")]]
    text = text_of(pages_pdf(pages), "a.pdf")
    assert "412" in text
    assert "398" in text


def test_headings_are_told_by_size_and_weight_and_contents_are_left_out() -> None:
    lines: list[Line] = [
        (60, 780, "The port of Kep"),
        (60, 740, "1 Boats . . . . . . . . . . . . . . . . . . . 3"),
        (60, 720, "2 Crews . . . . . . . . . . . . . . . . . . . 9"),
        (60, 680, "1 Boats"),
        *prose(1, 650),
        (60, 600, "Small boats"),
        *prose(2, 580),
        (60, 530, "Bold words begin a line that is none."),
        *prose(3, 500),
    ]
    fonts = {
        "The port": ("Times-Roman", 20),
        "1 Boats": ("Times-Bold", 14),
        "Small": ("Times-Bold", 11),
    }
    text = text_of(pages_pdf([lines], fonts), "a.pdf")
    headings = [line for line in text.split("\n") if line.startswith("#")]
    assert headings == ["# The port of Kep", "## 1 Boats", "### Small boats"]
    assert ". . ." not in text


def test_a_note_does_not_part_a_sentence_that_goes_on_overleaf() -> None:
    first: list[Line] = [
        *prose(1),
        (60, 600, "The harbour master wrote to the ministry in the spring of that year and asked"),
        (60, 586, "for a dredger, since the ferry could no longer reach the pier at low water and"),
        (60, 100, "1 The letter is kept in the archive of the province, in box nine."),
    ]
    second: list[Line] = [
        (60, 700, "the fishermen had to wade. The answer came in June."),
        *prose(2, 660),
    ]
    document = read_bytes(pages_pdf([first, second], {"1 The": ("Times-Roman", 8)}), "a.pdf")
    assert "at low water and the fishermen had to wade. The answer" in document.text
    assert page_of(document, "The letter is kept") == 1
    assert page_of(document, "the fishermen had to wade") == 2


def test_cells_that_wrap_stay_together() -> None:
    lines: list[Line] = [
        *prose(1, 780),
        (60, 700, "Place"),
        (200, 700, "Owner"),
        (400, 700, "Boats"),
        (60, 680, "Kep"),
        (200, 680, "The cooperative of"),
        (400, 680, "41"),
        (200, 668, "the eastern shore"),
        (60, 648, "Kampot"),
        (200, 648, "The province"),
        (400, 648, "17"),
        *prose(2, 600),
    ]
    text = text_of(pages_pdf([lines]), "a.pdf")
    assert "- Place: Kep; Owner: The cooperative of the eastern shore; Boats: 41.\n" in text
    assert "- Place: Kampot; Owner: The province; Boats: 17.\n" in text


def test_a_protected_file_that_everybody_may_read_is_read() -> None:
    data = real_files.minutes_pdf(owner_password="secret")
    assert "nine votes to four" in text_of(data, "a.pdf")


# --- office


def test_a_word_document_keeps_its_headings_lists_and_tables() -> None:
    document = read("report.docx")
    assert document.text == (
        f"# The harbour of Kep\n\n# Depth\n\n{real_files.SILT.strip()}\n\n## Costs\n\n"
        "- The dredger cost 2.4 million dollars.\n- The ministry paid two thirds of it.\n\n"
        "1. Ask the ministry.\n\n"
        "- Year: 2016; Ships: 412; Tonnes landed: 17,700.\n"
        "- Year: 2017; Ships: 398; Tonnes landed: 16,210.\n\n"
        "After the table comes the end."
    )
    assert document.title == "Report on the harbour"
    assert document.metadata == {
        "title": "Report on the harbour",
        "author": "Maly Chan",
        "date": "2018-07-04",
    }


def test_deleted_words_are_gone_inserted_ones_are_there_and_notes_follow() -> None:
    assert read("changed.docx").text == "The fee is 45 dollars[1].\n\n1. Raised in April 2018."


def test_slides_are_pages() -> None:
    document = read("talk.pptx")
    assert document.text == (
        "# Dredging the harbour\n\nA talk for the council\n\n"
        "## What it costs\n\n- The dredger costs 2.4 million dollars\n"
        "  - Two thirds are paid by the ministry\n\n### Notes\n\nSay that the bids came in March."
        "\n\n## Traffic\n\n- Year: 2016; Ships: 412; Tonnes landed: 17,700.\n"
        "- Year: 2017; Ships: 398; Tonnes landed: 16,210.\n\n"
        "- 2016; Crab boats: 81.\n- 2017; Crab boats: 97."
    )
    assert [page_of(document, words) for words in ("council", "bids", "Crab boats: 97")] == [
        1,
        2,
        3,
    ]


def test_a_row_of_a_sheet_reads_as_a_sentence_of_header_and_value() -> None:
    assert read("ships.xlsx").text == (
        "## Ships\n\nShips that called at Kep\n\n"
        "- Year: 2016; Ships: 17,700; Share: 25.0%; Income: $1,234.50; Counted: 2017-01-04.\n"
        "- Year: 2017; Ships: 16,210; Share: 30.5%; Income: $99.00; Counted: 2018-01-03.\n\n"
        "## Crews\n\n- Boat: Naga; Captain: Sok Dara.\n- Boat: Apsara; Captain: Maly Chan."
    )


@pytest.mark.parametrize(
    ("value", "form", "shown"),
    [
        (1234567.891, "#,##0.00", "1,234,567.89"),
        (0.5, "0%", "50%"),
        (-3.5, "0.0", "-3.5"),
        (-1200, "#,##0;(#,##0)", "(1,200)"),
        (12, '0 "kg"', "12 kg"),
        (7, "000", "007"),
        (2.5, "[$€-407] #,##0.00", "€ 2.50"),
        (0.1 + 0.2, "General", "0.3"),
        (3.0, "General", "3"),
        (1500000, '0.0,,"M"', "1.5M"),
        (2.5, "0.##", "2.5"),
        (2.0, "0.##", "2"),
        (True, "General", "yes"),
        (datetime(2018, 3, 1, 9, 30), "yyyy-mm-dd hh:mm", "2018-03-01 09:30"),
        (datetime(2018, 3, 1), "dd/mm/yyyy", "2018-03-01"),
        (date(2018, 3, 1), "d mmm yy", "2018-03-01"),
        (time(9, 5), "hh:mm", "09:05"),
        ("  words ", "General", "words"),
    ],
)
def test_values_look_as_in_the_sheet(value: object, form: str, shown: str) -> None:
    made = Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.append(["Name", "Value", "Note"])
    sheet.append(["a", value, "b"])
    sheet["B2"].number_format = form
    assert text_of(saved(made), "a.xlsx") == f"- Name: a; Value: {shown}; Note: b."


# --- tables in text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (
            "Year;Ships\n2016;412\n2017;398\n",
            "- Year: 2016; Ships: 412.\n- Year: 2017; Ships: 398.",
        ),
        ("Year\tShips\n2016\t412\n", "- Year: 2016; Ships: 412."),
        ("sep=|\nYear|Ships\n2016|412\n", "- Year: 2016; Ships: 412."),
        ("Boat,Captain\nNaga,Sok\n", "- Boat: Naga; Captain: Sok."),
        ("2016,412\n2017,398\n", "- 2016: 412.\n- 2017: 398."),
        ('a,b\n"x, ""y""\nz",\n', '- a: x, "y" z.'),
        ("Ships at Kep\n\nYear,Ships\n2016,412\n", "Ships at Kep\n\n- Year: 2016; Ships: 412."),
        ("Café,Prix\nKep,3\n", "- Café: Kep; Prix: 3."),
        ("Name,2016,2017\nShips,412,398\n", "- Name: Ships; 2016: 412; 2017: 398."),
        ("word\nother\n", "- word.\n- other."),
    ],
)
def test_delimited_text(data: str, text: str) -> None:
    assert text_of(data, "a.csv") == text
    assert text_of(data.encode("cp1252"), "a.csv") == text


def test_a_table_is_called_after_its_file() -> None:
    assert read_bytes(b"Year,Ships\n2016,412\n", "sea/ships_at-kep.csv").title == "Ships at kep"


# --- web pages


def test_a_page_is_read_as_its_article_alone() -> None:
    document = read("news.html")
    assert document.text == (
        "# Harbour to be dredged in March\n\n"
        "The harbour of Kep will be closed to large ships from 1 March 2018 until the end of June"
        " while a dredger removes 240,000 cubic metres of mud, the harbour authority said on"
        " Friday.\n\n## Why now\n\n"
        "The ferry ran aground twice last year. “We could not wait any longer,” said the harbour"
        " master, Sok Dara.\n\n"
        "- The work will cost 2.4 million dollars.\n- The ministry pays two thirds.\n\n"
        "- Year: 2016; Ships: 412.\n- Year: 2017; Ships: 398.\n\n"
        "Fishermen fear for the crab season, which begins in May. Their cooperative has asked for"
        " 80 dollars a boat and week."
    )
    assert document.metadata == {
        "title": "Harbour to be dredged in March",
        "author": "Maly Chan",
        "date": "2018-02-03",
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_a_page_in_another_encoding(encoding: str) -> None:
    data = NEWS.replace('<meta charset="utf-8">', "").encode(encoding)
    assert "“We could" in text_of(data, "a.html")


def test_a_page_says_its_encoding() -> None:
    page = '<html><head><meta charset="koi8-r"></head><body><p>Порт закрыт до июня.</p></body>'
    assert text_of(page.encode("koi8-r"), "a.html") == "Порт закрыт до июня."


def test_what_an_article_finder_would_leave_out_is_kept() -> None:
    page = (
        "<html><body><h1>Pump manual</h1><p>Short.</p><ol><li>Open the valve.</li>"
        "<li>Press the button.</li></ol><dl><dt>E1</dt><dd>The tank is empty.</dd></dl>"
        "<pre>pump --start\n  --now</pre><p>H<sub>2</sub>O, 5 m<sup>2</sup>.</p>"
        "<div hidden>secret</div></body></html>"
    )
    assert text_of(page, "a.html") == (
        "# Pump manual\n\nShort.\n\n1. Open the valve.\n2. Press the button.\n\n"
        "E1: The tank is empty.\n\n```\npump --start\n  --now\n```\n\nH2O, 5 m²."
    )


@pytest.mark.parametrize(
    ("page", "text"),
    [
        (
            "<main><h1>Questions</h1><details><summary>What is the fee?</summary><p>45 dollars.</p>"
            "</details><p>Phone: 012<br>Mail: a@b.example</p></main><nav>Home</nav>",
            "# Questions\n\nWhat is the fee?\n\n45 dollars.\n\nPhone: 012\nMail: a@b.example",
        ),
        (
            "<table><tr><th colspan=2>Kep</th></tr><tr><th>Country</th><td>Cambodia</td></tr>"
            "<tr><th>Population</th><td>38,701</td></tr></table>",
            "Kep\n\n- Country: Cambodia.\n- Population: 38,701.",
        ),
        (
            "<h2>Fees<span class=mw-editsection>[edit]</span></h2><p>None.<o:p></o:p></p>",
            "## Fees\n\nNone.",
        ),
        (
            "<div class=cookie-notice>We store cookies.</div><p>One.</p><footer>All</footer>",
            "One.",
        ),
        (
            "<table><tr><td><p>Only for</p></td></tr><tr><td>the layout.</td></tr></table>",
            "Only for\n\nthe layout.",
        ),
        (
            "<ul><li>One<ul><li>two</li></ul></li><li><p>Three</p><p>four</p></li></ul>",
            "- One\n  - two\n- Three\n\nfour",
        ),
        ("<blockquote>Mud it only gives.</blockquote>", "> Mud it only gives."),
    ],
)
def test_pages_of_many_shapes(page: str, text: str) -> None:
    assert text_of(f"<html><body>{page}</body></html>", "a.html") == text


# --- books, RTF, JSON


def test_a_book_is_read_in_the_order_of_its_spine() -> None:
    document = read("book.epub")
    assert document.text == (
        "# The storm\n\nThe lamp went out at four o’clock.\n\nNobody slept that night.\n\n"
        "# The keeper\n\nHe was called Prak."
    )
    assert (document.title, document.metadata["date"]) == ("The lighthouse", "2011-03-05")


def test_rtf_has_encodings_headings_lists_and_tables() -> None:
    document = read("rules.rtf")
    assert document.text == (
        "# Fees\n\nA berth in the café basin costs 45 dollars a night.\n\nПорт “quoted”\n\n"
        "- No nets.\n- No fires.\n\n- Year: 2016; Ships: 412.\n\nThe end."
    )
    assert (document.title, document.metadata["date"]) == ("Harbour rules", "2015-06-09")
    assert RTF.startswith(b"{")


@pytest.mark.parametrize("name", ["stories.json", "stories.jsonl"])
def test_records_become_sections(name: str) -> None:
    document = read(name)
    assert document.text == (
        "## The storm\n\nThe lamp went out at four.\n\ndate: 2018-02-03; views: 12.\n\n"
        "## The keeper\n\nHe was called Prak.\n\ntags: sea, light."
    )
    assert document.title == "Stories"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            {"headline": "Kep", "articleBody": "It rained.", "author": "Sok", "views": 3},
            "# Kep\n\nIt rained.\n\nauthor: Sok; views: 3.",
        ),
        (
            [{"year": 2016, "ships": 412}, {"year": 2017}],
            "- year: 2016; ships: 412.\n- year: 2017.",
        ),
        (
            {"data": [{"text": "One."}, {"text": "Two."}], "source": "sea"},
            "source: sea.\n\nOne.\n\nTwo.",
        ),
        ({"content": "<p>One.</p><p>Two &amp; three.</p>"}, "One.\n\nTwo & three."),
        ({"text": ["One.", "Two."]}, "One.\n\nTwo."),
        (
            {"birthDate": "1990-01-02", "home_town": {"name": "Kep", "open": True}},
            "birth Date: 1990-01-02; home town name: Kep; home town open: yes.",
        ),
        (["one", "two"], "- one\n- two"),
        ("words", "words"),
        ([1, [2, 3], None], "- 1\n- 2, 3."),
    ],
)
def test_json_of_any_shape(value: object, text: str) -> None:
    assert text_of(json.dumps(value), "a.json") == text


def test_a_single_record_says_title_author_and_date() -> None:
    data = {
        "title": "The storm",
        "by": "x",
        "author": "Maly",
        "published_at": "2018-02-03T10:00Z",
        "text": "It rained.",
    }
    document = read_bytes(json.dumps(data).encode(), "a.json")
    assert document.metadata == {"title": "The storm", "author": "Maly", "date": "2018-02-03"}


def test_a_text_stays_a_text_whatever_is_in_it() -> None:
    document = read_bytes(b"<html><body><p>Words.</p></body></html>", "a.txt")
    assert (document.text, document.markdown) == ("<html><body><p>Words.</p></body></html>", False)
    assert read_bytes(b"# Kep\n\nWords.", "a.md").markdown


def test_an_archive_may_hold_what_it_does_not_use() -> None:
    data = packed({"word/media/a.bin": b"\0" * 1_000_000}, GOOD["report.docx"]())
    assert text_of(data, "a.docx") == read("report.docx").text


def test_lines_of_another_size_are_their_own_paragraphs() -> None:
    lines = [
        (60.0, 700.0 - 14 * i, f"Line {i} of the first paragraph goes on and on and")
        for i in range(3)
    ]
    text = text_of(drawn_pdf([*lines, (60, 630, "The next paragraph stands apart.")]), "a.pdf")
    assert text.count("\n\n") == 1
