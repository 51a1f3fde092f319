"""Questions that a passage does not answer, made by rule from questions that it does.

In the manner of SQuAD 2.0's human ones: another year, number or name; the opposite word; a
negation; a time that the passage does not speak of; an attribute it says nothing of.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterable

_PAIRS = (
    "first last; before after; largest smallest; biggest smallest; highest lowest; oldest "
    "youngest; oldest newest; most least; more fewer; more less; increase decrease; increased "
    "decreased; north south; northern southern; east west; eastern western; earliest latest; "
    "longest shortest; best worst; began ended; begin end; start stop; started stopped; won "
    "lost; win lose; allowed forbade; allow forbid; accept reject; accepted rejected; supported "
    "opposed; support oppose; majority minority; maximum minimum; male female; men women; "
    "father mother; born buried; rise fall; rose fell; larger smaller; higher lower; older "
    "younger; same different; major minor; positive negative; arrived left; entered left; early "
    "late; always never; above below; inside outside; strong weak; strongest weakest; public "
    "private; rural urban; rich poor; joined left; created destroyed; built demolished; sold "
    "bought; enemy ally; enemies allies; attacked defended; gained lost; common rare; like "
    "dislike; good bad; easy difficult; cheap expensive; old new; hot cold; advantage "
    "disadvantage; benefits drawbacks; include exclude; included excluded; king queen; son "
    "daughter; husband wife; brother sister; victory defeat; import export; imported exported"
)
OPPOSITES: dict[str, list[str]] = defaultdict(list)
for _pair in _PAIRS.split(";"):
    _a, _b = _pair.split()
    OPPOSITES[_a].append(_b)
    OPPOSITES[_b].append(_a)

# A template, and what the passage must not speak of for it to be surely unanswered.
ATTRIBUTES: tuple[tuple[str, str], ...] = (
    ("How tall is {}?", r"\btall|height|feet|foot|metre|meter|inch|high\b"),
    ("How old is {}?", r"\bold|age|aged|born|year"),
    ("What is the e-mail address of {}?", r"@|mail"),
    ("What is the phone number of {}?", r"phone|call|telephone"),
    ("Who painted {}?", r"paint|artist|portrait"),
    ("In which year did {} die?", r"\bdie|death|dead|kill|murder|execut|late\b|\d{4}"),
    ("When was {} born?", r"\bborn|birth|\d{4}"),
    ("Where was {} born?", r"\bborn|birth|native|from\b"),
    ("How much did {} cost?", r"cost|price|paid|\bpay|[$£€]|million|dollar|expens"),
    ("How much money did {} lose?", r"lost|lose|loss|money|[$£€]|million"),
    ("How many people died because of {}?", r"\bdie|death|dead|kill|casualt|lives|victim"),
    ("How many people work for {}?", r"employ|work|staff|personnel"),
    ("What is the population of {}?", r"populat|inhabitant|resident|people|live"),
    ("What colour is {}?", r"colou?r|red|blue|green|white|black|yellow"),
    ("Who is married to {}?", r"marri|wife|husband|spouse|wed"),
    ("How many children does {} have?", r"child|son\b|sons\b|daughter|kids"),
    ("Who designed {}?", r"design|architect|creat|built|develop"),
    ("Who wrote about {}?", r"wrote|writ|author|book|said|accord"),
    ("What language is spoken in {}?", r"language|speak|spoke|english|french|latin"),
    ("Who won the election in {}?", r"elect|vote|won\b"),
    ("What was the weather like in {}?", r"weather|rain|storm|snow|wind|sun|cold|hot|climate"),
    ("How heavy is {}?", r"weigh|heav|kilo|pound|ton\b|tons|tonne"),
    ("Why was {} arrested?", r"arrest|prison|jail|charge|police"),
    ("When was {} closed?", r"clos|shut|ceas|end|\d{4}"),
    ("Who bought {}?", r"bought|buy|purchas|sold|acqui|paid"),
    ("What is the motto of {}?", r"motto|slogan"),
    ("How far is {} from the capital?", r"mile|kilomet|km|far\b|distance|near"),
    ("What prize did {} receive?", r"prize|award|medal|honou?r|won\b|receiv"),
    ("Which bank lent money to {}?", r"bank|loan|lent|lend|borrow|credit"),
    ("What did {} say about the accident?", r"accident|crash|said|say|stat"),
    ("What is the average salary at {}?", r"salar|wage|paid|pay|earn|income"),
    ("How many seats does {} have?", r"seat|capacity|member"),
)
_NAME = re.compile(
    r"(?<![.?!] )(?<!^)\b[A-Z][\w’'-]+(?:(?: of| the| de| and| van)? [A-Z][\w’'-]+){0,3}"
)
_NOT_NAMES = {"because", "however", "although", "since", "while", "when", "they", "this", "that"}
_YEAR = re.compile(r"\b(?:1[0-9]|20)\d\d\b")
_NUMBER = re.compile(r"(?<![\d,.])\d{1,3}(?![\d,.%])\b")
_CONTRACTED = {"did": "didn't", "is": "isn't", "are": "aren't", "was": "wasn't", "were": "weren't"}
_CONTRACTED |= {"does": "doesn't", "do": "don't", "can": "can't", "could": "couldn't"}


def names(text: str) -> list[str]:
    """Capitalised word groups that do not open a sentence."""
    return [m.group() for m in _NAME.finditer(text) if len(m.group()) > 3]


def _before(text: str, name: str) -> str:
    """The word before a name: names after the same word are of a kind often enough."""
    words = text[: text.index(name)].split()
    return words[-1].lower() if words else ""


class Swapper:
    """Knows the names that questions use, by set and article and by the word before them."""

    def __init__(self, asked: Iterable[tuple[str, str]]) -> None:
        self.near: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.far: dict[str, list[str]] = defaultdict(list)
        for article, question in asked:
            for name in names(question):
                word = _before(question, name)
                self.near[article, word].append(name)
                self.far[word].append(name)

    def swap(self, rng: random.Random, article: str, question: str, passage: str) -> str | None:
        """A question near to this one that the passage does not answer, or None."""
        for way in rng.sample(_WAYS, counts=_COUNTS, k=4):
            made = getattr(self, way)(rng, article, question, passage)
            if made and made != question:
                return made
        return None

    def name(self, rng: random.Random, article: str, question: str, passage: str) -> str | None:
        """Another name, met after the same word in another question."""
        found = [n for n in names(question) if n.split()[0] in passage]
        if not found:
            return None
        old = rng.choice(found)
        word = _before(question, old)
        pool = self.near[article, word] if rng.random() < 0.6 else self.far[word]
        lower = passage.lower()
        for _ in range(6):
            new = rng.choice(pool)
            if not any(part in lower for part in re.findall(r"\w{4,}", new.lower())):
                return question.replace(old, new)
        return None

    def year(self, rng: random.Random, article: str, question: str, passage: str) -> str | None:
        """Another year."""
        return self._count(rng, _YEAR, (1, 3, 7, 12, 40, 100), question, passage)

    def number(self, rng: random.Random, article: str, question: str, passage: str) -> str | None:
        """Another number."""
        return self._count(rng, _NUMBER, (1, 2, 3, 5, 10, 20), question, passage)

    @staticmethod
    def _count(
        rng: random.Random, what: re.Pattern[str], steps: tuple[int, ...], question: str, text: str
    ) -> str | None:
        found = what.search(question)
        if not found or found.group() not in text:
            return None
        new = str(int(found.group()) + rng.choice(steps) * rng.choice((1, -1)))
        if new in text or new.startswith("-") or new == "0":
            return None
        return question[: found.start()] + new + question[found.end() :]

    def opposite(self, rng: random.Random, article: str, question: str, passage: str) -> str | None:
        """The opposite of a word."""
        words = re.findall(r"[a-z]+", question)
        found = [w for w in words if w in OPPOSITES]
        if not found:
            return None
        old = rng.choice(found)
        new = rng.choice(OPPOSITES[old])
        if re.search(rf"\b{new}", passage):
            return None
        return re.sub(rf"\b{old}\b", new, question, count=1)

    def negation(self, rng: random.Random, article: str, question: str, passage: str) -> str | None:
        """`did` as `didn't`."""
        found = [w for w in question.split() if w in _CONTRACTED]
        if not found or "n't" in question or " not " in question or question.startswith("Why"):
            return None
        old = found[0]
        return re.sub(rf"\b{old}\b", _CONTRACTED[old], question, count=1)

    def time(self, rng: random.Random, article: str, question: str, passage: str) -> str | None:
        """A year that the passage does not speak of."""
        if _YEAR.search(question) or re.match(r"when|what year|in what|in which", question.lower()):
            return None
        year = str(rng.choice((rng.randint(1000, 1899), rng.randint(1900, 2024))))
        if year in passage:
            return None
        return question.rstrip("? ") + f" in {year}?"

    def attribute(
        self, rng: random.Random, article: str, question: str, passage: str
    ) -> str | None:
        """An attribute of a name that the passage does not speak of."""
        lower = passage.lower()
        common = set(re.findall(r"\b[a-z]+\b", passage))
        found = [n for n in names(passage) if n.lower() not in common | _NOT_NAMES]
        if not found:
            return None
        for template, spoken_of in rng.sample(ATTRIBUTES, 5):
            if not re.search(spoken_of, lower):
                return template.format(rng.choice(found))
        return None


_WAYS = ["name", "year", "number", "opposite", "negation", "time", "attribute"]
_COUNTS = [6, 6, 3, 6, 1, 1, 2]
