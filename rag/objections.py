"""What speaks against a claim, by words alone: the cited words say another number, name or thing.

No model is asked here. A `grave` objection means that the cited words do not carry the claim; one
that is not grave, that they may carry only a part of it.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from index.lexical import stems
from rag.quantities import Token, same, tokens
from rag.words import STOP_WORDS

NEAR = 3  # words between a number and what it counts
SCOPE = 5  # words behind a “not” that it denies


@dataclass(frozen=True, slots=True)
class Objection:
    """One thing against a claim, in words for the trace."""

    why: str
    grave: bool = True


@dataclass(frozen=True, slots=True)
class Source:
    """The words a claim cites, and what helps to understand them.

    `context` stands before them in their section; `title` above it; `named` are the forms of all
    names that the offered documents have.
    """

    text: str
    context: str = ""
    title: str = ""
    named: Collection[str] = frozenset()


def objections(claim: str, source: Source) -> tuple[Objection, ...]:
    """Everything against the claim, given the words that it cites."""
    return (
        *_quotations(claim, source),
        *_numbers(claim, source),
        *_counted(claim, source),
        *_names(claim, source),
        *_negations(claim, source),
        *_opposites(claim, source),
        *_generalised(claim, source),
    )


# --- quotations -------------------------------------------------------------------------------

_QUOTED = re.compile(r"[“\"«„]([^”\"»“]{2,})[”\"»“]")


def _quotations(claim: str, source: Source) -> Iterator[Objection]:
    said = " ".join(re.findall(r"\w+", source.text.casefold()))
    for quoted in _QUOTED.findall(claim):
        words = " ".join(re.findall(r"\w+", quoted.casefold()))
        if f" {words} " not in f" {said} ":
            yield Objection(f"“{quoted}” is not what the source says")


# --- numbers ----------------------------------------------------------------------------------

_ABOUT = {
    *("about", "around", "nearly", "almost", "roughly", "approximately", "circa", "some"),
    *("over", "than", "under", "least", "exceeding"),
}
_ORDINALS = {"1st", "2nd", "3rd", *(f"{n}th" for n in range(4, 13))}
_HALF = Token("50", 50, "percent")  # type: ignore[arg-type]


def _numbers(claim: str, source: Source) -> Iterator[Objection]:
    given, nearby = _figures(source.text), _figures(source.context)
    before = ""
    for token in tokens(claim):
        loose = before in _ABOUT
        before = token.text
        if not _is_figure(token) or any(_means(token, other, loose) for other in given):
            continue
        if _is_small(token, claim):
            # “The two problems” of a source that names both: wrong only where it counts others.
            if token.text == "1st" or token.value == 1:
                continue
            kind = token.text in _ORDINALS
            yield Objection(
                f"the source does not say {token.text}",
                grave=any((t.text in _ORDINALS) == kind and _is_small(t, "") for t in given),
            )
        else:
            there = any(_means(token, other, loose) for other in nearby)
            yield Objection(f"the source does not say {token.text}", grave=not there)


def _is_figure(token: Token) -> bool:
    return token.value is not None or token.text in _ORDINALS or _has_digit(token.text)


def _is_small(token: Token, text: str) -> bool:
    """Whether it is an ordinal, or a number up to twelve that the text does not write in digits."""
    small = token.value is not None and token.value <= 12 and not token.unit and not token.fixed
    return token.text in _ORDINALS or (small and token.text not in text)


def _figures(text: str) -> list[Token]:
    found = [token for token in tokens(text) if _is_figure(token)]
    return [*found, _HALF] if re.search(r"\bhalf\b", text, re.I) else found


def _has_digit(word: str) -> bool:
    return any(c.isdigit() for c in word)


def _means(claimed: Token, given: Token, loose: bool) -> bool:
    if same(claimed, given):
        return True
    if claimed.unit or claimed.value is None or given.value is None:
        return False
    # “about 21,500” for 21,566; never for a year.
    close = abs(claimed.value - given.value) * 50 <= given.value
    return loose and close and claimed.value >= 100 and not 1500 <= given.value <= 2100


def _counted(claim: str, source: Source) -> Iterator[Objection]:
    """`10,461 suspects` where the source counts 10,461 cases, and the suspects otherwise."""
    counts = _counts(source.text)
    for value, nouns in _counts(claim):
        own = {noun for v, there in counts if v == value for noun in there}
        other = {noun for v, there in counts if v != value for noun in there}
        wrong = nouns[0] if nouns else ""
        if own and wrong in other and wrong not in own:
            yield Objection(f"the source counts other things with {value}")


def _counts(text: str) -> list[tuple[object, list[str]]]:
    """Every number with the stems of the words close behind it."""
    found = tokens(text)
    result: list[tuple[object, list[str]]] = []
    for at, token in enumerate(found):
        if token.value is None or token.fixed:
            continue
        nouns: list[str] = []
        for behind in found[at + 1 : at + 1 + NEAR]:
            if behind.value is not None:
                break
            if behind.text not in STOP_WORDS and not behind.unit:
                nouns += stems(behind.text)
        result.append((token.value, nouns))
    return result


# --- names ------------------------------------------------------------------------------------

_CAPITALISED = re.compile(r"[^\W\d_](?:[\w&]|[’'.-](?=\w))*")
_PRONOUN = re.compile(
    r"\b(?:he|him|his|she|her|hers|they|them|their|theirs|it|its|this|these|those|that|such)\b",
    re.I,
)
# Words that open a sentence with a capital and are never names.
_OPENERS = re.compile(r"(?:\w+(?:ly|ing)|despite|besides|unlike|although|of|together|even)$", re.I)
_TITLES = {"mr", "mrs", "ms", "dr", "prof", "sir", "madam", "i", "ok", "first", "second", "third"}


def _names(claim: str, source: Source) -> Iterator[Objection]:
    given, nearby = _forms(f"{source.text} {source.title}"), _forms(source.context)
    leans = bool(_PRONOUN.search(source.text))
    for name in names_in(claim, source.named):
        form = _form(name)
        if _is_there(form, name, given, f"{source.text} {source.title}"):
            continue
        there = _is_there(form, name, nearby, source.context)
        if there and (leans or form in source.named):
            if not leans:
                yield Objection(f"the cited words do not name {name}", grave=False)
            continue
        yield Objection(f"the source does not name {name}", grave=not there)


def names_in(text: str, named: Collection[str] = frozenset()) -> list[str]:
    """The capitalised words that are names; one that opens a sentence only where it is known."""
    found = []
    opening = True
    at = 0
    words = list(_CAPITALISED.finditer(text))
    for i, match in enumerate(words):
        word = match.group()
        between = text[at : match.start()]
        opening = i == 0 or bool(re.search(r"[.!?:]\W*$|[“\"]$", between))
        at = match.end()
        if not word[0].isupper() or word.lower() in STOP_WORDS | _TITLES:
            continue
        following = words[i + 1].group() if i + 1 < len(words) else ""
        joined = i + 1 < len(words) and text[match.end() : words[i + 1].start()] == " "
        pair = joined and following[0].isupper() and following.lower() not in STOP_WORDS
        known = _form(word) in named and not _OPENERS.match(word)
        if not opening or pair or known or word[1:2].isupper():
            found.append(word)
    return found


def known_names(texts: Iterable[str]) -> frozenset[str]:
    """The forms of the words that the texts only ever write with a capital."""
    upper: set[str] = set()
    lower: set[str] = set()
    for word in (word for text in texts for word in _CAPITALISED.findall(text)):
        (upper if word[0].isupper() else lower).add(_form(word))
    return frozenset(upper - lower)


def _form(name: str) -> str:
    """The name without case, possessive and plural."""
    name = re.sub(r"[’']s?$", "", name).replace(".", "").lower()
    return name[:-1] if len(name) > 4 and name.endswith("s") else name


def _forms(text: str) -> set[str]:
    return {_form(word) for word in _CAPITALISED.findall(text)}


def _is_there(form: str, name: str, forms: set[str], text: str) -> bool:
    if form in forms:
        return True
    for part in re.split(r"[-’']", name):
        if part and _form(part) not in forms:
            break
    else:
        return True
    stem = form[: max(4, len(form) - 3)]
    if len(form) >= 6 and any(len(f) >= 5 and f[: len(stem)] == stem for f in forms):
        return True  # Cambodia, Cambodian
    capitals = [w[0] for w in re.findall(r"[^\W\d_][\w’'-]*", text) if w[0].isupper()]
    letters = name.replace(".", "")
    if letters.isupper() and 2 <= len(letters) <= 6:
        return letters in "".join(capitals)  # UN for United Nations
    return False


# --- negations --------------------------------------------------------------------------------

_NOT = re.compile(
    r"\b(?:not(?! only\b)|never|cannot|without|none|neither|nor|nobody|nothing|nowhere"
    r"|no(?! ?\d| ?one\b)|no one|hardly|scarcely)\b|n[’']t\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[,;:.]|\b(?:but|although|though|because|and that|who|which|while)\b")


def _negations(claim: str, source: Source) -> Iterator[Objection]:
    claimed, given = _denied(claim), _denied(source.text)
    own, theirs = set(stems(claim)), set(stems(source.text))
    for scope in given:
        if scope and not claimed and scope <= own:
            yield Objection("the source denies what is claimed")
            return
    for scope in claimed:
        if not any(scope & denied for denied in given) and (scope & theirs or not given):
            yield Objection("the claim denies, the source does not")
            return


def _denied(text: str) -> list[set[str]]:
    """For each “not”, the stems of the few telling words that it denies."""
    scopes = []
    for found in _NOT.finditer(text):
        rest = text[found.end() :]
        end = _CLAUSE_END.search(rest)
        words = re.findall(r"[\w’'-]+", rest[: end.start()] if end else rest)
        telling = [w for w in words if w.lower() not in STOP_WORDS][:SCOPE]
        scopes.append({stem for word in telling[:2] for stem in stems(word)})
    return scopes


# --- opposites --------------------------------------------------------------------------------

_PAIRS = """
increase,rise,rose,risen,grow,grew,grown,growth,surge,climb,jump/decrease,decline,fall,fell,fallen,drop,shrink,shrank,reduce,reduction
more,greater/fewer,less
most,majority/least,minority,few
high,higher/low,lower
harsh,harsher,severe,stricter,tough,tougher/mild,milder,lenient,light
large,larger,big,bigger,major/small,smaller,little,minor
before,prior/after,following,since
early,earlier/late,later
start,begin,began,begun,open,launch/end,stop,close,cease,halt
continue,resume/stop,cease,halt,suspend
success,successful,succeed/failure,fail,unsuccessful
positive/negative
support,back,welcome,praise/oppose,reject,condemn,criticise,criticize,denounce
accept,approve/refuse,deny,reject
allow,permit,legalise/ban,forbid,prohibit,outlaw
easy,easily,simple/hard,difficult,complicated,complicate
improve,better,ease,lessen,relieve/worsen,worse,aggravate,deteriorate
strong,stronger,strengthen/weak,weaker,weaken
import/export
buy,purchase/sell,sale
win,won/lose,lost,defeat
voluntary/compulsory,mandatory,forced
public/private
domestic,internal/foreign,international
include,contain/exclude
prison,jail/rehabilitation,treatment
arrest,detain/release,free
north,northern/south,southern
east,eastern/west,western
male,man,men/female,woman,women
father,son,brother,husband/mother,daughter,sister,wife
urban/rural
young,younger/old,older,elderly
new,newer/old,older
first/last
near,nearby,close/far,distant
above,over,exceed,exceeding/below,under
rich,wealthy/poor
safe,safer/dangerous
guilty,convict/innocent,acquit
local/international,global,worldwide
alone/together,dozen
always/never
present,presence/absent,absence
alive,survive/dead,die,kill
complete,finish/begin,early,incomplete,unfinished
narrow,narrower/wide,wider,broad,broader
extend,prolong/shorten,cut
gain/loss,lose
hot,warm,warmer/cold,cool,cooler
long,longer/short,shorter
fast,faster,quick,quickly/slow,slower,slowly
up/down
punitive,harsher/compassionate
additional,more/fewer,cut
"""


def _sides() -> list[tuple[frozenset[str], frozenset[str]]]:
    pairs = []
    for line in _PAIRS.split():
        left, right = (
            frozenset(stem for word in side.split(",") for stem in stems(word))
            for side in line.split("/")
        )
        pairs += [(left - right, right - left), (right - left, left - right)]
    return pairs


_OPPOSED = _sides()


def _opposites(claim: str, source: Source) -> Iterator[Objection]:
    claimed, given = set(stems(claim)), set(stems(source.text))
    denied = bool(_NOT.search(claim)) != bool(_NOT.search(source.text))
    for mine, theirs in _OPPOSED:
        said, opposed = claimed & mine, given & theirs
        if said and opposed and not given & mine and not claimed & theirs:
            yield Objection(
                f"“{min(said)}” where the source has “{min(opposed)}”", grave=not denied
            )
            return


# --- generalised ------------------------------------------------------------------------------

# Each line claims more than the one before; a source that has a word up to that line may carry it.
_UNIVERSALS = tuple(
    re.compile(rf"\b(?:{words})\b(?! ?\d)", re.IGNORECASE)
    for words in (
        "all(?! over)|every|everyone|everybody|everything|everywhere|each|always|entire(?:ly)?"
        "|whole|completely|fully|throughout|invariably|without exception|any(?:one|body|thing)?",
        "solely|only|exclusively|alone|merely|nothing else",
    )
)
_CERTAIN = re.compile(
    r"\b(?:will|already|certainly|definitely|has ended|have ended|proved?n?)\b", re.I
)
_HEDGED = re.compile(
    r"\b(?:may|might|could|can|seem(?:s|ed)?|appear(?:s|ed)?|perhaps|possibly|likely|would|should"
    r"|hopes?|plan(?:s|ned)?|being explored|expected|intended|meant|aims?|suggests?)\b",
    re.IGNORECASE,
)


def _generalised(claim: str, source: Source) -> Iterator[Objection]:
    everything = f"{source.text} {source.context}"
    for at, universal in enumerate(_UNIVERSALS):
        claimed = universal.search(claim)
        if claimed and not any(line.search(source.text) for line in _UNIVERSALS[: at + 1]):
            yield Objection(f"“{claimed.group()}” says more than the source")
    if (
        _CERTAIN.search(claim)
        and _HEDGED.search(source.text)
        and not _CERTAIN.search(everything)
        and not _HEDGED.search(claim)
    ):
        yield Objection("the source is less certain")


def telling(text: str) -> dict[str, str]:
    """The words that carry meaning, by their stems, in order."""
    words = re.findall(r"[^\W_]+(?:['’.][^\W_]+)*", text)
    kept = [w for w in words if w.lower() not in STOP_WORDS and (len(w) > 1 or w.isdigit())]
    return {stem: word for word in kept for stem in stems(word)}
