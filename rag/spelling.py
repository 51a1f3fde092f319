"""British and American spelling: a question is put as the documents write it.

Only where they lack the question's spelling and have the other one. Reader, embedder and search by
words all know the two as different words.
"""

import re
from collections.abc import Callable, Iterator

_ENDING = r"(?P<end>e|ed|es|er|ers|ing|ation|ations)$"
_RULES = tuple(
    (re.compile(pattern), new)
    for pattern, new in (
        (rf"(?<=\w\w\w)is{_ENDING}", r"iz\g<end>"),
        (rf"(?<=\w\w\w)iz{_ENDING}", r"is\g<end>"),
        (r"(?<=\w\w)our(?=s?$|ed$|ing$|er$|ers$|able$|hood$|hoods$|ite$|ites$|al$)", "or"),
        (r"(?<=\w\w)or(?=s?$|ed$|ing$|er$|ers$|able$|hood$|hoods$|ite$|ites$|al$)", "our"),
        (r"^(cent|fib|lit|(?:\w+|)met|sab|theat)re(d|s?)$", r"\1er\2"),
        (r"^(cent|fib|lit|(?:\w+|)met|sab|theat)er(s?)$", r"\1re\2"),
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
_WORD = re.compile(r"[A-Za-z]{4,}")


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
