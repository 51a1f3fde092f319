"""Files of every format, made by real writers: what the tests of reading read."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any

from docx import Document as Docx
from fpdf import FPDF
from openpyxl import Workbook
from openpyxl.styles import Font
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.pdfgen import canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Frame,
    FrameBreak,
    ListFlowable,
    ListItem,
    PageBreak,
    PageTemplate,
    Paragraph,
    SimpleDocTemplate,
    Table,
)

STYLES = getSampleStyleSheet()
BODY = STYLES["BodyText"]
SILT = (
    "The harbour authority measured the depth of the channel each spring between 2011 and 2019. In"
    " those years the silt grew by about eleven centimetres a year, and in 2017 the ferry to the"
    " island ran aground twice. The authority therefore asked the ministry for a dredger, which"
    " came in March 2018 and left in June. "
)
SHIPS = [["Year", "Ships", "Tonnes landed"], ["2016", "412", "17,700"], ["2017", "398", "16,210"]]


# --- PDF


def _letterhead(page: Any, document: Any) -> None:
    page.saveState()
    page.setFont("Helvetica", 8)
    page.drawString(60, 820, "Harbour Authority of Kep – Annual report")
    page.drawCentredString(300, 30, f"Page {document.page} of 5")
    page.restoreState()


@cache
def report_pdf() -> bytes:
    """A report: headings, a table, lists, notes, a head and a foot on each page, three pages."""
    file = io.BytesIO()
    small = ParagraphStyle("small", fontSize=7, leading=9)
    made = SimpleDocTemplate(
        file, pagesize=A4, title="Annual report of the harbour", author="Harbour Authority"
    )
    story = [
        Paragraph("Annual report 2018", STYLES["Title"]),
        Paragraph("Summary", STYLES["Heading1"]),
        Paragraph(SILT * 2, BODY),
        Paragraph("Traffic", STYLES["Heading2"]),
        Paragraph("In total 17,700<super>2</super> tonnes were landed by ship.", BODY),
        Table(SHIPS),
        ListFlowable(
            [
                ListItem(
                    Paragraph(
                        "The east pier was closed for four months while its piles were replaced,"
                        " which cost more than was planned for the whole year.",
                        BODY,
                    )
                ),
                ListItem(Paragraph("Two lights were added at the west pier.", BODY)),
            ],
            bulletType="bullet",
        ),
        Paragraph("<super>2</super> Counted by the pilot office.", small),
        PageBreak(),
        Paragraph("Money", STYLES["Heading1"]),
        Paragraph("The fee for a berth was raised to 45 dollars a night in April 2018.", BODY),
        PageBreak(),
        Paragraph("Outlook", STYLES["Heading1"]),
        Paragraph("The next dredging is planned for the spring of 2024.", BODY),
    ]
    made.build(story, onFirstPage=_letterhead, onLaterPages=_letterhead)
    return file.getvalue()


BOATS = [
    f"Sentence {i} says that {i * 7} boats lay in the basin that winter and what their owners paid."
    for i in range(70)
]


@cache
def columns_pdf() -> bytes:
    """Two columns below a title that crosses both, over two pages."""
    file = io.BytesIO()
    made = BaseDocTemplate(file, pagesize=A4)
    frames = [
        Frame(50, 700, 495, 100, id="top"),
        Frame(50, 60, 240, 640, id="left"),
        Frame(305, 60, 240, 640, id="right"),
    ]
    made.addPageTemplates([PageTemplate(frames=frames, onPage=_letterhead)])
    title = Paragraph("A study of boats in two columns", STYLES["Title"])
    text = [Paragraph(" ".join(BOATS[i : i + 5]), BODY) for i in range(0, len(BOATS), 5)]
    made.build([title, FrameBreak(), *text])
    return file.getvalue()


def drawn_pdf(lines: Sequence[tuple[float, float, str]], size: int = 11, **options: Any) -> bytes:
    """Lines at their places on one page, drawn in that order."""
    file = io.BytesIO()
    page = canvas.Canvas(file, pagesize=A4, **options)
    page.setFont("Times-Roman", size)
    for x, y, words in lines:
        page.drawString(x, y, words)
    page.save()
    return file.getvalue()


LEFT = [
    "The fishermen's cooperative bought refrigera-",
    "tion equipment in September for thirteen thou-",
    "sand dollars. It was installed at the landing",
    "place by technicians from the long-term part-",
    "ner, who trained seven people to keep it run-",
    "ning.",
]
RIGHT = [
    "Meanwhile the schoolteachers held evening",
    "classes in bookkeeping for the members. At-",
    "tendance was disappointing until the cooper-",
    "ative provided transport; then it quadrupled",
    "within a fortnight and stayed there until the",
    "rains.",
]


@cache
def across_pdf() -> bytes:
    """Two columns that the program drew across, line by line."""
    lines = [
        (x, 740 - 14 * i, words)
        for i, pair in enumerate(zip(LEFT, RIGHT, strict=True))
        for x, words in zip((60, 320), pair, strict=True)
    ]
    return drawn_pdf(lines)


def minutes_pdf(**encryption: Any) -> bytes:
    """By another writer, with a paragraph that crosses to the second page."""
    made = FPDF()
    made.set_title("Minutes of the council")
    made.set_author("The clerk")
    made.set_creation_date(datetime(2019, 5, 2))
    if encryption:
        made.set_encryption(**encryption)
    made.add_page()
    made.set_font("Helvetica", "B", 20)
    made.cell(0, 12, "Minutes of the council", new_x="LMARGIN", new_y="NEXT")
    made.set_font("Helvetica", "", 11)
    made.multi_cell(0, 6, SILT * 14, new_x="LMARGIN", new_y="NEXT")
    made.multi_cell(0, 6, "The fee was raised to 45 dollars by nine votes to four.")
    return bytes(made.output())


def scanned_pdf(pages: int = 2, text: str = "") -> bytes:
    """Pages with a picture, and after them one with `text`."""
    from PIL import Image
    from reportlab.lib.utils import ImageReader

    file = io.BytesIO()
    page = canvas.Canvas(file, pagesize=A4)
    for _ in range(pages):
        page.drawImage(ImageReader(Image.new("L", (40, 60), 200)), 0, 0, 595, 842)
        page.showPage()
    if text:
        page.drawString(60, 700, text)
        page.showPage()
    page.save()
    return file.getvalue()


def stamped_pdf(text: str = "", stamp: str = "COPY No 17 RECEIVED", width: float = 595) -> bytes:
    """Two scans with a stamp over each, the second one in a form; after them a page of `text`."""
    from PIL import Image
    from reportlab.lib.utils import ImageReader

    file = io.BytesIO()
    page = canvas.Canvas(file, pagesize=A4)
    strip = ImageReader(Image.new("L", (40, 20), 200))

    def scan() -> None:
        for y in (0, 281, 562):
            page.drawImage(strip, 0, y, width, 281)

    scan()
    page.drawString(400, 800, stamp)
    page.showPage()
    page.beginForm("scan", 0, 0, *A4)
    scan()
    page.endForm()
    page.doForm("scan")
    page.drawString(400, 800, stamp)
    page.showPage()
    if text:
        page.drawString(60, 700, text)
        page.showPage()
    page.save()
    return file.getvalue()


def many_objects_pdf(objects: int = 1_000_000) -> bytes:
    """One page, and as many objects that nobody needs."""
    parts = [
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n",
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n",
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n",
        *(b"%d 0 obj<</A %d 0 R>>endobj\n" % (i, i + 1) for i in range(4, objects)),
        b"trailer<</Root 1 0 R/Size %d>>\n%%%%EOF" % objects,
    ]
    return b"".join(parts)


# --- office


def packed(parts: Mapping[str, str | bytes], data: bytes = b"") -> bytes:
    """A zip archive: the parts of `data`, and these in place of those of the same name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        if data:
            with zipfile.ZipFile(io.BytesIO(data)) as old:
                for name in old.namelist():
                    if name not in parts:
                        archive.writestr(name, old.read(name))
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def unpacked(data: bytes, name: str) -> str:
    """A part of an archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name).decode()


def saved(made: Any) -> bytes:
    """What an office writer writes."""
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


@cache
def report_docx() -> bytes:
    """Headings, lists, a table, properties."""
    made = Docx()
    made.core_properties.title = "Report on the harbour"
    made.core_properties.author = "Maly Chan"
    made.core_properties.created = datetime(2018, 7, 4)
    made.add_heading("The harbour of Kep", 0)
    made.add_heading("Depth", 1)
    made.add_paragraph(SILT)
    made.add_heading("Costs", 2)
    made.add_paragraph("The dredger cost 2.4 million dollars.", style="List Bullet")
    made.add_paragraph("The ministry paid two thirds of it.", style="List Bullet")
    made.add_paragraph("Ask the ministry.", style="List Number")
    table = made.add_table(rows=0, cols=3)
    for row in SHIPS:
        cells = table.add_row().cells
        for cell, words in zip(cells, row, strict=True):
            cell.text = words
    made.add_paragraph("After the table comes the end.")
    return saved(made)


_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


@cache
def changed_docx() -> bytes:
    """Tracked changes, a comment, a footnote and a link, as Word writes them."""
    base = saved(Docx())
    body = f"""<?xml version="1.0" encoding="UTF-8"?><w:document {_W} xmlns:r="{_R}"><w:body>
<w:p><w:r><w:t xml:space="preserve">The fee is </w:t></w:r>
<w:del w:id="1" w:author="A"><w:r><w:delText>30</w:delText></w:r></w:del>
<w:ins w:id="2" w:author="A"><w:r><w:t>45</w:t></w:r></w:ins>
<w:r><w:t xml:space="preserve"> dollars</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r>
<w:r><w:t>.</w:t></w:r></w:p></w:body></w:document>"""
    notes = f"""<?xml version="1.0" encoding="UTF-8"?><w:footnotes {_W}>
<w:footnote w:id="2"><w:p><w:r><w:t>Raised in April 2018.</w:t></w:r></w:p></w:footnote>
</w:footnotes>"""
    relations = unpacked(base, "word/_rels/document.xml.rels").replace(
        "</Relationships>",
        f'<Relationship Id="rId99" Type="{_R}/footnotes" Target="footnotes.xml"/></Relationships>',
    )
    types = unpacked(base, "[Content_Types].xml").replace(
        "</Types>",
        '<Override PartName="/word/footnotes.xml" ContentType="application/vnd.openxmlformats-'
        'officedocument.wordprocessingml.footnotes+xml"/></Types>',
    )
    parts = {
        "word/document.xml": body,
        "word/footnotes.xml": notes,
        "word/_rels/document.xml.rels": relations,
        "[Content_Types].xml": types,
    }
    return packed(parts, base)


@cache
def talk_pptx() -> bytes:
    """Three slides: a title, bullets with notes, a table and a chart."""
    made = Presentation()
    made.core_properties.title = "Dredging the harbour"
    first = made.slides.add_slide(made.slide_layouts[0])
    first.shapes.title.text = "Dredging the harbour"
    first.placeholders[1].text = "A talk for the council"
    second = made.slides.add_slide(made.slide_layouts[1])
    second.shapes.title.text = "What it costs"
    frame = second.placeholders[1].text_frame
    frame.text = "The dredger costs 2.4 million dollars"
    more = frame.add_paragraph()
    more.text, more.level = "Two thirds are paid by the ministry", 1
    second.notes_slide.notes_text_frame.text = "Say that the bids came in March."
    third = made.slides.add_slide(made.slide_layouts[5])
    third.shapes.title.text = "Traffic"
    shape = third.shapes.add_table(3, 3, Inches(1), Inches(2), Inches(6), Inches(1))
    for i, row in enumerate(SHIPS):
        for j, words in enumerate(row):
            shape.table.cell(i, j).text = words
    data = CategoryChartData()
    data.categories = ["2016", "2017"]
    data.add_series("Crab boats", (81, 97))
    third.shapes.add_chart(
        XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(1), Inches(4), Inches(4), Inches(3), data
    )
    return saved(made)


@cache
def ships_xlsx() -> bytes:
    """Two sheets and a hidden one; dates, shares, sums; a line above the table."""
    made = Workbook()
    ships = made.active
    assert ships is not None
    ships.title = "Ships"
    ships.append(["Ships that called at Kep"])
    ships.append([])
    ships.append(["Year", "Ships", "Share", "Income", "Counted"])
    for row in [
        (2016, 17700, 0.25, 1234.5, date(2017, 1, 4)),
        (2017, 16210, 0.305, 99, date(2018, 1, 3)),
    ]:
        ships.append(row)
    for cells in ships["A4:E5"]:
        cells[1].number_format = "#,##0"
        cells[2].number_format = "0.0%"
        cells[3].number_format = '"$"#,##0.00'
        cells[4].number_format = "yyyy-mm-dd"
    crews = made.create_sheet("Crews")
    for line in (["Boat", "Captain"], ["Naga", "Sok Dara"], ["Apsara", "Maly Chan"]):
        crews.append(line)
    for cell in crews[1]:
        cell.font = Font(bold=True)
    secret = made.create_sheet("Hidden")
    secret.append(["Password", "is", "not read"])
    secret.sheet_state = "hidden"
    return saved(made)


# --- the rest

_CHAPTER = """<?xml version="1.0" encoding="utf-8"?>
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body>{}</body></html>"""


def book_epub(**replaced: str | bytes) -> bytes:
    """Two chapters, listed in another order than that of their names."""
    parts: dict[str, str | bytes] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:'
        'container"><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>',
        "OPS/book.opf": '<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc='
        '"http://purl.org/dc/elements/1.1/"><dc:title>The lighthouse</dc:title><dc:creator>Maly'
        " Chan</dc:creator><dc:date>2011-03-05</dc:date></metadata><manifest>"
        '<item id="n" href="nav.xhtml" properties="nav"/>'
        '<item id="a" href="text/b%20one.xhtml"/><item id="b" href="text/a.xhtml"/></manifest>'
        '<spine><itemref idref="n"/><itemref idref="a"/><itemref idref="b"/></spine></package>',
        "OPS/nav.xhtml": _CHAPTER.format("<nav><ol><li>Contents</li></ol></nav>"),
        "OPS/text/b one.xhtml": _CHAPTER.format(
            "<h1>The storm</h1><p>The lamp went out at four o’clock.</p>"
            "<p>Nobody slept&#160;that night.</p>"
        ),
        "OPS/text/a.xhtml": _CHAPTER.format("<h1>The keeper</h1><p>He was called Prak.</p>"),
    }
    return packed(parts | {name.replace("__", "/"): data for name, data in replaced.items()})


RTF = (
    rb"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Arial;}}"
    rb"{\stylesheet{\s1\outlinelevel0 heading 1;}}{\info{\title Harbour rules}{\author Sok}"
    rb"{\creatim\yr2015\mo6\dy9}}\pard\s1\outlinelevel0 Fees\par\pard "
    rb"A berth in the caf\'e9 basin costs 45 dollars a night.\par {\f1 \'cf\'ee\'f0\'f2} "
    rb"\u8220?quoted\u8221?\par\pard{\pntext\f0\'b7\tab}No nets.\par{\pntext\f0\'b7\tab}No fires."
    rb"\par\trowd\cellx1000\cellx2000\intbl Year\cell Ships\cell\row\intbl 2016\cell 412\cell\row"
    rb"\pard The end.\par}"
)

CSV = 'Year,Arrested,Place\n2016,"17,700",Kep\n2017,"16,210","Kampot, old town"\n'

NEWS = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
<title>Harbour to be dredged in March | The Coast Herald</title>
<meta property="og:title" content="Harbour to be dredged in March">
<meta name="author" content="Maly Chan">
<meta property="article:published_time" content="2018-02-03T08:00:00+07:00">
<script>var hidden = "tracking";</script></head><body>
<div id="cookie-banner"><p>We value your privacy. We and our 843 partners store cookies.</p>
<button>Accept all</button></div>
<header><nav><ul><li><a href="/news">News</a></li><li><a href="/s">Subscribe now</a></li></ul></nav>
</header><main><article><h1>Harbour to be dredged in March</h1>
<p>The harbour of Kep will be closed to large ships from <b>1 March 2018</b> until the end of June
while a dredger removes 240,000 cubic metres of mud, the harbour authority said on Friday.</p>
<h2>Why now</h2>
<p>The ferry ran aground twice last year. &ldquo;We could not wait any longer,&rdquo; said the
harbour master, Sok Dara.</p>
<ul><li>The work will cost 2.4 million dollars.</li><li>The ministry pays two thirds.</li></ul>
<table><tr><th>Year</th><th>Ships</th></tr><tr><td>2016</td><td>412</td></tr>
<tr><td>2017</td><td>398</td></tr></table>
<p>Fishermen fear for the crab season, which begins in May. Their cooperative has asked for 80
dollars a boat and week.</p></article>
<aside><h3>Most read</h3><ol><li><a href="/a">Ten recipes for crab</a></li></ol></aside>
<section class="comments"><h3>Comments (2)</h3><p>user77: total disgrace!!!</p></section></main>
<footer><p>Copyright 2018 The Coast Herald. <a href="/terms">Terms</a></p></footer></body></html>"""

STORIES = [
    {"title": "The storm", "text": "The lamp went out at four.", "date": "2018-02-03", "views": 12},
    {"title": "The keeper", "text": "He was called Prak.", "tags": ["sea", "light"]},
]

# One of each kind: its name, and how it is made.
GOOD: Mapping[str, Callable[[], bytes]] = {
    "report.pdf": report_pdf,
    "columns.pdf": columns_pdf,
    "across.pdf": across_pdf,
    "minutes.pdf": minutes_pdf,
    "report.docx": report_docx,
    "changed.docx": changed_docx,
    "talk.pptx": talk_pptx,
    "ships.xlsx": ships_xlsx,
    "book.epub": book_epub,
    "rules.rtf": lambda: RTF,
    "arrests.csv": CSV.encode,
    "news.html": NEWS.encode,
    "stories.json": lambda: json.dumps(STORIES).encode(),
    "stories.jsonl": lambda: "\n".join(map(json.dumps, STORIES)).encode(),
}
