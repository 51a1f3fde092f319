"""`python -m tests.soak --kills 100`: kills indexing and asking processes, and compares."""

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx

from index.build import build
from index.embed import embedder
from tests import serving
from tests.conftest import Footnote
from tests.soak import state

# The real command; it says when all is imported, so that the kill does not hit the imports.
INDEXING = """
import sys
import index.build, index.check, index.embed, index.search, index.vectors, ui.indexing
from ui.cli import main
print("ready", flush=True)
sys.exit(main(sys.argv[1:]))
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
    old, new, only = (state.Seen.of(folder) for folder in (before, after, fresh))
    done = 0
    while done < kills:
        folder = state.copied(before, place / "index")
        # Now and then the first run of all is what is killed, or one after another.
        if emptied := rng.random() < 0.2:
            shutil.rmtree(folder)
        # Deleted words still count for the ranking until tantivy merges: so the states differ.
        allowed = [only] if emptied else [old, new]
        for _ in range(min(kills - done, rng.randint(1, most))):
            if rng.random() < 0.3 and (folder / "manifest.json").exists():
                answers = _kill_while_asking(docs, folder, rng, whole, allowed)
                at = f"asking, after {answers} answers"
            else:
                _kill(_run(docs, folder), rng.random() * whole)
                at = "indexing"
            done += 1
            _look(folder, allowed)
            tell(f"{done} of {kills}: killed while {at}")
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
    docs: Path, folder: Path, rng: random.Random, whole: float, allowed: list[state.Seen]
) -> int:
    """The app answers, a run indexes; both are killed, the app somewhat earlier.

    Returns how many answers were given.
    """
    app = Footnote(folder.parent).start("serve", "--index", folder, "--port", "0")
    assert app.stdout is not None
    line = app.stdout.readline().decode()
    if "http://" not in line:
        raise Mixture(app.communicate()[1].decode())
    answers: list[Any] = []
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(_ask_on, line.split()[-1], answers)
        try:
            indexer = _run(docs, folder)
            time.sleep(rng.random() * whole)
        finally:  # else the one who asks would never end
            app.send_signal(signal.SIGKILL)
        _kill(indexer, rng.random() * whole / 4)
    app.communicate()
    asking.result()
    for question, answer in answers:
        if answer not in [seen.answers[question] for seen in allowed]:
            raise Mixture("a question asked in between saw a mixture")
    return len(answers)


def _ask_on(address: str, answers: list[Any]) -> None:
    """One question after another, until the app is there no more."""
    with httpx.Client(base_url=address, timeout=60) as http:
        for question in cycle(state.QUESTIONS):
            try:
                answers.append((question, state.told(serving.ask(http, question))))
            except httpx.HTTPError:
                return


def _look(folder: Path, allowed: list[state.Seen]) -> None:
    if not (folder / "manifest.json").exists():
        return
    if state.found(state.opened(folder)) not in [seen.found for seen in allowed]:
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
