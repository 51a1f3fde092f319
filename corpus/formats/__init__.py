"""Files that are not plain text → Content. This table is the one place that chooses a reader.

Readers are imported, and run, in a process of their own: see `corpus.formats.apart`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file: `module` has a function `read(data: bytes) -> Content`.

    `largest` is in bytes.
    """

    name: str
    module: str
    largest: int


_PDF = Format("a PDF", "corpus.formats.pdf", 200 * MB)
_WORD = Format("a Word document", "corpus.formats.word", 100 * MB)
_SLIDES = Format("a PowerPoint presentation", "corpus.formats.slides", 200 * MB)
_SHEETS = Format("an Excel workbook", "corpus.formats.sheets", 50 * MB)
_BOOK = Format("an EPUB book", "corpus.formats.book", 200 * MB)
_PAGE = Format("a web page", "corpus.formats.web", 25 * MB)

FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        ".pdf": _PDF,
        ".docx": _WORD,
        ".docm": _WORD,
        ".pptx": _SLIDES,
        ".pptm": _SLIDES,
        ".xlsx": _SHEETS,
        ".xlsm": _SHEETS,
        ".epub": _BOOK,
        ".html": _PAGE,
        ".htm": _PAGE,
        ".xhtml": _PAGE,
        ".rtf": Format("an RTF document", "corpus.formats.rtf", 50 * MB),
        ".csv": Format("a CSV table", "corpus.formats.delimited", 50 * MB),
        ".tsv": Format("a TSV table", "corpus.formats.delimited", 50 * MB),
        ".json": Format("JSON", "corpus.formats.records", 50 * MB),
        ".jsonl": Format("JSON Lines", "corpus.formats.record_lines", 50 * MB),
        ".ndjson": Format("JSON Lines", "corpus.formats.record_lines", 50 * MB),
    }
)

_PACKED = "packed files are not read: unpack it, and index the folder"
_SCANNED = "pictures are not read: recognise its text (OCR) and save it as PDF or text"

# What is not read, and what to do instead.
REFUSED: Mapping[str, str] = MappingProxyType(
    dict.fromkeys((".zip", ".7z", ".rar", ".gz", ".tar", ".tgz", ".bz2", ".xz"), _PACKED)
    | dict.fromkeys((".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff", ".webp"), _SCANNED)
    | {
        ".doc": "the old Word format is not read: save it as .docx or PDF",
        ".dot": "the old Word format is not read: save it as .docx or PDF",
        ".xls": "the old Excel format is not read: save it as .xlsx or .csv",
        ".xlsb": "binary Excel files are not read: save it as .xlsx or .csv",
        ".ppt": "the old PowerPoint format is not read: save it as .pptx or PDF",
        ".odt": "OpenDocument files are not read: save it as .docx or PDF",
        ".ods": "OpenDocument files are not read: save it as .xlsx or .csv",
        ".odp": "OpenDocument files are not read: save it as .pptx or PDF",
        ".pages": "Pages files are not read: export it as .docx or PDF",
        ".numbers": "Numbers files are not read: export it as .xlsx or .csv",
        ".key": "Keynote files are not read: export it as .pptx or PDF",
        ".mobi": "Kindle books are not read: convert it to .epub",
        ".azw3": "Kindle books are not read: convert it to .epub",
    }
)
