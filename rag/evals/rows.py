"""Results as rows of text, which the terminal, Markdown and HTML lay out each in their way."""

from collections.abc import Iterator, Mapping

from rag.evals.compare import Comparison, Difference
from rag.evals.results import Judged, Results
from rag.evals.score import Measure

Row = tuple[str, ...]
MAIN = (
    "all_facts_found",
    "first_two_sentences",
    "false_refusals",
    "answered_unanswerable",
    "first_evidence",
    "exact_match",
    "recall@5",
    "recall@5_gain",
    "ndcg@10",
)
BESIDE = (
    *("all_facts_found", "first_two_sentences", "false_refusals", "answered_unanswerable"),
    *("citation_recall", "wrong_document", "words_per_answer", "failures"),
)


def measures(results: Results) -> list[Row]:
    """Name, value, interval, n and what is better, under a head."""
    rows: list[Row] = [("measure", "value", "95 % interval", "n", "better")]
    for name, m in results.measures.items():
        interval = f"{figure(m.low)} to {figure(m.high)}"
        rows.append((name, figure(m.value), interval, f"{m.n:,}", m.better))
    return rows


def by_tag(results: Results) -> list[Row]:
    """The main measures of each tag, under a head; nothing where there is one tag."""
    names = [name for name in MAIN if name in results.measures]
    if len(results.by_tag) < 2 or not names:
        return []
    return [("tag", *names)] + [
        (tag, *(_short(found.get(name)) for name in names))
        for tag, found in sorted(results.by_tag.items())
    ]


def differences(comparison: Comparison) -> list[Row]:
    """What differs, over all cases and by tag, under a head; by tag only what is clear."""
    head = ("measure", "before", "after", "difference, 95 %", "verdict")
    rows = [_difference(name, one) for name, one in comparison.differences.items()]
    rows += [
        _difference(f"{name} of {tag}", one)
        for tag, found in comparison.by_tag.items()
        for name, one in found.items()
        if one.verdict != "no clear difference"
    ]
    return [head, *rows]


def flips(comparison: Comparison) -> list[Row]:
    """The cases that are right in one run alone, under a head."""
    rows: list[Row] = [("case", "question", "now", "what was not right")]
    for flip in comparison.flips:
        now = "right" if flip.better else "not right"
        rows.append((flip.case, flip.question, now, flip.why))
    return rows


def beside(others: Mapping[str, Results]) -> list[Row]:
    """A row for each assistant on the same cases, under a head."""
    names = [n for n in BESIDE if any(n in results.measures for results in others.values())]
    return [("assistant", *names)] + [
        (name, *(_with_interval(results.measures.get(n)) for n in names))
        for name, results in others.items()
    ]


def headline(results: Results) -> str:
    """What was run, in one sentence."""
    run = results.run
    index = run["index"]
    return (
        f"{len(results.cases):,} cases over {index['documents']:,} documents"
        f" ({index['passages']:,} passages, {index['embedding']}),"
        f" answers: {run.get('answers') or run['model'] or 'none'}, started {run['started']}"
        + (f", commit {run['commit'][:12]}." if run["commit"] else ".")
    )


def judges(results: Results) -> Iterator[str]:
    """Who judged support, and how often that judge is wrong."""
    if "citation_recall" in results.measures:
        yield f"Support is judged {results.run['judge']}."
    if results.run.get("model_judge"):
        yield f"model_faithful and model_correct are judged by {results.run['model_judge']}."


def versus(comparison: Comparison) -> str:
    """What was compared, in one sentence."""
    run = comparison.before
    what = run.get("answers") or run.get("model") or "an earlier run"
    left = f"; {comparison.alone:,} that only one run has are left out" if comparison.alone else ""
    return f"{comparison.paired:,} cases compared with {what}{left}."


def said(case: Judged) -> str:
    """The answer's text, or the error in its place."""
    return str(case.answer["answer"]) if case.answer else case.error or ""


def figure(value: float) -> str:
    """A number for a person: three digits behind the point where it is small."""
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def _difference(name: str, one: Difference) -> Row:
    interval = f"{one.low:+.3f} to {one.high:+.3f}"
    return name, figure(one.before), figure(one.after), interval, one.verdict


def _short(measure: Measure | None) -> str:
    return f"{figure(measure.value)} ({measure.n:,})" if measure else "–"


def _with_interval(measure: Measure | None) -> str:
    if measure is None:
        return "–"
    return f"{figure(measure.value)} ({figure(measure.low)} to {figure(measure.high)})"
