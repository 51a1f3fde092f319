"""The command line: footnote index | ask | text | serve | eval | status.

Exit 0: done. 1: done, but the result is bad. 2: the call or the input is wrong, said in one line.
What is heavy is imported by the command that needs it, so that help answers at once.
"""

import argparse
import json
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from corpus.errors import FootnoteError
from ui import evaluation

if TYPE_CHECKING:
    from index.search import Index
    from rag.settings import Settings


class BadCall(FootnoteError):
    """The command line does not say what to do."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    try:
        arguments = _parser().parse_args(argv)
        code: int = arguments.run(arguments)
        sys.stdout.flush()
        return code
    except FootnoteError as error:
        return _complain(str(error))
    except BrokenPipeError:
        return _hushed(141)
    except OSError as error:
        what = (error.strerror or str(error)).lower()
        return _complain(f"{error.filename}: {what}" if error.filename else what)
    except KeyboardInterrupt:
        return _hushed(130)


def _complain(message: str) -> int:
    print("footnote:", " ".join(message.split()), file=sys.stderr)
    return _hushed(2)


def _hushed(code: int) -> int:
    """The code, with stdout in a state in which Python's own exit does not complain again."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _none(_: argparse.Namespace) -> NoReturn:
    raise BadCall("which command? `footnote --help` lists them")


def _index(arguments: argparse.Namespace) -> int:
    from corpus.read import BUILT_IN
    from index.build import build
    from index.embed import embedder
    from ui.terminal import bar, counted, report_json

    settings = _settings(arguments)
    model = embedder(settings.embedding, settings.base_url, settings.api_key)
    with bar("Indexing") as progress:
        report = build(
            arguments.paths or [BUILT_IN], settings.index, model, settings.chroma_url, progress
        )
    if arguments.json:
        print(json.dumps(report_json(report), ensure_ascii=False))
    else:
        print(
            f"{settings.index}: {counted(report.documents, 'document')},"
            f" {counted(report.passages, 'passage')}"
            f" ({report.added} added, {report.changed} changed, {report.removed} removed,"
            f" {report.unchanged} unchanged) in {report.seconds:.1f} s"
        )
        for failure in report.failed:
            print(f"not indexed: {failure.path}: {failure.reason}")
    if report.failed and not report.documents:
        raise FootnoteError("none of these files could be indexed")
    return 0


def _ask(arguments: argparse.Namespace) -> int:
    from rag.assistant import Assistant
    from rag.wire import as_json
    from ui import batch, terminal

    if (arguments.question is None) == (arguments.batch is None):
        raise BadCall("ask one QUESTION, or many with --batch IN.jsonl --out OUT.jsonl")
    if arguments.batch is None and arguments.out is not None:
        raise BadCall("--out goes with --batch; print one answer with `footnote ask QUESTION`")
    if arguments.batch is not None and arguments.history is not None:
        raise BadCall("with --batch, each line of the file has its own “history”")
    history = batch.history(arguments.history) if arguments.history else ()
    assistant = Assistant.open(_settings(arguments))
    if arguments.batch is not None:
        batch.run(assistant, arguments.batch, arguments.out or "-", arguments.trace)
        return 0
    answer = assistant.ask(arguments.question, history)
    if arguments.json:
        print(json.dumps(as_json(answer, arguments.trace), ensure_ascii=False))
    else:
        print(terminal.answer(answer))
        if arguments.trace:
            print(terminal.trace(answer.trace))
    return 0


def _text(arguments: argparse.Namespace) -> int:
    text = _open(_settings(arguments)).document(arguments.document).text
    sys.stdout.buffer.write(text.encode())
    return 0


def _serve(arguments: argparse.Namespace) -> int:
    auth = _auth(arguments.auth)
    from ui.web import serve

    serve(_settings(arguments), arguments.host, arguments.port, auth)
    return 0


def _eval(arguments: argparse.Namespace) -> int:
    return evaluation.run(arguments, _settings(arguments))


def _status(arguments: argparse.Namespace) -> int:
    from ui.terminal import counted, size_of

    settings = _settings(arguments)
    index = _open(settings)
    documents, embedding = len(index.manifest.documents), index.manifest.embedding
    answers = f"openai:{settings.model}" if settings.uses_model else "extractive"
    size = sum(file.stat().st_size for file in settings.index.rglob("*") if file.is_file())
    if arguments.json:
        status = {
            "index": str(settings.index),
            "chroma_url": settings.chroma_url,
            "documents": documents,
            "passages": index.passages,
            "embedding": embedding,
            "bytes": size,
            "answers": answers,
        }
        print(json.dumps(status, ensure_ascii=False))
    else:
        place = f", vectors at {settings.chroma_url}" if settings.chroma_url else ""
        print(f"index      {settings.index} ({size_of(size)} on disk{place})")
        print(f"holds      {counted(documents, 'document')}, {counted(index.passages, 'passage')}")
        print(f"embedding  {embedding}")
        print(f"answers    {answers}")
    return 0


def _settings(arguments: argparse.Namespace) -> "Settings":
    from rag.settings import load

    return load(index=arguments.index, chroma_url=getattr(arguments, "chroma", None))


def _open(settings: "Settings") -> "Index":
    from index.embed import embedder
    from index.search import Index

    model = embedder(settings.embedding, settings.base_url, settings.api_key)
    return Index.open(settings.index, model, settings.chroma_url)


def _auth(given: str | None) -> tuple[str, str] | None:
    if given is None:
        return None
    user, _, password = given.partition(":")
    if not user or not password:
        raise BadCall("--auth takes a name and a password, as USER:PASSWORD")
    return user, password


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as every other error."""

    def error(self, message: str) -> NoReturn:
        raise BadCall(f"{message} (`{self.prog} --help` says more)")


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import version

        print("footnote", version("footnote"))
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="footnote",
        description="Ask a folder of documents. Every sentence of an answer points at the exact"
        " words it rests on; where the documents do not say, the answer says so.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    parser.set_defaults(run=_none)
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")

    def command(name: str, summary: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        made.add_argument(
            "--index",
            metavar="DIR",
            help="the index's folder (default: $FOOTNOTE_INDEX, .footnote)",
        )
        return made

    index = command("index", "make the index hold these files and folders, and nothing else")
    index.set_defaults(run=_index)
    index.add_argument(
        "paths", metavar="PATH", nargs="*", type=Path, help="default: the built-in documents"
    )
    index.add_argument("--chroma", metavar="URL", help="keep the vectors in this Chroma server")
    index.add_argument("--json", action="store_true", help="print the summary as JSON")

    ask = command("ask", "answer a question, or a file of questions")
    ask.set_defaults(run=_ask)
    ask.add_argument("question", metavar="QUESTION", nargs="?")
    ask.add_argument(
        "--history", metavar="FILE", help="earlier questions: one a line, or a JSON list of turns"
    )
    ask.add_argument("--json", action="store_true", help="print the answer as JSON")
    ask.add_argument("--trace", action="store_true", help="print what was searched, read, chosen")
    ask.add_argument(
        "--batch",
        metavar="IN.jsonl",
        help="answer each line {“id”, “question”}; - reads from stdin",
    )
    ask.add_argument("--out", metavar="OUT.jsonl", help="where the answers go (default: stdout)")

    text = command("text", "print the indexed text of a document, with nothing added")
    text.set_defaults(run=_text)
    text.add_argument("document", metavar="DOCUMENT", help="its name in the index")

    serve = command("serve", "serve the app for the browser")
    serve.set_defaults(run=_serve)
    serve.add_argument(
        "--host", default="127.0.0.1", help="default: %(default)s, this machine only"
    )
    serve.add_argument("--port", type=int, default=7860, help="default: %(default)s")
    serve.add_argument("--auth", metavar="USER:PASSWORD", help="ask for this name and password")

    evaluate = command("eval", "ask what is known, judge the answers, print the measures")
    evaluate.set_defaults(run=_eval)
    evaluation.options(evaluate)

    status = command("status", "say what the index holds and how answers are made")
    status.set_defaults(run=_status)
    status.add_argument("--json", action="store_true", help="print it as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
