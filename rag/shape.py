"""What kind of answer a question wants, and which simpler questions it is made of."""

import re
from enum import Enum

from rag.words import AUXILIARIES


class Shape(Enum):
    """The form of the answer."""

    FACT = "fact"
    LIST = "list"
    OVERVIEW = "overview"
    YES_NO = "yes-no"


MOST_PARTS = 4
DOCUMENTS = (
    r"(?:documents?|articles?|briefs?|sources?|texts?|reports?|corpus|files?|papers?|explainers?"
    r"|features?|pages?|story|stories|accounts?)"
)
_SEVERAL = (
    r"(?:the |these |all |all the |all of the |both |both the |the two |any of the )"
    r"(?:documents|articles|briefs|sources|texts|reports|files|papers|explainers|features|stories"
    r"|accounts)"
)
# Words that say nothing but that every document is meant.
_EVERYWHERE = re.compile(
    rf"[,;]?\s*\b(?:(?:across|in|from|taking|according to|by|between|among) {_SEVERAL}"
    r"(?: together)?"
    rf"|(?:do|does|did) {_SEVERAL} (?:say|state|report|mention|agree|tell us) (?:that|whether|if)\b"
    rf"|that {_SEVERAL} (?:give|mention|name|report|have)|{_SEVERAL} (?:give|have|mention|name)\b"
    rf"|(?:but |though )?{_SEVERAL} (?:seem to |do not |don[’']t |appear to )[\w ]+"
    r"|(?:give|name|list) (?:me )?(?:every|all|each)(?: the)? (?:figures?|numbers?|ones?))\b",
    re.IGNORECASE,
)
_FIGURES = re.compile(
    rf"^(?:what|which) (?:figures|numbers|totals|values) (?:are there|are given|do {_SEVERAL} \w+)"
    r" (?:for|of|on|about) (?:the number of )?",
    re.IGNORECASE,
)
_MENTIONED = re.compile(r"\bare (?:mentioned|named|described)\b(?! as\b)", re.IGNORECASE)
_SPEAKS = (
    r"(?:mentions?|names?|discuss(?:es)?|covers?|deals? with|refers? to|(?:is|are|talks?) about"
    r"|(?:speaks?|says? anything|says? something) (?:about|of|on))"
)
# “Where is corruption mentioned?”: the topic stands in the middle.
_TOLD_WHERE = re.compile(
    rf"^(?:where|(?:in|on) (?:which|what) {DOCUMENTS})(?: in (?:the|these) {DOCUMENTS})?"
    r" (?:is|are|was|were|do|does|did) (?P<topic>.+?) "
    r"(?:mentioned|named|discussed|described|appear|come up|spoken of|talked about)"
    rf"(?: in (?:the|these) {DOCUMENTS})?\W*$",
    re.IGNORECASE,
)
_TOLD = re.compile(
    r"^(?:(?:(?:do|does|did|where do|where does) (?:any |one |some |either |each |all )?(?:of )?"
    rf"(?:the |these |those )?|(?:which|what)(?: of the(?:se)?)? ){DOCUMENTS} {_SPEAKS}"
    r"|(?:(?:is|was) there|do you have) "
    r"(?:anything|something|any (?:mention|info(?:rmation)?|talk|word|details))"
    rf"(?: in (?:the|these) {DOCUMENTS})? (?:about|of|on)) ",
    re.IGNORECASE,
)
_OVERVIEW = re.compile(
    r"^(?:please |can you |could you |would you )*(?:"
    r"summari[sz]e|sum up|outline|describe|discuss|explain"
    r"|give (?:me |us )?(?:an? |the )?(?:brief |short )?(?:overview|summary|outline|account)"
    r"(?: of)?"
    r"|tell (?:me|us) (?:more |all |everything )?about"
    r"|what (?:can|could) (?:you|one) (?:tell|say)(?: me| us)? (?:about|of|on)"
    r"|what (?:(?:do|does|did|can|have|has) (?:all |any of |each of )?(?:the |these |this )?"
    r"|(?:the|these|this) )(?:\w+ )?"
    rf"{DOCUMENTS} (?:say|tell|report|state|mention|have to say|said|cover|reported)"
    r"(?: us| me)?(?: (?:about|on|of))?"
    r"|what (?:do|does|did) (?:it|they) (?:say|tell|have to say|report)(?: us| me)? (?:about|on|of)"
    rf"|(?:compare|contrast) (?:what|how) (?:all |each of )?(?:the |these )?{DOCUMENTS}"
    r" (?:say|tell|report|state|have to say|cover|describe|portray|present|treat|see|view)"
    r"(?: (?:about|on|of))?"
    r"|what (?:is|was|has been) (?:said|known|reported|written|mentioned) (?:about|of|on)"
    r"|what (?:do|did|have) (?:[\w’',-]+ ){1,8}?and (?:[\w’',-]+ ){1,8}?"
    r"(?:say|said|report|reported|write|tell us) (?:about|of|on)"
    r"|(?:an? )?(?:overview|summary|outline) of|what do (?:we|you) know (?:about|of)"
    r"|what(?:’s| is| are) the (?:main|key|most important|overall) "
    r"(?:points?|themes?|ideas?|topics?|messages?)(?: (?:of|in|about|on))?"
    rf"|how (?:do|does|did|is|are|has|have) (?:the )?{DOCUMENTS} "
    r"(?:describe|portray|present|explain|treat|characteri[sz]e|see|view)"
    r")\b[\s:,]*",
    re.IGNORECASE,
)
# “What does the plan say about fees?”: X has something to say of Y.
_SAYS_OF = re.compile(
    r"^what (?:(?:do|does|did|has|have|had|would) )?(?P<who>.+?) "
    r"(?:says?|said|states?|stated|reports?|reported|writes?|written|claims?|claimed|provides?)"
    r" (?:about|on|of|regarding|concerning) (?P<what>.+?)\W*$",
    re.IGNORECASE,
)
_LIST = re.compile(
    r"^(?:and |please )?(?:list|name|enumerate)\b|^who else\b|\ball (?:the |of the )?[\w’'-]+s\b"
    r"|\b(?:what|who) (?:are|were) (?:the |some |all )",
    re.IGNORECASE,
)
_ASKS = r"how|who(?:m|se)?|when|where|why|what|which|by whom"
_LISTED = re.compile(
    r"^(?:please |can you |could you )*"
    r"(?:(?:list|name|enumerate|identify)(?: me| for me)?|(?:give|show|tell|get) (?:me|us)) "
    rf"(?!(?:{_ASKS}|if|about)\b)(?P<what>(?:all (?:of )?)?(?:the )?[\w’'-]+.*)",
    re.IGNORECASE,
)
_ASKED_FOR = re.compile(r"\b(?:which|what)((?: [\w’'-]+){1,5})", re.IGNORECASE)
_AUXILIARIES = "|".join(AUXILIARIES.split())
_PLURALS = frozenset({"people", "men", "women", "children"})
_NOT_PLURAL = ("ss", "us", "is", "’s", "'s")
_YES_NO = re.compile(rf"^(?:and |but |so |or )?(?:{_AUXILIARIES})\b", re.IGNORECASE)
_COMPARE = re.compile(
    r"\b(?:compare[ds]?|comparison|comparing|versus|vs\.?|differ(?:s|ed|ences?|ent(?:ly)?)?|than"
    r"|contrast|similar(?:ities|ity|ly)?|(?:\w+er|first|last|most), [\w’' -]+ or"
    r"|(?:more|fewer|less) .+? or)\b",
    re.IGNORECASE,
)
_END = r"(?=[?.!,;:]|$)"
_SIDES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?i)\bbetween (?P<a>.+?) and (?P<b>.+?){_END}",
        r"(?i)\b(?:compare|contrast) (?:how |what )?(?P<a>.+?) (?:and|with|against|versus|vs\.?) "
        rf"(?P<b>.+?){_END}",
        rf"(?i)\b(?:compare|contrast) (?:how |what )?(?P<a>.+?) to (?P<b>.+?){_END}",
        r"(?i)(?P<a>\b[\w’'-]+(?: [\w’'-]+){0,5}?) (?:versus|vs\.?|compared (?:with|to)) "
        rf"(?P<b>.+?){_END}",
        r"(?i)\b(?P<a>(?:in )?\d{4}) (?:or|and|than(?: in)?|to) (?P<b>(?:in )?\d{4})\b",
        rf"(?i)\b(?:\w+er|first|last|most|more|less), (?P<a>[^,]+?) or (?P<b>.+?){_END}",
        r"\b(?P<a>[A-Z][\w-]*(?:['’]s?)?) (?:or|and) (?P<b>[A-Z][\w-]*(?:['’]s?)?)(?![\w-])",
        rf"(?i)\b(?P<a>(?P<at>in|at|on|during|under|by|with|from) .+?) or (?P<b>(?P=at) .+?){_END}",
        r"(?i)^how (?:do|does|did) (?P<a>.+?) and (?P<b>.+?) (?=(?:compare|differ)\b)",
    )
)
_MORE_THAN = re.compile(
    r"^(?:\w+ )(?P<a>.+?) (?:more|fewer|less) (?P<of>[\w’'-]+) than (?P<b>.+)", re.IGNORECASE
)
# “X and Y: how do their views of Z compare?”
_THEIRS = re.compile(
    r"^(?P<a>.+?) and (?P<b>.+?)[:,] (?:how|in what way|where) (?:do|does|did) their (?P<what>.+?) "
    r"(?:compare|differ)\b",
    re.IGNORECASE,
)
# “How does X in A compare with B?”: X is asked of B too.
_COMPARED_WITH = re.compile(
    r"^how (?:(?:do|does|did) )?(?P<a>.+?) (?:compare[sd]?|differ(?:s|ed)?)"
    r" (?:with|to|from|against) (?P<b>.+)",
    re.IGNORECASE,
)
_LINKS = r"(?:in|of|for|at|on|under|during|among)"
_LAST_LINK = re.compile(rf" {_LINKS} (?!.* {_LINKS} )", re.IGNORECASE)
_THOSE = re.compile(rf"(?:those|that)(?= {_LINKS} )", re.IGNORECASE)
_AS_A_WHOLE = re.compile(r" as (?:a|the) whole$", re.IGNORECASE)
_TWO_YEARS = re.compile(r"\b\d{4} or (?:in )?\d{4}\b", re.IGNORECASE)
_SECOND_QUESTION = re.compile(
    rf"[,;]? (?:and|or)(?: also)?,? (?=(?:{_ASKS}|in which)\b)|\?\s+(?=\w.*\?)", re.IGNORECASE
)
_IS_QUESTION = re.compile(rf"\b(?:{_ASKS})\b|^(?:{_AUXILIARIES})\b", re.IGNORECASE)


def shape_of(question: str) -> Shape:
    """The form of answer that the question's words ask for."""
    question = question.strip()
    if _OVERVIEW.match(question) or asks_whether_told(question):
        return Shape.OVERVIEW
    ordered = _ordered(question)
    if _LIST.search(question) or _asks_for_several(f"what {ordered}" if ordered else question):
        return Shape.LIST
    if _YES_NO.match(question):
        return Shape.YES_NO
    return Shape.FACT


def _asks_for_several(question: str) -> bool:
    """Whether the noun after “which” or “what” is a plural."""
    for found in _ASKED_FOR.finditer(question):
        for word in found[1].lower().split():
            if word in AUXILIARIES.split():
                break
            if word in _PLURALS or (
                len(word) > 3 and word.endswith("s") and not word.endswith(_NOT_PLURAL)
            ):
                return True
    return False


def spans_documents(question: str) -> bool:
    """Whether the question says that every document is meant."""
    said = (_EVERYWHERE, _FIGURES, _MENTIONED)
    return any(pattern.search(question) for pattern in said)


def wants_several(question: str) -> bool:
    """Whether more than one sentence may be needed to answer: a list, an overview, a comparison."""
    several = shape_of(question) in (Shape.LIST, Shape.OVERVIEW) or is_comparison(question)
    return several or spans_documents(question)


def without_frame(question: str) -> str:
    """The question without the words that say that every document is meant, put as a question."""
    if what := _ordered(question):
        asks = "Who" if " who " in what else "What"
        question = f"{asks} {'are' if _asks_for_several(f'what {what}') else 'is'} {what}?"
    question = _FIGURES.sub("How many ", question)
    rest = " ".join(_EVERYWHERE.sub(" ", question).split()).strip(" ,;.?!")
    return f"{rest}?" if len(rest.split()) > 2 else question


def _ordered(order: str) -> str:
    """What an order wants (`the members` of “List the members”); nothing for another message."""
    listed = _LISTED.match(order)
    return listed["what"].rstrip(" ?.!") if listed else ""


def asks_whether_told(question: str) -> bool:
    """Whether the question asks if, or where, the documents speak of something at all."""
    return bool(_TOLD.match(question.strip()) or _TOLD_WHERE.match(question.strip()))


def topic_of(question: str) -> str:
    """What an overview is to be about: the question without the words that ask for one."""
    if told := _TOLD_WHERE.match(question.strip()):
        return told["topic"]
    asks = _TOLD if _TOLD.match(question.strip()) else _OVERVIEW
    topic = asks.sub("", question.strip(), count=1).rstrip(" ?.!")
    return re.sub(rf" in (?:the|these) {DOCUMENTS}$", "", topic) or question


def said_of(question: str) -> tuple[str, str] | None:
    """X and Y of “What does X say about Y?”; None for another question."""
    found = _SAYS_OF.match(question.strip())
    return (found["who"], found["what"]) if found else None


def is_comparison(question: str) -> bool:
    """Whether the question asks to set things side by side."""
    return bool(_COMPARE.search(question))


def halves_of(question: str) -> tuple[str, ...]:
    """The questions that a double one asks (“Who … and why …?”); itself where it asks one."""
    halves = [half.strip(" ?") for half in _SECOND_QUESTION.split(question) if half.strip(" ?")]
    if len(halves) > 1 and all(len(h.split()) > 2 and _IS_QUESTION.search(h) for h in halves):
        return tuple(f"{half}?" for half in halves)
    return (question,)


def parts_of(question: str) -> tuple[str, ...]:
    """The simpler questions that a question is made of; itself alone where it is simple.

    A comparison gives one for each side, a double question one for each half.
    """
    halves = halves_of(question)
    if len(halves) > 1:
        return tuple(part for half in halves for part in parts_of(half))[:MOST_PARTS]
    if found := _THEIRS.search(question):
        return tuple(_side("", f"{_of(found[side])} {found['what']}", "") for side in "ab")
    if found := _COMPARED_WITH.match(question):
        return tuple(f"What about {side}?" for side in _shared_subject(found["a"], found["b"]))
    if found := _MORE_THAN.search(question):
        sides = (found["a"], found["b"])
        asks = (
            "How many" if found["of"].lower() in _PLURALS or found["of"][-1] == "s" else "How much"
        )
        return tuple(f"{asks} {found['of']} {side.strip(' ?')}?" for side in sides)
    if is_comparison(question) or _TWO_YEARS.search(question):
        for pattern in _SIDES:
            if found := pattern.search(question):
                sides = (found["a"].strip(), found["b"].strip())
                if all(sides):
                    before, after = question[: found.start()], question[found.end() :]
                    return tuple(_side(before, side, after) for side in sides)
    return (question,)


_FRAME = re.compile(
    r"\b(?:what|which|how)?\s*(?:is|are|was|were|did|do|does)?\s*(?:the )?"
    r"(?:main |key )?(?:differences?|comparison|contrast|similarit(?:y|ies))\b(?: in)?|\bcompare\b"
    r"|^how (?:do|does|did)\b(?=.*\b(?:differ|compare)\b)|\b(?:differ|compare)\b",
    re.IGNORECASE,
)
_VERB = re.compile(rf"\b(?:{_AUXILIARIES})\b", re.IGNORECASE)


def _side(before: str, side: str, after: str) -> str:
    """The question for one side of a comparison."""
    whole = f"{before} {side} {after}".rstrip(" ?.!")
    rest = " ".join(_FRAME.sub(" ", whole).split())
    asks = _IS_QUESTION.search(rest) or _VERB.search(rest)
    return f"{rest}?" if asks else f"What about {rest}?"


def _shared_subject(one: str, other: str) -> tuple[str, str]:
    """Both sides whole: `Bergen`, or `those in Bergen`, beside `rents in Oslo` is `rents in …`."""
    other = other.rstrip(" ?.!")
    if other.endswith(("'s", "’s")) and (owned := re.match(r"[^'’]+['’]s (.+)", one)):
        return one, f"{other} {owned[1]}"
    link = _LAST_LINK.search(one)
    if link and (those := _THOSE.match(other)):
        return one, one[: link.start()] + other[those.end() :]
    if link and not _LAST_LINK.search(_AS_A_WHOLE.sub("", other)):
        return one, f"{one[: link.end()]}{other}"
    return one, other


def _of(owner: str) -> str:
    return owner if owner.endswith(("'s", "’s")) else f"{owner}’s"
