"""Runs the readers in processes of their own, bounded in time, memory and what they give back.

A process serves many files, one at a time, and is replaced when it dies. It ends when it has had
nothing to do for a while, and when its parent ends.
"""

import atexit
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from corpus.errors import UnreadableDocument
from corpus.formats.content import Content, Page

_KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "SYSTEMROOT", "HOME")


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one file may take: bytes, seconds of work and by the clock, bytes of text."""

    memory: int = 1_500_000_000
    work: int = 60
    clock: int = 300
    text: int = 50_000_000

    @classmethod
    def of(cls, size: int) -> "Limits":
        """More time for a larger file."""
        work = 60 + 6 * (size // 1_000_000)
        return cls(work=work, clock=5 * work)


def read_apart(suffix: str, data: bytes, limits: Limits | None = None) -> Content:
    """The content of a file with that ending. Raises UnreadableDocument with the reason."""
    limits = limits or Limits.of(len(data))
    try:
        return _once(suffix, data, limits)
    except _Gone:  # it ended, having waited for long, when this file came; so may the others
        try:
            return _once(suffix, data, limits, anew=True)
        except _Gone as error:
            raise UnreadableDocument("its reader cannot be started") from error


class _Gone(Exception):
    """The process ended before it took the file."""


_idle: list["_Reader"] = []
_lock = threading.Lock()
_room = threading.BoundedSemaphore(max(2, min(4, os.cpu_count() or 2)))


def _once(suffix: str, data: bytes, limits: Limits, anew: bool = False) -> Content:
    with _room:
        with _lock:
            reader = _idle.pop() if _idle and not anew else None
        if reader is None or not reader.alive():
            reader = _Reader()
        try:
            content = reader.read(suffix, data, limits)
        except UnreadableDocument:
            _put_back(reader)
            raise
        except BaseException:
            reader.close()
            raise
        _put_back(reader)
        return content


def _put_back(reader: "_Reader") -> None:
    if reader.alive():
        with _lock:
            _idle.append(reader)


@atexit.register
def close() -> None:
    """Ends the processes that wait for a file."""
    with _lock:
        while _idle:
            _idle.pop().close()


def _forget() -> None:
    """After a fork: the parent's processes are not ours."""
    global _lock, _room
    _idle.clear()
    _lock = threading.Lock()
    _room = threading.BoundedSemaphore(2)


os.register_at_fork(after_in_child=_forget)


class _Reader:
    """One process that reads files."""

    def __init__(self) -> None:
        environment = {key: os.environ[key] for key in _KEPT if key in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        # -P: what lies in the current folder is never imported.
        command = [sys.executable, "-P", "-X", "utf8", "-m", "corpus.formats.child"]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            bufsize=0,
        )

    def alive(self) -> bool:
        if self._process.poll() is None:
            return True
        self.close()
        return False

    def close(self) -> None:
        process = self._process
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with suppress(OSError):
                    pipe.close()
        if process.poll() is None:
            process.kill()
        process.wait()

    def read(self, suffix: str, data: bytes, limits: Limits) -> Content:
        call = {"suffix": suffix, "bytes": len(data), **asdict(limits)}
        deadline = time.monotonic() + limits.clock
        try:
            self._send(json.dumps(call).encode() + b"\n", deadline)
            if self._receive(1, deadline) != b"+":
                raise _Gone
        except OSError as error:
            raise _Gone from error
        try:
            self._send(data, deadline)
            size = int(self._receive(12, deadline))
            if size > 6 * limits.text + 1_000_000:
                raise ValueError("more than was asked for")
            reply = json.loads(self._receive(size, deadline))
        except TimeoutError as error:  # a cause: on a machine less busy it may well be read
            self.close()
            raise UnreadableDocument(_too_long(limits.clock)) from error
        except (OSError, ValueError):
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(2)
            self.close()
            raise UnreadableDocument(_died(self._process.returncode, limits)) from None
        return _content(reply)

    def _send(self, data: bytes, deadline: float) -> None:
        assert self._process.stdin is not None
        pipe = self._process.stdin.fileno()
        os.set_blocking(pipe, False)
        rest = memoryview(data)
        with selectors.DefaultSelector() as ready:
            ready.register(pipe, selectors.EVENT_WRITE)
            while rest:
                if not ready.select(deadline - time.monotonic()):
                    raise TimeoutError
                rest = rest[os.write(pipe, rest[:65536]) :]

    def _receive(self, size: int, deadline: float) -> bytes:
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        got = bytearray()
        with selectors.DefaultSelector() as ready:
            ready.register(pipe, selectors.EVENT_READ)
            while len(got) < size:
                if not ready.select(max(0, deadline - time.monotonic())):
                    raise TimeoutError
                part = os.read(pipe, min(size - len(got), 1 << 20))
                if not part:
                    raise BrokenPipeError
                got += part
        return bytes(got)


def _content(reply: dict[str, Any]) -> Content:
    if "reason" in reply:
        raise UnreadableDocument(str(reply["reason"]))
    return Content(
        tuple(Page(str(text), bool(goes_on)) for text, goes_on in reply["pages"]),
        {str(key): str(value) for key, value in reply["metadata"].items()},
        bool(reply["paged"]),
        bool(reply["of_parts"]),
    )


def _too_long(seconds: int) -> str:
    return f"takes too long to read (more than {seconds} s): split it, or save it in another format"


def _died(code: int | None, limits: Limits) -> str:
    if code == -signal.SIGXCPU:
        return _too_long(limits.work)
    return "damaged, or needs too much memory: its reader broke off; save it in another format"
