"""Questions about documents as such: “What are these documents about?”, “Summarise plan.txt”.

No sentence answers them, so nothing is read for an answer: each document is told by the sentences
that say most of it.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath

from corpus.sentences import levelled
from corpus.types import Document, Passage, Sentence, Span
from index.lexical import stems
from index.types import Hit, IndexedDocument
from rag.evidence import Weighed
from rag.shape import DOCUMENTS
from rag.types import Evidence
from rag.words import content_words, lacks_its_person, leans_back, names

SURE, LESS_SURE = 0.95, 0.5
MOST = 6  # sentences
WEIGHED_MOST = 24  # what a language model is shown
DOCUMENTS_MOST = 8
CHARACTERS = 60_000  # of a document that are looked at
WORDS_LEAST, WORDS_MOST = 6, 45

_HOW_MANY = r"(?:\d+|two|three|four|five|six|seven|eight|nine|ten|whole|entire) "
_POLITE = r"^(?:please |can you |could you |would you )*"
_ASKED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_POLITE}(?:summari[sz]e|sum up|outline)(?: for me)? (?P<what>.+)",
        rf"{_POLITE}(?:give (?:me |us )?)?(?:an? |the )?(?:brief |short |quick )?"
        r"(?:overview|summary|outline|gist) of (?P<what>.+)",
        r"^what(?:’s|'s| is| are) (?P<what>.+?) (?:all )?about\W*$",
        r"^what(?:’s|'s| is| are) (?:in|the (?:main )?"
        r"(?:topics?|subjects?|contents?|points?|ideas?) (?:of|in)) (?P<what>.+)",
        r"^what do(?:es)? (?P<what>.+?) (?:say|cover|contain|deal with|discuss)\W*$",
    )
)
_ALL = re.compile(
    rf"(?:all |each |every )?(?:of )?(?:the |these |those |my |your |our |this )?(?:{_HOW_MANY})?"
    rf"(?:{DOCUMENTS}(?<=s)|collection|folder|library|knowledge base)",
    re.IGNORECASE,
)
_THE_ONE = re.compile(rf"(?:the |this |my )?{DOCUMENTS}", re.IGNORECASE)
_NAMED = re.compile(
    rf"(?:the |this )?{DOCUMENTS},? (?:called |titled |entitled |named |about |on |of )?"
    r"(?P<name>.+)",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[“\"‘'](?P<name>[^“”\"]+)[”\"’']")


def documents_meant(
    question: str, documents: Mapping[str, IndexedDocument]
) -> tuple[IndexedDocument, ...]:
    """The documents that a question wants told as a whole; () where it wants something else."""
    what = next((found["what"] for ask in _ASKED if (found := ask.match(question))), "")
    what = what.strip(" ?.!,")
    if not what or not documents:
        return ()
    every = tuple(documents.values())
    if _ALL.fullmatch(what) or (len(every) == 1 and _THE_ONE.fullmatch(what)):
        return every
    named, quoted = _NAMED.fullmatch(what), _QUOTED.fullmatch(what)
    if named or quoted:
        name = (named or quoted)["name"]  # type: ignore[index]
        inner = _QUOTED.fullmatch(name)
        return _called(inner["name"] if inner else name, every)
    return tuple(one for one in every if what.lower() in _file_names(one))


def _called(name: str, every: Collection[IndexedDocument]) -> tuple[IndexedDocument, ...]:
    """The one document of that file name, or whose title holds all the words of the name."""
    files = tuple(one for one in every if name.lower() in _file_names(one))
    wanted = set(stems(" ".join(content_words(name))))
    titled = tuple(one for one in every if wanted and wanted <= set(stems(one.title)))
    found = files or titled
    return found if len(found) == 1 else ()


def _file_names(one: IndexedDocument) -> set[str]:
    path = PurePosixPath(one.id.lower())
    return {str(path), path.name, path.stem}


def gist(question: str, documents: Sequence[Document]) -> tuple[Weighed, tuple[Evidence, ...]]:
    """The sentences that say much of each document, and those of them that say most."""
    each = MOST if len(documents) == 1 else 2 if len(documents) * 2 <= MOST else 1
    told: list[Evidence] = []
    more: list[Evidence] = []
    for document in documents:
        hit = _hit(document)
        for at, sentence in enumerate(telling(document, WEIGHED_MOST // len(documents))):
            most = at < each
            sure = SURE if most else LESS_SURE
            (told if most else more).append(Evidence(document, sentence, hit, 0.0, sure, None))
    weighed = Weighed(question, (*told, *more), SURE if told else 0.0, {})
    return weighed, tuple(told)


def telling(document: Document, most: int) -> list[Sentence]:
    """At most so many sentences of a document: its first, then the most telling, the best first.

    SumBasic (Nenkova and Vanderwende 2005): a sentence counts as the mean probability of its words
    in the document, and what was told counts less from then on.
    """
    head = document.text[:CHARACTERS]
    read = [sentence for sentence, _ in levelled(head)]
    if len(document.text) > CHARACTERS:
        read = read[:-1]  # it may be cut
    whole = [s for s in read if not s.is_heading and s.span.of(head)[-1] not in "?:"]
    words = {s.span: set(stems(" ".join(content_words(s.span.of(head))))) for s in whole}
    known = {name for s in whole for name in names(s.span.of(head))}
    able = [s for s in whole if _stands_alone(s.span.of(head), known)] or whole
    counted = Counter(word for found in words.values() for word in found)
    total = sum(counted.values()) or 1
    weight = {word: n / total for word, n in counted.items()}
    chosen: list[Sentence] = []
    while able and len(chosen) < most:
        best = able[0]
        if chosen:
            best = max(able, key=lambda s: _mean(weight, words[s.span]))
        able.remove(best)
        chosen.append(best)
        for word in words[best.span]:
            weight[word] **= 2
    return chosen


def _stands_alone(text: str, known: Collection[str]) -> bool:
    """Whether it has a fair length, needs no sentence before it and cuts no quotation."""
    fair = WORDS_LEAST <= len(text.split()) <= WORDS_MOST
    whole = text.count("“") == text.count("”") and text.count('"') % 2 == 0
    return fair and whole and not leans_back(text) and not lacks_its_person(text, known)


def _mean(weight: Mapping[str, float], words: Collection[str]) -> float:
    return sum(weight[word] for word in words) / len(words) if words else 0.0


def _hit(document: Document) -> Hit:
    """All that is looked at, as one passage."""
    passage = Passage(document, Span(0, min(len(document.text), CHARACTERS)), ())
    return Hit(passage, 0.0, None, None, None, None)
