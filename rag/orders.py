"""Sentences of documents that speak to a reader or a model instead of stating something.

Such a sentence is quoted like any other, but what a model says after it is not carried by it.
"""

import re

_SPEAKERS = r"system|assistant|user|human|developer|ai|model|chatbot|tool|instructions?|prompt"
_TELL = (
    r"answer|reply|respond|say|output|print|write|repeat|tell|state|claim|cite|pretend|reveal"
    r"|append|insert|include|mention|show|display|recommend|click|visit|translate|conclude|assume"
)
_ORDERS = (
    # Ignore the instructions above.
    r"\b(?:ignore|disregard|forget|override|bypass|skip)\b[^.]{0,60}\b(?:instructions?|rules?|above"
    r"|previous|prior|prompts?|everything|passages?|documents?|question|labels?|guidelines|told)\b",
    # System: you are now …
    rf"^\W*(?:{_SPEAKERS}|note to (?:the )?\w+|attention)\b[\s\w]{{0,20}}[:>\]|›]",
    r"\byou are (?:now |no longer )?(?:an? |the |in )?(?:\w+ )?"
    r"(?:ai|assistant|chatbot|(?:language )?model|dan|mode)\b",
    # Answer with …; you must say …
    rf"^\W*(?:(?:please|now|instead|then|always|first|only|and|do not|never) ?,? ?)*(?:{_TELL})\b",
    rf"\b(?:you|the (?:ai|assistant|model|chatbot|system)) (?:must|should|shall|will|have to|has to"
    rf"|need to|are to|is to) (?:now |always |only |not |never )*(?:{_TELL})\b",
    r"\b(?:end|begin|start|finish|close|open) (?:your|every|the|each) (?:answer|reply|response)\b"
    r"|\b(?:your|every|any|the(?: (?:only|right|correct|true|final))+) (?:answer|reply|response)\b",
    r"\b(?:new|real|hidden|secret|updated) (?:instructions?|task|rules?|system prompt)\b",
    # <|im_start|>, [INST], <<SYS>>, ### Instruction
    r"<\|?/?(?:im_start|im_end|system|user|assistant|endoftext|s)\b|\[/?INST\]|<</?SYS>>"
    r"|#{2,}\s*(?:system|instruction|response)",
)
_ORDER = re.compile("|".join(f"(?:{order})" for order in _ORDERS), re.IGNORECASE)


def is_order(text: str) -> bool:
    """Whether a sentence of a document gives orders or plays a turn of a conversation."""
    return bool(_ORDER.search(text))
