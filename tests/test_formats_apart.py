"""The processes that files are read in: bounded, replaced when they die, gone with their parent."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from corpus.errors import UnreadableDocument
from corpus.formats import FORMATS, apart
from corpus.formats.apart import Limits, close, read_apart
from corpus.read import read_bytes
from tests.real_files import CSV, report_pdf

LIMITS = Limits()
SLOW = b"[" + b"[]," * 4_000_000 + b"[]]"  # takes seconds to read


def children() -> list[int]:
    """The processes of readers that this one has started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if int(stat[1]) == os.getpid() and stat[0] != "Z" and b"corpus.formats" in command:
                found.append(int(entry.name))
    return found


def until(true: Callable[[], object], seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return bool(true())


def reason(suffix: str, data: bytes, limits: Limits) -> str:
    with pytest.raises(UnreadableDocument) as raised:
        read_apart(suffix, data, limits)
    return str(raised.value)


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts in /proc")


def test_too_much_work_is_stopped() -> None:
    assert reason(".json", SLOW, replace(LIMITS, work=1)).startswith("takes too long to read")
    assert "Kep" in read_bytes(CSV.encode(), "a.csv").text


def test_too_much_time_is_stopped() -> None:
    started = time.monotonic()
    assert reason(".json", SLOW, replace(LIMITS, clock=1)).startswith("takes too long to read")
    assert time.monotonic() - started < 5


@linux
def test_too_much_memory_is_stopped() -> None:
    said = reason(".json", SLOW, replace(LIMITS, memory=250_000_000))
    assert "too much memory" in said


def test_too_much_text_is_refused() -> None:
    said = reason(
        ".csv", b"name of a boat\n" + b"Naga of Kep\n" * 100_000, replace(LIMITS, text=1_000_000)
    )
    assert said == "holds more than 1 MB of text; split it"


@linux
def test_one_process_reads_many_files_and_is_replaced_when_it_dies() -> None:
    close()
    for _ in range(3):
        read_bytes(CSV.encode(), "a.csv")
    (first,) = children()
    os.kill(first, signal.SIGKILL)
    assert until(lambda: first not in children())
    assert "Kep" in read_bytes(CSV.encode(), "a.csv").text
    (second,) = children()
    assert second != first


@linux
def test_a_process_lasts_however_large_the_one_is_that_started_it() -> None:
    close()
    large = b"x" * 500_000_000
    read_bytes(CSV.encode(), "a.csv")
    (first,) = children()
    assert not until(lambda: first not in children(), 0.5)
    assert "Kep" in read_bytes(CSV.encode(), "a.csv").text
    assert children() == [first]
    assert len(large) > 0


@linux
def test_a_process_that_dies_while_it_reads_costs_that_file_alone() -> None:
    close()
    said: list[str] = []
    reading = threading.Thread(target=lambda: said.append(reason(".json", SLOW, LIMITS)))
    reading.start()
    assert until(children)
    (child,) = children()
    assert until(lambda: _worked(child) > 0.5)
    os.kill(child, signal.SIGSEGV)
    reading.join(10)
    assert said[0].startswith("damaged, or needs too much memory")
    assert "17,700" in read_bytes(report_pdf(), "a.pdf").text


def _worked(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@linux
def test_a_process_ends_with_its_parent_also_while_it_reads(tmp_path: Path) -> None:
    script = (
        "import sys, threading, time\n"
        "from corpus.formats.apart import read_apart, _idle\n"
        "read_apart('.csv', b'a,b\\n1,2\\n')\n"
        "print(_idle[0]._process.pid, flush=True)\n"
        "read_apart('.json', b'[' + b'[],' * 4_000_000 + b'[]]')\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert until(lambda: _worked(child) > 0.5)
    parent.kill()
    parent.communicate()
    assert until(lambda: not Path(f"/proc/{child}").exists() or _is_dead(child))


def _is_dead(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_files_are_read_at_the_same_time() -> None:
    texts: list[str] = []
    threads = [
        threading.Thread(target=lambda: texts.append(read_bytes(CSV.encode(), "a.csv").text))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(texts) == 8
    assert len(set(texts)) == 1
    close()


@linux
def test_that_all_who_wait_end_when_a_file_comes_is_no_matter() -> None:
    close()
    waiting = []
    for _ in range(2):
        reader = apart._Reader()
        os.kill(reader._process.pid, signal.SIGSTOP)  # or it might end by itself too early
        apart._put_back(reader)
        waiting.append(reader._process.pid)
    read: list[str] = []
    reading = threading.Thread(target=lambda: read.append(read_bytes(CSV.encode(), "a.csv").text))
    reading.start()
    for process in reversed(waiting):
        time.sleep(0.3)  # it has been given the file
        os.kill(process, signal.SIGKILL)
    reading.join(60)
    assert "17,700" in read[0]
    close()


def test_no_module_in_the_current_folder_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("lxml", "csv", "corpus"):
        (tmp_path / f"{name}.py").write_text("import os; os.mkdir('taken')")
    monkeypatch.chdir(tmp_path)
    close()
    assert "Kep" in read_bytes(CSV.encode(), "a.csv").text
    assert not (tmp_path / "taken").exists()


def test_keys_are_kept_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    close()
    read_bytes(CSV.encode(), "a.csv")
    if sys.platform.startswith("linux"):
        (child,) = children()
        assert b"secret" not in Path(f"/proc/{child}/environ").read_bytes()
    close()


def test_this_process_imports_no_reader() -> None:
    script = (
        "import sys; from corpus.read import read_bytes; read_bytes(b'a,b\\n1,2\\n', 'a.csv');"
        "print([m for m in ('lxml', 'mammoth', 'openpyxl', 'pptx', 'pypdfium2', 'trafilatura')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_every_reader_can_be_imported() -> None:
    import importlib

    for form in set(FORMATS.values()):
        assert callable(importlib.import_module(form.module).read)


def test_its_own_limits_stay_untouched() -> None:
    before = resource.getrlimit(resource.RLIMIT_AS), resource.getrlimit(resource.RLIMIT_CPU)
    read_bytes(CSV.encode(), "a.csv")
    after = resource.getrlimit(resource.RLIMIT_AS), resource.getrlimit(resource.RLIMIT_CPU)
    assert before == after
