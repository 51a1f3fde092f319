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
from ui import evaluation, indexing

if TYPE_CHECKING:
    from index.search import Index
    from rag.settings import Settings
    from ui.people import People


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
    return indexing.run(arguments, _settings(arguments))


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
    if arguments.add_user is not None:
        return _add_user(arguments.users, arguments.add_user)
    people = _people(arguments.auth, arguments.users)
    from ui.web import serve

    serve(
        _settings(arguments),
        arguments.host,
        arguments.port,
        people,
        arguments.read_only,
        arguments.mcp,
    )
    return 0


def _eval(arguments: argparse.Namespace) -> int:
    return evaluation.run(arguments, _settings(arguments))


def _status(arguments: argparse.Namespace) -> int:
    return indexing.status(arguments, _settings(arguments))


def _settings(arguments: argparse.Namespace) -> "Settings":
    from rag.settings import load

    return load(index=arguments.index, chroma_url=getattr(arguments, "chroma", None))


def _open(settings: "Settings") -> "Index":
    from index.embed import embedder
    from index.search import Index

    model = embedder(settings.embedding, settings.base_url, settings.api_key)
    return Index.open(settings.index, model, settings.chroma)


def _people(auth: str | None, users: Path | None) -> "People | None":
    """Who may use the app; None for everybody."""
    from ui import people

    if auth is not None and users is not None:
        raise BadCall("--auth or --users, not both")
    if auth is not None:
        user, _, password = auth.partition(":")
        if not user or not password:
            raise BadCall("--auth takes a name and a password, as USER:PASSWORD")
        return people.People.one(user, password)
    if users is None:
        return None
    known = people.People.read(users)
    if people.others_can_read(users):
        print(
            f"footnote: warning: everybody on this machine can read {users}: chmod 600 it",
            file=sys.stderr,
        )
    return known


def _add_user(users: Path | None, name: str) -> int:
    from getpass import getpass

    from ui import people

    if users is None:
        raise BadCall("--add-user goes with --users FILE, the file that it writes")
    if sys.stdin.isatty():
        password = getpass(f"Password for {name}: ")
        if password != getpass("Once more: "):
            raise BadCall("the two passwords are not the same")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    was_there = people.add(users, name, password)
    print(f"{users}: {name} {'has a new password' if was_there else 'was added'}")
    return 0


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
        made.add_argument(
            "--chroma",
            metavar="URL",
            help="the vectors are on this Chroma server (default: $FOOTNOTE_CHROMA_URL, none)",
        )
        return made

    index = command("index", "make the index hold these files and folders, and nothing else")
    index.set_defaults(run=_index)
    indexing.options(index)

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
    serve.add_argument(
        "--users", metavar="FILE", type=Path, help="ask for a name and password of this file"
    )
    serve.add_argument(
        "--add-user", metavar="NAME", help="write a person into --users FILE, and serve nothing"
    )
    serve.add_argument(
        "--read-only",
        action=argparse.BooleanOptionalAction,
        help="in the app documents are neither added nor removed, and no evaluation is started"
        " (the default where other machines reach it without a password)",
    )
    serve.add_argument("--mcp", action="store_true", help="offer MCP tools at /mcp too")

    evaluate = command("eval", "ask what is known, judge the answers, print the measures")
    evaluate.set_defaults(run=_eval)
    evaluation.options(evaluate)

    status = command("status", "say what the index holds and how answers are made")
    status.set_defaults(run=_status)
    status.add_argument("--check", action="store_true", help="compare every record with its text")
    status.add_argument("--json", action="store_true", help="print it as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
