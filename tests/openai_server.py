"""A server on loopback that speaks the OpenAI chat-completions protocol, scripted by a test."""

import json
import select
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Say:
    """A reply, streamed in `pieces`, or in pieces of `size` characters.

    `before` (the headers), `silent` (after them) and `between` are seconds; `cut` ends the
    connection after so many pieces.
    """

    text: str = ""
    pieces: Sequence[str] = ()
    size: int = 4
    before: float = 0.0
    between: float = 0.0
    silent: float = 0.0
    cut: int | None = None
    usage: tuple[int, int] | None = (812, 64)
    finish: str = "stop"

    def parts(self) -> list[str]:
        if self.pieces:
            return list(self.pieces)
        return [self.text[i : i + self.size] for i in range(0, len(self.text), self.size)]


@dataclass(frozen=True)
class Refuse:
    """An answer with an error status, `before` seconds after the request."""

    status: int
    message: str = "no"
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    before: float = 0.0


@dataclass(frozen=True)
class Raw:
    """An answer that is something else."""

    body: bytes
    kind: str = "text/html"


Step = Say | Refuse | Raw


@dataclass
class Server:
    """The steps are taken one for each request; the last one again when there are no more."""

    url: str
    script: list[Step] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    first: list[float] = field(default_factory=list)  # when each reply began, seconds since 1970
    left: threading.Event = field(default_factory=threading.Event)

    def step(self) -> Step:
        return self.script[min(len(self.requests), len(self.script)) - 1]

    @property
    def prompt(self) -> str:
        """What the last request said, all messages together."""
        messages = self.requests[-1]["messages"]
        return "\n".join(str(message["content"]) for message in messages)


@contextmanager
def serving(*script: Step) -> Iterator[Server]:
    """A server at a free port; `left` is set when a client goes away in the middle of a reply."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                server.requests.append(json.loads(body))
                server.headers.append(dict(self.headers))
                step = server.step()
            try:
                _answer(self, step, server)
            except (BrokenPipeError, ConnectionResetError):
                server.left.set()

        def log_message(self, *_: object) -> None:
            pass

    lock = threading.Lock()
    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = Server(f"http://127.0.0.1:{http.server_port}/v1", list(script))
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def _answer(handler: BaseHTTPRequestHandler, step: Step, server: Server) -> None:
    if isinstance(step, Refuse):
        _wait(handler, step.before)
        error = {"message": step.message, "type": "error", "code": step.code}
        _send(handler, step.status, json.dumps({"error": error}).encode(), step.headers)
    elif isinstance(step, Raw):
        _send(handler, 200, step.body, {"Content-Type": step.kind})
    else:
        _stream(handler, step, server)


def _send(
    handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: Mapping[str, str]
) -> None:
    handler.send_response(status)
    for name, value in {"Content-Type": "application/json", **headers}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def _stream(handler: BaseHTTPRequestHandler, say: Say, server: Server) -> None:
    _wait(handler, say.before)
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.send_header("Connection", "close")
    if say.cut is not None:  # a length that is never reached: the client sees the cut
        handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    _wait(handler, say.silent)
    for number, part in enumerate(say.parts()):
        if number == say.cut:
            handler.close_connection = True
            return
        _event(handler, _chunk({"content": part}))
        if not number:
            server.first.append(time.time())
        _wait(handler, say.between)
    _event(handler, _chunk({}, say.finish))
    if say.usage:
        into, out = say.usage
        usage = {"prompt_tokens": into, "completion_tokens": out, "total_tokens": into + out}
        _event(handler, {**_chunk({}), "choices": [], "usage": usage})
    handler.wfile.write(b"data: [DONE]\n\n")


def _wait(handler: BaseHTTPRequestHandler, seconds: float) -> None:
    """Waits. Raises ConnectionResetError as soon as the client goes away."""
    if seconds and select.select([handler.connection], [], [], seconds)[0]:
        raise ConnectionResetError


def _chunk(delta: Mapping[str, str], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {
        "id": "1",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "scripted",
        "choices": [choice],
    }


def _event(handler: BaseHTTPRequestHandler, value: Mapping[str, Any]) -> None:
    handler.wfile.write(b"data: " + json.dumps(value).encode() + b"\n\n")
    handler.wfile.flush()
