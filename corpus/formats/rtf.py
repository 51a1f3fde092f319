"""RTF → Content, by way of striprtf; headings by the level that their style says."""

import re

from striprtf.striprtf import rtf_to_text

from corpus.errors import UnreadableDocument
from corpus.formats.content import Content, Page
from corpus.formats.properties import metadata
from corpus.formats.tables import table

_LEVEL = re.compile(r"\\outlinelevel([0-8])(?!\d) ?")
_HEADING = re.compile("[\ue000-\ue008]+")
_MARK = re.compile(r"\{\\(?:\*\\)?(?:pntext|listtext)\b([^{}]*)\}")
_BULLET = re.compile(r"(?:\ue00a|[•·▪◦‣\uf0b7-]\t)\s*")
_NUMBERED = re.compile(r"(\d{1,3}[.)])\t\s*")
_INFO = re.compile(r"\{\\(title|author)[ \n]((?:[^{}\\]|\\.)*)\}", re.S)
_DATE = re.compile(r"\\creatim\\yr(\d{4})\\mo(\d{1,2})\\dy(\d{1,2})")
DEPTH = 500


def read(data: bytes) -> Content:
    """An RTF document. Raises UnreadableDocument."""
    if not data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{\\rtf"):
        raise UnreadableDocument("not an RTF document: it is something else under this name")
    source = data.decode("latin-1")
    # A private character before each heading's words tells its level; striprtf keeps it.
    marked = _LEVEL.sub(lambda level: f"{level[0].rstrip()}\\u{0xE000 + int(level[1])}?", source)
    marked = _MARK.sub(_mark, marked)
    text = rtf_to_text(marked, errors="replace")
    head = source[:100_000]
    said = {
        name: rtf_to_text(f"{{\\rtf1 {words}}}", errors="replace")
        for name, words in _INFO.findall(head)
    }
    date = _DATE.search(head)
    day = f"{date[1]}-{int(date[2]):02}-{int(date[3]):02}" if date else ""
    known = metadata(said.get("title", "").strip(), said.get("author", "").strip(), day)
    return Content((Page("\n\n".join(_blocks(text.split("\n")))),), known)


def _mark(item: re.Match[str]) -> str:
    """What a list's item begins with, which striprtf would leave out."""
    number = re.search(r"(\d{1,3}[.)])", re.sub(r"\\[a-z]+-?\d*|\\'..", " ", item[1]))
    return f"{number[1]}\\tab " if number else "\\u57354?"


def _blocks(lines: list[str]) -> list[str]:
    found: list[str] = []
    rows: list[list[str]] = []
    items: list[str] = []

    def flush() -> None:
        for part in (table(rows), items):
            if part:
                found.append("\n".join(part))
            part.clear()
        rows.clear()

    for line in (*lines, ""):
        words = _HEADING.sub("", line).strip()
        if line.rstrip().endswith("|") and line.count("|") > 1:
            if items:
                flush()
            rows.append([_HEADING.sub("", cell) for cell in line.rstrip().rstrip("|").split("|")])
        elif words and (bullet := _BULLET.match(words) or _NUMBERED.match(words)):
            if rows:
                flush()
            items.append(f"{bullet[1] if bullet.re is _NUMBERED else '-'} {words[bullet.end() :]}")
        else:
            flush()
            if words and (level := _HEADING.search(line)):
                found.append("#" * min(6, ord(level[0][-1]) - 0xE000 + 1) + f" {words}")
            elif words:
                found.append(words)
    return found
