"""What a message asks: the question without greetings, thanks, frames and what leads up to it.

People write “Hi, I am working on the budget. Could you tell me who signed it? Thanks!” and ask “who
signed it?”. Words that are not part of the question speak for passages that do not answer it.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from corpus.sentences import levelled
from rag.condense import points_back
from rag.shape import asks_whether_told
from rag.types import Turn
from rag.words import AUXILIARIES, content_words, figures, names

_GREETING = (
    r"(?:hi|hiya|hello|hey|howdy|greetings|good (?:morning|day|afternoon|evening|night))"
    r"(?: (?:there|all|again|everyone))?"
)
_THANKS = (
    r"(?:(?:many )?thanks?(?: you)?(?: (?:a lot|again|in advance|so much|very much))*"
    r"(?: for (?:that|this|your help))?|cheers)"
)
_COURTESY = re.compile(
    rf"(?:(?:{_GREETING}|there|{_THANKS}"
    r"|bye|good ?bye|see you(?: later)?|ok(?:ay)?|great|cool|nice|perfect|got it|well done|wow"
    r"|i see|never ?mind|no worries|interesting|good to know"
    r"|that(?:’s|'s| is) (?:all|it|ok(?:ay)?|great|fine|good|helpful)(?: for (?:now|today))?"
    r"|sorry|please|how are you(?: doing)?(?: today)?|what(?:’s|'s| is) up|nice to meet you"
    r"|(?:who|what) are you|what(?:’s|'s| is) your name|what can (?:you do|i ask)(?: you| here)?"
    r"|what do you do|how (?:do|can) (?:you|i) (?:work|use (?:this|you|it))"
    r"|(?:can you )?help(?: me)?"
    r"|are you (?:there|a bot|a robot|an ai|human|a human|real)|test(?:ing)?)\b[\s,.;:!?…]*)+",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    rf"^(?:(?:{_GREETING})[,.;:!… –-]+|(?:{_THANKS}|ok(?:ay)?|great|sorry|well|wow) ?[,.;:!…–-]+ ?"
    r"|(?:(?:a |one |just a )?(?:quick|more|last|next|another|further|my) )?question ?[:,–-]+ ?)+",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    rf"(?<=\w)(?P<end>[?.!]*)[,;– ]+(?:please|{_THANKS})[\s.!]*(?P<mark>\??)$", re.I
)
_ASKS = (
    r"(?:(?:in|on|at|by|for|from|to|of|with|since|until|under|during|about) )?"
    r"(?:who(?:m|se)?|what|which|when|where|why|how)\b"
)
_FRAME = re.compile(
    r"^(?:and |but |so |also )?(?:please )?(?:"
    r"(?:(?:can|could|would|will) (?:you|anyone|someone|somebody) )?(?:please |kindly )?"
    r"(?:(?:tell|remind|inform) (?:me|us)|(?:explain|describe)(?: to (?:me|us))?)"
    r"|(?:do|would|might) you (?:happen to )?know"
    r"|(?:is there|do you have|have you(?: got)?) (?:any |some )?(?:information|info|details|word)"
    r" (?:on|about|of|as to)"
    r"|(?:any|have you any|do you have any) idea"
    r"|i(?:(?:’|')d| would| really)? (?:like|love|want|need|wish) to (?:know|learn|find out"
    r"|understand|ask(?: you)?(?: about)?)|i wonder"
    r"|i(?: a|’|')m (?:wondering|curious|trying to find out)"
    r"|(?:i was )?(?:just )?wondering|let me know)[,:]? "
    rf"(?=(?:if|whether)\b|{_ASKS})",
    re.IGNORECASE,
)
_MEANT = re.compile(
    r"^(?:(?:no|oh|sorry|well)[,. ]+)*(?:what )?i (?:mean|meant)"
    r"(?: is| was| to say| to ask)?[,:]? ",
    re.I,
)
_CLAUSE = re.compile(rf"\b(?:{AUXILIARIES.replace(' ', '|')})\b", re.IGNORECASE)
_WHETHER = re.compile(r"(?:if|whether) ", re.IGNORECASE)
PHRASE = 9  # words
_QUESTION = re.compile(
    rf"^(?:and |but |so |or |also )?(?:{_ASKS}|(?:{AUXILIARIES.replace(' ', '|')})\b"
    r"|(?:please )?(?:tell|list|name|give|show|explain|describe|summari[sz]e|compare|outline)\b)",
    re.IGNORECASE,
)


def is_courtesy(text: str) -> bool:
    """Whether it is a greeting, thanks or a question to the assistant itself, and no more."""
    return bool(_COURTESY.fullmatch(text.strip()))


def asked_in(message: str) -> str:
    """The question that a message asks; the message itself where it is no more than that.

    Sentences that lead up to a question go, unless the question may lean on what they name.
    """
    text = _BEHIND.sub(r"\g<end>\g<mark>", _BEFORE.sub("", " ".join(message.split())))
    text = _without_lead(text)
    if meant := _MEANT.match(text):
        text = text[meant.end() :]
        phrase = len(text.split()) <= PHRASE and not _CLAUSE.search(text)
        if phrase and not _QUESTION.match(text) and not _WHETHER.match(text):
            text = f"What about {text.rstrip(' ?.!')}?"
    unframed = _unframed(text)
    whether = _WHETHER.match(unframed)
    if not whether or (unframed == text and not meant):
        return unframed or message
    clause = unframed[whether.end() :].rstrip(" ?.!")
    if asks_whether_told(told := f"Do {clause}?"):
        return told
    return f"Is it true that {clause}?"


def asked_before(history: Iterable[Turn]) -> tuple[Turn, ...]:
    """The conversation with what each message asks, without courtesies and the replies to them."""
    kept: list[Turn] = []
    polite = False
    for turn in history:
        if turn.role == "user":
            polite = is_courtesy(turn.content)
        if not polite:
            asks = asked_in(turn.content) if turn.role == "user" else turn.content
            kept.append(replace(turn, content=asks))
    return tuple(kept)


def _without_lead(text: str) -> str:
    said = [sentence.span.of(text) for sentence, _ in levelled(text)]
    asking = [one for one in said if one.endswith("?") or _QUESTION.match(_unframed(one))]
    led = [one for one in said if one not in asking and not is_courtesy(one)]
    if not asking:
        return text
    # “Can you clarify?” says nothing alone.
    says_little = all(len(content_words(one)) <= 1 and not names(one) for one in asking)
    named = any(names(one) or figures(one) for one in led)
    if led and (says_little or (named and any(points_back(one) for one in asking))):
        return text
    return " ".join(asking)


def _unframed(text: str) -> str:
    """Without “Could you tell me …”; put as a question where it asks."""
    if not (frame := _FRAME.match(text)):
        return text
    rest = text[frame.end() :].rstrip(" ?.!")
    return f"{rest[0].upper()}{rest[1:]}?"
