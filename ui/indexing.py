"""footnote index and footnote status."""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from corpus.errors import FootnoteError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from index.types import BuildReport, Embedder
    from rag.settings import Settings

MOST = 20  # lines of what is damaged, or indexed in part


def options(parser: argparse.ArgumentParser) -> None:
    """The arguments of `footnote index`."""
    add = parser.add_argument
    add("paths", metavar="PATH", nargs="*", type=Path, help="default: the built-in documents")
    add("--watch", action="store_true", help="go on, and follow every change until Ctrl-C")
    add("--checksum", action="store_true", help="read every file, also those that look unchanged")
    add(
        "--forget",
        action="store_true",
        help="take out the documents of a PATH that is gone or empty, without asking",
    )
    add(
        "--rebuild",
        action="store_true",
        help="embed and write everything anew; without PATH from the texts that the index keeps",
    )
    add("--json", action="store_true", help="print the summary as JSON")


def run(arguments: argparse.Namespace, settings: "Settings") -> int:
    """Makes the index, and follows the changes where that is asked for."""
    from index.embed import embedder

    model = embedder(settings.embedding, settings.base_url, settings.api_key)
    paths = _paths(arguments, settings)
    if arguments.watch:
        return _follow(arguments, settings, model, paths)
    report = _build(arguments, settings, model, paths)
    _print(report, settings, arguments.json)
    if report.failed and not report.documents:
        raise FootnoteError("none of these files could be indexed")
    return 0


def status(arguments: argparse.Namespace, settings: "Settings") -> int:
    """Says what the index holds and how answers are made; with `--check` whether it is whole."""
    from corpus.find import safe
    from corpus.read import BUILT_IN
    from index import sources
    from index.check import problems
    from index.embed import embedder
    from index.manifest import collection
    from index.search import Index
    from ui.terminal import counted, size_of

    model = embedder(settings.embedding, settings.base_url, settings.api_key)
    index = Index.open(settings.index, model, settings.chroma)
    documents, passages = len(index.manifest.documents), index.passages
    answers = f"openai:{settings.model}" if settings.uses_model else "extractive"
    size = _size(settings.index)
    paths, out = sources.sources(settings.index), sources.left_out(settings.index)
    files = sources.files(settings.index)
    failed = [file for file in files if file.problem]
    added = sum(file.added for file in files)
    unread = [(item.id, item.unread) for item in index.manifest.documents.values() if item.unread]
    found = problems(settings.index, model, settings.chroma) if arguments.check else ()
    if arguments.json:
        said = {
            "index": str(settings.index),
            "chroma_url": settings.chroma_url,
            "documents": documents,
            "passages": passages,
            "embedding": index.manifest.embedding,
            "bytes": size,
            "answers": answers,
            "sources": [str(path) for path in paths],
            "added": added,
            "left_out": list(out),
            "failed": [{"path": str(file.path), "reason": file.problem} for file in failed],
            "unread": [{"document": id, "reason": reason} for id, reason in unread],
        }
        print(
            json.dumps(said | ({"problems": found} if arguments.check else {}), ensure_ascii=False)
        )
        return 1 if found else 0
    place = ""
    if settings.chroma_url:
        name = collection(settings.index, settings.chroma_url)
        place = f", vectors at {settings.chroma_url} in {name}"
    print(f"index      {settings.index} ({size_of(size)} on disk{place})")
    for path in paths:
        print(f"from       {'the built-in documents' if path == BUILT_IN else safe(str(path))}")
    if added:
        print(f"added      {counted(added, 'file')} in the app")
    print(f"holds      {counted(documents, 'document')}, {counted(passages, 'passage')}")
    for id in out:
        print(f"left out   {id}")
    for file in failed:
        print(f"not read   {safe(str(file.path))}: {file.problem}")
    for id, reason in unread:
        print(f"in part    {id}: {reason}")
    print(f"embedding  {index.manifest.embedding}")
    print(f"answers    {answers}")
    for problem in found[:MOST]:
        print(f"damaged    {problem}")
    if len(found) > MOST:
        print(f"damaged    and {len(found) - MOST:,} more")
    if arguments.check and not found:
        print(f"checked    {counted(passages, 'record')}, all as they were indexed")
    return 1 if found else 0


def _paths(arguments: argparse.Namespace, settings: "Settings") -> "Sequence[Path]":
    """The paths given; else what the flags mean without one, else the built-in documents."""
    from corpus.read import BUILT_IN
    from index.errors import IndexMissing
    from index.sources import sources

    if arguments.paths or (arguments.rebuild and not arguments.watch):
        given: Sequence[Path] = arguments.paths
        return given
    if arguments.watch:
        try:
            return sources(settings.index) or [BUILT_IN]
        except IndexMissing:
            pass
    return [BUILT_IN]


def _build(
    arguments: argparse.Namespace,
    settings: "Settings",
    model: "Embedder",
    paths: "Sequence[Path]",
    ask: bool = True,
) -> "BuildReport":
    from index.build import build
    from index.plan import SourceGone
    from ui.terminal import bar

    forget = arguments.forget
    while True:
        try:
            with bar("Indexing") as progress:
                return build(
                    paths,
                    settings.index,
                    model,
                    settings.chroma,
                    progress,
                    forget=forget,
                    checksum=arguments.checksum,
                    anew=arguments.rebuild,
                )
        except SourceGone as gone:
            if forget or not (ask and _agreed(gone.places)):
                raise
            forget = True


def _agreed(places: str) -> bool:
    """Whether the person at the terminal wants what is gone out of the index; no where none is."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    print(f"{places}. Take them out of the index? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _follow(
    arguments: argparse.Namespace,
    settings: "Settings",
    model: "Embedder",
    paths: "Sequence[Path]",
) -> int:
    from corpus.find import safe
    from index.watch import follow

    report = _build(arguments, settings, model, paths)
    _print(report, settings, arguments.json)
    arguments.rebuild = False
    failed = report.failed

    def update() -> None:
        nonlocal failed
        report = _build(arguments, settings, model, paths, ask=False)
        if report.added or report.changed or report.removed or report.failed != failed:
            _print(report, settings, arguments.json)
        failed = report.failed

    def say(line: str) -> None:
        print(f"footnote: {line}", file=sys.stderr, flush=True)

    if not arguments.json:
        print(
            f"following {', '.join(safe(str(path)) for path in paths)}; Ctrl-C ends it", flush=True
        )
    follow(paths, settings.index, update, say)
    return 0


def _print(report: "BuildReport", settings: "Settings", as_json: bool) -> None:
    from corpus.find import safe
    from ui.terminal import counted, report_json

    if as_json:
        print(json.dumps(report_json(report), ensure_ascii=False), flush=True)
        return
    moved = f", {report.moved} of them moved" if report.moved else ""
    out = f", {report.left_out} left out" if report.left_out else ""
    clock = f" at {time.strftime('%H:%M:%S')}" if sys.stdout.isatty() else ""
    print(
        f"{settings.index}: {counted(report.documents, 'document')},"
        f" {counted(report.passages, 'passage')}"
        f" ({report.added} added{moved}, {report.changed} changed, {report.removed} removed,"
        f" {report.unchanged} unchanged{out}) in {report.seconds:.1f} s{clock}"
    )
    for failure in report.failed:
        print(f"not indexed: {safe(failure.path)}: {failure.reason}")
    for id, reason in report.unread[:MOST]:
        print(f"indexed in part: {id}: {reason}")
    if len(report.unread) > MOST:
        more = counted(len(report.unread) - MOST, "document")
        print(f"indexed in part: {more} more, which `footnote status` names")
    passed = [counted(report.links, "link")] * bool(report.links)
    passed += [f"{report.ignored:,} ignored (.gitignore, .footnoteignore)"] * bool(report.ignored)
    if passed:
        print(f"passed over: {', '.join(passed)}")
    sys.stdout.flush()


def _size(folder: Path) -> int:
    """Bytes on the disk; what is linked twice counts once."""
    sizes = {}
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                found = Path(place, name).lstat()
            except OSError:
                continue
            sizes[(found.st_dev, found.st_ino)] = found.st_size
    return sum(sizes.values())
