"""Results as a table, as `results.json` and as `summary.md`."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rag.evals.results import Judged, Results
from rag.evals.score import Measure

KEY_MEASURES = (
    "all_facts_found",
    "false_refusals",
    "answered_unanswerable",
    "first_evidence",
    "exact_match",
    "recall@5",
    "ndcg@10",
)
_MUST_HOLD = (
    "all_facts_found",
    "avna",
    "first_evidence",
    "gold_cited",
)


def table(results: Results) -> str:
    """The measures as aligned lines for a terminal: name, value, interval, number of cases."""
    width = max((len(name) for name in results.measures), default=0)
    lines = [
        f"{name:<{width}}  {_figure(measure.value):>8}"
        f"  {_figure(measure.low)} to {_figure(measure.high)}, n = {measure.n:,}"
        for name, measure in results.measures.items()
    ]
    failing = sum(1 for _ in _failing(results))
    answered = f"{len(results.cases):,} cases, {failing:,} not right"
    return "\n".join([*lines, "", answered])


def write(results: Results, folder: Path) -> None:
    """Write `results.json` and `summary.md` into the folder, making it where it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(as_json(results), ensure_ascii=False, indent=1)
    (folder / "results.json").write_text(text + "\n", "utf-8")
    (folder / "summary.md").write_text(summary(results), "utf-8")


def as_json(results: Results) -> dict[str, Any]:
    """The results in the contract's form, ready for `json.dumps`."""
    return {
        "measures": _measures(results.measures),
        "by_tag": {tag: _measures(measures) for tag, measures in results.by_tag.items()},
        "cases": [
            {
                "id": case.id,
                "question": case.question,
                "tags": list(case.tags),
                "answer": case.answer,
                "judgements": case.judgements,
                **({"error": case.error} if case.error else {}),
            }
            for case in results.cases
        ],
        "run": dict(results.run),
    }


def summary(results: Results) -> str:
    """The results as Markdown: measures, the main ones by tag, the cases that are not right."""
    run = results.run
    index = run["index"]
    lines = [
        "# Evaluation",
        "",
        f"{len(results.cases):,} cases over {index['documents']:,} documents"
        f" ({index['passages']:,} passages, {index['embedding']}),"
        f" answers: {run['model'] or 'none'}, started {run['started']}"
        + (f", commit {run['commit'][:12]}." if run["commit"] else "."),
        "",
        "| measure | value | 95 % interval | n | better |",
        "|---|---:|---|---:|---|",
        *(
            f"| {name} | {_figure(m.value)} | {_figure(m.low)} to {_figure(m.high)}"
            f" | {m.n:,} | {m.better} |"
            for name, m in results.measures.items()
        ),
    ]
    names = [name for name in KEY_MEASURES if name in results.measures]
    if results.by_tag and names:
        lines += ["", "## By tag", "", f"| tag | {' | '.join(names)} |"]
        lines += ["|---|" + "---:|" * len(names)]
        lines += [
            f"| {_cell(tag)} | {' | '.join(_short(found.get(name)) for name in names)} |"
            for tag, found in results.by_tag.items()
        ]
    failing = list(_failing(results))
    if failing:
        lines += ["", "## Not right", "", "| case | question | said | what |", "|---|---|---|---|"]
        lines += [
            f"| {_cell(case.id)} | {_cell(case.question)} | {_cell(_said(case))} | {why} |"
            for case, why in failing[:200]
        ]
        if len(failing) > 200:
            lines += ["", f"… and {len(failing) - 200:,} more, in results.json."]
    return "\n".join(lines) + "\n"


def _failing(results: Results) -> Iterator[tuple[Judged, str]]:
    for case in results.cases:
        why = [name for name in _MUST_HOLD if case.judgements.get(name) is False]
        if case.error:
            yield case, "failed"
        elif any(_all(case.judgements.get("unlocated"))):
            yield case, "unlocated"
        elif why:
            yield case, "answered" if case.judgements.get("answered_unanswerable") else why[0]


def _all(value: object) -> tuple[bool, ...]:
    return value if isinstance(value, tuple) else ()


def _said(case: Judged) -> str:
    if case.answer is None:
        return case.error or ""
    return str(case.answer["answer"])


def _measures(measures: Mapping[str, Measure]) -> dict[str, Any]:
    return {
        name: {
            key: round(value, 6) if isinstance(value, float) else value
            for key, value in asdict(measure).items()
        }
        for name, measure in measures.items()
    }


def _figure(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def _short(measure: Measure | None) -> str:
    return f"{_figure(measure.value)} ({measure.n:,})" if measure else "–"


def _cell(text: str) -> str:
    """Text in a cell of a Markdown table: one line, nothing that formats, not too long."""
    line = " ".join(text.split())
    line = line if len(line) <= 160 else line[:159] + "…"
    for mark in "\\|`*_[]<>":
        line = line.replace(mark, f"\\{mark}")
    return line
