"""Results on the terminal, and as the files of a report."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rag.evals import junit, page, rows
from rag.evals.compare import Comparison
from rag.evals.places import TextOf
from rag.evals.results import Results, case_json
from rag.evals.score import Measure

_FLIPS = 20


def table(results: Results, comparison: Comparison | None = None) -> str:
    """The measures as aligned lines for a terminal, the main ones by tag, what differs."""
    blocks = [aligned([row[:4] for row in rows.measures(results)])]
    if by_tag := rows.by_tag(results):
        blocks.append(aligned(by_tag))
    blocks += rows.judges(results)
    if comparison:
        blocks.append(rows.versus(comparison))
        blocks.append(aligned(rows.differences(comparison)))
        blocks += _flipped(comparison)
    if errors := Counter(case.error for case in results.cases if case.error):
        blocks.append("\n".join(f"failed {n:,} times: {e}" for e, n in errors.most_common(5)))
    blocks.append(f"{len(results.cases):,} cases, {len(results.failing):,} not right")
    return "\n\n".join(blocks)


def write(
    results: Results,
    folder: Path,
    text_of: TextOf | None = None,
    comparison: Comparison | None = None,
    others: Mapping[str, Results] | None = None,
) -> None:
    """Write `results.json`, `summary.md`, `report.html` and `junit.xml` into the folder.

    `text_of` gives the texts that the page shows the sources from; `others` are assistants whose
    results on the same cases stand beside these.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "results.json": json_text(results),
        "summary.md": summary(results, comparison, others),
        "report.html": page.page(results, text_of, comparison, others),
        "junit.xml": junit.junit(results),
    }
    for name, text in files.items():
        (folder / name).write_bytes(text.encode(errors="backslashreplace"))


def as_json(results: Results) -> dict[str, Any]:
    """The results in the contract's form, ready for `json.dumps`."""
    return {
        "measures": _measures(results.measures),
        "by_tag": {tag: _measures(measures) for tag, measures in results.by_tag.items()},
        "cases": [case_json(case) for case in results.cases],
        "run": dict(results.run),
    }


def summary(
    results: Results,
    comparison: Comparison | None = None,
    others: Mapping[str, Results] | None = None,
) -> str:
    """The results as Markdown, for a pull request."""
    blocks = ["# Evaluation", rows.headline(results), _grid(rows.measures(results))]
    blocks += rows.judges(results)
    if others:
        blocks += ["## Beside others on the same cases", _grid(rows.beside(others))]
    if comparison:
        blocks += ["## What differs", rows.versus(comparison), _grid(rows.differences(comparison))]
        if comparison.flips:
            blocks.append(_grid(rows.flips(comparison), textual=True))
    if by_tag := rows.by_tag(results):
        blocks += ["## By tag", _grid(by_tag)]
    if failing := results.failing:
        head = ("case", "question", "expected", "said", "what")
        listed = [(c.id, c.question, c.expected, rows.said(c), c.wrong) for c in failing[:200]]
        blocks += ["## Not right", _grid([head, *listed], textual=True)]
        if len(failing) > 200:
            blocks.append(f"… and {len(failing) - 200:,} more, in results.json.")
    return "\n\n".join(blocks) + "\n"


def json_text(results: Results) -> str:
    """The results as `results.json`: a line for each part and each case."""
    parts = []
    for name, part in as_json(results).items():
        items = ",\n".join(json.dumps(item, ensure_ascii=False) for item in part)
        text = f"[\n{items}\n]" if isinstance(part, list) else json.dumps(part, ensure_ascii=False)
        parts.append(f"{json.dumps(name)}: {text}")
    return "{" + ",\n".join(parts) + "}\n"


def _flipped(comparison: Comparison) -> list[str]:
    lines = [
        f"now {'right    ' if flip.better else 'not right'}  {flip.case}: {flip.question}"
        for flip in comparison.flips
    ]
    more = len(lines) - _FLIPS
    return ["\n".join(lines[:_FLIPS] + ([f"… and {more} more"] if more > 0 else []))] * bool(lines)


def aligned(table: Sequence[Sequence[str]]) -> str:
    """Rows as lines whose columns stand under one another, all but the first to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    )


def _grid(table: Sequence[Sequence[str]], textual: bool = False) -> str:
    """A Markdown table; figures to the right, unless it is `textual`."""
    head, *body = [[_cell(cell) for cell in row] for row in table]
    rule = "|---|" + ("---|" if textual else "---:|") * (len(head) - 1)
    return "\n".join([_line(head), rule, *map(_line, body)])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    """Text in a cell of a Markdown table: one line, nothing that formats, not too long."""
    line = " ".join(text.split())
    line = line if len(line) <= 160 else line[:159] + "…"
    # An underscore within a word formats nothing, and names of measures are full of them.
    return re.sub(r"[\\|`*\[\]<>]|(?<!\w)_|_(?!\w)", r"\\\g<0>", line)


def _measures(measures: Mapping[str, Measure]) -> dict[str, Any]:
    return {
        name: {
            key: round(value, 6) if isinstance(value, float) else value
            for key, value in asdict(measure).items()
        }
        for name, measure in measures.items()
    }
