"""The growth as a picture: three charts over the number of passages, all axes logarithmic."""

import statistics
from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10
from typing import Any

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 300, 240, 52, 34, 40
STYLE = (
    "text{font:11px system-ui,sans-serif;fill:#444}"
    ".title{font-weight:600;fill:#111}.grid{stroke:#ddd}"
    "polyline{fill:none;stroke-width:2}"
)
COLOURS = {"Footnote": "#1d4ed8", "stock": "#b45309", "stock, Chroma's default": "#6b7280"}

Line = Sequence[tuple[float, float]]


def picture(found: list[dict[str, Any]]) -> str:
    """SVG of indexing (seconds), searching (p50, ms) and memory (MB) over passages."""
    names = {"ours": "Footnote", "stock": "stock", "default": "stock, Chroma's default"}

    def lines(value: Any) -> dict[str, Line]:
        return {
            name: [(row[key]["passages"], value(row[key])) for row in found if key in row]
            for key, name in names.items()
        }

    charts = {
        "Indexing, seconds": lines(lambda row: row["seconds"]),
        "Searching, p50, ms": lines(lambda row: statistics.median(row["retrieval"]) * 1000),
        "Peak memory, MB": lines(lambda row: row["memory"]),
    }
    charts["Searching, p50, ms"] |= {
        "a whole answer": [
            (row["ours"]["passages"], statistics.median(row["ours"]["asked"]) * 1000)
            for row in found
        ]
    }
    parts = [f"<style>{STYLE}</style>"]
    for number, (title, drawn) in enumerate(charts.items()):
        parts.append(f'<g transform="translate({number * (WIDTH + 20)} 0)">')
        parts += _chart(title, {name: line for name, line in drawn.items() if line})
        parts.append("</g>")
    total = len(charts) * (WIDTH + 20)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {HEIGHT + 20}"'
        f' width="{total}" height="{HEIGHT + 20}" role="img"'
        f' aria-label="Growth with the number of passages">{"".join(parts)}</svg>\n'
    )


def _chart(title: str, drawn: dict[str, Line]) -> list[str]:
    across = _decades([x for line in drawn.values() for x, _ in line])
    up = _decades([y for line in drawn.values() for _, y in line])

    def at(x: float, y: float) -> tuple[float, float]:
        right, high = WIDTH - LEFT - 10, HEIGHT - TOP - BOTTOM
        return (
            LEFT + right * (log10(x) - across[0]) / (across[1] - across[0]),
            HEIGHT - BOTTOM - high * (log10(max(y, 1e-9)) - up[0]) / (up[1] - up[0]),
        )

    parts = [f'<text class="title" x="{LEFT}" y="16">{escape(title)}</text>']
    for power in range(across[0], across[1] + 1):
        x, low = at(10**power, 10 ** up[0])
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{low:.1f}"/>')
        parts.append(
            f'<text x="{x:.1f}" y="{low + 15:.1f}" text-anchor="middle">{10**power:,}</text>'
        )
    for power in range(up[0], up[1] + 1):
        x, y = at(10 ** across[0], 10**power)
        parts.append(
            f'<line class="grid" x1="{x:.1f}" y1="{y:.1f}" x2="{WIDTH - 10}" y2="{y:.1f}"/>'
        )
        parts.append(
            f'<text x="{x - 5:.1f}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g}</text>'
        )
    for number, (name, line) in enumerate(drawn.items()):
        colour = COLOURS.get(name, "#15803d")
        points = " ".join("{:.1f},{:.1f}".format(*at(x, y)) for x, y in line)
        parts.append(f'<polyline stroke="{colour}" points="{points}"/>')
        for x, y in line:
            across_at, up_at = at(x, y)
            parts.append(
                f'<circle cx="{across_at:.1f}" cy="{up_at:.1f}" r="3" fill="{colour}">'
                f"<title>{escape(name)}: {x:,.0f} passages, {y:,.1f}</title></circle>"
            )
        parts.append(
            f'<text x="{LEFT + number * 78}" y="{HEIGHT + 6}" style="fill:{colour}">'
            f"{escape(name.removeprefix('stock, '))}</text>"
        )
    return parts


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low = floor(log10(max(min(values), 1e-9)))
    return low, max(low + 1, ceil(log10(max(*values, 1e-9))))
