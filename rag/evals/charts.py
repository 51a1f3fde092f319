"""Charts as inline SVG: no script, nothing loaded, colours from the page.

Each comes in two widths, for a page and for a telephone, and with its figures in words.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from rag.evals import measures as formulas
from rag.evals.names import STEPS, TIMED, grouped
from rag.evals.results import Judged, Results
from rag.evals.score import Measure

WIDE, NARROW = 720, 340
_ROW, _LABEL = 22, 210
_SIDE, _EDGE = 320, 44
_GROUPS = ("Facts", "Citations", "Refusals", "Search")


@dataclass(frozen=True, slots=True)
class Chart:
    """`svg` is for a page, `narrow` for 340 pixels; `figures` are what they show, a line each."""

    title: str
    svg: str
    narrow: str
    figures: tuple[str, ...]


def charts(results: Results, apart: bool = False) -> Iterator[Chart]:
    """Each chart for which the run has something to show; `apart`: the shares group by group."""
    shares = {
        name: m
        for name, m in results.measures.items()
        if name not in TIMED and 0 <= m.low <= m.value <= m.high <= 1
    }
    if apart:
        for group, names in grouped(shares).items():
            if group in _GROUPS:
                yield _shares(group, {name: shares[name] for name in names})
    elif shares:
        yield _shares("Measures with their 95 % intervals", shares)
    confidence, right = _confidences(results.cases)
    if confidence:
        table = formulas.reliability(confidence, right)
        yield _square(
            "Reliability: how often a confidence is right",
            reliability(table),
            (f"confidence {mean:.2f}: {share:.2f} right, of {n:,}" for mean, share, n in table),
        )
        curve = formulas.risk_coverage(confidence, right)
        yield _square(
            "Risk and coverage: answering only the surest",
            risk_coverage(curve),
            (f"the surest {c:.0%} answered: {risk:.3f} wrong" for c, risk in _tenths(curve)),
        )
    if taken := _latencies(results.measures):
        yield Chart(
            "Time by step, p50 and p95",
            latency(taken),
            latency(taken, NARROW),
            tuple(f"{step}: {p50:.0f} and {p95:.0f} ms" for step, (p50, p95) in taken.items()),
        )


def _shares(title: str, shares: Mapping[str, Measure]) -> Chart:
    figures = (
        f"{name} {m.value:.3f} ({m.low:.3f} to {m.high:.3f}), n = {m.n:,}"
        for name, m in shares.items()
    )
    return Chart(title, intervals(shares), intervals(shares, NARROW), tuple(figures))


def _square(title: str, svg: str, figures: Iterable[str]) -> Chart:
    return Chart(title, svg, svg, tuple(figures))


def _tenths(curve: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Some ten points of a curve, the last one among them."""
    step = max(1, len(curve) // 10)
    return [*curve[step - 1 : -1 : step], curve[-1]]


def intervals(shares: Mapping[str, Measure], width: int = WIDE) -> str:
    """A row for each share: a dot at its value, a line over its interval.

    In a narrow chart the names stand above their rows.
    """
    label, row = (_LABEL, _ROW) if width >= WIDE else (12, 2 * _ROW)
    height = row * len(shares) + 34
    span = width - label - (70 if width >= WIDE else 56)
    parts = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = label + tick * span
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="6" x2="{x:.1f}" y2="{height - 26}"/>')
        parts.append(_text(x, height - 10, f"{tick:g}", "middle"))
    for number, (name, m) in enumerate(shares.items()):
        y = 18 + number * row + row - _ROW
        low, high, at = (label + value * span for value in (m.low, m.high, m.value))
        parts.append(
            _text(label - 12, y + 4, name, "end")
            if width >= WIDE
            else _text(0, y - 14, name, "start", "name")
        )
        parts.append(f'<line class="range" x1="{low:.1f}" y1="{y}" x2="{high:.1f}" y2="{y}"/>')
        parts.append(
            f'<circle class="dot" cx="{at:.1f}" cy="{y}" r="4.5">'
            f"<title>{escape(name)} {m.value:.3f} ({m.low:.3f} to {m.high:.3f}), n = {m.n}</title>"
            "</circle>"
        )
        parts.append(_text(label + span + 14, y + 4, f"{m.value:.3f}", "start"))
    return _svg(width, height, "Measures with their intervals", parts)


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


def latency(taken: Mapping[str, tuple[float, float]], width: int = WIDE) -> str:
    """Two bars for each step, in milliseconds: p50 in front of p95."""
    label = _LABEL if width >= WIDE else 84
    height = _ROW * len(taken) + 16
    most = max(p95 for _, p95 in taken.values()) or 1.0
    span = width - label - (150 if width >= WIDE else 116)
    parts = []
    for number, (step, (p50, p95)) in enumerate(taken.items()):
        y = 8 + number * _ROW
        parts.append(_text(label - 12, y + 12, step, "end"))
        for style, value in (("pale", p95), ("bar", p50)):
            across = max(1.0, value / most * span)
            parts.append(
                f'<rect class="{style}" x="{label}" y="{y}" width="{across:.1f}" height="14"/>'
            )
        end = label + p95 / most * span + 8
        parts.append(_text(end, y + 12, f"{p50:.0f} and {p95:.0f} ms", "start"))
    return _svg(width, height, "Time by step", parts)


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


def _text(x: float, y: float, text: str, anchor: str, style: str = "") -> str:
    styled = f' class="{style}"' if style else ""
    return f'<text{styled} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(width: int, height: int, label: str, parts: Iterable[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img"'
        f' aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )
