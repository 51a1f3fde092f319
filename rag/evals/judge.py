"""One answer, as the contract's JSON, against what is known: the judgements of one case.

A judgement is True or False, a number, several of True or False (one for each fact or citation),
or None where it does not apply. `rag.evals.score` makes the measures of them. An answer from
elsewhere may be its words alone: what is judged of parts that it lacks does not apply.
"""

import re
from collections.abc import Iterable, Sequence

from rag.evals import measures
from rag.evals.cases import Case
from rag.evals.facts import matches
from rag.evals.places import TextOf, Wire, holds, marked, overlap, unlocated
from rag.evals.questions import DatasetQuestion
from rag.evals.support import citation_precision, citation_recall

Judgement = bool | float | tuple[bool, ...] | None
Judgements = dict[str, Judgement]


def judge_case(answer: Wire, case: Case, text_of: TextOf) -> Judgements:
    """What a known-facts case says of an answer."""
    said = _said(answer)
    # Joined by lines: the last number of a sentence and the first of the next stay two numbers.
    facts = _found(case, ["\n".join(said)])
    best = [item["text"] for item in _evidence(answer)[: max(1, len(case.facts))]]
    documents = [citation["document"] for citation in _citations(answer)]
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
        "unlocated": tuple(unlocated(one, text_of) for one in _citations(answer)),
        "quote_overlap": overlap(case, _citations(answer), text_of)
        if "citations" in answer
        else None,
    }


def judge_question(answer: Wire, question: DatasetQuestion, text_of: TextOf) -> Judgements:
    """What a data set's question says of an answer."""
    evidence = [holds(question.gold, item) for item in _evidence(answer)[:3]]
    cited = any(holds(question.gold, citation) for citation in _citations(answer))
    answered = answer["outcome"] == "answered"
    right = bool(question.gold) and any(evidence[:1])
    judged: Judgements = {
        **_outcome(answer, question.answerable, right=right, right_answer=cited),
        **_running(answer),
        **_ranking(answer, question.documents),
        "unlocated": tuple(unlocated(one, text_of) for one in _citations(answer)),
    }
    if question.gold and "evidence" in answer:
        judged["first_evidence"] = any(evidence[:1])
        judged["first_three_evidence"] = any(evidence)
    if question.gold and "citations" in answer:
        judged["gold_cited"] = cited
        judged["gold_cited_if_answered"] = cited if answered else None
    if question.answers:
        judged |= _marked_words(answer, question.answers)
    if question.answers or not question.answerable:
        given = marked(_citations(answer)) if answered else ""
        # An answer whose words are not marked is an answer all the same.
        given = given or (answer["answer"] if answered else "")
        judged["squad_exact"] = measures.exact_match(given, question.answers)
        judged["squad_f1"] = measures.token_f1(given, question.answers)
    if question.reference:
        judged["reference_f1"] = measures.token_f1(" ".join(_said(answer)), [question.reference])
    return judged


def _marked_words(answer: Wire, golds: Sequence[str]) -> Judgements:
    """The marked words of the answer, for a refusal of the best evidence, against the golds."""
    if "evidence" not in answer:
        return {}
    texts = [_contains(golds, item["text"]) for item in _evidence(answer)[:3]]
    best = marked(_evidence(answer))
    given = marked(_citations(answer)) if answer["outcome"] == "answered" else best
    return {
        "first_evidence_text": any(texts[:1]),
        "first_three_evidence_text": any(texts),
        "exact_match": measures.exact_match(given, golds),
        "token_f1": measures.token_f1(given, golds),
        "exact_match_evidence": measures.exact_match(best, golds),
        "token_f1_evidence": measures.token_f1(best, golds),
    }


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
        "confidence": float(answer["confidence"]) if "confidence" in answer else None,
        "right": answerable and right,
        "right_answer": (answerable and right_answer) if answered else None,
    }


def _running(answer: Wire) -> Judgements:
    words = len(" ".join(_said(answer)).split())
    tokens = answer.get("tokens") or {}
    judged: Judgements = {
        "words_per_answer": float(words) if answer["outcome"] == "answered" else None,
        "tokens": float(tokens.get("in", 0) + tokens.get("out", 0)) if tokens else None,
        "money": float(tokens["cost"]) if "cost" in tokens else None,
    }
    for step, ms in (answer.get("timings_ms") or {}).items():
        judged[f"ms_{step}"] = float(ms)
    return judged


def _ranking(answer: Wire, relevant: Sequence[str]) -> Judgements:
    if not relevant or "evidence" not in answer:
        return {}
    ranking = _documents(answer)
    return {
        "recall@5": measures.recall_at(5, ranking, relevant),
        "hit@1": measures.hit_at(1, ranking, relevant),
        "mrr": measures.reciprocal_rank(ranking, relevant),
        "ndcg@10": measures.ndcg_at(10, ranking, dict.fromkeys(relevant, 1.0)),
    }


def _documents(answer: Wire) -> list[str]:
    return list(dict.fromkeys(item["document"] for item in _evidence(answer)))


def _said(answer: Wire) -> list[str]:
    """The sentences of the answer without their markers; none for a refusal."""
    if answer["outcome"] != "answered":
        return []
    if sentences := answer.get("sentences"):
        return [sentence["text"] for sentence in sentences]
    markers = "|".join(str(citation["n"]) for citation in _citations(answer))
    return [re.sub(rf"\[(?:{markers})\]", " ", answer["answer"]) if markers else answer["answer"]]


def _cited(answer: Wire) -> list[tuple[str, list[str]]]:
    """The sentences of the answer, each with the quotes that it cites."""
    quotes = {citation["n"]: citation["quote"] for citation in _citations(answer)}
    return [
        (sentence["text"], [quotes[n] for n in sentence["citations"] if n in quotes])
        for sentence in answer.get("sentences") or ()
    ]


def _found(case: Case, texts: Iterable[str]) -> tuple[bool, ...]:
    texts = tuple(texts)
    return tuple(
        any(matches(alias, text) for alias in aliases for text in texts) for aliases in case.facts
    )


def _contains(answers: Sequence[str], text: str) -> bool:
    return any(answer.casefold() in text.casefold() for answer in answers)


def _evidence(answer: Wire) -> Sequence[Wire]:
    return answer.get("evidence") or ()


def _citations(answer: Wire) -> Sequence[Wire]:
    return answer.get("citations") or ()
