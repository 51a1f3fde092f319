"""A follow-up becomes a question that stands alone, by rules and with no model.

A follow-up leans on what came before by a pronoun (`How many of them …?`), by leaving words out
(`And in 2020?`, `In how many cases?`) or by naming a thing alone (`Members?`). The words it leans
on are those of the last question that stood alone, and of its answer. Which rewriting is right
cannot be known from the words, so several are offered: the reader says which one it can answer.
"""

import re
from collections.abc import Sequence
from typing import Protocol

from rag.kinds import kind_of_answer
from rag.shape import halves_of
from rag.types import Question, Turn
from rag.words import STOP_WORDS, content_words, years

SAID = 300  # characters of an earlier answer that a search may use


class Memory(Protocol):
    """What the rules may ask of the documents."""

    def answered(self, question: str) -> str | None:
        """The words that answer an earlier question that stands alone, or None."""
        ...

    def near(self, one: str, other: str) -> bool:
        """Whether two questions are about the same subject."""
        ...


_OPENING = re.compile(
    r"^(?:(?:and|but|or|so|ok(?:ay)?|then|also|well|now)\b[\s,]*)*"
    r"(?:(?:what|how) about\b\s*)?(?:(?:and|then)\b\s*)?",
    re.IGNORECASE,
)
_LEANS = re.compile(r"^(?:and|but|or|so|then|also|what about|how about|what else|who else)\b", re.I)
# “What happened to her?”, and “Who arrested her in May?”; “her job” is hers.
_WHOM = (
    r"her(?=\W*$|[,;:]|\s+(?:in|on|at|for|of|from|with|by|to|about|and|or|as|when|after|before"
    r"|because|during|while|until|since|if)\b)"
)
_PERSONAL = re.compile(rf"\b(?:he|him|she|they|them|it|{_WHOM})\b", re.I)
_POSSESSIVE = re.compile(rf"\b(?:his|(?!{_WHOM})her|hers|their|theirs|its)\b", re.I)
_POINTING = re.compile(
    r"\b(?:that|this|those|these)(?=\s*[?.!,]|\s*$)"
    r"|\b(?:that|those|these) (?:years?|time|day|law|cases?|place|country|group|campaign|people"
    r"|person|man|woman|plan|event|period|ones?|figures?|numbers?|things?)\b"
    r"|\bof (?:these|those) (?:people|men|women|children|cases|ones)\b"
    r"|\bof them\b|\bof (?:these|those)\b(?! who\b| \w+(?:ed|ing|en|ld|nt)\b)"
    r"|\bthis (?:one|law|group|person|place|plan|event)\b"
    r"|\b(?:which|the (?:first|second|third|last|other|next|same)) ones?\b"
    r"|\bthe (?:same|former|latter|others?)\b|\bthere(?=\s*[?.!,]|\s*$)|\bdo so\b|\bas well\b",
    re.I,
)
# “Is it true that …”: the word stands for nothing.
_EMPTY_IT = re.compile(
    r"\b(?:is|was) it (?:true|correct|right|so|the case|possible|likely|known|clear|certain|common"
    r"|important|necessary|legal|illegal)(?= (?:that|to|for)\b)",
    re.I,
)
_OF_THEM = re.compile(r"\bof (?:them|these|those)\b", re.I)
_OF_THOSE = re.compile(r"\bof (?:these|those)\b", re.I)
_AUXILIARY = re.compile(
    r"\b(?:is|are|was|were|be|been|do|does|did|has|have|had|can|could|will|would|shall|should|may"
    r"|might|must|’s|'s)\b",
    re.I,
)
_ACTIVE = re.compile(
    r"do|does|did|has|have|had|can|could|will|would|shall|should|may|might|must", re.I
)
_IMPERATIVE = re.compile(
    r"^(?:please )?"
    r"(?:tell|list|name|give|show|explain|describe|summari[sz]e|compare|find|outline|sum)\b",
    re.I,
)
_ASKING = re.compile(
    r"^(?:(?:in|on|at|by|for|from|to|of|with|since|until|under|during|about) )?"
    r"(?:how (?:many|much|old|long|often|far|big|tall|large)|how|who(?:m|se)?|when|where|why"
    r"|which|what)\b",
    re.I,
)
_NAME = re.compile(r"[A-Z][\w’'-]*(?:(?: (?:of|the|for|and|on|de|al) | )[A-Z0-9][\w’'-]*)*")
_PREPOSITION = re.compile(r"(?:in|at|on|for|of|from|with|by|to|about)\b", re.I)
_PARTICLE = re.compile(r"out|up|off|down|away|over|back", re.I)  # “Who carries them out?”
_PLACE = re.compile(
    r"\b(?:in|at|across|throughout|within) (?:the )?[A-Z][\w’'-]*(?: [A-Z][\w’'-]*)*"
)
# “… seized in the campaign that X reported on?”: to the end, as that which says when or where.
_WHEN_OR_WHERE = re.compile(
    r"\b(?:in|during|at) (?:the|this|that) (?!.*\b(?:in|during|at) ).+?(?=[?.!]*$)"
)
_ORDINAL = re.compile(
    r"\b(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last|next|previous)\b",
    re.I,
)
_COUNTED = re.compile(
    r"(?P<asks>how (?:many|much)(?: \w+ of)? )(?P<counted>[\w’'-]+(?: [\w’'-]+){0,2}?)"
    r"(?= (?:was|were|is|are|did|do|does|has|have|had|will|would|can)\b)",
    re.I,
)
# “In connection with how many cases?”: it asks, and has no verb.
_BARE_ASKING = re.compile(
    r"^(?:in|on|at|by|for|from|to|of|with|since|until|under|during|about)\b[^,]*"
    r"\b(?:how (?:many|much|long|often)|which|what|whom|whose)\b(?: [\w’'-]+){0,3}\W*$",
    re.I,
)
# “How many went home?” has a verb of its own; “How many kilos?” wants that of the question before.
_PAST = re.compile(
    r"\b(?:\w{2,}ed|became|began|came|fell|felt|fled|found|gave|got|held|kept|knew|left|lost|made"
    r"|met|paid|ran|said|sat|saw|sent|sold|spent|spoke|stood|stayed|told|took|went|won|wrote)\b",
    re.I,
)
# “Who said that …?”: what was said is what is asked about next.
_SAID_THAT = re.compile(
    r"^who (?:said|says|claim(?:s|ed)|argue[sd]|thinks|thought|believe[sd]|warn(?:s|ed))"
    r" (?:that )?",
    re.I,
)
_LED_IN = re.compile(
    r"^(?:in|on|at|by|for|from|to|of|with|under)\b[^,?]*?(?=\bhow (?:many|much)\b)", re.I
)
# “Who heads …?”: the word behind who is what they do.
_DOES = re.compile(rf"^who (?!{_AUXILIARY.pattern})[a-z]+ (?=\w)", re.I)
_TAKES_PLACE = re.compile(r"exist(?:s|ed)?|happen(?:s|ed)?|occur(?:s|red)?|mean", re.I)
_INTRODUCED = re.compile(
    r"^(?i:(?:who|what)(?: is| are| was| were|’s|'s)"
    r"|(?:please )?tell (?:me|us) (?:more |all )?about)"
    r" (?:the )?(?P<name>[A-Z][\w’'-]*(?: (?:of|the|for|and|on|de|al)| [A-Z0-9][\w’'-]*)*)\W*$"
)
_LEAD_NAME = re.compile(r"(?:the )?[A-Z][\w’'-]*(?: [A-Z][\w’'-]*)*")
_CALLED = 6  # words that an answer may have to stand for itself
# “… was that?” asks on about the same: the same sentence may say it.
_SAME = re.compile(r"\b(?:is|was|are|were) (?:that|this|those|it)\W*$", re.I)
_NAMED = ("person", "place", "other")
_THING = re.compile(r"\bits?\b", re.I)
_PERSON = re.compile(r"\b(?:he|him|she|his|her|hers)\b", re.I)


def leans(text: str) -> bool:
    """Whether a question needs the conversation before it to be understood."""
    text = text.strip()
    if points_back(text):
        return True
    meaning = content_words(_ASKING.sub("", text))
    if _BARE_ASKING.match(text) and not _AUXILIARY.search(text) and not _specific(text):
        return True
    if _names(text) or _IMPERATIVE.match(text):
        return False
    if not _AUXILIARY.search(text) and len(text.split()) <= 5 and len(meaning) <= 2:
        return True
    return bool(_ASKING.match(text)) and len(meaning) <= 1


def points_back(text: str) -> bool:
    """Whether a word of the question points back: `and …`, a pronoun, `the same`."""
    text = _EMPTY_IT.sub("", text)
    if _LEANS.match(text) or _POINTING.search(text):
        return True
    for pronoun in (_PERSONAL, _POSSESSIVE):
        for found in pronoun.finditer(text):
            before = text[: found.start()]
            own = len(content_words(before))
            if not _names(before) and own < (1 if pronoun is _POSSESSIVE else 3):
                return True
    return False


def condense(text: str, history: Sequence[Turn] = (), memory: Memory | None = None) -> Question:
    """The question with what it leans on.

    A question that leans is read in several ways, the one that says most first; `standalone` is
    the first of them. One that does not lean is read as it is; where it is about the same subject
    as the question before, the search looks near that one too.
    """
    text = " ".join(text.split())
    before, said = _before(history, memory)
    if before is None:
        return Question(text, text, (text,), (text,))
    leaning = leans(text)
    if not leaning and (memory is None or not memory.near(before, text)):
        return Question(text, text, (text,), (text,), tuple(history))
    answered = memory.answered(before) if memory is not None and (leaning or not said) else None
    context = (f"{before} {text}", f"{said or answered or ''} {text}".strip())
    if not leaning:
        return Question(text, text, (text, text, *context), (text,), tuple(history))
    readings = _readings(text, before, answered)
    searches = tuple(dict.fromkeys((readings[0], *context, text)))
    # “In how many cases?” may be answered by the same sentence; “Who helped them?” is not.
    bare = _OPENING.sub("", text)
    same = _ASKING.match(bare) and _SAME.search(bare)
    stays = same or _BARE_ASKING.match(bare) or _INTRODUCED.match(before)
    moves_on = not stays and (points_back(bare) or not _ASKING.match(bare))
    return Question(text, readings[0], searches, readings, tuple(history), moves_on)


def _before(history: Sequence[Turn], memory: Memory | None) -> tuple[str | None, str]:
    """The last question, standing alone, and the beginning of what was said to it.

    One that names nothing goes on about what the question before it named, where it is near that.
    """
    before: str | None = None
    said = ""
    for turn in history:
        content = " ".join(turn.content.split())
        if turn.role == "assistant":
            said = content[:SAID]
        elif content:
            said = ""
            if before is None:
                before = content
            elif leans(content):
                before = _readings(content, before, None)[0]
            elif memory and _goes_on(before, content) and memory.near(before, content):
                before = _about(content, before)
            else:
                before = content
    return before, said


def _goes_on(before: str, text: str) -> bool:
    return _specific(before) and not _specific(text)


def _specific(text: str) -> bool:
    """Whether the text says by name or year what it is about."""
    return bool(_names(text) or years(text))


def _readings(text: str, before: str, answered: str | None) -> tuple[str, ...]:
    """The ways to read a question that leans on the one before; never empty."""
    bare = _OPENING.sub("", text).strip()
    exchanged = _exchanged(bare, before, opened=bare != text)
    found = exchanged + _resolved(bare or text, before, answered)
    if not found and _wants_verb(bare) and not _AUXILIARY.match(before):
        found.append(_joined(bare, before))
    named = bare == text or bare.lower().startswith("the ")  # “what about oats?” names no part
    if not found and named and (thing := _thing(bare)):
        found.append(_of_the_subject(thing, before))
    named_alone = bool(found) and not _AUXILIARY.search(bare) and not _ASKING.match(bare)
    # “Her husband?” is Ann’s, and no more; “And in 2014?” replaces the year, and says all with it.
    whose = named_alone and bool(_POSSESSIVE.search(bare))
    replaces = bool(exchanged) and before.rstrip(" ?.!") not in exchanged[0]
    if not whose and not replaces:
        found.append(_about(bare or text, before))
    # “What do they look for?” says too little to be read by itself.
    says = content_words(_ASKING.sub("", bare))
    empty = len(says) <= 1 and bool(_pointer(bare)) and not _OF_THEM.search(bare)
    # “Who takes part in it?” is answered by anything with parts: the name must be there.
    nameless = bool(_PERSON.search(bare) or _THING.search(bare)) and bool(_subjects(before))
    if not _PREPOSITION.match(bare) and not named_alone and not empty and not nameless:
        found.append(bare or text)  # it may stand alone after all
    return tuple(dict.fromkeys(found))[:4]


def _wants_verb(fragment: str) -> bool:
    """Whether it asks with no verb of its own: `In how many cases?`, `By whom?`."""
    asks = _ASKING.match(fragment) or _BARE_ASKING.match(fragment)
    verb = _AUXILIARY.search(fragment) or _PAST.search(fragment) or fragment.endswith(" for?")
    return bool(asks) and not verb and not _pointer(fragment)


def _exchanged(fragment: str, before: str, opened: bool) -> list[str]:
    """`And in 2020?`: the earlier question with its year, ordinal, name or thing exchanged."""
    bare = fragment.rstrip(" ?.!")
    asks = _ASKING.match(bare) or _BARE_ASKING.match(bare)
    if asks or _AUXILIARY.search(bare) or len(bare.split()) > 6:
        return []
    new_years, old_years = sorted(years(bare)), sorted(years(before))
    if new_years and old_years:
        return [before.replace(old_years[-1], new_years[0])]
    if (new := _ORDINAL.search(bare)) and _ORDINAL.search(before):
        return [_ORDINAL.sub(new.group(), before, count=1)]
    new_names, old_names = _names(f"x {bare}" if opened else bare), _subjects(before)
    preposition = _PREPOSITION.match(bare)
    says_more = len(content_words(bare)) > len(content_words(" ".join(new_names)))
    if new_names and preposition:
        alike = [f"{preposition.group().lower()} {name}" for name in old_names]
        if replaced := [before.replace(old, bare) for old in alike if old in before]:
            return replaced[-1:]
    if new_names and old_names and not preposition and not says_more:
        return [before.replace(old, new_names[0]) for old in old_names[:-3:-1]]
    if preposition or new_names or new_years:
        longer = f"{before.rstrip(' ?.!')} {bare}?"
        place = _PLACE if new_names else _WHEN_OR_WHERE
        if preposition and (where := place.search(before)):
            put = before[: where.start()] + bare + before[where.end() :]
            return [put, longer] if new_names else [longer, put]
        return [longer]
    if opened and (old := _COUNTED.match(before)):
        return [before[: old.start("counted")] + bare + before[old.end() :]]
    return []


def _resolved(text: str, before: str, answered: str | None) -> list[str]:
    """The pronoun exchanged for what it may stand for: the earlier answer, a name, the subject."""
    pronoun = _pointer(text)
    if pronoun is None:
        return []
    stands_for: list[str] = []
    person = bool(_PERSON.fullmatch(pronoun.group()))
    if introduced := _INTRODUCED.match(before):
        stands_for.append(introduced["name"])
    else:
        kind = kind_of_answer(before).name
        fits = kind in _NAMED and not (kind == "person" and _THING.fullmatch(pronoun.group()))
        if answered and fits and (name := _called(answered)):
            stands_for.append(name)
        named = _persons(before) if person else _subjects(before)
        earlier = [name for name in named if not name.endswith(("'s", "’s"))]
        if earlier and not (person and kind == "person"):
            stands_for.append(earlier[-1])
        if not person and not _is_clause(before):
            stands_for.append(subject_of(before))
    ending = "’s" if pronoun.re is _POSSESSIVE else ""
    head, tail = text[: pronoun.start()], text[pronoun.end() :]
    return [f"{head}{words}{ending}{tail}" for words in dict.fromkeys(stands_for)][:2]


def _called(answer: str) -> str | None:
    """What an answer names: itself where it is short, else the name it begins with, or None."""
    if not _names(f"x {answer}"):
        return None
    if len(answer.split()) <= _CALLED and "," not in answer:
        return answer
    lead = _LEAD_NAME.match(answer)
    return lead.group() if lead and answer[lead.end() :].startswith(",") else None


def _pointer(text: str) -> re.Match[str] | None:
    found = _PERSONAL.search(text) or _POSSESSIVE.search(text) or _POINTING.search(text)
    if found or _AUXILIARY.search(text):
        return found
    return _OF_THOSE.search(text)  # “how many of those ended …”: no other word can be the verb


def _joined(fragment: str, before: str) -> str:
    """`In how many cases?`: the fragment in the place of what the earlier question asked for."""
    rest = _ASKING.sub("", _SAID_THAT.sub("", before)).strip(" ?.!")
    return f"{fragment.rstrip(' ?.!')} {rest}?" if rest else fragment


def _about(text: str, before: str) -> str:
    """The question as it is, with its subject named behind it."""
    whom = _persons(before) if _PERSON.search(text) else []
    return f"{text.rstrip(' ?.!')} ({whom[-1] if whom else subject_of(before)})?"


def _thing(fragment: str) -> str | None:
    """The thing that the fragment names, where it does no more than that: `Members?`."""
    bare = re.sub(r"^(?:the|any|all) ", "", fragment.rstrip(" ?.!"), flags=re.I)
    asks = _ASKING.match(bare) or _IMPERATIVE.match(bare) or _PREPOSITION.match(bare)
    if asks or _AUXILIARY.search(bare) or _pointer(bare) or not 0 < len(bare.split()) <= 3:
        return None
    return bare if bare[:2].isupper() else bare[0].lower() + bare[1:]


def _of_the_subject(thing: str, before: str) -> str:
    """`Members?` after a question on a meeting: what are the members of the meeting?"""
    subject = next(reversed(_subjects(before)), None) or subject_of(before)
    article = "the " if f"the {subject}".lower() in before.lower() else ""
    verb = "are" if thing.endswith("s") else "is"
    return f"What {verb} the {thing} of {article}{subject}?"


def _is_clause(question: str) -> bool:
    """Whether the words that a question is about say who did it: they fit into no other."""
    rest = _IMPERATIVE.sub("", _ASKING.sub("", question)).split()
    return any(_ACTIVE.fullmatch(word) for word in rest[1:-1])


def subject_of(question: str) -> str:
    """What a question is about: its words without those that ask."""
    if said := re.search(r"\(([^()]+)\)\W*$", question):
        return said[1]
    question = halves_of(question)[0]
    rest = _IMPERATIVE.sub("", _ASKING.sub("", _DOES.sub("", _LED_IN.sub("", question)))).strip(
        " ?.!"
    )
    kept = [w for w in rest.split() if not _AUXILIARY.fullmatch(w)]
    while kept and kept[0].lower() in STOP_WORDS:
        kept.pop(0)
    trailing = (_PREPOSITION, _PARTICLE, _TAKES_PLACE)
    while kept and any(words.fullmatch(kept[-1]) for words in trailing):
        kept.pop()
    # “When was Plan No 01 signed?”: what was done is no part of the name.
    done = kept[-1] if len(kept) > 1 and re.match(r"[A-Z0-9]", kept[-2]) else ""
    if done.islower() and _PAST.fullmatch(done):
        kept.pop()
    return " ".join(kept) or question.rstrip(" ?.!")


def _names(text: str) -> list[str]:
    """Runs of capitalised words, but not the word that opens the text."""
    found = []
    for match in _NAME.finditer(text):
        name = match.group()
        if match.start() == 0:
            _, _, name = name.partition(" ")
        if name and name.lower() not in STOP_WORDS and name != "I":
            found.append(name)
    return found


def _subjects(before: str) -> list[str]:
    """The names in an earlier question; a phrase alone (`Jumbo frames`) names what it says."""
    phrase = before.rstrip(" ?.!")
    asks = _ASKING.match(phrase) or _IMPERATIVE.match(phrase) or _AUXILIARY.search(phrase)
    if phrase[:1].isupper() and not asks and len(phrase.split()) <= 4:
        return [phrase]
    return _names(before)


def _persons(before: str) -> list[str]:
    """The names that can be a person’s; all of them where none can."""
    found = _names(before)
    at = re.compile(
        rf"\b(?:the|in|at|from|near|across) (?:the )?(?:{'|'.join(map(re.escape, found))})"
    )
    places = " ".join(at.findall(before))
    return [name for name in found if name not in places] or found
