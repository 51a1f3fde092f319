"""`footnote serve` as a process, for a while."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import Footnote


@contextmanager
def serving(
    index: Path, *options: str | Path, env: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Serves the index at a free port of the loopback, and gives the address."""
    call = ("serve", "--index", index, "--port", "0", *options)
    process = Footnote(index.parent).start(*call, env=env)
    try:
        assert process.stdout is not None
        line = process.stdout.readline().decode()
        assert "http://127.0.0.1:" in line, process.communicate()
        yield line.split()[-1]
    finally:
        process.terminate()
        process.communicate(timeout=20)


def ask(http: httpx.Client, question: str) -> Any:
    """One question by the endpoint `ask`, as a program without Gradio's client asks it."""
    event = http.post("gradio_api/call/ask", json={"data": [question, None, None]})
    event.raise_for_status()
    with http.stream("GET", f"gradio_api/call/ask/{event.json()['event_id']}") as stream:
        name = ""
        for line in stream.iter_lines():
            if line.startswith("event:"):
                name = line.removeprefix("event:").strip()
            elif line.startswith("data:") and name == "complete":
                return json.loads(line.removeprefix("data:"))[0]
            elif name == "error":
                raise AssertionError(line)
    raise AssertionError("the stream ended without an answer")
