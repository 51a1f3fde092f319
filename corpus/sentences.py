"""Blocks → the spans of their sentences, by rules for what ends a sentence and what does not."""

import re
import unicodedata
from collections.abc import Iterator

from corpus.blocks import Block, blocks, strip
from corpus.types import Sentence, Span

LONGEST = 1000  # characters in a sentence; what is longer is cut
LONGEST_UNSPACED = 400  # the same where words are not parted by spaces

_STOPS = "。！？｡．।॥።။។៕۔"  # these end a sentence with or without a space behind them
_CLOSING = "\"'”’»›)\\]}」』）】〉》*_`"
_OPENING = "\"'“‘«‹([{「『（【〈《*_`¿¡„‚"
_NO_START = ".,;:!?…-–—%/)]}&+=|>"
_END = re.compile(
    rf"[.!?…؟‽⁇⁈⁉{_STOPS}]++(?P<close>[{_CLOSING}]*+(?:\[[^\][\n]{{1,40}}\]|[¹²³⁰⁴-⁹])*+)(?P<gap>\s*+)"
)
_NEXT = re.compile(rf"[{re.escape(_OPENING)}\s]*+(?P<word>[\w’'-]++|\S)")
_BEFORE = re.compile(r"[^\s(\[{\"'“‘«/—–-]*$")
_DOTTED = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")
_NUMBERING = re.compile(r"\d{1,3}(?:\.\d{1,3})*|[ivxlc]{1,4}|\w")
_SAYS = re.compile(
    r"(?:[A-Z][\w’'-]*+\s++){1,3}"
    r"(?:said|says|asked|asks|added|adds|cried|shouted|wrote|replied|told|wondered)\b"
)


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


# Abbreviations that never end a sentence; that do not when a number follows; that do not unless a
# word follows that commonly begins one.
_NEVER = _words("mr mrs ms messrs mme mlle dr prof vs eg ie e.g i.e cf viz")
_BEFORE_NUMBER = _words(
    "no nos nr fig figs eq eqs sec sect ch chap vol vols p pp art arts para paras ref refs ed b c",
    "d ca approx est Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Mon Tue Wed Thu Fri Sat Sun",
)
_BEFORE_NAME = _words(
    "gen sen rep gov lt col capt sgt maj cpl adm rev hon pres st mt ft fr hr v supt insp atty",
    "inc ltd co corp llc bros plc jr sr esq al dept univ ave blvd rd assn intl govt natl ph.d",
)
_STARTERS = _words(
    "a about after all although among an and another any as at because before both but by during",
    "each even every few finally first for from further furthermore given he her here his how",
    "however i if in instead it its just last later many meanwhile more moreover most much my",
    "neither never next no none nonetheless not now of on once one only or other others our over",
    "perhaps rather same several she similarly since so some still such than that the their then",
    "there therefore these they this those though through thus to today together under unlike",
    "until we what when where whether which while who why with within without yes yesterday yet",
    "you your",
)


def levelled(text: str) -> list[tuple[Sentence, int]]:
    """Every sentence with the level of the heading it is, 0 for none; at least one in any text."""
    found = [
        (Sentence(span, is_heading=block.level > 0), block.level)
        for block in blocks(text)
        for span in _spans(text, block)
    ]
    if not found:  # markup alone
        found = [(Sentence(span), 0) for span in _cut(text, *strip(text, 0, len(text)))]
    return found


def _spans(text: str, block: Block) -> Iterator[Span]:
    whole = block.verbatim or block.level > 0
    start = block.start
    for end in [*([] if whole else _ends(text, block.start, block.end)), block.end]:
        yield from _cut(text, *strip(text, start, end))
        start = end


def _ends(text: str, start: int, end: int) -> Iterator[int]:
    """Where sentences end within a block, its own end left out."""
    begun = start  # the sentence that is being read
    lower: bool | None = None
    for mark in _END.finditer(text, start, end):
        at, behind = mark.start("close") - 1, mark.end()
        if behind == end:
            return
        if at - begun < 12 and not any(map(str.isalnum, text[begun:at])):
            continue
        if text[at] in _STOPS:
            if _goes_on(text, at, mark):
                continue
        else:
            following = _NEXT.match(text, behind, end) if mark["gap"] else None
            if following is None or following["word"][0] in _NO_START:
                continue
            if following["word"][0].islower():
                if lower is None:
                    lower = text[start:end].islower()
                if not lower:  # a text without capitals begins its sentences without
                    continue
            if not _ends_there(text, begun, mark, following["word"]):
                continue
        yield mark.end("close")
        begun = behind


def _goes_on(text: str, at: int, mark: re.Match[str]) -> bool:
    """Whether a stop that needs no space stands within a sentence: 「…。」と, ។ល។, ３．５."""
    after = text[mark.end()]
    if mark["close"]:
        return not mark["gap"] and "ぁ" <= after <= "ゟ"
    digits = text[at - 1].isdigit() and after.isdigit() and text[at] == "．"
    return digits or text.startswith("ល។", mark.end())


def _ends_there(text: str, begun: int, mark: re.Match[str], following: str) -> bool:
    """Whether marks with a space behind them end the sentence that began at `begun`."""
    at, close = mark.start(), mark["close"]
    if text[at] in "?!":
        if text[at - 1] == "(" and close.startswith(")"):
            return False
        quoted = any(quote in close for quote in "\"'”’»")
        return not (quoted and _SAYS.match(text, mark.end(), mark.end() + 80))
    if close or text[at : mark.start("close")] != ".":
        return True
    before = _BEFORE.search(text, max(begun, at - 24), at)
    word = before[0] if before else ""
    lower = word.lower()
    if at - len(word) == begun and _NUMBERING.fullmatch(lower):
        return False  # "1. ", "A. ", "iv. " number what follows
    if lower in _NEVER or (len(word) == 1 and text[at - 2 : at - 1] == "("):  # "(d. 1560)"
        return False
    if following[0].isdigit() and (word in _BEFORE_NUMBER or lower in _BEFORE_NUMBER):
        return False
    if text.endswith("Hun Sen", begun, at):  # a name, not a senator
        return True
    initial = len(word) == 1 and word.isupper()
    if initial or lower in _BEFORE_NAME or _DOTTED.fullmatch(word):
        return following.lower() in _STARTERS
    return True


_CLAUSE = re.compile(r"[;:,–—]+[\"'”’)\]]*(?=\s)|[、，；：]+")


def _cut(text: str, start: int, end: int) -> Iterator[Span]:
    """The sentence whole, or when it is too long cut: behind a clause, at a space, or anywhere."""
    while start < end:
        piece = text[start : min(end, start + LONGEST)]
        spaced = 20 * len(piece.split()) >= len(piece)
        longest = LONGEST if spaced else LONGEST_UNSPACED
        if end - start <= longest:
            yield Span(start, end)
            return
        least, most = start + longest // 4, start + longest // 2
        clauses = [clause.end() for clause in _CLAUSE.finditer(text, least, most)]
        at = clauses[-1] if clauses else max(text.rfind(c, least, most) for c in " \n\t")
        if at < 0:
            at = most
            while at > least and _joins(text[at]):
                at -= 1
        yield Span(*strip(text, start, at))
        start = strip(text, at, end)[0]


def _joins(character: str) -> bool:
    """Whether a character belongs to the one before it: accents, joiners, skin tones."""
    return (
        unicodedata.category(character).startswith("M")
        or character == "\u200d"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )
