"""What every test stands on: no network, a clean environment, one index of the built-in corpus."""

import gc
import io
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from unittest.mock import patch

import pytest

from corpus.read import BUILT_IN
from index import follower, vectors
from index.server import Server
from rag.assistant import Assistant
from rag.settings import Settings
from tests.chroma_server import ChromaServer
from ui.cli import main

KEPT = {"FOOTNOTE_MANY", "FOOTNOTE_REQUIRE_BROWSER", "FOOTNOTE_SCREENSHOT"}
for name in [n for n in os.environ if n.startswith(("OPENAI_", "FOOTNOTE_", "GRADIO_"))]:
    if name not in KEPT:
        del os.environ[name]
os.environ |= {"HF_HUB_OFFLINE": "1", "COLUMNS": "88"}
# A shell's background jobs ignore Ctrl-C, and so would every command that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

LOOPBACK = {"127.0.0.1", "::1", "localhost", "0.0.0.0", "::"}
_connect, _connect_ex, _getaddrinfo = (
    socket.socket.connect,
    socket.socket.connect_ex,
    socket.getaddrinfo,
)


def _stay_here(address: object) -> None:
    host = address[0] if isinstance(address, tuple) else address
    if isinstance(host, bytes):
        host = host.decode()
    if isinstance(address, tuple) and host not in LOOPBACK:
        raise AssertionError(f"a test reached for the network: {host}")


def _local_connect(self: socket.socket, address: object) -> None:
    _stay_here(address)
    _connect(self, address)


def _local_connect_ex(self: socket.socket, address: object) -> int:
    _stay_here(address)
    return _connect_ex(self, address)


def _local_getaddrinfo(host: object, *rest: object, **named: object) -> object:
    if host is not None:
        _stay_here((host,))
    return _getaddrinfo(host, *rest, **named)


socket.socket.connect = _local_connect
socket.socket.connect_ex = _local_connect_ex
socket.getaddrinfo = _local_getaddrinfo


@pytest.fixture(scope="session")
def built_in_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an index of the built-in corpus. Tests read it and never write it."""
    from index.build import build
    from index.embed import embedder

    folder = tmp_path_factory.mktemp("built-in") / "index"
    build([BUILT_IN], folder, embedder("minilm"))
    return folder


@pytest.fixture(scope="session")
def assistant(built_in_index: Path) -> Assistant:
    """Answers from the built-in corpus, with no language model."""
    return Assistant.open(Settings(index=built_in_index, answers="extractive"))


Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Footnote:
    """The installed command, run as a process in `folder`."""

    folder: Path
    before: tuple[str, ...] = ()

    def __call__(
        self, *arguments: str | Path, env: Mapping[str, str] | None = None, stdin: bytes = b""
    ) -> Done:
        """Run it to its end; what it printed is UTF-8."""
        done = subprocess.run(
            self._command(arguments),
            cwd=self.folder,
            env={**os.environ, **(env or {})},
            input=stdin,
            capture_output=True,
            timeout=120,
        )
        out, err = done.stdout.decode(), done.stderr.decode()
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

    def json(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Any:
        """What it prints, which must be JSON and all."""
        done = self(*arguments, env=env)
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)

    def start(
        self,
        *arguments: str | Path,
        stdin: int | None = None,
        stdout: int | IO[Any] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start it and go on."""
        return subprocess.Popen(
            self._command(arguments),
            cwd=self.folder,
            env={**os.environ, **(env or {})},
            stdin=stdin if stdin is not None else subprocess.DEVNULL,
            stdout=stdout if stdout is not None else subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def _command(self, arguments: tuple[str | Path, ...]) -> list[str]:
        script = Path(sys.executable).with_name("footnote")
        return [*self.before, str(script), *map(str, arguments)]


class Inside(Footnote):
    """The same call without a process of its own: a tenth of the time, for the many small cases."""

    def __call__(
        self, *arguments: str | Path, env: Mapping[str, str] | None = None, stdin: bytes = b""
    ) -> Done:
        """Run `main` as the script does."""
        streams = [io.TextIOWrapper(io.BytesIO(data)) for data in (stdin, b"", b"")]
        with (
            chdir(self.folder),
            patch.dict(os.environ, env or {}),
            patch.multiple(sys, stdin=streams[0], stdout=streams[1], stderr=streams[2]),
        ):
            code = _code_of(list(map(str, arguments)))
        out, err = (_written(stream) for stream in streams[1:])
        return subprocess.CompletedProcess(arguments, code, out, err)


def _code_of(arguments: list[str]) -> int:
    try:
        return main(arguments)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode()


@pytest.fixture
def footnote(tmp_path: Path) -> Footnote:
    """The command line in an empty folder, within this process."""
    return Inside(tmp_path)


@pytest.fixture
def process(tmp_path: Path) -> Footnote:
    """The installed command in the same empty folder, as a process."""
    return Footnote(tmp_path)


def obeying_permissions() -> tuple[str, ...]:
    """What to put before a command so that even root may not write where nobody may."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("root obeys no permissions, and there is no setpriv to make it")
    kept = "-dac_override,-dac_read_search"
    return ("setpriv", f"--bounding-set={kept}", f"--inh-caps={kept}")


@contextmanager
def only_readable(folder: Path) -> Iterator[None]:
    """Within, nobody who obeys permissions may write in the folder."""
    files = [folder, *folder.rglob("*")]
    for file in files:
        file.chmod(0o555 if file.is_dir() else 0o444)
    try:
        yield
    finally:
        for file in files:
            file.chmod(0o755 if file.is_dir() else 0o644)


def assert_one_line(done: Done, says: str) -> None:
    """The call was refused: exit 2, and one line on stderr that says what."""
    lines = done.stderr.splitlines()
    assert (done.returncode, len(lines)) == (2, 1), done.stderr
    assert lines[0].startswith("footnote: ")
    assert says in lines[0]


def seconds(footnote: Footnote, *arguments: str) -> float:
    """How long a call takes: by the clock, or on the processor where other work made it wait."""
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    assert footnote(*arguments).returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    worked = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return min(time.perf_counter() - started, worked)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    """A Chroma server."""
    server = ChromaServer(tmp_path_factory.mktemp("chroma"))
    yield server
    server.kill()
    gc.collect()


@pytest.fixture
def at(running: ChromaServer, request: pytest.FixtureRequest) -> Server:
    """An index of the test's own on the Chroma server."""
    name = re.sub(r"[^a-zA-Z0-9]+", "-", request.node.name).strip("-")
    return Server(running.url, collection=name)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chroma servers are asked for a newer state each time; no question goes on without it."""
    monkeypatch.setattr(follower, "POLL", 0.0)
    monkeypatch.setattr(follower, "PATIENCE", 30.0)
    monkeypatch.setattr(vectors, "PATIENCE", (0.05,))
    monkeypatch.setattr(vectors, "PATIENCE_WRITING", (0.05, 0.1))
