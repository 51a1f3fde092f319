"""Bytes → normalised text."""

import codecs
import re
import unicodedata

from corpus.errors import UnreadableDocument

_LINE_ENDS = re.compile("\r\n|[\r\v\x85\u2028\u2029]")
_ODD_SPACES = re.compile("[\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
# Control characters but tab and newline, soft hyphens, byte order marks, direction marks and
# overrides, tags, noncharacters: all that a reader does not see. Joiners stay: they spell words.
UNSEEN = re.compile(
    "[\0-\x08\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufdd0-\ufdef\ufff9-\ufffc\ufffe\uffff\U000e0000-\U000e007f]"
)
SURROGATES = re.compile("[\ud800-\udfff]")
# A zero-width space parts words in Khmer, Thai, Lao and Burmese, and means nothing elsewhere.
_ZERO_WIDTH = re.compile("\u200b+")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
_BINARY = re.compile(r"[\x01-\x08\x0e-\x19\x1c-\x1f\x7f]")


def normalise(text: str) -> str:
    """The text that every offset counts in; normalising it again changes nothing.

    Line ends become a newline, other spaces a plain one, characters that nobody sees are dropped,
    letters are composed (NFC). No line ends in white space, no more than one line in a row is
    empty, and neither end of the text is. So white space is space, tab and newline alone.
    """
    text = _LINE_ENDS.sub("\n", text).replace("\f", "\n\n")
    text = UNSEEN.sub("", _ODD_SPACES.sub(" ", text))
    text = _ZERO_WIDTH.sub(_word_break, text)
    text = unicodedata.normalize("NFC", SURROGATES.sub("\ufffd", text))
    text = "\n".join(line.rstrip(" \t") for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n")


def decode(data: bytes) -> str:
    """UTF-8, UTF-16 or 32, or Windows-1252, in this order; UnreadableDocument when it is none."""
    text = _unicode(data)
    if text is None:
        text = data.decode("utf-8", "replace")
        damaged = text.count("\ufffd")
        sound = sum(character > "\x7f" for character in text) - damaged
        if sound < 10 * damaged:  # else it is UTF-8 with a byte or two broken, shown as U+FFFD
            text = _windows(data)
    if "\0" in text:
        raise UnreadableDocument("not text: it holds NUL bytes")
    if len(_BINARY.findall(text)) > max(1, len(text) // 100):
        raise UnreadableDocument("not text: it holds control characters")
    return text


def _unicode(data: bytes) -> str | None:
    marks = (
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    )
    encoding = next((name for mark, name in marks if data.startswith(mark)), "")
    if not encoding and len(data) % 2 == 0 and b"\0" in data:
        # Latin letters in UTF-16 have a NUL as every second byte.
        even, odd = data[::2].count(0), data[1::2].count(0)
        if max(even, odd) > 0.6 * len(data) / 2 and min(even, odd) <= 0.02 * len(data) / 2:
            encoding = "utf-16-le" if odd > even else "utf-16-be"
    try:
        return data.decode(encoding or "utf-8")
    except UnicodeDecodeError:
        if encoding:
            raise UnreadableDocument(f"not text: damaged {encoding[:6].upper()}") from None
        return None


def _windows(data: bytes) -> str:
    """Windows-1252, where that is plausible: most of its letters are ASCII."""
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        text = ""
    if not text or 3 * sum(character > "\x7f" for character in text) > len(text):
        raise UnreadableDocument("not text in UTF-8, UTF-16 or Windows-1252; save it as UTF-8")
    return text


def _word_break(match: re.Match[str]) -> str:
    text, start, end = match.string, match.start(), match.end()
    inside = start > 0 and end < len(text)
    both = inside and _UNSPACED.match(text[start - 1]) and _UNSPACED.match(text[end])
    return "\u200b" if both else ""
