"""The measures by name, in the order in which reports show them, and what each one says."""

from collections.abc import Iterable, Mapping

STEPS = ("condense", "search", "read", "compose", "model", "verify")
_SHARES = (50, 95)

MEANINGS: Mapping[str, str] = {
    "facts_found": "known facts that the answers state, of all of them",
    "all_facts_found": "answerable questions whose answer states every known fact",
    "first_sentence": "the same, within the first sentence",
    "first_two_sentences": "the same, within the first two sentences",
    "first_evidence": "answerable questions whose best evidence holds a gold span",
    "first_three_evidence": "the same, among the three best",
    "first_evidence_text": "the same as first_evidence, by the gold answer's words anywhere",
    "first_three_evidence_text": "the same, among the three best",
    "gold_cited": "answerable questions of which a citation holds a gold span",
    "gold_cited_if_answered": "the same, of those that were answered",
    "exact_match": "marked words that are a gold answer; for a refusal those of the best evidence",
    "token_f1": "words that marked words and gold answer share (F1)",
    "exact_match_evidence": "the same as exact_match, for the best evidence",
    "token_f1_evidence": "the same as token_f1, for the best evidence",
    "squad_exact": "SQuAD 2.0's exact match: a refusal is right where nothing answers",
    "squad_f1": "SQuAD 2.0's F1: a refusal is right where nothing answers",
    "reference_f1": "words that answer and reference answer share (F1)",
    "model_correct": "answers that the language model holds to say what the reference says",
    "citation_recall": "sentences that the words they cite support (ALCE)",
    "citation_precision": "citations that their sentence needs (ALCE)",
    "model_faithful": "answers that the language model holds to be borne out by their citations",
    "quote_overlap": "characters of the gold quotes that are cited",
    "wrong_document": "citations of a document that the case does not name",
    "unlocated": "citations whose words are not where they say",
    "false_refusals": "answerable questions that were refused",
    "answered_unanswerable": "unanswerable questions that were answered",
    "avna": "questions rightly answered or rightly refused (answer versus no answer)",
    "auroc": "chance that an answerable question is more confident than an unanswerable one",
    "refused_at_4_percent": "unanswerable questions below the confidence of 96 % of the others",
    "ece": "expected calibration error of the confidence",
    "ece_answered": "the same, of answers given, by what they cite",
    "aurc": "area under risk and coverage: the mean share wrong as ever more are answered",
    "recall@5": "relevant documents among the first five",
    "recall@5_last_turn": "the same, asking the last turn of the conversation alone",
    "recall@5_gain": "what the conversation adds to it",
    "hit@1": "questions whose first document is relevant",
    "mrr": "one over the rank of the first relevant document",
    "ndcg@10": "nDCG of the first ten, as trec_eval computes it",
    "ndcg@10_lexical": "the same, searching words alone (BM25)",
    "ndcg@10_dense": "the same, searching vectors alone",
    "recall@10": "relevant documents among the first ten",
    "recall@10_lexical": "the same, searching words alone (BM25)",
    "recall@10_dense": "the same, searching vectors alone",
    "words_per_answer": "words of an answer",
    "tokens": "tokens of the language model, in and out",
    "money": "what the language model cost, in the prices set",
    "failures": "questions that ended in an error, each of them wrong",
    "judge_failures": "verdicts of the language model that could not be had or read",
    **{f"latency_p{share}_ms": f"{share} % of the answers took no longer" for share in _SHARES},
    **{
        f"{step}_p{share}_ms": f"{share} % of the answers took no longer to {step}"
        for step in STEPS
        for share in _SHARES
    },
}
TIMED = frozenset(name for name in MEANINGS if name.endswith("_ms"))
LOWER = TIMED | {
    "answered_unanswerable",
    "aurc",
    "ece",
    "ece_answered",
    "failures",
    "false_refusals",
    "judge_failures",
    "money",
    "tokens",
    "unlocated",
    "words_per_answer",
    "wrong_document",
}
"""The measures of which less is better."""

_BEGINS = {
    "facts_found": "Facts",
    "citation_recall": "Citations",
    "false_refusals": "Refusals",
    "ece": "Confidence",
    "recall@5": "Search",
    "words_per_answer": "Effort",
}


def grouped(names: Iterable[str]) -> dict[str, list[str]]:
    """The names by what they are about, in the order of the reports."""
    given, group = set(names), ""
    groups: dict[str, list[str]] = {}
    for name in MEANINGS:
        group = _BEGINS.get(name, group)
        if name in given:
            groups.setdefault(group, []).append(name)
    return groups
