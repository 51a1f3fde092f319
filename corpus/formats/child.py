"""The process that readers run in: takes files on stdin and gives their text on stdout.

A call is a line of JSON; the answer to it is “+”, which asks for the file's bytes. The reply to
those is twelve digits, which say how long it is, and JSON.
"""

import importlib
import json
import os
import resource
import select
import signal
import sys
import threading
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from corpus.errors import UnreadableDocument
from corpus.formats import FORMATS
from corpus.formats.content import Content

IDLE = 20  # seconds without a file after which it ends
WORN = 400_000_000  # bytes of memory, once used, after which another process takes over


def main() -> None:
    """Serve until stdin closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore")
    inward, outward = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # what a library prints is no part of the reply
        os.dup2(nothing, stream)
    _limit(resource.RLIMIT_CORE, 0)
    threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()
    while _waits(inward) and (line := inward.readline()):
        _serve(json.loads(line), inward, outward)
        if _used() > WORN:
            return


def _serve(call: dict[str, Any], inward: BinaryIO, outward: BinaryIO) -> None:
    worked = resource.getrusage(resource.RUSAGE_SELF)
    _limit(resource.RLIMIT_CPU, int(worked.ru_utime + worked.ru_stime) + 1 + call["work"])
    _limit(resource.RLIMIT_AS, call["memory"])
    outward.write(b"+")
    outward.flush()
    data = inward.read(call["bytes"])
    if len(data) < call["bytes"]:
        sys.exit()
    reply = json.dumps(_reply(call["suffix"], data, call["text"])).encode("ascii")
    del data
    outward.write(b"%012d" % len(reply))
    outward.write(reply)
    outward.flush()


def _reply(suffix: str, data: bytes, most: int) -> dict[str, Any]:
    try:
        module = importlib.import_module(FORMATS[suffix].module)
        content: Content = module.read(data)
    except UnreadableDocument as error:
        return {"reason": str(error)}
    except MemoryError:
        return {"reason": "needs too much memory to read: split it"}
    except RecursionError:
        return {"reason": "nested too deeply"}
    except Exception as error:
        # Whatever a library says of a file that it cannot make out: the file is what is wrong.
        return {"reason": f"damaged: it cannot be read as {FORMATS[suffix].name} ({_short(error)})"}
    if sum(len(page.text) for page in content.pages) > most:
        return {"reason": f"holds more than {most // 1_000_000} MB of text; split it"}
    return {
        "pages": [(page.text, page.goes_on) for page in content.pages],
        "metadata": dict(content.metadata),
        "paged": content.paged,
        "of_parts": content.of_parts,
    }


def _short(error: Exception) -> str:
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said[:100]}" if said else type(error).__name__


def _waits(inward: BinaryIO) -> bool:
    """Whether a call comes before it has waited for too long."""
    return bool(select.select([inward], [], [], IDLE)[0])


def _follow(parent: int) -> None:
    """Ends this process when its parent has ended, also while a file is being read."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


def _limit(what: int, most: int) -> None:
    with suppress(OSError, ValueError):  # not every system has every limit
        hard = resource.getrlimit(what)[1]
        resource.setrlimit(what, (most if hard < 0 else min(most, hard), hard))


def _used() -> int:
    """The most bytes of memory that this process has used."""
    # What getrusage says on Linux may be the parent's, from before this program was started.
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


if __name__ == "__main__":
    main()
