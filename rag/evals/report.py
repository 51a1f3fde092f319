"""Results as a table, as `results.json` and as `summary.md`."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rag.evals.results import Judged, Results
from rag.evals.score import Measure

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
_MUST_HOLD = (
    "all_facts_found",
    "avna",
    "first_evidence",
    "gold_cited",
)


def table(results: Results) -> str:
    """The measures as aligned lines for a terminal, then the main ones by tag."""
    rows = [
        (name, _figure(m.value), f"{_figure(m.low)} to {_figure(m.high)}", f"{m.n:,}")
        for name, m in results.measures.items()
    ]
    blocks = [_aligned([("measure", "value", "95 % interval", "n"), *rows])]
    if by_tag := _by_tag(results):
        blocks.append(_aligned(by_tag))
    if "citation_recall" in results.measures:
        blocks.append(f"support is judged {results.run['judge']}")
    if errors := Counter(case.error for case in results.cases if case.error):
        blocks.append("\n".join(f"failed {n:,} times: {e}" for e, n in errors.most_common(5)))
    wrong = sum(1 for _ in _failing(results))
    blocks.append(f"{len(results.cases):,} cases, {wrong:,} not right")
    return "\n\n".join(blocks)


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def _by_tag(results: Results) -> list[tuple[str, ...]]:
    """A row for each tag, under one that names the main measures; none where there is one tag."""
    names = [name for name in MAIN if name in results.measures]
    if len(results.by_tag) < 2 or not names:
        return []
    return [("tag", *names)] + [
        (tag, *(_short(found.get(name)) for name in names))
        for tag, found in sorted(results.by_tag.items())
    ]


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
    if "citation_recall" in results.measures:
        lines += ["", f"Support is judged {run['judge']}."]
    if by_tag := _by_tag(results):
        head, *rows = by_tag
        lines += ["", "## By tag", "", f"| {' | '.join(head)} |"]
        lines += ["|---|" + "---:|" * (len(head) - 1)]
        lines += [f"| {' | '.join((_cell(row[0]), *row[1:]))} |" for row in rows]
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
