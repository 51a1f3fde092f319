"""Many questions from a file of JSON lines: each answered as it is read, order kept."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from corpus.errors import FootnoteError
from rag.assistant import Assistant
from rag.errors import BadQuestion
from rag.types import Turn
from rag.wire import as_json, turns
from ui.terminal import bar


def run(assistant: Assistant, source: str, out: str, trace: bool = False) -> None:
    """Answer each line of `source` into `out`; `-` is stdin or stdout.

    A line that cannot be answered gives `{"id", "error"}`, and the rest goes on.
    """
    if "-" not in (source, out) and Path(out).exists() and Path(out).samefile(source):
        raise FootnoteError(f"{out} is the file of questions: give --out another name")
    with _reading(source) as lines, _writing(out) as sink, bar("Answering") as progress:
        for done, line in enumerate(filter(bytes.strip, lines), start=1):
            result = json.dumps(_answered(assistant, line, trace), ensure_ascii=False)
            sink.write(result.encode(errors="backslashreplace") + b"\n")
            sink.flush()
            if progress:
                progress(done)


def history(file: str) -> tuple[Turn, ...]:
    """The conversation so far: a JSON list as in a batch, or the questions asked, one a line."""
    try:
        text = Path(file).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FootnoteError(f"{file} is not UTF-8 text: save it as such") from error
    if not text.lstrip().startswith("["):
        return tuple(Turn("user", line.strip()) for line in text.splitlines() if line.strip())
    try:
        return turns(_loaded(text))
    except BadQuestion as error:
        raise BadQuestion(f"{file}: {error}") from error


def _answered(assistant: Assistant, line: bytes, trace: bool) -> dict[str, object]:
    id: object = None
    try:
        asked = _loaded(line.decode("utf-8-sig"))
        if not isinstance(asked, dict):
            raise BadQuestion("a line must be an object with “id” and “question”")
        id = asked.get("id")
        if not isinstance(asked.get("question"), str):
            raise BadQuestion("“question” is missing, or is no text")
        answer = assistant.ask(asked["question"], turns(asked.get("history")))
    except UnicodeDecodeError:
        return {"id": id, "error": "not UTF-8 text"}
    except FootnoteError as error:
        return {"id": id, "error": str(error)}
    return {"id": id, **as_json(answer, trace)}


def _loaded(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise BadQuestion(f"not JSON: {error}") from error
    except RecursionError as error:
        raise BadQuestion("not JSON that can be read: nested too deeply") from error


@contextmanager
def _reading(source: str) -> Iterator[BinaryIO]:
    if source == "-":
        yield sys.stdin.buffer
    else:
        with Path(source).open("rb") as file:
            yield file


@contextmanager
def _writing(out: str) -> Iterator[BinaryIO]:
    if out == "-":
        yield sys.stdout.buffer
    else:
        with Path(out).open("wb") as file:
            yield file
