"""Charts as inline SVG: no script, nothing loaded, colours from the page."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from rag.evals import measures as formulas
from rag.evals.names import STEPS, TIMED
from rag.evals.results import Judged, Results
from rag.evals.score import Measure

_WIDE, _ROW, _LABEL = 720, 22, 210
_SIDE, _EDGE = 320, 44


def charts(results: Results) -> Iterable[tuple[str, str]]:
    """Each chart for which the run has something to show: its title and its SVG."""
    shares = {
        name: m
        for name, m in results.measures.items()
        if name not in TIMED and 0 <= m.low <= m.value <= m.high <= 1
    }
    if shares:
        yield "Measures with their 95 % intervals", intervals(shares)
    confidence, right = _confidences(results.cases)
    if confidence:
        yield (
            "Reliability: how often a confidence is right",
            reliability(formulas.reliability(confidence, right)),
        )
        yield (
            "Risk and coverage: answering only the surest",
            risk_coverage(formulas.risk_coverage(confidence, right)),
        )
    if taken := _latencies(results.measures):
        yield "Time by step, p50 and p95", latency(taken)


def intervals(shares: Mapping[str, Measure]) -> str:
    """A row for each share: a dot at its value, a line over its interval."""
    height = _ROW * len(shares) + 34
    span = _WIDE - _LABEL - 70
    parts = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = _LABEL + tick * span
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="6" x2="{x:.1f}" y2="{height - 26}"/>')
        parts.append(_text(x, height - 10, f"{tick:g}", "middle"))
    for number, (name, m) in enumerate(shares.items()):
        y = 18 + number * _ROW
        low, high, at = (_LABEL + value * span for value in (m.low, m.high, m.value))
        parts.append(_text(_LABEL - 12, y + 4, name, "end"))
        parts.append(f'<line class="range" x1="{low:.1f}" y1="{y}" x2="{high:.1f}" y2="{y}"/>')
        parts.append(
            f'<circle class="dot" cx="{at:.1f}" cy="{y}" r="4.5">'
            f"<title>{escape(name)} {m.value:.3f} ({m.low:.3f} to {m.high:.3f}), n = {m.n}</title>"
            "</circle>"
        )
        parts.append(_text(_WIDE - 56, y + 4, f"{m.value:.3f}", "start"))
    return _svg(_WIDE, height, "Measures with their intervals", parts)


def reliability(table: Sequence[tuple[float, float, int]]) -> str:
    """The share right over the mean confidence of each bin; the diagonal is perfect calibration."""
    parts = _axes("confidence", "share right")
    parts.append(f'<line class="ideal" {_ends((0, 0), (1, 1))}/>')
    most = max(count for _, _, count in table)
    for mean, share, count in table:
        x, y = _point(mean, share)
        radius = 3 + 7 * (count / most) ** 0.5
        parts.append(
            f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}">'
            f"<title>confidence {mean:.2f}: {share:.2f} right, n = {count}</title></circle>"
        )
    return _svg(_SIDE, _SIDE, "Reliability diagram", parts)


def risk_coverage(curve: Sequence[tuple[float, float]]) -> str:
    """The share wrong among those answered, over the share answered."""
    parts = _axes("coverage: share answered", "risk: share wrong")
    points = " ".join("{:.1f},{:.1f}".format(*_point(coverage, risk)) for coverage, risk in curve)
    parts.append(f'<polyline class="curve" points="{points}"/>')
    return _svg(_SIDE, _SIDE, "Risk-coverage curve", parts)


def latency(taken: Mapping[str, tuple[float, float]]) -> str:
    """Two bars for each step, in milliseconds: p50 in front of p95."""
    height = _ROW * len(taken) + 16
    most = max(p95 for _, p95 in taken.values()) or 1.0
    span = _WIDE - _LABEL - 150
    parts = []
    for number, (step, (p50, p95)) in enumerate(taken.items()):
        y = 8 + number * _ROW
        parts.append(_text(_LABEL - 12, y + 12, step, "end"))
        for style, value in (("pale", p95), ("bar", p50)):
            width = max(1.0, value / most * span)
            parts.append(
                f'<rect class="{style}" x="{_LABEL}" y="{y}" width="{width:.1f}" height="14"/>'
            )
        end = _LABEL + p95 / most * span + 8
        parts.append(_text(end, y + 12, f"{p50:.0f} and {p95:.0f} ms", "start"))
    return _svg(_WIDE, height, "Time by step", parts)


def _confidences(cases: Sequence[Judged]) -> tuple[list[float], list[bool]]:
    rows = [(c.judgements.get("confidence"), c.judgements.get("right")) for c in cases]
    full = [(float(c), bool(r)) for c, r in rows if isinstance(c, float) and r is not None]
    return [confidence for confidence, _ in full], [right for _, right in full]


def _latencies(found: Mapping[str, Measure]) -> dict[str, tuple[float, float]]:
    names = {step: step for step in STEPS} | {"in all": "latency"}
    return {
        label: (found[f"{name}_p50_ms"].value, found[f"{name}_p95_ms"].value)
        for label, name in names.items()
        if f"{name}_p50_ms" in found
    }


def _axes(across: str, up: str) -> list[str]:
    parts = []
    for tick in (0.0, 0.5, 1.0):
        x, y = _point(tick, tick)
        parts.append(f'<line class="grid" {_ends((tick, 0), (tick, 1))}/>')
        parts.append(f'<line class="grid" {_ends((0, tick), (1, tick))}/>')
        parts.append(_text(x, _SIDE - _EDGE + 16, f"{tick:g}", "middle"))
        parts.append(_text(_EDGE - 6, y + 4, f"{tick:g}", "end"))
    parts.append(_text(_SIDE / 2, _SIDE - 8, across, "middle"))
    parts.append(
        f'<text transform="translate(12 {_SIDE / 2:.0f}) rotate(-90)" text-anchor="middle">'
        f"{escape(up)}</text>"
    )
    return parts


def _ends(start: tuple[float, float], end: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = _point(*start), _point(*end)
    return f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'


def _point(x: float, y: float) -> tuple[float, float]:
    span = _SIDE - _EDGE - 14
    return _EDGE + x * span, _SIDE - _EDGE - y * span


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(width: int, height: int, label: str, parts: Iterable[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img"'
        f' aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )
