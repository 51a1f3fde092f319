"""Results as one HTML page that loads nothing. What documents and answers say is text in it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from rag.evals import rows
from rag.evals.charts import charts
from rag.evals.compare import Comparison
from rag.evals.names import MEANINGS
from rag.evals.places import TextOf, unlocated
from rag.evals.results import Judged, Results

_AROUND = 300
_CONSIDERED = 3
_STYLE = """
:root { color-scheme: light dark; --ink: #1c1b19; --paper: #fdfcf9; --faint: #78736a;
  --line: #dedad1; --mark: #ffe9a8; --dot: #2f5d8a; --bad: #a8322d; --good: #2d6a3f; }
@media (prefers-color-scheme: dark) { :root { --ink: #ebe7df; --paper: #1a1917; --faint: #a19b90;
  --line: #3b3833; --mark: #5c4a12; --dot: #8ab6e0; --bad: #ef8a80; --good: #86c99a; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
th { color: var(--faint); font-weight: 600; }
figure { display: inline-block; margin: 0 0 1.5rem; padding-right: 1.5rem; max-width: 100%;
  box-sizing: border-box; overflow-x: auto; }
figcaption { font-weight: 600; margin-bottom: .4rem; }
svg text { font-size: 12px; fill: var(--ink); }
.grid { stroke: var(--line); } .ideal { stroke: var(--faint); stroke-dasharray: 4 4; }
.range { stroke: var(--dot); stroke-width: 2; } .dot { fill: var(--dot); fill-opacity: .85; }
.curve { fill: none; stroke: var(--dot); stroke-width: 2; }
.bar { fill: var(--dot); } .pale { fill: var(--dot); fill-opacity: .3; }
details { border-bottom: 1px solid var(--line); padding: .5rem 0; } summary { cursor: pointer; }
summary b { color: var(--bad); font-weight: 600; }
.worse { color: var(--bad); } .better { color: var(--good); }
dt { color: var(--faint); font-size: .85rem; margin-top: .5rem; } dd { margin: 0; }
blockquote { margin: .3rem 0 .8rem; padding-left: 1rem; border-left: 3px solid var(--line);
  white-space: pre-wrap; overflow-wrap: anywhere; }
mark { background: var(--mark); color: inherit; } cite { font-style: normal; color: var(--faint); }
"""


def page(
    results: Results,
    text_of: TextOf | None = None,
    comparison: Comparison | None = None,
    others: Mapping[str, Results] | None = None,
) -> str:
    """The whole page; `text_of` gives the texts that the sources are shown from."""
    parts = ["<h1>Evaluation</h1>", _paragraph(rows.headline(results))]
    parts += [
        f"<figure><figcaption>{escape(one.title)}</figcaption>{one.svg}</figure>"
        for one in charts(results)
    ]
    parts += ["<h2>Measures</h2>", measures(results)]
    parts += map(_paragraph, rows.judges(results))
    if others:
        parts += ["<h2>Beside others on the same cases</h2>", table(rows.beside(others))]
    if comparison:
        parts += ["<h2>What differs</h2>", _paragraph(rows.versus(comparison))]
        parts.append(table(rows.differences(comparison)))
        if comparison.flips:
            parts.append(table(rows.flips(comparison)))
    if by_tag := rows.by_tag(results):
        parts += ["<h2>By tag</h2>", table(by_tag)]
    parts.append(f"<h2>Not right: {len(results.failing):,} of {len(results.cases):,}</h2>")
    parts += [_case(case, text_of or (lambda *_: None)) for case in results.failing]
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy"'
        " content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>Evaluation</title><style>{_STYLE}</style></head>\n"
        f"<body>{body}</body></html>\n"
    )


def _case(case: Judged, text_of: TextOf) -> str:
    known = [("expected", case.expected), ("said", rows.said(case))]
    if case.answer and "confidence" in case.answer:
        known.append(("confidence", f"{case.answer['confidence']:.2f}"))
    listed = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in known if text)
    return (
        f"<details><summary><b>{escape(case.wrong)}</b> {escape(case.question)}"
        f" <cite>{escape(case.id)}</cite></summary><dl>{listed}</dl>"
        f"{''.join(_sources(case.answer or {}, text_of))}</details>"
    )


def _sources(answer: Mapping[str, Any], text_of: TextOf) -> Iterator[str]:
    """The citations in their documents, or for a refusal the sentences nearest to an answer."""
    cited: Sequence[Mapping[str, Any]] = answer.get("citations") or ()
    for citation in cited:
        title = f"[{citation['n']}] {citation['document']}"
        if unlocated(citation, text_of):
            yield _source(f"{title}: these words are not where it says", citation["quote"])
        else:
            yield _source(title, *_around(citation, text_of))
    considered = () if cited else (answer.get("evidence") or ())[:_CONSIDERED]
    for item in considered:
        yield _source(f"considered: {item['document']}", *_around(item, text_of))


def _around(item: Mapping[str, Any], text_of: TextOf) -> tuple[str, str, str]:
    """The words and what stands before and after them; the words alone without their document."""
    words = item.get("quote") or item["text"]
    text = text_of(item["document"], item.get("version"))
    start, end = item["start"], item["end"]
    if text is None or text[start:end] != words:
        return words, "", ""
    before, after = text[max(0, start - _AROUND) : start], text[end : end + _AROUND]
    cut = "…" if start > _AROUND else ""
    return words, cut + before, after + ("…" if end + _AROUND < len(text) else "")


def _source(title: str, words: str, before: str = "", after: str = "") -> str:
    return (
        f"<cite>{escape(title)}</cite><blockquote>{escape(before)}"
        f"<mark>{escape(words)}</mark>{escape(after)}</blockquote>"
    )


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def table(lines: Iterable[Sequence[str]]) -> str:
    """Rows under a head, as HTML; what does not fit across scrolls."""
    head, *body = lines
    cells = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    inner = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in body)
    return f'<div class="scroll" tabindex="0"><table><tr>{cells}</tr>{inner}</table></div>'


def measures(results: Results) -> str:
    """Every measure with its interval, and what it says, as a table."""
    head, *body = rows.measures(results)
    return table([(*head, "what it says"), *((*row, MEANINGS[row[0]]) for row in body)])


def _cell(text: str) -> str:
    style = f' class="{text}"' if text in ("better", "worse") else ""
    return f"<td{style}>{escape(text)}</td>"
