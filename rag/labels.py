"""A model's reply, as it streams in, to words that can be shown and the labels behind them.

The model was shown every sentence as `[passage.sentence]` and cites by these labels. Nothing is
given out before it is settled: no half label, no half link, no label at all. What a model writes
is plain text: emphasis marks, headings, links and images lose their markup and keep their words.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from corpus.sentences import levelled
from corpus.types import Span

LONGEST_LINK = 300
LONGEST_RANGE = 12


@dataclass(frozen=True, slots=True)
class Label:
    """`[2.4]`: the fourth sentence of the second passage; `sentence` None: the passage whole."""

    passage: int
    sentence: int | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """Words that can be shown now."""

    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The sentence whose words were just given is complete; the offered labels that it cites."""

    text: str
    labels: tuple[Label, ...]


Piece = Words | Ended

_KIND = r"(?:passage|sentence|source|document|doc|p|s)"
_ITEM = rf"(?:{_KIND}\.? ?)?\d{{1,4}}(?:(?:[.:]|\.?[ps])\d{{1,4}})?"
_JOIN = r"[^\S\n]*(?:,|;|&|\+|-|‐|‑|–|—|\band\b|\bto\b|\|)[^\S\n]*"
_INNER = rf"[^\S\n]*\^?{_ITEM}(?:{_JOIN}{_ITEM})*[^\S\n]*"
_EMPHASIS = r"\*{2,}|__+|`+"
_CONSTRUCT = re.compile(
    rf"[\[【［]{{1,2}}(?P<square>{_INNER})(?:†[^\]】\n]{{0,40}})?[\]】］]{{1,2}}(?:\([^)\s]*\))?"
    rf"|\((?P<round>{_INNER})\)"
    rf"|!?\[(?P<link>[^\]\n]{{0,{LONGEST_LINK}}})\]\([^)\n]{{0,{LONGEST_LINK}}}\)"
    rf"|{_EMPHASIS}|(?<=\n)#{{1,6}}[ \t]+",
    re.IGNORECASE,
)
# What may still become a label, a link or a mark when more arrives.
_UNSETTLED = re.compile(
    rf"(?:!?\[[^\]\n]{{0,{LONGEST_LINK}}}(?:\]{{1,2}}(?:\([^)\n]{{0,{LONGEST_LINK}}})?)?"
    r"|[【［][^】］\n]{0,80}|\([\d\s.,:;ps–-]{0,60}|(?<=\n)#{1,6}[ \t]*|[*_`!]+|\r)\Z",
    re.IGNORECASE,
)
_HALF = re.compile(r"\s*(?:[\[【［]\s*(?:[ps]?\d[\d\s.,:;ps–-]*)?|\(\d+\.[\d\s.,;–-]*)\Z", re.I)
# Where a sentence may have ended: what stands behind is not shown before that is known.
_UNDECIDED = re.compile(
    r"(?:(?<=[.!?…。！？।])|(?<=[.!?…。！？।][\"”’»)\]]))\s+\S*\Z|\n\s*\S*\Z|\s+\Z"
)
_FULL_STOP = re.compile(r"[.!?…。！？।][\"”’»)\]]*\s*\Z")
_NUMBERS = re.compile(r"(\d{1,4})(?:\D{1,4}(\d{1,4}))?")
_RANGE = re.compile(r"\s*(?:-|‐|‑|–|—|\bto\b)\s*", re.IGNORECASE)
_NEXT_ITEM = re.compile(r"\s*(?:,(?!\d)|,(?=\d+[.:])|;|&|\+|\||\band\b)\s*", re.IGNORECASE)
_THINKING = re.compile(r"\s*<(think(?:ing)?|reasoning)>", re.IGNORECASE)
_MAY_BE_THINKING = re.compile(r"\s*(?:<[a-z]{0,10})?\Z", re.IGNORECASE)


class Reply:
    """A reply on its way. `offered` says how many sentences each passage had.

    `dropped` counts the labels that were not offered; none of them is given out.
    """

    def __init__(self, offered: Mapping[int, int]) -> None:
        self._offered = offered
        self.dropped = 0
        self._raw = ""  # not yet settled
        self._last = "\n"  # the last character that is
        self._text = ""  # settled and plain, from the end of the last complete sentence
        self._shown = 0
        self._marks: list[tuple[int, Label]] = []
        self._begun = self._started = False
        self._until = ""

    def feed(self, piece: str) -> Iterator[Piece]:
        """What can be given out now that this piece has arrived."""
        self._raw += piece
        if not self._thought():
            return
        held = _UNSETTLED.search(self._last + self._raw, 1)
        settled = self._raw[: held.start() - 1] if held else self._raw
        self._raw = self._raw[len(settled) :]
        self._settle(settled)
        yield from self._advance(final=False)

    def close(self) -> Iterator[Piece]:
        """The rest, when nothing more arrives."""
        if not self._until:
            whole = _HALF.sub("", self._raw)
            self.dropped += whole != self._raw
            self._settle(whole)
        self._raw = ""
        yield from self._advance(final=True)

    def _thought(self) -> bool:
        """Leaves out what a model thinks aloud before it replies; False while that goes on."""
        if not self._begun:
            if _MAY_BE_THINKING.fullmatch(self._raw):
                return False
            self._begun = True
            if opening := _THINKING.match(self._raw):
                self._until = f"</{opening[1].lower()}>"
        if self._until:
            end = self._raw.lower().find(self._until)
            if end < 0:
                self._raw = self._raw[-len(self._until) :]
                return False
            self._raw = self._raw[end + len(self._until) :].lstrip()
            self._until = ""
        return True

    def _settle(self, raw: str) -> None:
        """Markup becomes plain text; labels leave the text and are kept beside it."""
        raw = self._last + raw.replace("\r\n", "\n").replace("\r", "\n")
        self._last = raw[-1]
        at = 1
        for found in _CONSTRUCT.finditer(raw, 1):
            self._add(raw[at : found.start()])
            at = found.end()
            if found["square"]:
                self._mark(found["square"])
            elif found["round"]:
                labels = self._labels(found["round"], odd=True)
                if labels and all(map(self._is_offered, labels)):
                    self._mark(found["round"])
                else:
                    self._add(found.group())
            elif found["link"] is not None:
                self._add(found["link"])
        self._add(raw[at:])

    def _add(self, plain: str) -> None:
        """Settled text; the reply begins with its first word."""
        if not self._started:
            plain = plain.lstrip()
            self._started = bool(plain)
        self._text += plain

    def _mark(self, inner: str) -> None:
        # “suspects [1.2].”: the space before the label goes with it.
        bare = self._text.rstrip(" ")
        self._text = bare if len(bare) >= self._shown else self._text
        place = len(self._text)
        for label in self._labels(inner):
            if self._is_offered(label):
                self._marks.append((place, label))
            else:
                self.dropped += 1

    def _labels(self, inner: str, odd: bool = False) -> list[Label]:
        """The labels in a bracket: a list, with ranges. `odd`: only those with a full stop."""
        labels: list[Label] = []
        for item in _NEXT_ITEM.split(inner):
            ends = [_numbers(end) for end in _RANGE.split(item)]
            first, last = ends[0], ends[-1]
            if first is None or last is None or (odd and first.sentence is None):
                return [] if odd else labels
            if len(ends) == 1:
                labels.append(first)
            else:
                labels += _range(first, last)
        return labels

    def _is_offered(self, label: Label) -> bool:
        sentences = self._offered.get(label.passage, 0)
        return 1 <= (1 if label.sentence is None else label.sentence) <= sentences

    def _advance(self, final: bool) -> Iterator[Piece]:
        """Gives out the complete sentences, and what can be shown of the one that is not."""
        while self._text.strip():
            sentences = self._sentences()
            if len(sentences) < 2:
                break
            here, following = sentences[0], sentences[1]
            if not final and not re.search(r"\s", self._text[following.start :]):
                yield from self._show(here.end)
                return
            yield from self._end(here.start, here.end, following.start)
        if not self._text.strip():
            if final and self._marks:
                self.dropped += len(self._marks)
                self._marks = []
            return
        if final:
            span = levelled(self._text)[0][0].span
            yield from self._end(span.start, span.end, len(self._text))
        else:
            undecided = _UNDECIDED.search(self._text)
            yield from self._show(undecided.start() if undecided else len(self._text))

    def _sentences(self) -> list[Span]:
        """The sentences of the text so far; labels behind a full stop end one in any case."""
        text = self._text
        for place, _ in self._marks:
            if _FULL_STOP.search(text, 0, place) and text[place:].strip() and text[:place].strip():
                first = [s.span for s, _ in levelled(text[:place])]
                rest = [s.span for s, _ in levelled(text[place:])]
                return first + [Span(s.start + place, s.end + place) for s in rest]
        return [s.span for s, _ in levelled(text)]

    def _show(self, end: int) -> Iterator[Piece]:
        if end > self._shown:
            yield Words(self._text[self._shown : end])
            self._shown = end

    def _end(self, start: int, end: int, following: int) -> Iterator[Piece]:
        """The sentence at [start, end) is complete; the next one starts at `following`."""
        yield from self._show(end)
        gap = self._text[end:following]
        lines = gap.rfind("\n") + 1
        # Labels behind a line break, with words behind them, lead the sentence that follows.
        mine = following if not lines or following == len(self._text) else end + lines - 1
        labels = [label for place, label in self._marks if place <= mine]
        self._marks = [(max(p - end, 0), label) for p, label in self._marks if p > mine]
        yield Ended(self._text[start:end], tuple(dict.fromkeys(labels)))
        self._text = self._text[end:]
        self._shown = 0


def _numbers(item: str) -> Label | None:
    found = _NUMBERS.search(item)
    if found is None:
        return None
    return Label(int(found[1]), int(found[2]) if found[2] else None)


def _range(first: Label, last: Label) -> list[Label]:
    """`2.4-2.6` and `2.4-6`; `2-3` are passages. Never more than a few."""
    if first.sentence is None:
        return [Label(n) for n in range(first.passage, last.passage + 1)[:LONGEST_RANGE]]
    end = last.sentence
    if end is None:
        end = last.passage
    elif last.passage != first.passage:
        return [first, last]
    return [Label(first.passage, n) for n in range(first.sentence, end + 1)[:LONGEST_RANGE]]
