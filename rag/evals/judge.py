"""One answer, as the contract's JSON, against what is known: the judgements of one case.

A judgement is True or False, a number, several of True or False (one for each fact or citation),
or None where it does not apply. `rag.evals.score` makes the measures of them.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from corpus.types import Span
from rag.evals import measures
from rag.evals.cases import Case
from rag.evals.datasets import DatasetQuestion, Gold
from rag.evals.facts import matches
from rag.evals.support import citation_precision, citation_recall

Judgement = bool | float | tuple[bool, ...] | None
Judgements = dict[str, Judgement]
Wire = Mapping[str, Any]
TextOf = Callable[[str, str | None], str | None]
"""The text of a document by id and version; None where there is no such document."""


def judge_case(answer: Wire, case: Case, text_of: TextOf) -> Judgements:
    """What a known-facts case says of an answer."""
    said = _said(answer)
    # Joined by lines: the last number of a sentence and the first of the next stay two numbers.
    facts = _found(case, ["\n".join(said)])
    best = [item["text"] for item in answer["evidence"][: max(1, len(case.facts))]]
    cited = [_span(citation) for citation in answer["citations"]]
    documents = [document for document, _ in cited]
    answered = answer["outcome"] == "answered"
    right = all(facts) if answered else all(_found(case, best))
    return {
        **_outcome(answer, case.answerable, right=right, right_answer=all(facts)),
        **_running(answer),
        **_ranking(answer, case.documents),
        "facts_found": facts or None,
        "all_facts_found": all(facts) if facts else None,
        "first_sentence": all(_found(case, said[:1])) if facts else None,
        "first_two_sentences": all(_found(case, ["\n".join(said[:2])])) if facts else None,
        "wrong_document": tuple(document not in case.documents for document in documents)
        if case.documents
        else None,
        "unlocated": _unlocated(answer, text_of),
        "quote_overlap": _overlap(case, cited, text_of),
    }


def judge_question(answer: Wire, question: DatasetQuestion, text_of: TextOf) -> Judgements:
    """What a data set's question says of an answer."""
    evidence = [_holds(question.gold, item) for item in answer["evidence"][:3]]
    texts = [_contains(question.answers, item["text"]) for item in answer["evidence"][:3]]
    cited = any(_holds(question.gold, citation) for citation in answer["citations"])
    answered = answer["outcome"] == "answered"
    right = bool(question.gold) and any(evidence[:1])
    judged: Judgements = {
        **_outcome(answer, question.answerable, right=right, right_answer=cited),
        **_running(answer),
        **_ranking(answer, question.documents),
        "unlocated": _unlocated(answer, text_of),
    }
    if question.gold:
        judged["first_evidence"] = any(evidence[:1])
        judged["first_three_evidence"] = any(evidence)
        judged["gold_cited"] = cited
        judged["gold_cited_if_answered"] = cited if answered else None
    if question.answers:
        best = _marked(answer["evidence"])
        marked = _marked(answer["citations"]) if answered else best
        judged["first_evidence_text"] = any(texts[:1])
        judged["first_three_evidence_text"] = any(texts)
        judged["exact_match"] = measures.exact_match(marked, question.answers)
        judged["token_f1"] = measures.token_f1(marked, question.answers)
        judged["exact_match_evidence"] = measures.exact_match(best, question.answers)
        judged["token_f1_evidence"] = measures.token_f1(best, question.answers)
    if question.answers or not question.answerable:
        given = _marked(answer["citations"]) if answered else ""
        # An answer whose words are not marked is an answer all the same.
        given = given or (answer["answer"] if answered else "")
        judged["squad_exact"] = measures.exact_match(given, question.answers)
        judged["squad_f1"] = measures.token_f1(given, question.answers)
    return judged


def failed(answerable: bool, facts: int = 0) -> Judgements:
    """The judgements where there is no answer because asking failed: wrong, and not a refusal."""
    judged: Judgements = {"failures": True, "answerable": answerable, "avna": False}
    if facts:
        judged |= {"facts_found": (False,) * facts, "all_facts_found": False}
        judged |= {"first_sentence": False, "first_two_sentences": False}
    return judged


def recall_of(answer: Wire, documents: Sequence[str]) -> float:
    """recall@5 of the documents, in the order in which the evidence names them."""
    return measures.recall_at(5, _documents(answer), documents)


def _outcome(answer: Wire, answerable: bool, right: bool, right_answer: bool) -> Judgements:
    """`right`: the best evidence answers; `right_answer`: so do the words of the answer."""
    answered = answer["outcome"] == "answered"
    sentences = _cited(answer) if answered else []
    return {
        "failures": False,
        "answered": answered,
        "answerable": answerable,
        "false_refusals": not answered if answerable else None,
        "answered_unanswerable": None if answerable else answered,
        "avna": answered == answerable,
        "citation_recall": citation_recall(sentences) or None,
        "citation_precision": citation_precision(sentences) or None,
        "confidence": float(answer["confidence"]),
        "right": answerable and right,
        "right_answer": (answerable and right_answer) if answered else None,
    }


def _running(answer: Wire) -> Judgements:
    words = len(" ".join(_said(answer)).split())
    tokens = answer.get("tokens")
    judged: Judgements = {
        "words_per_answer": float(words) if answer["outcome"] == "answered" else None,
        "tokens": float(sum(tokens.values())) if tokens else None,
    }
    for step, ms in (answer.get("timings_ms") or {}).items():
        judged[f"ms_{step}"] = float(ms)
    return judged


def _ranking(answer: Wire, relevant: Sequence[str]) -> Judgements:
    if not relevant:
        return {}
    ranking = _documents(answer)
    return {
        "recall@5": measures.recall_at(5, ranking, relevant),
        "hit@1": measures.hit_at(1, ranking, relevant),
        "mrr": measures.reciprocal_rank(ranking, relevant),
        "ndcg@10": measures.ndcg_at(10, ranking, dict.fromkeys(relevant, 1.0)),
    }


def _documents(answer: Wire) -> list[str]:
    return list(dict.fromkeys(item["document"] for item in answer["evidence"]))


def _said(answer: Wire) -> list[str]:
    """The sentences of the answer without their markers; none for a refusal."""
    if answer["outcome"] != "answered":
        return []
    if sentences := answer.get("sentences"):
        return [sentence["text"] for sentence in sentences]
    markers = "|".join(str(citation["n"]) for citation in answer["citations"])
    return [re.sub(rf"\[(?:{markers})\]", " ", answer["answer"]) if markers else answer["answer"]]


def _cited(answer: Wire) -> list[tuple[str, list[str]]]:
    """The sentences of the answer, each with the quotes that it cites."""
    quotes = {citation["n"]: citation["quote"] for citation in answer["citations"]}
    return [
        (sentence["text"], [quotes[n] for n in sentence["citations"] if n in quotes])
        for sentence in answer.get("sentences") or ()
    ]


def _found(case: Case, texts: Iterable[str]) -> tuple[bool, ...]:
    texts = tuple(texts)
    return tuple(
        any(matches(alias, text) for alias in aliases for text in texts) for aliases in case.facts
    )


def _span(item: Wire) -> tuple[str, Span]:
    return item["document"], Span(item["start"], item["end"])


def _holds(golds: Sequence[Gold], item: Wire) -> bool:
    """Whether the words cover a gold span, or lie by half or more in one longer than they are."""
    document, span = _span(item)
    return any(
        gold.document == document
        and (
            span.covers(gold.span)
            or (len(gold.span) > len(span) and 2 * _shared(span, gold.span) >= len(span))
        )
        for gold in golds
    )


def _shared(a: Span, b: Span) -> int:
    return max(0, min(a.end, b.end) - max(a.start, b.start))


def _contains(answers: Sequence[str], text: str) -> bool:
    return any(answer.casefold() in text.casefold() for answer in answers)


def _marked(items: Sequence[Wire]) -> str:
    """The words marked as answering in the first item, or ""."""
    if not items or not items[0].get("answer_span"):
        return ""
    start, end = items[0]["answer_span"]
    text: str = items[0].get("quote") or items[0]["text"]
    return text[start:end]


def _unlocated(answer: Wire, text_of: TextOf) -> tuple[bool, ...]:
    def wrong(citation: Wire) -> bool:
        text = text_of(citation["document"], citation.get("version"))
        quote = citation["quote"]
        return not quote or text is None or text[citation["start"] : citation["end"]] != quote

    return tuple(wrong(citation) for citation in answer["citations"])


def _overlap(case: Case, cited: Sequence[tuple[str, Span]], text_of: TextOf) -> float | None:
    """The share of the gold quotes' characters that the citations cover."""
    if not case.quotes:
        return None
    covered = 0
    for quote in case.quotes:
        best = 0
        for document in case.documents:
            text = text_of(document, None) or ""
            for found in re.finditer(re.escape(quote), text):
                marks = {
                    at
                    for id, span in cited
                    if id == document
                    for at in range(max(span.start, found.start()), min(span.end, found.end()))
                }
                best = max(best, len(marks))
        covered += best
    return covered / sum(map(len, case.quotes))
