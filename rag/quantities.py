"""Words and numbers of a text in one canonical form, however they are written.

Numbers in digits or words, thousands separators, units, sums of money, dates: `3,875kg` and
`3.875 tonnes`, `Feb. 19` and `19 February`, `seventy-seven` and `77` come out the same.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Token:
    """A word, or a number with its value. `unit` is what the number is counted in.

    The word for the unit follows its number as a token with the same `unit`. A `fixed` number is
    part of a name or a date (COVID-19, 19 February) and answers to no alias that starts with the
    bare number.
    """

    text: str
    value: Fraction | None = None
    unit: str = ""
    fixed: bool = False


def same(wanted: Token, given: Token) -> bool:
    """Whether a text that has `given` states `wanted`: the same word, or number in its unit."""
    if wanted.value is not None:
        if given.value is None:
            return False
        if not wanted.unit:
            return wanted.value == given.value
        kind, factor = _UNITS[wanted.unit]
        other, other_factor = _UNITS.get(given.unit, ("", Fraction(0)))
        return kind == other and wanted.value * factor == given.value * other_factor
    if wanted.unit and given.unit and given.value is None:
        return _UNITS[wanted.unit][0] == _UNITS[given.unit][0]
    return given.value is None and wanted.text == given.text


@lru_cache(maxsize=4096)
def tokens(text: str) -> tuple[Token, ...]:
    """The words and numbers of a text in canonical form."""
    return tuple(_with_units(_with_numbers(_TOKEN.findall(_dates(_plain(text))))))


# --- characters -------------------------------------------------------------------------------

_SUPERSCRIPTS = str.maketrans({c: f" ^{unicodedata.digit(c)} " for c in "⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉"})
_SIGNS = {"&": " and ", "%": " percent ", "٪": " percent ", "−": "-", "‐": "-", "‑": "-"}
_CURRENCIES = {"us$": "usd", "$": "usd", "€": "eur", "£": "gbp", "¥": "jpy", "៛": "riel"}


def _plain(text: str) -> str:
    """One way to write every character: compatibility forms, case, accents, quotes, signs."""
    text = re.sub(r"(?<=\d)(?=[¼-¾⅐-⅞])", " ", text).translate(_SUPERSCRIPTS)
    text = unicodedata.normalize("NFKD", text).casefold()
    text = re.sub("[\u0300-\u036f\u00ad\u200b-\u200d\u2060\ufeff]", "", text)
    text = re.sub(r"(?<![\d/])([1-9])/([2-9]|10)(?![\d/])", "\\1⁄\\2", text)
    for sign, word in _SIGNS.items():
        text = text.replace(sign, word)
    text = re.sub(r"us\$|[$€£¥៛]", lambda sign: f" {_CURRENCIES[sign[0]]} ", text)
    text = re.sub(r"\bper cents?\b|\bpct\b", "percent", text)
    return re.sub(r"\b(?:[^\W\d_]\.){2,}", lambda letters: letters[0].replace(".", "") + " ", text)


# --- dates: all become day, month, year -------------------------------------------------------

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_MONTH_OF = {month: month for month in _MONTHS} | {m[:3]: m for m in _MONTHS} | {"sept": _MONTHS[8]}
_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTH_OF, key=len, reverse=True))})\b\.?"
_DAY = r"(?<![\d.,:/-])(?P<day>0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?\b"
_YEAR = r"(?P<year>[12]\d{3})(?![\d-]|[.,]\d)"
_DATES = (
    re.compile(rf"{_DAY}(?: of)?[ -]{_MONTH}(?:,?[ -]{_YEAR})?"),
    re.compile(rf"\b{_MONTH} {_DAY}(?![.,:]\d|[- ]?[a-z])(?:,? {_YEAR})?"),
    re.compile(rf"\b{_MONTH} {_DAY},? {_YEAR}"),
    re.compile(r"(?<![\w-])(?P<year>[12]\d{3})-(?P<month>0[1-9]|1[0-2])-(?P<day>[0-3]\d)(?![\w-])"),
)


def _dates(text: str) -> str:
    for pattern in _DATES:
        text = pattern.sub(_date, text)
    return text


def _date(found: re.Match[str]) -> str:
    month = found["month"]
    name = _MONTHS[int(month) - 1] if month.isdigit() else _MONTH_OF[month]
    return f" @{int(found['day'])} {name} {found['year'] or ''} "


# --- numbers ----------------------------------------------------------------------------------

_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen"),
    *("seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SMALL = {word: number for number, word in enumerate(_ONES)} | {
    word: 10 * number for number, word in enumerate(_TENS, start=2)
}
_ORDINALS = {
    word: f"{number}{['st', 'nd', 'rd'][number - 1] if number < 4 else 'th'}"
    for number, word in enumerate(
        (
            *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"),
            *("ninth", "tenth", "eleventh", "twelfth"),
        ),
        start=1,
    )
}
_SCALES = {
    "hundred": 100,
    "thousand": 1_000,
    "million": 1_000_000,
    "mn": 1_000_000,
    "billion": 1_000_000_000,
    "bn": 1_000_000_000,
    "trillion": 1_000_000_000_000,
}


def _with_numbers(words: list[str]) -> Iterator[Token]:
    at = 0
    while at < len(words):
        number = _digits(words[at])
        if number.value is not None:
            at += 1
            value = number.value
            if at < len(words) and "⁄" in words[at] and value.denominator == 1:
                value += _digits(words[at]).value or 0
                at += 1
            while at < len(words) and words[at] in _SCALES:
                value *= _SCALES[words[at]]
                at += 1
            yield Token(number.text, value, fixed=number.fixed)
        elif words[at] in _SMALL:
            value, at = _spelled(words, at)
            yield Token(str(value), value)
        else:
            yield number
            at += 1


def _digits(word: str) -> Token:
    """The number that is written in digits, else the word."""
    digits = word.lstrip("-@")
    if re.fullmatch(r"\d{1,3}(?:[, ]\d{3})+(?:\.\d+)?", digits):
        digits = digits.replace(",", "").replace(" ", "")
    digits = digits.replace(",", ".")
    if len(digits) > 40 or not re.fullmatch(r"\d+(?:\.\d+|⁄[1-9]\d*)?", digits):
        return Token(_ORDINALS.get(word, word))
    return Token(digits, Fraction(digits.replace("⁄", "/")), fixed=word[0] in "-@")


def _spelled(words: list[str], at: int) -> tuple[Fraction, int]:
    """The number that the words from `at` spell, and where it ends."""
    total, group = 0, _SMALL[words[at]]
    at += 1
    while at < len(words):
        word = words[at]
        if word in _SMALL and _fits(total, group, _SMALL[word]):
            group += _SMALL[word]
        elif word == "hundred" and 0 < group < 100:
            group *= 100
        elif word in _SCALES and word != "hundred" and group:
            total, group = total + group * _SCALES[word], 0
        elif not (
            word == "and"
            and (group >= 100 or total)
            and at + 1 < len(words)
            and _fits(total, group, _SMALL.get(words[at + 1], 0))
        ):
            break
        at += 1
    return Fraction(total + group), at


def _fits(total: int, group: int, number: int) -> bool:
    """Whether a number word continues the group: `seventy seven`, `two hundred ten`."""
    if group % 100 == 0:
        return bool(group or total) and number > 0
    return group % 100 >= 20 and group % 10 == 0 and 0 < number < 10


# --- units ------------------------------------------------------------------------------------

_UNITS = {
    "milligram": ("mass", Fraction(1, 1_000_000)),
    "gram": ("mass", Fraction(1, 1_000)),
    "kilogram": ("mass", Fraction(1)),
    "tonne": ("mass", Fraction(1_000)),
    "millimetre": ("length", Fraction(1, 1_000)),
    "centimetre": ("length", Fraction(1, 100)),
    "metre": ("length", Fraction(1)),
    "kilometre": ("length", Fraction(1_000)),
    "percent": ("percent", Fraction(1)),
    "usd": ("usd", Fraction(1)),
    "eur": ("eur", Fraction(1)),
    "gbp": ("gbp", Fraction(1)),
    "jpy": ("jpy", Fraction(1)),
    "riel": ("riel", Fraction(1)),
}
_NAMES = {
    "milligram": "mg milligram milligrams milligramme milligrammes",
    "gram": "g gram grams gramme grammes",
    "kilogram": "kg kgs kilo kilos kilogram kilograms kilogramme kilogrammes",
    "tonne": "t ton tons tonne tonnes",
    "millimetre": "mm millimetre millimetres millimeter millimeters",
    "centimetre": "cm centimetre centimetres centimeter centimeters",
    "metre": "m metre metres meter meters",
    "kilometre": "km kilometre kilometres kilometer kilometers",
    "percent": "percent",
    "usd": "usd dollar dollars",
    "eur": "eur euro euros",
    "gbp": "gbp",
    "jpy": "jpy yen",
    "riel": "riel riels khr",
}
_UNIT_OF = {word: unit for unit, words in _NAMES.items() for word in words.split()}
_MONEY = {"usd", "eur", "gbp", "jpy", "riel"}
_SHORT = {"k": 1_000, "m": 1_000_000}

# --- words and numbers ------------------------------------------------------------------------

# Scripts that part no words: every character is a token.
_UNPARTED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"
_LETTER = rf"(?:[^\W\d_{_UNPARTED}]|[\u0483-\u0487\u0591-\u05c7\u0610-\u065f\u0900-\u0dff])"
_GLUED = "|".join(sorted({*_UNIT_OF, *_SCALES, "am", "pm", "k"}, key=len, reverse=True))
_TOKEN = re.compile(
    rf"""
      \d+(?::\d+)+ | \d+(?:\.\d+){{2,}}(?!\d)            # 10:30, 1.2.3
    | \d[\d.,]{{0,40}}(?!(?:{_GLUED})\b){_LETTER}+(?:{_LETTER}|\d)*  # 4th, 1990s, 3D
    | (?: (?<![\w)-])- | @                                # the sign of -5, the mark of a date,
        | (?<=[^\W\d_])-(?=\d{{1,3}}(?!\d|[.,]\d)) )?       # the hyphen of COVID-19
      (?: \d{{1,3}}(?:[,\ ]\d{{3}})+(?!\d)(?:\.\d+)? | \d+[.,]\d+ | \d+(?:⁄\d+)? )
    | \^\d+
    | {_LETTER}(?:{_LETTER}|\d)*
    | [{_UNPARTED}]
    """,
    re.VERBOSE,
)


def _with_units(given: Iterator[Token]) -> Iterator[Token]:
    """Numbers with the unit that stands after them, or the currency before them."""
    found = list(given)
    at = 0
    while at < len(found):
        token, after = found[at], found[at + 1] if at + 1 < len(found) else None
        if after and token.text in _MONEY and after.value is not None:
            at += 2
            unit, value = token.text, after.value
            if at < len(found) and found[at].text in _SHORT:
                value *= _SHORT[found[at].text]
                at += 1
            yield from (Token(after.text, value, unit), Token(unit, unit=unit))
        elif token.value is not None and not token.fixed and after and after.text in _UNIT_OF:
            unit = _UNIT_OF[after.text]
            yield from (Token(token.text, token.value, unit), Token(unit, unit=unit))
            at += 2
        else:
            yield token if token.value is not None else Token(_UNIT_OF.get(token.text, token.text))
            at += 1
