"""What files say of themselves → metadata: title, author and date, where they are meant."""

import re
import zipfile
from collections.abc import Mapping

from lxml import etree

from corpus.formats.archive import part

_PROGRAMS = re.compile(
    r"^(?:microsoft (?:word|powerpoint|excel)|openoffice|pdfcreator)\b[\s–-]*", re.I
)
_EMPTY_TITLE = re.compile(
    r"(?:\W*(?:untitled|unbenannt|sans titre|unspecified|anonymous|none|null|title|no title|"
    r"(?:document|doc|presentation|book|workbook|sheet|slide|page|mappe|dokument)\W*\d*|"
    r"powerpoint presentation|word document|\d+)\W*)",
    re.I,
)
_FILE_NAME = re.compile(
    r"\S+\.(?:docx?|pdf|indd|qxd|pptx?|xlsx?|rtf|odt|tex|dvi|ps|html?|txt)", re.I
)
_EMPTY_AUTHOR = re.compile(
    r"(?:unknown|anonymous|unspecified|user|admin|administrator|author|owner|none|null|root|"
    r"microsoft(?: office)?(?: user)?|python-docx|openpyxl|windows user|\W*)",
    re.I,
)
_DATE = re.compile(r"(?:D:)?(\d{4})-?(\d\d)?-?(\d\d)?")
_NAMES = {
    "title": "{http://purl.org/dc/elements/1.1/}title",
    "author": "{http://purl.org/dc/elements/1.1/}creator",
    "date": "{http://purl.org/dc/terms/}created",
}
_TEMPLATE = "2013-01-27 2013-12-23"  # when the templates of python-pptx and python-docx were made


def metadata(title: str = "", author: str = "", date: str = "") -> dict[str, str]:
    """Those of them that say something; the date as YYYY-MM-DD, YYYY-MM or YYYY."""
    found = {
        "title": meant_title(title),
        "author": "" if _EMPTY_AUTHOR.fullmatch(_line(author).strip("()")) else _line(author),
        "date": iso_date(date),
    }
    return {key: value for key, value in found.items() if value}


def meant_title(title: str) -> str:
    """A title somebody gave; "" for one that a program made up."""
    title = _line(_PROGRAMS.sub("", _line(title)))
    empty = _EMPTY_TITLE.fullmatch(title.strip("()[] ")) or _FILE_NAME.fullmatch(title)
    return "" if empty or not any(map(str.isalpha, title)) else title.removesuffix(".")


def iso_date(date: str) -> str:
    """The day, month or year that a date begins with; "" where it is none."""
    match = _DATE.match(date.strip())
    if not match or not "1400" < match[1] < "2200":
        return ""
    parts = [match[1]]
    for part_, most in ((match[2], 12), (match[3], 31)):
        if not part_ or not 1 <= int(part_) <= most:
            break
        parts.append(part_)
    return "-".join(parts)


def office(archive: zipfile.ZipFile) -> dict[str, str]:
    """The properties of an office file."""
    data = part(archive, "docProps/core.xml")
    if data is None:
        return {}
    try:
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return {}
    said: Mapping[str, str] = {key: root.findtext(name) or "" for key, name in _NAMES.items()}
    date = said["date"]
    return metadata(said["title"], said["author"], "" if date[:10] in _TEMPLATE else date)


def _line(text: str) -> str:
    return " ".join(text.split())[:300]
