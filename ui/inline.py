"""Emphasis, code and links within a line of Markdown, as stretches that cover every character."""

import re
from collections.abc import Iterator

from corpus.types import Span

Piece = tuple[Span, tuple[str, ...]]

_SPECIAL = re.compile(r"[*_`\[~\\]")
# Every alternative stops at the next sign of its own kind: no text makes it look twice.
_INLINE = re.compile(
    r"(?P<escape>\\[!-/:-@\[-`{-~])"
    r"|(?P<code_a>`)(?P<code>[^`\n]+)(?P<code_z>`)"
    r"|(?P<link_a>!?\[)(?P<link>[^\]\[]{0,400})(?P<link_z>\]\([^()\n]{0,2000}\))"
    r"|(?P<bold_a>\*\*)(?P<bold>(?![\s*])(?:[^*]|\*(?!\*)){1,2000}(?<!\s))(?P<bold_z>\*\*)"
    r"|(?P<heavy_a>(?<!\w)__)(?P<heavy>(?![\s_])[^_]{1,2000}(?<!\s))(?P<heavy_z>__(?!\w))"
    r"|(?P<em_a>\*)(?P<em>(?![\s*])[^*]{1,2000}(?<!\s))(?P<em_z>\*)"
    r"|(?P<slant_a>(?<!\w)_)(?P<slant>(?![\s_])[^_]{1,2000}(?<!\s))(?P<slant_z>_(?!\w))"
    r"|(?P<struck_a>~~)(?P<struck>(?![\s~])[^~]{1,2000}(?<!\s))(?P<struck_z>~~)"
)
_KINDS = ("code", "link", "bold", "heavy", "em", "slant", "struck")
_STYLE = {"heavy": "bold", "slant": "em"}
_DEEPEST = 4


def pieces(text: str, span: Span, styles: tuple[str, ...] = ()) -> Iterator[Piece]:
    """The stretch cut where a style begins or ends; `sign` is what sets a style and is not read."""
    at = span.start
    if len(styles) < _DEEPEST and _SPECIAL.search(text, span.start, span.end):
        for match in _INLINE.finditer(text, span.start, span.end):
            if at < match.start():
                yield Span(at, match.start()), styles
            yield from _styled(text, match, styles)
            at = match.end()
    if at < span.end:
        yield Span(at, span.end), styles


def _styled(text: str, match: re.Match[str], styles: tuple[str, ...]) -> Iterator[Piece]:
    kind = next((kind for kind in _KINDS if match[kind] is not None), None)
    if kind is None:
        yield Span(match.start(), match.start() + 1), (*styles, "sign")
        yield Span(match.start() + 1, match.end()), styles
        return
    style = _STYLE.get(kind, kind)
    if kind == "link" and match["link_a"] == "![":
        style = "image"
    inner = Span(*match.span(kind))
    yield Span(*match.span(f"{kind}_a")), (*styles, "sign")
    if kind == "code" and inner:
        yield inner, (*styles, style)
    elif inner:
        yield from pieces(text, inner, (*styles, style))
    yield Span(*match.span(f"{kind}_z")), (*styles, "sign")
