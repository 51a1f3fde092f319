"""A real Chroma server on this machine, and doors before it: with a token, with Cloud's quotas."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any


class ChromaServer:
    """`chroma run` over a folder; it can be killed and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, where it does not run, and wait until it listens."""
        if self._process is not None and self._process.poll() is None:
            return
        chroma = str(Path(sys.executable).with_name("chroma"))
        command = [chroma, "run", "--path", str(self._folder), "--port", str(self.port)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self._process.poll() is None
                assert time.monotonic() < until
                time.sleep(0.02)

    def kill(self) -> None:
        """Kill it."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Have it take connections and answer nothing, until `go_on`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Have it answer again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


class Door:
    """Passes requests on that bring the token, in the header that Chroma Cloud reads."""

    def __init__(self, port: int, token: str) -> None:
        self.asked: list[tuple[str, str | None]] = []  # paths, with what else showed the token
        door = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _pass(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.headers.get("X-Chroma-Token") != token:
                    said = self.headers.get("Authorization", "nobody")
                    return self._say(
                        401, b'{"error": "AuthError", "message": "not %s"}' % said.encode()
                    )
                door.asked.append((self.path, self.headers.get("Authorization")))
                try:
                    body = door.checked(self.path.rpartition("/")[2], body)
                except ValueError as error:
                    said = {"error": "InvalidArgumentError", "message": f"Quota exceeded: {error}"}
                    return self._say(400, json.dumps(said).encode())
                inner = http.client.HTTPConnection("127.0.0.1", port)
                kind = {"Content-Type": self.headers.get("Content-Type") or "application/json"}
                inner.request(self.command, self.path, body or None, kind)
                reply = inner.getresponse()
                self._say(reply.status, reply.read())
                inner.close()

            def _say(self, status: int, data: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                with suppress(ConnectionError):  # who asked is dead
                    self.end_headers()
                    self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = _pass  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def checked(self, what: str, body: bytes) -> bytes:
        """The body that is passed on. Raises ValueError for what is refused."""
        return body

    def close(self) -> None:
        """Close it."""
        self._server.shutdown()
        self._server.server_close()


class Quotas(Door):
    """A door that refuses what Chroma Cloud's published quotas do, and gives `page` rows at most.

    https://docs.trychroma.com/cloud/quotas-limits
    """

    def __init__(self, port: int, token: str, page: int = 300) -> None:
        self._page = page
        super().__init__(port, token)

    def checked(self, what: str, body: bytes) -> bytes:
        """The body, with a limit of rows."""
        if what not in {"upsert", "get", "query", "delete"}:
            return body
        asked: dict[str, Any] = json.loads(body)
        ids = asked.get("ids") or []
        _at_most(300, len(ids), "records")
        _at_most(128, max((len(id.encode()) for id in ids), default=0), "bytes of an id")
        _at_most(300, asked.get("n_results") or 0, "results")
        _at_most(300, asked.get("limit") or 0, "results")
        for row in asked.get("metadatas") or []:
            for value in row.values():
                _at_most(4096, len(str(value).encode()), "bytes of a value")
        if what == "get" and not ids:
            asked["limit"] = min(asked.get("limit") or self._page, self._page)
        return json.dumps(asked).encode()


class Deadly(Door):
    """A door that kills a process as it writes for the n-th time; the write arrives, or is lost."""

    def __init__(self, port: int, token: str) -> None:
        self.writes = 0
        self._victim: subprocess.Popen[bytes] | None = None
        self._when, self._arrives = 0, True
        super().__init__(port, token)

    def expect(self, victim: subprocess.Popen[bytes], when: int, arrives: bool) -> None:
        """Count anew, and kill this process."""
        self.writes, self._victim, self._when, self._arrives = 0, victim, when, arrives

    def checked(self, what: str, body: bytes) -> bytes:
        """The body; the process is dead by then."""
        if what in {"upsert", "delete"}:
            self.writes += 1
            if self._victim is not None and self.writes == self._when:
                self._victim.kill()
                self._victim.wait()
                if not self._arrives:
                    raise ValueError("the request was lost")
        return body


def _at_most(quota: int, found: int, what: str) -> None:
    if found > quota:
        raise ValueError(f"{found} {what}, {quota} are allowed")


class Silent:
    """A server that takes connections and never answers."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        """Close it."""
        self._socket.close()
