"""Document → sentences and passages. Offsets are carried through every step, never searched for."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil

from corpus.blocks import plain
from corpus.sentences import levelled
from corpus.types import Document, Passage, Sentence, Span


def sentences(document: Document) -> tuple[Sentence, ...]:
    """The document's sentences, headings and list items in order; at least one.

    Each character that is neither white space nor markup lies in exactly one of them.
    """
    return tuple(sentence for sentence, _ in levelled(document.text))


def passages(
    document: Document, count: Callable[[str], int] | None = None, size: int = 180
) -> tuple[Passage, ...]:
    """The document in runs of whole sentences, of at most `size` tokens each; no sentence left out.

    Neighbours in a section share a sentence, unless it is long. Sections too short to stand alone
    are joined, with their headings between them. `count` tells how many tokens a text has; by
    default that is estimated.
    """
    items = _items(document, count or _estimate)
    sections = [list(group) for _, group in groupby(items, key=lambda item: item.section)]
    return tuple(
        _passage(document, run) for group in _joined(sections, size) for run in _runs(group, size)
    )


def around(passage: Passage, room: int) -> Span:
    """The passage's span, widened by whole sentences on both sides to at most `room` characters."""
    text, span = passage.document.text, passage.span
    start, end = span.start, span.end
    if end - start >= room:
        return span
    low, high = max(0, start - room), min(len(text), end + room)
    near = [s.span for s, _ in levelled(text[low:high])]
    before = [Span(s.start + low, s.end + low) for s in near if s.end + low <= start]
    after = [Span(s.start + low, s.end + low) for s in reversed(near) if s.start + low >= end]
    # What the cut parts is no whole sentence.
    before, after = before[low > 0 :], after[high < len(text) :]
    grown = True
    while grown:
        grown = False
        if before and end - before[-1].start <= room:
            start, grown = before.pop().start, True
        if after and after[-1].end - start <= room:
            end, grown = after.pop().end, True
    return Span(start, end)


@dataclass(frozen=True, slots=True)
class _Item:
    """A sentence on its way into a passage, with the headings that stand right above it.

    `path` are the headings it is under, `section` numbers the stretch below one heading.
    """

    sentence: Sentence
    path: tuple[str, ...]
    section: int
    tokens: int
    above: tuple[Sentence, ...] = ()


def _items(document: Document, count: Callable[[str], int]) -> list[_Item]:
    found = levelled(document.text)
    items: list[_Item] = []
    stack: list[tuple[int, str]] = []
    above: list[Sentence] = []
    section = 0
    for i, (sentence, level) in enumerate(found):
        words = sentence.span.of(document.text)
        if level:
            while stack and stack[-1][0] >= level:
                stack.pop()
            below = found[i + 1][1] if i + 1 < len(found) else 1
            if below == 0 or below > level:
                stack.append((level, words))
                above.append(sentence)
                section += 1
                continue
        # A heading with nothing under it is kept like a sentence, so that it can be found.
        path = _path(document.title, stack)
        if items and not above and items[-1].path != path:
            section += 1
        items.append(_Item(sentence, path, section, count(words), tuple(above)))
        above.clear()
    return items


def _path(title: str, stack: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    names = [plain(name) for name in (title, *(words for _, words in stack))]
    return tuple(dict.fromkeys(name for name in names if name))


def _joined(sections: list[list[_Item]], size: int) -> Iterator[list[_Item]]:
    """Neighbours of which one is too short to stand alone, together where they fit."""
    group: list[_Item] = []
    total = 0
    for section in sections:
        tokens = sum(item.tokens for item in section)
        if group and total + tokens <= size and min(total, tokens) < size // 3:
            group = group + section
            total += tokens
        else:
            if group:
                yield group
            group, total = section, tokens
    if group:
        yield group


def _runs(items: list[_Item], size: int) -> Iterator[list[_Item]]:
    """Runs of about equal length, at most `size` tokens each where single sentences allow."""
    left = sum(item.tokens for item in items)
    room = size * 2 / 3  # what a shared sentence surely leaves
    goal = left if left <= size else left / ceil(left / room)
    run: list[_Item] = []
    tokens = new = 0
    for item in items:
        if run and (tokens + item.tokens > size or new + item.tokens / 2 > goal):
            yield run
            left -= new
            goal = left / ceil(left / room)
            shared = run[-1]
            if shared.tokens <= size // 3 and shared.tokens + item.tokens <= size:
                run, tokens = [shared], shared.tokens
            else:
                run, tokens = [], 0
            new = 0
        run.append(item)
        tokens += item.tokens
        new += item.tokens
    yield run


def _passage(document: Document, run: list[_Item]) -> Passage:
    path = run[0].path
    for item in run:
        while path != item.path[: len(path)]:
            path = path[:-1]
    several = any(item.path != path for item in run)
    body: list[Sentence] = []
    for i, item in enumerate(run):
        if i or several:
            body.extend(item.above)
        body.append(item.sentence)
    span = Span(body[0].span.start, body[-1].span.end)
    return Passage(document, span, tuple(body), " › ".join(path))


def _estimate(text: str) -> int:
    """About how many tokens a text is to the packaged embedder, which was made for English."""
    foreign = 0 if text.isascii() else sum(character > "\u02ff" for character in text)
    return max(1, ceil(1.3 * len(text.split())), len(text) // 5, foreign)
