"""The results of an evaluation as HTML: what it comes to, which cases are not right, charts.

What cases, answers and documents say is escaped here. A link to a case is `#case-N`.
"""

from collections.abc import Mapping
from datetime import datetime
from html import escape

from rag.evals import page, rows
from rag.evals.background import Run
from rag.evals.charts import Chart, charts
from rag.evals.compare import Comparison
from rag.evals.kept import Kept
from rag.evals.results import Judged, Results
from rag.evals.score import Measure

AT_ONCE, MOST = 12, 400
_FILES = (
    '<p class="take"><button type="button" class="download" data-file="results.json">results.json'
    '</button><button type="button" class="download" data-file="report.html">report.html</button>'
    "</p>"
)
_KEYS: Mapping[str, str] = {
    "all_facts_found": "of the answerable questions get every known fact",
    "citation_recall": "of the sentences are carried by the words they cite",
    "false_refusals": "of the answerable questions are refused",
    "answered_unanswerable": "of the unanswerable questions are answered",
}
_WRONG: Mapping[str, str] = {
    "failed": "Could not be asked",
    "unlocated": "A quote is not where it says",
    "answered": "Answered, and should have refused",
    "all_facts_found": "A known fact is missing",
    "avna": "Refused, and the documents do say",
    "first_evidence": "The best sentence is another one",
    "gold_cited": "The right place is not cited",
}


def empty() -> str:
    """No results yet."""
    return '<div class="report"></div>'


def report(run: Run) -> str:
    """The results of a run that is over, or nothing where it came to none."""
    results = run.results
    if results is None or not results.cases:
        nothing = '<p class="quiet">No case was asked.</p>' if run.state == "stopped" else ""
        return f'<div class="report">{nothing}</div>'
    asked, chosen = len(results.cases), len(run.cases)
    cut = f" It was stopped after {asked:,} of {chosen:,}." if run.state == "stopped" else ""
    started = datetime.fromisoformat(str(results.run["started"]))
    took = f" · took {_time(run.seconds)}"
    parts = [_head(results, run.what, started, cut, took, _FILES), _keys(results)]
    if run.comparison:
        parts.append(_differs(run.comparison, results))
    parts += [_cases(results), _charts(results), _table(results)]
    return f'<div class="report" data-token="{escape(run.token)}">{"".join(parts)}</div>'


def earlier(run: Kept, results: Results) -> str:
    """The results of a run that was kept: its judgements, without the answers."""
    head = _head(results, run.what.replace("-", " ").capitalize(), run.started)
    parts = (head, _keys(results), _cases(results), _charts(results), _table(results))
    return f'<div class="report">{"".join(parts)}</div>'


def _head(
    results: Results, what: str, started: datetime, cut: str = "", took: str = "", files: str = ""
) -> str:
    wrong, asked = len(results.failing), len(results.cases)
    verdict = f"All {asked:,} are right." if not wrong else f"{wrong:,} of {asked:,} are not right."
    documents = int(results.run["index"]["documents"])
    model = results.run.get("model")
    answers = f" · answers: {escape(str(model))}" if model else ""
    return (
        f'<header><h3 tabindex="-1" role="status">{verdict}{cut}</h3>'
        f'<p class="quiet">{escape(what)} · {documents:,} document{"" if documents == 1 else "s"}'
        f"{answers} · {started:%d %b %Y, %H:%M} UTC{took}</p>{files}</header>"
    )


def _keys(results: Results) -> str:
    found = [
        (says, results.measures[name]) for name, says in _KEYS.items() if name in results.measures
    ]
    items = "".join(
        f"<div><dt>{escape(says)}</dt><dd><b>{_percent(m.value)}</b>"
        f' <span class="quiet">{_interval(m)}</span></dd></div>'
        for says, m in found
    )
    return f'<dl class="keys">{items}</dl>' if items else ""


def _interval(m: Measure) -> str:
    return f"{m.low * 100:.0f} to {m.high * 100:.0f} %, of {m.n:,}"


def _differs(comparison: Comparison, results: Results) -> str:
    numbers = {case.id: at for at, case in enumerate(results.cases)}
    worse = [flip for flip in comparison.flips if not flip.better]
    better = [flip for flip in comparison.flips if flip.better]
    flips = ""
    for group, says in (
        (worse, "right before, not right now"),
        (better, "not right before, right now"),
    ):
        if group:
            links = "".join(
                f"<li>{_asked(at, results.cases[at])}</li>"
                for at in (numbers[flip.case] for flip in group)
            )
            listed = f'<ol class="flips">{links}</ol>'
            flips += _fold(f"{len(group):,} {says}", listed, opened=group is worse)
    flips = flips or '<p class="quiet">Every case is judged as before.</p>'
    clear = [one for one in comparison.differences.values() if one.verdict != "no clear difference"]
    says = (
        "No measure is clearly different."
        if not clear
        else f"{sum(d.verdict == 'better' for d in clear):,} measures are clearly better,"
        f" {sum(d.verdict == 'worse' for d in clear):,} clearly worse."
    )
    table = _fold("Every measure, before and now", page.table(rows.differences(comparison)))
    return _section(
        "What differs", f"<p>{escape(rows.versus(comparison))} {says}</p>{flips}{table}"
    )


def _cases(results: Results) -> str:
    numbered = list(enumerate(results.cases))
    wrong = [_case(at, case) for at, case in numbered if case.wrong]
    right = [(at, case) for at, case in numbered if not case.wrong]
    parts = []
    if wrong:
        parts.append(f'<ol class="cases">{"".join(wrong[:AT_ONCE])}</ol>')
        if rest := wrong[AT_ONCE:MOST]:
            parts.append(_fold(f"{len(rest):,} more", f'<ol class="cases">{"".join(rest)}</ol>'))
        if len(wrong) > MOST:
            parts.append(_more(len(wrong) - MOST))
    else:
        parts.append('<p class="quiet">None.</p>')
    if right:
        links = "".join(f"<li>{_asked(at, case)}</li>" for at, case in right[:MOST])
        more = _more(len(right) - MOST) if len(right) > MOST else ""
        parts.append(_fold(f"{len(right):,} right", f'<ol class="flips">{links}</ol>{more}'))
    return _section("Not right", "".join(parts))


def _case(at: int, case: Judged) -> str:
    refused = case.judgements.get("avna") is False
    what = "avna" if case.wrong == "all_facts_found" and refused else case.wrong
    said = " ".join(rows.said(case).split())
    said = said if len(said) <= 240 else said[:239] + "…"
    told = (
        f"<dl><dt>Expected</dt><dd>{escape(case.expected)}</dd>"
        f"<dt>Said</dt><dd>{escape(said)}</dd></dl>"
        if said
        else ""  # of a kept run
    )
    return (
        f'<li><p class="wrong">{escape(_WRONG.get(what, what))}</p>'
        f'<p class="asked">{_asked(at, case)}</p>{told}</li>'
    )


def _asked(at: int, case: Judged) -> str:
    """The question, which opens the case; a kept run has nothing to open but the question."""
    question = escape(case.question)
    return f'<a href="#case-{at}">{question}</a>' if case.answer or case.expected else question


def _more(number: int) -> str:
    return f'<p class="quiet">… and {number:,} more, in results.json.</p>'


def _charts(results: Results) -> str:
    drawn = "".join(map(_chart, charts(results, apart=True)))
    return _section("Charts", f'<div class="charts">{drawn}</div>', "wide") if drawn else ""


def _chart(chart: Chart) -> str:
    """Two drawings, of which the page shows the one that fits; the figures for who sees none."""
    figures = "".join(f"<li>{escape(line)}</li>" for line in chart.figures)
    same = chart.svg == chart.narrow
    drawn = (
        f'<div class="drawn">{chart.svg}</div>'
        if same
        else f'<div class="drawn broad">{chart.svg}</div>'
        f'<div class="drawn slim">{chart.narrow}</div>'
    )
    style = ' class="square"' if same else ""
    return (
        f"<figure{style}><figcaption>{escape(chart.title)}</figcaption>{drawn}"
        f"{_fold('In figures', f'<ul>{figures}</ul>')}</figure>"
    )


def _table(results: Results) -> str:
    by_tag = rows.by_tag(results)
    tags = _fold("The main ones by tag", page.table(by_tag)) if by_tag else ""
    judges = "".join(f'<p class="quiet">{escape(text)}</p>' for text in rows.judges(results))
    return _section("Every measure", f"{page.measures(results)}{tags}{judges}", "wide")


def _section(title: str, body: str, style: str = "") -> str:
    styled = f' class="{style}"' if style else ""
    return f"<section{styled}><h4>{escape(title)}</h4>{body}</section>"


def _fold(title: str, body: str, opened: bool = False) -> str:
    return f"<details{' open' if opened else ''}><summary>{escape(title)}</summary>{body}</details>"


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %".replace(".0 %", " %")


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
