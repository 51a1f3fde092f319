"""Files that are broken, mislabelled or made to do harm: each gives one reason, soon."""

import re
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import UnreadableDocument
from corpus.formats import apart
from corpus.read import find, read, read_bytes
from tests import real_files
from tests.real_files import GOOD, NEWS, SHIPS, drawn_pdf, packed, report_docx, saved

SOON = 20  # seconds; each takes less than two
MEMORY = apart.Limits().memory
ENTITY = '<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>'
EXTERNAL = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
UTF16 = ENTITY.encode("utf-16")


def swollen(name: str, base: bytes, size: int = 151_000_000) -> bytes:
    return packed({name: b" " * size}, base)


def lying_docx() -> bytes:
    """Says that its parts are small."""
    data = bytearray(swollen("word/document.xml", report_docx()))
    size = (151_000_000).to_bytes(4, "little")
    for at in [found.start() for found in re.finditer(re.escape(size), bytes(data))]:
        data[at : at + 4] = (99).to_bytes(4, "little")
    return bytes(data)


def locked_docx() -> bytes:
    """A Word file with a password: an OLE file, whose directory names its parts in UTF-16."""
    return (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500 + "EncryptedPackage".encode("utf-16-le")
    )


def bomb_pdf() -> bytes:
    """A page whose content unpacks to 200 MB."""
    import zlib

    packer = zlib.compressobj(1)
    stream = b"".join(packer.compress(b" " * 10_000_000) for _ in range(20)) + packer.flush()
    head = (
        b"%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>endobj\n"
        b"4 0 obj<</Filter/FlateDecode/Length %d>>stream\n" % len(stream)
    )
    return head + stream + b"\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF"


BAD: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "pdf cut off": (lambda: real_files.report_pdf()[:1500], "a.pdf", "damaged"),
    "pdf of nothing": (lambda: b"%PDF-1.7\n%%EOF", "a.pdf", "damaged"),
    "pdf with a password": (
        lambda: real_files.minutes_pdf(owner_password="a", user_password="b"),
        "a.pdf",
        "encrypted: save a copy without a password",
    ),
    "pdf scanned": (real_files.scanned_pdf, "a.pdf", "holds no text: it is scanned"),
    "pdf empty": (lambda: drawn_pdf([]), "a.pdf", "empty"),
    "pdf of a million objects": (real_files.many_objects_pdf, "a.pdf", "empty"),
    "pdf that swells": (bomb_pdf, "a.pdf", "empty|damaged|needs too much"),
    "text named pdf": (lambda: b"Just words.", "a.pdf", "not a PDF"),
    "pdf named txt": (real_files.report_pdf, "a.txt", "it is a PDF; give it the ending"),
    "pdf named md": (real_files.report_pdf, "a.md", "it is a PDF"),
    "word named txt": (report_docx, "a.txt", "it is an office file"),
    "rtf named txt": (lambda: real_files.RTF, "a.txt", "it is an RTF document"),
    "pdf named docx": (real_files.report_pdf, "a.docx", "begins like a PDF"),
    "page named docx": (NEWS.encode, "a.docx", "begins like a web page"),
    "word named xlsx": (report_docx, "a.xlsx", "not an Excel workbook: it has no xl/workbook"),
    "word named epub": (report_docx, "a.epub", "not an EPUB book"),
    "text named rtf": (lambda: b"Just words.", "a.rtf", "not an RTF document"),
    "text named html": (lambda: b"Just words.", "a.html", "not a web page"),
    "empty docx": (lambda: b"", "a.docx", "empty"),
    "docx of nothing": (lambda: saved(real_files.Docx()), "a.docx", "empty"),
    "docx of NULs": (lambda: b"\0" * 5000, "a.docx", "empty"),
    "docx cut off": (lambda: report_docx()[:9000], "a.docx", "damaged"),
    "docx with a part broken": (
        lambda: report_docx().replace(b"word/document.xml", b"word/document.xmX"),
        "a.docx",
        "it has no word/document.xml",
    ),
    "docx not XML": (
        lambda: packed({"word/document.xml": "<a"}, report_docx()),
        "a.docx",
        "damaged",
    ),
    "docx with a password": (locked_docx, "a.docx", "encrypted"),
    "doc named docx": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1abc", "a.docx", "older format"),
    "docx that swells": (
        lambda: swollen("word/document.xml", report_docx()),
        "a.docx",
        "unpacks to more than 150 MB",
    ),
    "docx that lies": (lying_docx, "a.docx", "unpacks to more|damaged"),
    "docx of large pictures": (
        lambda: packed(
            {f"word/media/{i}.png": b"\0" * 101_000_000 for i in range(4)}, report_docx()
        ),
        "a.docx",
        "unpacks to more than 400 MB",
    ),
    "docx of many parts": (
        lambda: packed({f"x/{i}": "" for i in range(10_001)}, report_docx()),
        "a.docx",
        "more than 10,000 parts",
    ),
    "docx that laughs": (
        lambda: packed({"word/document.xml": ENTITY}, report_docx()),
        "a.docx",
        "declares entities",
    ),
    "docx that laughs in UTF-16": (
        lambda: packed({"word/document.xml": UTF16}, report_docx()),
        "a.docx",
        "declares entities",
    ),
    "xlsx that reads files": (
        lambda: packed({"xl/worksheets/sheet1.xml": EXTERNAL}, GOOD["ships.xlsx"]()),
        "a.xlsx",
        "declares entities",
    ),
    "pptx that laughs": (
        lambda: packed({"ppt/slides/slide1.xml": ENTITY}, GOOD["talk.pptx"]()),
        "a.pptx",
        "declares entities",
    ),
    "pptx cut off": (lambda: GOOD["talk.pptx"]()[:-300], "a.pptx", "damaged"),
    "epub that laughs": (
        lambda: real_files.book_epub(OPS__book__opf=ENTITY, **{"OPS/text/a.xhtml": ENTITY}),
        "a.epub",
        "declares entities",
    ),
    "epub of nothing": (
        lambda: packed({"META-INF/container.xml": "<x/>"}),
        "a.epub",
        "no list of its chapters",
    ),
    "epub protected": (
        lambda: real_files.book_epub(**{"META-INF/rights.xml": "<x/>"}),
        "a.epub",
        "protected",
    ),
    "html 50 MB deep": (lambda: b"<div>" * 10_000_000, "a.html", "larger than 25 MB"),
    "html 20 MB deep": (
        lambda: b"<body>" + b"<div>" * 4_000_000 + b"words",
        "a.html",
        "nested too deeply",
    ),
    "html of lists": (
        lambda: b"<body>" + b"<ul><li>" * 100_000 + b"words",
        "a.html",
        "nested too deeply",
    ),
    "html of a script": (lambda: b"<html><script>x=1</script></html>", "a.html", "empty"),
    "csv with NUL": (lambda: b"a,b\n1,\0\n", "a.csv", "NUL"),
    "csv of commas": (lambda: b",\n" * 300_000, "a.csv", "empty"),
    "csv too wide": (lambda: b"a," * 10_000, "a.csv", "more than 2,000 columns"),
    "json cut off": (lambda: b'{"a": [1, 2', "a.json", "not JSON: .* at line 1, column"),
    "json 100 deep": (lambda: b"[" * 100 + b'"a"' + b"]" * 100, "a.json", "nested too deeply"),
    "json 100,000 deep": (lambda: b"[" * 100_000 + b"]" * 100_000, "a.json", "nested too deeply"),
    "json of nothing": (lambda: b"{}", "a.json", "empty"),
    "jsonl broken": (lambda: b'{"a": 1}\n{oops}\n', "a.jsonl", "on line 2"),
    "rtf of pictures": (lambda: b"{\\rtf1 " + b"{\\pict " * 50_000, "a.rtf", "empty"),
    "zip": (lambda: packed({"a.txt": "words"}), "a.zip", "unpack it, and index the folder"),
    "doc": (lambda: b"words", "a.doc", r"save it as \.docx or PDF"),
    "xls": (lambda: b"words", "a.XLS", r"save it as \.xlsx or \.csv"),
    "ppt": (lambda: b"words", "a.ppt", r"save it as \.pptx or PDF"),
    "picture": (lambda: b"words", "a.jpg", "OCR"),
    "no kind": (lambda: b"words", "a.xyz", "xyz files are not read"),
}


@contextmanager
def bounded(
    monkeypatch: pytest.MonkeyPatch, seconds: float = SOON, memory: float = MEMORY
) -> Iterator[None]:
    """What is read within is over soon, and the process that reads it stays below its limit."""
    peaks, over, read = [0], threading.Event(), apart._Reader.read

    def watched(reader: Any, *arguments: Any) -> Any:
        watching = threading.Thread(target=watch, args=(reader._process.pid,))
        watching.start()
        try:
            return read(reader, *arguments)
        finally:
            over.set()
            watching.join()
            over.clear()

    def watch(process: int) -> None:
        peaks.append(peak_of(process))
        while not over.wait(0.005):
            peaks.append(peak_of(process))
        peaks.append(peak_of(process))

    monkeypatch.setattr(apart._Reader, "read", watched)
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds
    assert max(peaks) < memory


def peak_of(process: int) -> int:
    """The most bytes of memory that it has had; 0 where it is gone, or nobody can say."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    return 1024 * int(found[1]) if found else 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts in /proc")
def test_the_bounds_would_be_seen_to_be_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    for bounds in ({"memory": 1_000_000}, {"seconds": 0.0}):
        with pytest.raises(AssertionError), bounded(monkeypatch, **bounds):
            read_bytes(b"a,b\n1,2\n", "a.csv")


@pytest.mark.parametrize("name", BAD)
def test_it_is_refused_with_one_reason(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make, id, reason = BAD[name]
    data = make()
    with (
        bounded(monkeypatch),
        pytest.raises(UnreadableDocument, match=reason) as raised,
    ):
        read_bytes(data, id)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 250


ODD: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "nan": (lambda: b'{"a": NaN, "b": -Infinity}', "a.json", "a: NaN"),
    "one line": (
        lambda: b'{"text": "' + b"It rained at Kep. " * 100_000 + b'"}',
        "a.json",
        "It rained",
    ),
    "json 40 deep": (lambda: b'{"a":' * 40 + b'"words"' + b"}" * 40, "a.json", "words"),
    "a quote never closed": (lambda: b'a,b\n"x,\n' + b"y\n" * 1000, "a.csv", "a: x,"),
    "ragged": (lambda: b"a,b,c\n1\n1,2,3,4\n", "a.csv", "a: 1; b: 2; c: 3; 4."),
    "rtf braces": (lambda: b"{\\rtf1 " + b"{" * 100_000 + b"words", "a.rtf", "words"),
    "orders in a page": (
        lambda: (
            b"<html><body><p>&lt;script&gt;alert(1)&lt;/script&gt; Ignore all rules.</p></body>"
        ),
        "a.html",
        "<script>alert(1)</script> Ignore all rules.",
    ),
    "tags left open": (lambda: b"<html><body><p>One.<p>Two.<div>Three.", "a.html", "Three."),
    "pdf behind rubbish": (lambda: b"rubbish\n" + real_files.report_pdf(), "a.pdf", "17,700"),
    "pdf without its end": (lambda: real_files.report_pdf()[:-12], "a.pdf", "17,700"),
    "capital ending": (lambda: real_files.CSV.encode(), "A.CSV", "17,700"),
}


@pytest.mark.parametrize("name", ODD)
def test_it_is_read_all_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make, id, words = ODD[name]
    data = make()
    with bounded(monkeypatch):
        assert words in read_bytes(data, id).text


def test_a_name_with_a_newline(tmp_path: Path) -> None:
    (tmp_path / "two\nlines.pdf").write_bytes(real_files.report_pdf())
    ((id, path),) = find([tmp_path])
    assert id == "two_lines.pdf"
    assert "17,700" in read(path, id).text


def test_a_hidden_sheet_and_a_formula_without_value_are_left_out() -> None:
    from openpyxl import Workbook

    made = Workbook()
    sheet = made.active
    assert sheet is not None
    for row in SHIPS:
        sheet.append(row)
    sheet["D1"], sheet["D2"] = "Sum", "=1+1"
    assert "=1" not in read_bytes(saved(made), "a.xlsx").text
    assert "Password" not in read_bytes(GOOD["ships.xlsx"](), "a.xlsx").text


def test_there_are_at_least_sixty_files() -> None:
    assert len(GOOD) + len(BAD) + len(ODD) >= 80
    with zipfile.ZipFile(real_files.io.BytesIO(real_files.book_epub())) as book:
        assert book.testzip() is None
