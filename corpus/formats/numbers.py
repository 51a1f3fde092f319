"""A cell's value as its number format shows it: dates, shares, thousands, currencies."""

import re
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal

_QUOTED = re.compile(r'"([^"]*)"|\\(.)|\[\$([^\]-]*)[^\]]*\]|\[[^\]]*\]|_.|\*.')
_DIGITS = re.compile(r"[#0?][#0?,]*(?:\.([0#?]+))?,*")


def shown(value: object, form: str | None) -> str:
    """The value as text. A format that is not understood leaves the value as it is."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        whole = value.time() == time() or "h" not in _bare(form).lower()
        return value.date().isoformat() if whole else value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.strftime("%H:%M:%S" if value.second else "%H:%M")
    if isinstance(value, timedelta):
        minutes, seconds = divmod(int(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")
    if isinstance(value, (int, float)):
        return _number(value, form or "General")
    return str(value).strip()


def _number(value: int | float, form: str) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        return str(value)
    sections = form.split(";")
    chosen = sections[0]
    if value < 0 and len(sections) > 1 and sections[1].strip():
        chosen, value = sections[1], -value
    elif value == 0 and len(sections) > 2:
        chosen = sections[2]
    words = _QUOTED.sub(lambda m: m[1] or m[2] or m[3] or "", chosen)
    bare = _bare(chosen)
    digits = _DIGITS.search(bare)
    if digits is None or re.search("E[+]|/|General|@", bare, re.I):
        return _general(value)
    percent = bare.count("%")
    number = Decimal(str(value)) * 100**percent
    if digits[0].endswith(",") or digits[0].split(".")[0].endswith(","):
        number /= 1000 ** len(re.search(r",*$", digits[0])[0])  # type: ignore[index]
    places = digits[1] or ""
    rounded = number.quantize(Decimal(1).scaleb(-len(places)), ROUND_HALF_UP)
    text = f"{rounded:,f}" if "," in digits[0].rstrip(",") else f"{rounded:f}"
    if places.rstrip("#") != places and "." in text:  # decimals that are shown only where there are
        least = len(places.rstrip("#"))
        whole, part = text.split(".")
        part = part[:least] + part[least:].rstrip("0")
        text = f"{whole}.{part}" if part else whole
    if re.fullmatch("0{2,}", digits[0]):
        text = text.zfill(len(digits[0]))
    place = _DIGITS.search(words)
    return (words[: place.start()] + text + words[place.end() :]).strip() if place else text


def _general(value: int | float) -> str:
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):
        return str(int(value))
    return f"{value:.10g}"


def _bare(form: str | None) -> str:
    """A format without what is quoted in it, colours and currencies."""
    return _QUOTED.sub("", form or "")
