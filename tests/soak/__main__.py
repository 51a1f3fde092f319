"""`python -m tests.soak --kills 100`: kills indexing and asking processes, and compares."""

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from index.build import build
from index.embed import embedder
from tests.soak import state

# The real commands; they say when all is imported, so that the kill does not hit the imports.
INDEXING = """
import sys
import index.build, index.check, index.embed, index.search, index.vectors, ui.indexing
from ui.cli import main
print("ready", flush=True)
sys.exit(main(sys.argv[1:]))
"""
ASKING = """
import json, sys
from pathlib import Path
from tests.soak import state
index = state.opened(Path(sys.argv[1]))
print("ready", flush=True)
while True:
    index = index.refresh()
    print(json.dumps(state.asked(index)), flush=True)
"""
ROOT = Path(__file__).parents[2]


class Mixture(AssertionError):
    """A question saw neither the old state nor the new one, or a run ended otherwise."""


def soak(
    kills: int,
    seed: int,
    place: Path,
    size: int = 12,
    most: int = 5,
    tell: Any = lambda line: None,
) -> None:
    """Kills so many processes, at most `most` until a run is let through to be compared.

    Raises Mixture at the first thing that is not as it should be.
    """
    rng = random.Random(seed)
    docs, before, after, fresh = (place / n for n in ("docs", "before", "after", "fresh"))
    state.write(docs, rng, size)
    build([docs], before, embedder("minilm"))
    state.change(docs, rng)
    state.copied(before, after)
    started = time.monotonic()
    _run(docs, after).communicate()
    whole = time.monotonic() - started
    build([docs], fresh, embedder("minilm"))
    wanted, wanted_first = state.contents(after), state.contents(fresh)
    old, new, only = (
        _plain(state.asked(state.opened(folder))) for folder in (before, after, fresh)
    )
    done = 0
    while done < kills:
        folder = state.copied(before, place / "index")
        # Now and then the first run of all is what is killed, or one after another.
        if emptied := rng.random() < 0.2:
            shutil.rmtree(folder)
        # Deleted words still count for the ranking until tantivy merges: so the states differ.
        allowed = [only] if emptied else [old, new]
        for _ in range(min(kills - done, rng.randint(1, most))):
            asking = rng.random() < 0.3 and (folder / "manifest.json").exists()
            if asking:
                _kill_while_asking(docs, folder, rng, whole, allowed)
            else:
                _kill(_run(docs, folder), rng.random() * whole)
            done += 1
            _look(folder, allowed)
            tell(f"{done} of {kills}: killed while {'asking' if asking else 'indexing'}")
        process = _run(docs, folder)
        _, complaint = process.communicate(timeout=300)
        if process.returncode:
            raise Mixture(f"the run after the kill failed: {complaint}")
        _compare(state.contents(folder), wanted_first if emptied else wanted)


def _compare(found: tuple[Any, ...], wanted: tuple[Any, ...]) -> None:
    names = ("vectors", "words", "texts", "manifest")
    for name, one, other in zip(names, found, wanted, strict=True):
        if one != other:
            raise Mixture(f"the {name} are not those of an undisturbed run")


def _kill_while_asking(
    docs: Path, folder: Path, rng: random.Random, whole: float, allowed: list[Any]
) -> None:
    """One process asks, another one indexes; both are killed, the asking one somewhat earlier."""
    asker = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", ASKING, str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert asker.stdout is not None
    assert asker.stdout.readline() == "ready\n"
    indexer = _run(docs, folder)
    time.sleep(rng.random() * whole)
    asker.send_signal(signal.SIGKILL)
    *answers, _ = asker.communicate()[0].split("\n")  # the last line may be cut off
    _kill(indexer, rng.random() * whole / 4)
    for answer in answers:
        if json.loads(answer) not in allowed:
            raise Mixture("a question asked in between saw a mixture")


def _look(folder: Path, allowed: list[Any]) -> None:
    if (folder / "manifest.json").exists() and _plain(state.asked(state.opened(folder))) not in (
        allowed
    ):
        raise Mixture("after the kill the index is neither the old nor the new one")


def _run(docs: Path, folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [
            sys.executable,
            "-W",
            "ignore",
            "-c",
            INDEXING,
            "index",
            str(docs),
            "--index",
            str(folder),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    if process.stdout.readline() != "ready\n":
        raise Mixture(process.communicate()[1])
    return process


def _kill(process: subprocess.Popen[str], after: float) -> None:
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def _plain(found: object) -> Any:
    return json.loads(json.dumps(found))


def main() -> int:
    """Prints one line for each kill; 1 when anything was lost or mixed."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="footnote-soak-") as place:
        try:
            tell = partial(print, flush=True)
            soak(arguments.kills, arguments.seed, Path(place), size=60, most=2, tell=tell)
        except Mixture as error:
            print(f"not survived: {error}")
            return 1
    print(f"survived {arguments.kills} of {arguments.kills}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
