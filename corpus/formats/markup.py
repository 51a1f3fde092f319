"""A tree of HTML → Markdown: headings, lists, quotes, code; tables as sentences; no links' targets.

It walks the tree without recursion, so that no depth of nesting can break it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from lxml import etree

from corpus.formats.tables import table


def _names(*lines: str) -> frozenset[str]:
    return frozenset(name for line in lines for name in line.split())


_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_DROPPED = _names(
    "head script style noscript template svg iframe object canvas audio video map form button",
    "select option input textarea dialog rp rt",
)
# What stands around an article: dropped from a page, kept in a book.
AROUND = frozenset({"nav", "header", "footer", "aside", "menu"})
_BLOCKS = _names(
    "p div section article main header footer nav aside address figure figcaption details summary",
    "body html center fieldset dd dt dl li ul ol menu blockquote pre table caption thead tbody",
    "tfoot tr td th hr h1 h2 h3 h4 h5 h6",
)
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_SPACES = re.compile(r"[ \t\r\n\f]+")


def markdown(root: etree._Element, dropped: Iterable[str] = ()) -> str:
    """The text of a tree, `dropped` and hidden elements left out."""
    writer = _Writer()
    skip = _DROPPED | frozenset(dropped)
    inside: etree._Element | None = None  # the dropped element that the walk is in
    for event, element in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        if event in ("comment", "pi"):
            if inside is None:
                writer.text(element.tail)
            continue
        name = element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""
        if event == "start":
            if inside is None and (name in skip or _hidden(element)):
                inside = element
            elif inside is None:
                writer.start(name, element)
                writer.text(element.text)
        elif inside is None or inside is element:
            if inside is element:
                inside = None
            else:
                writer.end(name)
            if element is not root:
                writer.text(element.tail)
    return writer.done()


def _hidden(element: etree._Element) -> bool:
    return (
        element.get("hidden") is not None
        or element.get("aria-hidden") == "true"
        or bool(_HIDDEN.search(element.get("style") or ""))
    )


@dataclass(slots=True)
class _List:
    number: int | None  # of the next item; None in a list without numbers
    item: bool = False  # an item's mark is still to be written


@dataclass(slots=True)
class _Table:
    rows: list[list[str]] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)  # of each row: the h or d of its cells' tags
    cell: list[str] | None = None


class _Writer:
    """Collects the words of one block at a time."""

    def __init__(self) -> None:
        self._blocks: list[tuple[str, int]] = []  # each with the number of its list, 0 for none
        self._listing = 0
        self._words: list[str] = []
        self._heading = 0
        self._lists: list[_List] = []
        self._tables: list[_Table] = []
        self._quotes = 0
        self._code = 0
        self._raised = 0
        self._term = ""

    def text(self, text: str | None) -> None:
        if not text:
            return
        if not self._code:
            text = _SPACES.sub(" ", text)
        if self._raised and text.strip().isdigit() and len(text.strip()) <= 3:
            text = text.translate(_RAISED)
        self._words.append(text)

    def start(self, name: str, element: etree._Element) -> None:
        if name == "br":
            self._words.append("\n")
        elif name == "sup":
            self._raised += 1
        elif name == "img" and element.get("alt") and not self._tables:
            self._words.append(" ")
        if name not in _BLOCKS:
            return
        self._flush()
        if name in _HEADINGS:
            self._heading = _HEADINGS[name]
        elif name in ("ul", "ol", "menu"):
            first = element.get("start") or "1"
            self._listing += not self._lists
            self._lists.append(
                _List((int(first) if first.isdigit() else 1) if name == "ol" else None)
            )
        elif name == "li":
            if not self._lists:
                self._lists.append(_List(None))
                self._listing += 1
            self._lists[-1].item = True
        elif name == "blockquote":
            self._quotes += 1
        elif name == "pre":
            self._code += 1
        elif name == "table":
            self._tables.append(_Table())
        elif name == "tr" and self._tables:
            self._tables[-1].rows.append([])
            self._tables[-1].heads.append("")
        elif name in ("td", "th") and self._tables and self._tables[-1].rows:
            self._tables[-1].cell = []
            self._tables[-1].heads[-1] += name[1]

    def end(self, name: str) -> None:
        if name == "sup":
            self._raised = max(0, self._raised - 1)
        if name not in _BLOCKS:
            return
        if name == "dt":
            self._term, self._words = _line(self._words), []
            return
        self._flush()
        if name in _HEADINGS:
            self._heading = 0
        elif name in ("ul", "ol", "menu") and self._lists:
            self._lists.pop()
        elif name == "li" and self._lists:
            self._lists[-1].item = False
        elif name == "blockquote":
            self._quotes = max(0, self._quotes - 1)
        elif name == "pre":
            self._code = max(0, self._code - 1)
        elif name in ("td", "th") and self._tables and self._tables[-1].cell is not None:
            self._tables[-1].rows[-1].append(" ".join(self._tables[-1].cell))
            self._tables[-1].cell = None
        elif name == "table" and self._tables:
            self._table(self._tables.pop())

    def done(self) -> str:
        self._flush()
        while self._tables:
            self._table(self._tables.pop())
        parts: list[str] = []
        for i, (block, item) in enumerate(self._blocks):
            close = i and item and self._blocks[i - 1][1] == item
            parts.append(("\n" if close else "\n\n") + block)
        return "".join(parts).strip()

    def _table(self, done: _Table) -> None:
        wide = [row for row in done.rows if sum(map(bool, row)) > 1]
        inner = self._tables[-1].cell if self._tables else None
        if inner is not None or len(wide) < 2:  # a table in a cell, or for the layout alone
            words = [" ".join(cell.split()) for row in done.rows for cell in row]
            if inner is not None:
                inner.append("; ".join(word for word in words if word))
            else:
                self._blocks += [(word, 0) for word in words if word]
            return
        while done.rows and sum(map(bool, done.rows[0])) < 2:  # a title above the columns
            done.heads.pop(0)
            self._blocks += [(cell, 0) for cell in done.rows.pop(0) if cell]
        names_beside = all(heads in ("hd", "h") for heads in done.heads)
        header = True if set(done.heads[0]) == {"h"} else False if names_beside else None
        self._listing += 1
        self._blocks += [(item, self._listing) for item in table(done.rows, header)]

    def _flush(self) -> None:
        words, self._words = self._words, []
        cell = self._tables[-1].cell if self._tables else None
        if self._code and cell is None:
            code = "".join(words).strip("\n")
            if code.strip():
                fence = "~~~" if "```" in code else "```"
                self._blocks.append((f"{fence}\n{code}\n{fence}", 0))
            return
        line = _line(words)
        if self._term and line:
            self._term, line = "", f"{self._term.rstrip(': ')}: {line}"
        if not line:
            return
        if cell is not None:
            cell.append(line.replace("\n", " "))
        elif self._heading:
            self._blocks.append(("#" * self._heading + " " + line.replace("\n", " "), 0))
        elif self._lists:
            self._item(line)
        elif self._quotes:
            self._blocks.append(("> " + line.replace("\n", "\n> "), 0))
        else:
            self._blocks.append((line, 0))

    def _item(self, line: str) -> None:
        top = self._lists[-1]
        indent = "  " * (len(self._lists) - 1)
        if top.item:
            mark = "- " if top.number is None else f"{top.number}. "
            top.item = False
            if top.number is not None:
                top.number += 1
            self._blocks.append((indent + mark + line.replace("\n", " "), self._listing))
        else:  # another paragraph of the same item
            self._blocks.append((indent + line, 0))


def _line(words: list[str]) -> str:
    lines = (" ".join(line.split()) for line in "".join(words).split("\n"))
    return "\n".join(line for line in lines if line)
