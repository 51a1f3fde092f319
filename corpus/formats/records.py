"""JSON → Content: records become sections; a known field holds the text, else the longest one."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lxml import html

from corpus.errors import UnreadableDocument
from corpus.formats.content import Content, Page
from corpus.formats.markup import AROUND, markdown
from corpus.formats.properties import metadata
from corpus.formats.tables import row
from corpus.text import decode

# In the order in which they are looked for, without regard to case, `_` and `-`.
TEXTS = (
    "text content body articlebody fulltext markdown html article passage context pagecontent"
    " document paragraph message transcript answer abstract summary description story"
)
TITLES = "title headline heading name question subject label"
DATES = "date published publishedat datepublished publisheddate created createdat time"
AUTHORS = "author authors byline creator"
_HTML = re.compile(r"</(?:p|div|li|ul|h[1-6]|span|a|td|b|i|strong|em)>|<(?:br|p)\s*/?>", re.I)
DEPTH = 60
PROSE = 15  # words: a field of another name that has fewer is no text

Record = Mapping[str, Any]


def read(data: bytes) -> Content:
    """A JSON file. Raises UnreadableDocument."""
    try:
        found = json.loads(decode(data).lstrip("\ufeff"))
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UnreadableDocument(f"not JSON: {error.msg.lower()} at {where}") from error
    if isinstance(found, list) or len(list_in(found)) > 1:
        records = found if isinstance(found, list) else list_in(found)
        rest = {} if isinstance(found, list) else {k: v for k, v in found.items() if v != records}
        head = described(rest)
        return Content(
            (Page("\n\n".join([*head, *sections(records)])),), said_of(rest), of_parts=True
        )
    if isinstance(found, dict):
        return Content((Page("\n\n".join(single(found))),), said_of(found))
    return Content((Page(shown(found)),))


def list_in(found: Any) -> list[Any]:
    """The records of an object that is there to hold them; [] where it is a record itself."""
    if not isinstance(found, dict) or field(found, TEXTS):
        return []
    lists = [value for value in found.values() if isinstance(value, list)]
    longest = max(lists, key=len, default=[])
    return longest if longest and all(isinstance(item, dict) for item in longest) else []


def sections(records: Iterable[Any]) -> Iterator[str]:
    """Each record as a section; records without a text as the rows of a table."""
    items: list[str] = []
    for record in records:
        if isinstance(record, dict) and _text_of(record):
            if items:
                yield "\n".join(items)
                items = []
            yield "\n\n".join(single(record, level=2))
        elif isinstance(record, (dict, list)):
            names, values = flat(record)
            if values:
                items.append("- " + row(names, values))
        elif words := " ".join(shown(record).split()):
            items.append(f"- {words}")
    if items:
        yield "\n".join(items)


def single(record: Record, level: int = 1) -> Iterator[str]:
    """One record: its title, its text, and what else it says."""
    title, text = field(record, TITLES), _text_of(record)
    if title:
        yield "#" * level + " " + " ".join(shown(record[title]).split())
    if text:
        yield prose(record[text])
    yield from described({k: v for k, v in record.items() if k not in (title, text)})


def described(record: Record) -> Iterator[str]:
    """Names and values as sentences, lists of records as sections of their own."""
    plain = {k: v for k, v in record.items() if not _is_list(v)}
    names, values = flat(plain)
    if values:
        yield (
            row(names, values)
            if len(names) != 2
            else "; ".join(f"{name}: {value}" for name, value in zip(names, values, strict=True))
            + "."
        )
    for name, value in record.items():
        if _is_list(value):
            yield f"## {_name(name)}"
            yield from sections(value)


def said_of(record: Record) -> dict[str, str]:
    """Title, author and date of a record."""
    keys = [field(record, names) for names in (TITLES, AUTHORS, DATES)]
    return metadata(*(shown(record[key]) if key else "" for key in keys))


def field(record: Record, names: str) -> str:
    """The record's own name for the first of `names` that holds words; "" where none does."""
    own = {re.sub(r"[\W_]", "", str(key)).lower(): key for key in [*record][::-1]}
    for name in names.split():
        value = record[own[name]] if name in own else None
        if (isinstance(value, str) and value.strip()) or (
            isinstance(value, list) and value and all(isinstance(part, str) for part in value)
        ):
            return str(own[name])
    return ""


def _text_of(record: Record) -> str:
    """The name of the field with the record's text; "" where none has one."""
    if known := field(record, TEXTS):
        return known
    title = field(record, TITLES)
    words = {k: v for k, v in record.items() if isinstance(v, str) and k != title}
    longest = max(words, key=lambda key: len(words[key]), default="")
    return longest if longest and len(words[longest].split()) >= PROSE else ""


def prose(value: Any) -> str:
    """The text of a field, which may be HTML or a list of paragraphs."""
    text = "\n\n".join(value) if isinstance(value, list) else str(value)
    if len(_HTML.findall(text[:5000])) > 1:
        return markdown(html.document_fromstring(f"<body>{text}</body>"), AROUND)
    return text


def flat(value: Any, name: str = "", depth: int = 0) -> tuple[list[str], list[str]]:
    """Names and values of all that is in a value, in order."""
    if depth > DEPTH:
        raise UnreadableDocument("nested too deeply")
    if isinstance(value, list) and any(isinstance(part, (dict, list)) for part in value):
        value = {str(i): part for i, part in enumerate(value, start=1)}
    if not isinstance(value, dict):
        words = " ".join(shown(value).split())
        return ([name], [words]) if words else ([], [])
    names: list[str] = []
    values: list[str] = []
    for key, part in value.items():
        below = flat(part, f"{name} {_name(key)}".strip() if name else _name(key), depth + 1)
        names += below[0]
        values += below[1]
    return names, values


def shown(value: Any) -> str:
    """A value as a person would write it."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(filter(None, map(shown, value)))
    if isinstance(value, dict):
        return row(*flat(value)).rstrip(".")
    if isinstance(value, float) and value != value:
        return "NaN"
    return str(value)


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(part, dict) for part in value)


def _name(key: object) -> str:
    """`birth_date` and `birthDate` as “birth date”."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", " ", str(key))
    return " ".join(re.split(r"[\s_]+", words)).strip()
