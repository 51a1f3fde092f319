"""Measures how indexing and asking grow with the documents, and stock LlamaIndex beside them.

    python -m tests.bench.growth [--passages 100 1000 10000 100000] [--data FOLDER]
                                 [--questions 100] [--stock-up-to 10000] [--fp32 FOLDER]
                                 [--out .bench]

Each size and pipeline runs in a process of its own. `--data` holds SQuAD files and BEIR corpora;
where they end (and without them) made text of the same words goes on. `--fp32` is where
`python -m tests.bench.make_fp32` (in the environment of `make models`) has put Chroma's default
network; without it that column is left out. Writes growth.md, growth.svg and growth.json into
`--out`. Embedding alone is measured in the same process as indexing, before and after, over a
sample of the same passages, and reckoned for all of them by their characters.
"""

import argparse
import json
import multiprocessing
import resource
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.picture import picture
from tests.bench.texts import write_documents

SAMPLE = 2000  # passages that are embedded alone, before and again after
ASKED = 40  # of them put to the whole assistant


def main() -> None:
    """Run every size, write the table and the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, nargs="+", default=[100, 1000, 10_000, 100_000])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--stock-up-to", type=int, default=10_000)
    parser.add_argument("--fp32", type=Path)
    parser.add_argument("--out", type=Path, default=Path(".bench"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    found = []
    for size in options.passages:
        with tempfile.TemporaryDirectory() as temporary:
            place = Path(temporary)
            questions = write_documents(place / "texts", size, options.data)
            step = max(1, len(questions) // options.questions)
            chosen = questions[::step][: options.questions]
            row = {"size": size, "ours": _apart(ours, place, chosen)}
            print(_line(size, "footnote", row["ours"]), flush=True)
            if size <= options.stock_up_to:
                row["stock"] = _apart(stock, place, chosen, None)
                print(_line(size, "stock, same embedder", row["stock"]), flush=True)
                if options.fp32:
                    row["default"] = _apart(stock, place, chosen, options.fp32)
                    print(_line(size, "stock, Chroma's default", row["default"]), flush=True)
        found.append(row)
        (options.out / "growth.json").write_text(json.dumps(found, indent=1), "utf-8")
        (options.out / "growth.md").write_text(table(found), "utf-8")
        (options.out / "growth.svg").write_text(picture(found), "utf-8")
    print(table(found))


def ours(place: Path, questions: list[str]) -> dict[str, Any]:
    """Index, index again with one document changed, search, ask."""
    from corpus.read import read
    from corpus.split import passages
    from index.build import build
    from index.embed import count, embedder
    from index.pipeline import embedded
    from index.search import Index
    from rag.assistant import Assistant
    from rag.settings import Settings

    texts, folder = place / "texts", place / "index"
    files = sorted(texts.iterdir())
    sample: list[str] = []
    embedded_characters = seen = 0
    every = max(1, 8 * len(files) // SAMPLE)
    for file in files:
        for passage in passages(read(file, file.name), count):
            text = embedded(passage)
            embedded_characters += len(text)
            if seen % every == 0 and len(sample) < SAMPLE:
                sample.append(text)
            seen += 1
    model = embedder("minilm")
    model.embed(sample[:32])
    before = _rate(model.embed, sample)
    with _parts() as spent:
        report = build([texts], folder, model)
    alone = [before, _rate(model.embed, sample)]
    memory = _memory()
    characters = sum(len(file.read_text(encoding="utf-8")) for file in files)
    changed = files[len(files) // 2]
    changed.write_text(changed.read_text(encoding="utf-8") + "\n\nThe ferry crosses at noon.")
    again = build([texts], folder, model)
    clock = time.perf_counter()
    index = Index.open(folder, model)
    index.search(questions[:1])
    first = time.perf_counter() - clock
    retrieval = [_seconds(lambda q=q: index.search([q])) for q in questions]
    assistant = Assistant.open(Settings(index=folder, answers="extractive"))
    for question in questions[:3]:
        assistant.ask(question)
    asked = [_seconds(lambda q=q: assistant.ask(q)) for q in questions[:ASKED]]
    return {
        "passages": report.passages,
        "characters": characters,
        "seconds": report.seconds,
        "alone": embedded_characters / statistics.harmonic_mean(alone),
        "parts": dict(spent),
        "again": again.seconds,
        "first": first,
        "retrieval": retrieval,
        "asked": asked,
        "memory": memory,
        "disk": sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
    }


def stock(place: Path, questions: list[str], fp32: Path | None) -> dict[str, Any]:
    """The stock pipeline over the same documents."""
    from tests.bench.stock import measure

    found = measure(place / "texts", place / f"stock-{bool(fp32)}", questions, fp32)
    return found | {"memory": _memory()}


def table(found: list[dict[str, Any]]) -> str:
    """The figures in Markdown, with the bars that they are held to."""
    head = (
        "passages",
        "passages/s",
        "of embedding alone (≥ .92)",
        "to stock (≥ 1.3)",
        "to Chroma's default (≥ 2.5)",
        "again, 1 changed",
        "search p50",
        "to stock (< 1.5)",
        "question p50",
        "first question",
        "peak memory",
        "disk",
    )
    lines = ["| " + " | ".join(head) + " |", "|" + "---:|" * len(head)]
    for row in found:
        own = row["ours"]
        speed = own["characters"] / own["seconds"]
        cells = [
            f"{own['passages']:,}",
            f"{own['passages'] / own['seconds']:.0f}",
            f"{own['alone'] / own['seconds']:.2f}",
            *(
                f"{speed / (row[name]['characters'] / row[name]['seconds']):.2f}"
                if name in row
                else "–"
                for name in ("stock", "default")
            ),
            f"{own['again']:.2f} s ({own['again'] / own['seconds']:.4f})",
            f"{_p50(own['retrieval']):.1f} ms",
            f"{_p50(own['retrieval']) / _p50(row['stock']['retrieval']):.2f}"
            if "stock" in row
            else "–",
            f"{_p50(own['asked']):.0f} ms",
            f"{own['first']:.2f} s",
            f"{own['memory']:.0f} MB",
            f"{own['disk'] / 1e6:.0f} MB",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    lines.append("")
    for row in found:
        spent = sorted(row["ours"]["parts"].items(), key=lambda part: -part[1])
        parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in spent)
        lines.append(
            f"{row['size']:,} passages, seconds in each part (they overlap; embedding by thread):"
            f" {parts}; in all {row['ours']['seconds']:.1f}.\n"
        )
    return "\n".join(lines)


def _line(size: int, name: str, row: dict[str, Any]) -> str:
    return (
        f"{size:>7,} {name:<24} {row['passages']:>7,} passages in {row['seconds']:7.1f} s,"
        f" {row['characters'] / row['seconds']:9,.0f} characters/s,"
        f" search p50 {_p50(row['retrieval']):5.1f} ms, {row['memory']:5.0f} MB"
    )


def _apart(function: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    """What the function gives, run in a new process: its memory is its own."""
    context = multiprocessing.get_context("spawn")
    inner, outer = context.Pipe()
    process = context.Process(target=_report, args=(outer, function, arguments))
    process.start()
    outer.close()
    try:
        found: dict[str, Any] = inner.recv()
    except EOFError:
        raise SystemExit(f"{function.__name__} failed: its error stands above") from None
    process.join()
    return found


def _report(pipe: Any, function: Callable[..., dict[str, Any]], arguments: Any) -> None:
    pipe.send(function(*arguments))


@contextmanager
def _parts() -> Iterator[Counter[str]]:
    """Seconds spent in each part of indexing, over all threads."""
    from index import build, pipeline, plan
    from index.embed import PackagedEmbedder
    from index.lexical import Words
    from index.snapshots import Snapshots
    from index.vectors import Vectors

    spent: Counter[str] = Counter()
    lock = threading.Lock()
    steps: list[tuple[Any, str, str]] = [
        (plan, "read_at_rest", "reading"),
        (Snapshots, "put", "keeping texts"),
        (pipeline, "passages", "splitting"),
        (PackagedEmbedder, "_run", "embedding"),
        (Vectors, "known", "looking vectors up"),
        (Vectors, "add", "writing vectors"),
        (Vectors, "settle", "flushing vectors"),
        (Words, "add", "writing words"),
        (Words, "commit", "flushing words"),
        (build, "seal", "sealing"),
        (build, "write_manifest", "manifest"),
    ]
    kept = [(owner, name, getattr(owner, name)) for owner, name, _ in steps]

    def timed(function: Callable[..., Any], part: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            clock = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                with lock:
                    spent[part] += time.perf_counter() - clock

        return call

    for (owner, name, part), (_, _, function) in zip(steps, kept, strict=True):
        setattr(owner, name, timed(function, part))
    try:
        yield spent
    finally:
        for owner, name, function in kept:
            setattr(owner, name, function)


def _rate(embed: Callable[[list[str]], Any], texts: list[str]) -> float:
    """Characters a second."""
    return sum(map(len, texts)) / _seconds(lambda: embed(texts))


def _seconds(call: Callable[[], Any]) -> float:
    clock = time.perf_counter()
    call()
    return time.perf_counter() - clock


def _p50(seconds: list[float]) -> float:
    return statistics.median(seconds) * 1000


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
