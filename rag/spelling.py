"""The question's words as the documents spell them.

British or American: a question is put as the documents write it, where they lack its spelling and
have the other one; reader, embedder and search by words all know the two as different words. A word
that they do not have, but for one much like it, may be mistyped: that is said, and nothing guessed.
"""

import re
from collections.abc import Callable, Iterator
from typing import Protocol

from rag.words import STOP_WORDS, names


class Words(Protocol):
    """What an index knows of the words of its documents."""

    def frequency(self, word: str) -> int:
        """How many passages hold the word, in any of its forms."""
        ...

    def nearest_word(self, word: str) -> str | None:
        """The word most like one that no passage holds, or None."""
        ...


_ENDING = r"(?P<end>e|ed|es|er|ers|ing|ation|ations)$"
_RULES = tuple(
    (re.compile(pattern), new)
    for pattern, new in (
        (rf"(?<=\w\w\w)is{_ENDING}", r"iz\g<end>"),
        (rf"(?<=\w\w\w)iz{_ENDING}", r"is\g<end>"),
        (r"(?<=\w\w)our(?=s?$|ed$|ing$|er$|ers$|able$|hood$|hoods$|ite$|ites$|al$)", "or"),
        (r"(?<=\w\w)or(?=s?$|ed$|ing$|er$|ers$|able$|hood$|hoods$|ite$|ites$|al$)", "our"),
        (r"^(cent|fib|lit|\w*met|sab|theat)re(d|s?)$", r"\1er\2"),
        (r"^(cent|fib|lit|\w*met|sab|theat)er(s?)$", r"\1re\2"),
        (r"^(def|off|pret|lic)ence(d|s?)$", r"\1ense\2"),
        (r"^(def|off|pret|lic)ense(d|s?)$", r"\1ence\2"),
        (r"^(\w*)gramme(s?)$", r"\1gram\2"),
        (r"^(\w*)gram(s?)$", r"\1gramme\2"),
        (r"(?<=\w[aeiou])ll(?=(?:ed|er|ers|ing|or|ors)$)", "l"),
        (r"(?<=\w[aeiou])l(?=(?:ed|er|ers|ing|or|ors)$)", "ll"),
        (r"(?<=\w)ys(?=e$|ed$|es$|ing$)", "yz"),
        (r"(?<=\w)yz(?=e$|ed$|es$|ing$)", "ys"),
    )
)
_PAIRS = (
    ("ageing", "aging"),
    ("aluminium", "aluminum"),
    ("catalogue", "catalog"),
    ("cheque", "check"),
    ("grey", "gray"),
    ("judgement", "judgment"),
    ("mould", "mold"),
    ("plough", "plow"),
    ("pyjamas", "pajamas"),
    ("sceptical", "skeptical"),
    ("tyre", "tire"),
    ("tyres", "tires"),
)
_OTHER = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}
LONG = 7  # letters
_ANY = frozenset(
    ["anybody", "anyone", "anything", "everybody", "everyone", "everything", "nothing", "someone"]
)
_WORD = re.compile(r"[A-Za-z]{4,}")


def mistyped(question: str, index: Words) -> tuple[str, ...]:
    """A line for each name or long word that the documents lack, but for one much like it."""
    named = set(names(question))
    lines = []
    for word in dict.fromkeys(_WORD.findall(question)):
        lowered = word.lower()
        if lowered in STOP_WORDS or lowered in _ANY or not (lowered in named or len(word) >= LONG):
            continue
        if not index.frequency(word) and (nearest := index.nearest_word(word)):
            lines.append(f"No document has the word “{word}”; the nearest to it is “{nearest}”.")
    return tuple(lines)


def other_spellings(word: str) -> Iterator[str]:
    """How the word may be spelt across the Atlantic, whether or not such a word exists."""
    lowered = word.lower()
    found = [_OTHER[lowered]] if lowered in _OTHER else []
    found += [rule.sub(new, lowered) for rule, new in _RULES if rule.search(lowered)]
    for other in found:
        yield other.capitalize() if word[0].isupper() else other


def respelled(question: str, frequency: Callable[[str], int]) -> str:
    """The question with the spellings of the documents.

    `frequency` says how many passages hold a word.
    """

    def as_written(found: re.Match[str]) -> str:
        word = found.group()
        others = list(other_spellings(word))
        if not others or frequency(word):
            return word
        return next((other for other in others if frequency(other)), word)

    return _WORD.sub(as_written, question)
