"""What can be told of a text from its words alone: names, years, numbers."""

import re
from collections.abc import Container

STOP_WORDS = frozenset(
    word
    for line in (
        "a about after again against ago all also am an and any are as at be because been before",
        "being between both but by can could did do does doing down during each either else ever",
        "every few for from further get give given go had has have having he her here hers him his",
        "how however i if in into is it its itself just least let like made many may me might more",
        "most much must my near no nor not now of off on once one only onto or other our out over",
        "own per please quite rather really said same say says shall she should since so some such",
        "tell than that the their them then there these they this those though through to too",
        "toward towards under until up upon us use used very was we were what when where whether",
        "which while who whom whose why will with within without would yes yet you your",
    )
    for word in line.split()
)

AUXILIARIES = "is are was were do does did has have had can could will would should may might must"
_WORD = re.compile(r"[^\W_]+(?:['’.\-,][^\W_]+)*")
_YEAR = re.compile(r"(?<![\d,.])(?:1[5-9]|20)\d\d(?!\d|,\d|\.\d)")
_LABEL = re.compile(
    r"(?P<word>[^\W\d_]{3,})(?:,? (?:no|nr|number)\b\.?)? (?P<number>\d{1,3}(?:\.\d{1,3})*)"
    r"(?![\w%]|[.,]\d)",
    re.IGNORECASE,
)
_MONTHS = (
    "january february march april may june july august september october november december"
    " jan feb mar apr jun jul aug sep sept oct nov dec"
)
_NO_LABELS = STOP_WORDS | frozenset(_MONTHS.split())
_LEADING = re.compile(r"^0+(?=\d)")
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")


def words(text: str) -> tuple[str, ...]:
    """The words of a text, as they stand."""
    return tuple(match.group() for match in _WORD.finditer(text))


def content_words(text: str) -> tuple[str, ...]:
    """The words that carry meaning, lower-cased, in order, each once."""
    lowered = (w.lower().removesuffix("’s").removesuffix("'s") for w in words(text))
    return tuple(dict.fromkeys(w for w in lowered if w not in STOP_WORDS and len(w) > 1))


def years(text: str) -> frozenset[str]:
    """The four-digit years in a text."""
    return frozenset(_YEAR.findall(text))


def figures(text: str) -> frozenset[str]:
    """The numbers written in digits, without thousands separators and leading zeros."""
    return frozenset(map(_plain, _FIGURE.findall(text)))


def _plain(number: str) -> str:
    return _LEADING.sub("", number.replace(",", ""))


def labels(text: str) -> frozenset[tuple[str, str]]:
    """Words with the number that tells one from the next: (`article`, `12`), (`plan`, `1`)."""
    found = ((m["word"].lower(), m["number"]) for m in _LABEL.finditer(text))
    return frozenset((word, _plain(n)) for word, n in found if word not in _NO_LABELS)


def names(text: str) -> tuple[str, ...]:
    """The capitalised words that do not open the text, lower-cased, each once."""
    found = []
    for match in _WORD.finditer(text):
        word = match.group()
        if match.start() == 0 or not any(c.isupper() for c in word):
            continue
        word = word.removesuffix("’s").removesuffix("'s").lower()
        if word not in STOP_WORDS:
            found.append(word)
    return tuple(dict.fromkeys(found))


_NOT = r"\b(?:not(?! only\b)|never|cannot|no longer|nor)\b|n['’]t\b"
_DENIAL = re.compile(_NOT, re.IGNORECASE)
# Words that may deny something without a “not”: generous, since a sentence that has one is let be.
_MAY_DENY = (
    "no none neither nobody nothing without hardly rarely seldom few little less only but"
    r" instead rather outside despite although however un\w{3,} dis\w{3,} non\w* lack\w*"
    r" in(?:valid|sufficient|capable|adequate|ability|complete)\w* fail\w* refus\w*"
    r" den(?:y|ied|ies|ying) reject\w* declin\w* exclud\w* exempt\w* except\w* ban\w*"
    r" prohibit\w* prevent\w* forb\w+ oppos\w* absen\w+ miss\w+"
)
_DENYING = re.compile(rf"{_NOT}|\b(?:{'|'.join(_MAY_DENY.split())})\b", re.IGNORECASE)
# Where a question's main clause ends; a word that asks opens it and stands first.
_MAIN_CLAUSE_END = re.compile(
    r"[?.;]|(?<=\s)(?:so that|in order|because|although|though|if|unless|while|since|that|who|which"
    r"|whose|when|where|to)\b",
    re.IGNORECASE,
)


def denies(question: str) -> bool:
    """Whether its main clause has a “not” or “never”: it asks what is not so."""
    return bool(_DENIAL.search(_MAIN_CLAUSE_END.split(question, maxsplit=1)[0]))


def denials(text: str) -> tuple[str, ...]:
    """The words by which it may say that something is not so."""
    return tuple(found.group() for found in _DENYING.finditer(text))


_LEANING = re.compile(
    r"^[“\"‘']?(?:(?:of|among|in|with|by|for|after|besides|to|at|from|under)"
    r" (?:these|those|them|this|that|it)\b"
    r"|(?:they|he|she|it|these|those|this|that|such|both)\b"
    r"|the (?:former|latter|two|same|others|rest)\b"
    r"|the (?:aim|effect|goal|idea|outcome|point|purpose|reason|result)s? (?:is|are|was|were)\b"
    r"|(?:his|her|their|its)\b|(?:however|but|yet|also|instead|similarly|likewise|even so)\b)",
    re.IGNORECASE,
)
_THIRD_PERSON = re.compile(r"\b(?:he|him|his|she|her|hers)\b", re.IGNORECASE)


def leans_back(sentence: str) -> bool:
    """Whether it cannot be understood without the sentence before: “Of these, …”, “They …”."""
    return bool(_LEANING.match(sentence))


def lacks_its_person(sentence: str, known: Container[str]) -> bool:
    """Whether a “he” or “her” in it stands for somebody: none of the `known` names is before it."""
    found = _THIRD_PERSON.search(sentence)
    if found is None:
        return False
    return not any(word in known for word in content_words(sentence[: found.start()]))
