"""What people say of answers, kept as cases that the evaluation can run.

What says, or lets us know, what a right answer states goes into `feedback.jsonl`. A thumb down
without a right answer is kept in `feedback-open.jsonl`: the same line without `facts`, which the
reader of cases does not take, since nobody knows yet what it should be judged by.
"""

import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from index.snapshots import write
from rag.errors import NotKept
from rag.evals.facts import matches
from rag.quantities import tokens
from rag.types import Answer, Turn

KEPT, OPEN = "feedback.jsonl", "feedback-open.jsonl"
LONGEST = 1000  # characters of a note, of a right answer, of each turn before the question
MOST_TURNS, MOST_FACTS = 12, 12
LARGEST, LARGEST_LINE = 20_000_000, 200_000  # bytes of a file, of a line in it

Verdict = Literal["good", "bad"]
REASONS: Mapping[str, str] = {
    "wrong": "It is wrong",
    "incomplete": "Something is missing",
    "unsupported": "The source does not say this",
    "refuse": "The documents do not say: it should have refused",
    "says": "It refused, but the documents do say",
}


@dataclass(frozen=True, slots=True)
class Opinion:
    """What somebody says of an answer: `right` is the right answer, one fact a line, or ""."""

    verdict: Verdict
    reason: str = ""
    note: str = ""
    right: str = ""


def case_id(who: str, answer: Answer) -> str:
    """The id of one person's feedback on one answer; `who` is known to that person's browser."""
    told = "\0".join((who, answer.question.text, answer.text))
    return f"feedback-{hashlib.sha256(told.encode(errors='replace')).hexdigest()[:16]}"


def case_row(
    id: str, answer: Answer, opinion: Opinion, history: Sequence[Turn] = ()
) -> dict[str, Any]:
    """The line for a file of cases. It has no “facts” where nothing says what is right."""
    row: dict[str, Any] = {"id": id, "question": answer.question.text}
    if history:
        row["history"] = [
            {"role": turn.role, "content": turn.content[:LONGEST]} for turn in history[-MOST_TURNS:]
        ]
    row |= _known(answer, opinion)
    row["tags"] = ["feedback", opinion.verdict]
    row["feedback"] = {
        "reason": opinion.reason if opinion.reason in REASONS else "",
        "note": opinion.note.strip()[:LONGEST],
        "right": opinion.right.strip()[:LONGEST],
        "answer": answer.text[: 4 * LONGEST],
        "model": answer.model,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return row


def _known(answer: Answer, opinion: Opinion) -> dict[str, Any]:
    """What a right answer states, and where the documents say it."""
    right = [line.strip() for line in opinion.right[:LONGEST].split("\n")]
    facts = [line for line in right if tokens(line)][:MOST_FACTS]
    if facts:
        return {"facts": [[fact] for fact in facts]}
    if opinion.verdict == "bad":
        return {"facts": []} if opinion.reason == "refuse" else {}
    if answer.outcome == "not_in_corpus":
        return {"facts": []}
    stated = list(dict.fromkeys(_stated(answer)))[:MOST_FACTS]
    if not stated:
        return {}
    return {
        "facts": [[fact] for fact in stated],
        "documents": list(dict.fromkeys(c.document for c in answer.citations)),
        "quotes": list(dict.fromkeys(c.quote for c in answer.citations)),
    }


def _stated(answer: Answer) -> Iterator[str]:
    """The cited words that the answer states: those that answer, else a quote that it repeats."""
    marked = (c.answer_span.of(c.quote) for c in answer.citations if c.answer_span)
    found = [words for words in marked if matches(words, answer.text)]
    yield from found or (c.quote for c in answer.citations if matches(c.quote, answer.text))


def keep(folder: Path, row: Mapping[str, Any]) -> None:
    """Keep a line among the feedback on an index, in the place of an earlier one with its id.

    Raises NotKept where the folder cannot be written to, or the file is full.
    """
    into, other = (KEPT, OPEN) if "facts" in row else (OPEN, KEPT)
    line = json.dumps(row, ensure_ascii=False).encode(errors="replace") + b"\n"
    with _alone(folder):
        _drop(folder / into, str(row["id"]))
        _append(folder / into, line)
        _drop(folder / other, str(row["id"]))  # last, so that what cannot be kept loses nothing


def take_back(folder: Path, id: str) -> None:
    """Forget the feedback with that id, if there is any. Raises NotKept."""
    with _alone(folder):
        for name in (KEPT, OPEN):
            _drop(folder / name, id)


def given(folder: Path, ids: Collection[str]) -> dict[str, Mapping[str, Any]]:
    """The feedback that has been given under these ids."""
    return {
        row["id"]: row
        for name in (KEPT, OPEN)
        for row in rows(folder / name)
        if row.get("id") in ids
    }


def rows(file: Path) -> Iterator[dict[str, Any]]:
    """The lines of a file of feedback that are whole."""
    try:
        data = file.read_bytes()
    except OSError:
        return
    for line in data.splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            yield row


def writable(folder: Path) -> bool:
    """Whether feedback can be kept there."""
    files = [folder / name for name in (KEPT, OPEN)]
    return os.access(folder, os.W_OK) and all(
        file.is_file() and os.access(file, os.W_OK) for file in files if file.exists()
    )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One writer at a time, of all processes; what the disk refuses becomes NotKept."""
    try:
        with FileLock(folder / "feedback.lock", timeout=5):
            yield
    except Timeout as error:
        raise NotKept("somebody else's feedback is being written: try again") from error
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise NotKept(f"feedback cannot be kept beside this index: {why}") from error


def _drop(file: Path, id: str) -> None:
    """Leave the line with that id out; everything else stays, byte for byte."""
    if not file.exists():
        return
    lines = file.read_bytes().splitlines(keepends=True)
    others = [line for line in lines if not _has(line, id)]
    if len(others) < len(lines):
        write(file, b"".join(others))


def _has(line: bytes, id: str) -> bool:
    if id.encode() not in line:
        return False
    try:
        row = json.loads(line)
    except ValueError:
        return False
    return isinstance(row, dict) and row.get("id") == id


def _whole(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _append(file: Path, line: bytes) -> None:
    """Add the line whole or not at all."""
    with file.open("ab+") as opened:
        size = opened.seek(0, os.SEEK_END)
        if size + len(line) > LARGEST:
            raise NotKept(f"{file.name} is full: move it away, and a new one begins")
        opened.seek(max(0, size - 2 * LARGEST_LINE))
        if last := opened.read().rpartition(b"\n")[2]:  # cut off, or written by hand
            size -= 0 if _whole(last) else len(last)
            opened.truncate(size)
            line = b"\n" + line if _whole(last) else line
        try:
            opened.write(line)
            opened.flush()
            os.fsync(opened.fileno())
        except OSError:
            opened.truncate(size)
            raise
