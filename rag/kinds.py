"""The kind of answer that a question asks for, and what a text must hold to be one."""

import re
from dataclasses import dataclass

from rag.words import AUXILIARIES, content_words

_NUMBER_WORDS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"
    " hundreds? thousands? millions? billions? dozens? half quarter third both no none once twice"
    " single several few pair couple"
)
_LENGTHS = (
    "m cm km mi ft met(?:er|re)s? feet foot inch(?:es)? kilomet(?:er|re)s? centimet(?:er|re)s?"
    " miles? yards? stor(?:e?y|eys|ies)"
)
_TIMES = "seconds? minutes? hours? days? weeks? months? years? decades? centur(?:y|ies)"
_CALENDAR = (
    "january february march april may june july august september october november december"
    " (?:mon|tues|wednes|thurs|fri|satur|sun)day spring summer autumn winter today yesterday ago"
    " recently now era ages? bc bce ad ce midnight noon dynasty"
)
# What stands after “what” or “which” where no noun does.
_NO_NOUN = f"{AUXILIARIES} happened happens caused causes led leads made makes drove drives else"
# “What help is there?” wants an account, as “how are they helped?” does.
_ACCOUNTS = (
    "criticism help support evidence advice progress damage harm impact effect influence role"
    " reaction response aid care treatment training work effort reason explanation information"
)


def _any(words: str) -> str:
    return rf"\b(?:{'|'.join(words.split())})\b"


# A word that is no number and no time: what a person or a place must have.
_NAMING = (
    rf"(?!{_any(f'{_NUMBER_WORDS} {_TIMES} {_CALENDAR} the and in on at of by to for from')})"
    r"\b[^\W\d_]{2,}"
)


def _which(nouns: str) -> str:
    return rf"\b(?:what|which|how (?:much|big|large|high))\b.*{_any(nouns)}"


def _first(word: str) -> str:
    """The word where nothing before it asks: not the “when” of “what happened when …”."""
    return rf"^(?:(?!\b(?:how|why|what|which|who(?:m|se)?|when|where)\b).)*\b{word}\b"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of answer: how a question asks for it, and what a text must hold to be one."""

    name: str
    asks: re.Pattern[str]
    holds: re.Pattern[str]


def _kind(name: str, asks: str, holds: str) -> Kind:
    return Kind(name, re.compile(asks, re.IGNORECASE), re.compile(holds, re.IGNORECASE))


OTHER = _kind("other", r"", r"")

# The first that fits counts, so the narrower kinds come first.
KINDS = (
    _kind(
        "contact",
        r"\b(?:e-?mail|web|postal|home) address\b|\b(?:phone|telephone|mobile|fax) number\b"
        r"|\bweb ?site\b|\burl\b",
        r"\S@\S|https?://|www\.|\+?\d[\d ()\-]{6,}\d",
    ),
    _kind(
        "age",
        r"\bhow (?:old|young)\b|\b(?:what|which)\b.*\bage\b|\bdate of birth\b",
        r"\d+[- ]years?[- ]old|\baged?\b|\bborn\b|\byears? (?:old|of age)\b|, \d\d,",
    ),
    _kind(
        "height",
        r"\bhow (?:tall|high|deep)\b|" + _which("height altitude elevation depth"),
        rf"(?:\d|{_any(_NUMBER_WORDS)})[\d.,\s-]*{_any(_LENGTHS)}|\d(?:m|cm|ft)\b",
    ),
    _kind(
        "money",
        r"\bhow much (?:money\b|(?:did|does) .* cost\b|(?:is|was|were|are) .* (?:worth|paid)\b)|"
        + _which("price cost budget salary wages? fine fee funding worth"),
        r"[$€£¥₹៛]|"
        + _any(
            "dollars? euros? pounds? riels? yen yuan baht rupees? francs? usd eur cents? million"
            " billion free shillings? pence marks?"
        ),
    ),
    _kind(
        "share",
        r"\b(?:what|which) (?:share|percentage|proportion|fraction|percent|per cent)\b"
        r"|\bhow many per ?cent\b",
        rf"%|\d+ ?/ ?\d+|\d\.\d|\bper ?cent|\bin {_any(_NUMBER_WORDS)}|"
        rf"{_any('half third quarter majority most fifth tenth')}|\bout of\b",
    ),
    _kind(
        "distance",
        r"\bhow far\b|" + _which("distance"),
        rf"{_any(_LENGTHS)}|\d(?:k?m|ft)\b|\bhours?\b|\bminutes?\b|\blight[- ]years?\b",
    ),
    _kind(
        "duration",
        r"\bhow long\b(?! ago)|" + _which("duration"),
        rf"\d|{_any(_TIMES)}|{_any(_LENGTHS)}|"
        + _any("from until since till end forever permanent(?:ly)? brief(?:ly)? short long"),
    ),
    _kind(
        "number",
        r"\bhow (?:many|much|often|large|big|heavy|wide|fast|hot|cold)\b"
        r"|\b(?:what|which) (?:is |was |were |are )?(?:the )?(?:\w+ ){0,2}?"
        r"(?:number|amount|quantity|total|weight|population|rate|size)\b",
        rf"\d|{_any(_NUMBER_WORDS)}",
    ),
    _kind(
        "year",
        r"\b(?:what|which) (?:calendar |exact )?year\b",
        r"\b\d{3,4}s?\b|\bcentur|\b(?:this|last|next|same|previous|following) year"
        r"|\byears? (?:ago|later|before|after|earlier)\b|\b(?:bc|ad|bce|ce)\b",
    ),
    _kind(
        "date",
        _first("when") + r"|\b(?:what|which) (?:\w+ )?(?:year|date|day|month|century|decade)\b"
        r"|\bsince when\b|\bhow long ago\b",
        rf"{_any(_CALENDAR)}|{_any(_TIMES)}|\d{{3,4}}|\d{{1,2}}(?:st|nd|rd|th)\b|\d\ds\b|o’clock",
    ),
    _kind("person", _first("who(?:m|se)?"), _NAMING),
    _kind(
        "place",
        _first("where")
        + r"|\b(?:what|which) (?:city|town|country|province|place|village|state|region)\b",
        _NAMING,
    ),
    _kind("thing", rf"\b(?:what|which) (?!{_any(f'{_NO_NOUN} {_ACCOUNTS}')})[\w’'-]+", r""),
)
MEASURED = frozenset(
    {"age", "height", "money", "share", "distance", "duration", "number", "date", "year"}
)


# Kinds that are hardly ever said in other words than those a text of the kind must hold.
NARROW = frozenset({"contact", "age", "height", "money", "share", "distance", "year"})
# Kinds that cannot be: without a year, nothing answers “in which year”.
CERTAIN = frozenset({"contact", "year"})

_UNITS = (
    r"kilo(?:gram(?:me)?)?s?|kg|gram(?:me)?s?|tons?|tonnes?|pounds?|ounces?|lit(?:er|re)s?"
    r"|gallons?|barrels?|per ?cent|(?:kilo|centi)?met(?:er|re)s?|miles?|acres?|hectares?"
    r"|dollars?|euros?|riels?|seconds?|minutes?|hours?|days?|weeks?|months?|years?"
)
_COUNTED = re.compile(
    rf"\bhow (?:many|much) (?:(?:{_UNITS})\b(?: of)? ?)?((?:[\w’'-]+ ?){{1,3}})", re.IGNORECASE
)


def counted(question: str) -> tuple[str, ...]:
    """The thing counted or weighed: `women` of “How many women …”; () where none is named.

    Units are not what is counted: a text may write them in many ways.
    """
    found = _COUNTED.search(question)
    return content_words(found[1])[:1] if found else ()


def kind_of_answer(question: str) -> Kind:
    """What kind of words would answer the question."""
    return next((kind for kind in KINDS if kind.asks.search(question)), OTHER)
