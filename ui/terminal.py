"""Answers and reports as lines for a terminal."""

import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from textwrap import TextWrapper
from typing import Protocol

from index.types import BuildReport
from rag.types import Answer, Citation

_WIDEST = 88
_DOUBTS = {
    "partial": "Its source does not carry all of this",
    "unsupported": "Not supported by the documents",
}


def answer(answer: Answer) -> str:
    """The answer, then its sources with the words quoted, then what a person should know."""
    blocks = [_wrapped(answer.text)]
    blocks += [_source(citation) for citation in answer.citations]
    blocks += [
        _wrapped(f"{_DOUBTS[sentence.support]}: “{sentence.text}”")
        for sentence in answer.sentences
        if sentence.support in _DOUBTS
    ]
    blocks += [_wrapped(f"Note: {notice}") for notice in answer.notices]
    return "\n\n".join(blocks)


def trace(trace: Mapping[str, object]) -> str:
    """The trace, indented; one value a line."""
    return "\n" + "\n".join(_lines(trace, ""))


def report_json(report: BuildReport) -> dict[str, object]:
    """The contract's summary of a run of indexing."""
    return {
        "documents": report.documents,
        "passages": report.passages,
        "added": report.added,
        "changed": report.changed,
        "removed": report.removed,
        "unchanged": report.unchanged,
        "failed": [{"path": f.path, "reason": f.reason} for f in report.failed],
        "seconds": round(report.seconds, 3),
    }


class Progress(Protocol):
    """Shows how far something is."""

    def __call__(self, done: int, total: int | None = None) -> None:
        """`done` of `total`; None where nobody knows the total."""
        ...


@contextmanager
def bar(label: str) -> Iterator[Progress | None]:
    """Progress as a bar on stderr; None where that is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich import progress
    from rich.console import Console

    with progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as shown:
        task = shown.add_task(label, total=None, rate="")

        def update(done: int, total: int | None = None) -> None:
            passed = shown.tasks[0].elapsed
            rate = f"{done / passed:,.0f}/s" if passed else ""
            shown.update(task, completed=done, total=total, rate=rate)

        yield update


def counted(number: int, noun: str) -> str:
    """For example `1 document`, `1,200 documents`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size_of(count: int) -> str:
    """Bytes for a person, for example `3.1 MB`."""
    size = float(count)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} bytes" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def _source(citation: Citation) -> str:
    mark = f"[{citation.n}] "
    page = f", page {citation.page}" if citation.page is not None else ""
    inside = " " * len(mark)
    quote = " ".join(citation.quote.split())
    return "\n".join(
        [
            _wrapped(f"{mark}{citation.title} — {citation.document}{page}", after=inside),
            _wrapped(f"“{quote}”", inside, inside),
        ]
    )


def _wrapped(text: str, before: str = "", after: str = "") -> str:
    """The text in lines that fit the terminal, its own line breaks kept."""
    wrapper = TextWrapper(
        width=max(20, min(_WIDEST, shutil.get_terminal_size().columns)),
        initial_indent=before,
        subsequent_indent=after,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(wrapper.fill(line) for line in text.splitlines())


def _lines(value: object, indent: str) -> Iterator[str]:
    """A nested value, one plain value a line; the items of a list start with a dash."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if isinstance(inner, Mapping | list | tuple) and inner:
                yield f"{indent}{name}:"
                yield from _lines(inner, indent + "  ")
            else:
                yield f"{indent}{name}: {_plain(inner)}"
    elif isinstance(value, list | tuple):
        for inner in value:
            first, *rest = [*_lines(inner, indent + "  ")] or [f"{indent}  "]
            yield f"{indent}- {first.lstrip()}"
            yield from rest
    else:
        yield f"{indent}{_plain(value)}"


def _plain(value: object) -> str:
    if value is None or value == [] or value == () or value == {}:
        return "none"
    return " ".join(str(value).split())
