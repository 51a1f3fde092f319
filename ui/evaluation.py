"""`footnote eval`: its options, and the call that they make."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.settings import Settings


def run(arguments: argparse.Namespace, settings: "Settings") -> int:
    """Run the evaluation that the options describe; its exit code."""
    from rag.errors import BadCases
    from rag.evals.command import Call, main
    from ui.terminal import bar

    if arguments.cases and arguments.dataset:
        raise BadCases("run CASES.jsonl or --dataset, not both")
    call = Call(
        cases=arguments.cases,
        out=arguments.out,
        dataset=arguments.dataset,
        data=arguments.data,
        sample=arguments.sample,
        seed=arguments.seed,
        articles=tuple(arguments.articles),
        left_out=tuple(arguments.left_out),
        given=arguments.given,
        answers=arguments.answers,
        judge_with_model=arguments.judge == "model",
        compare=arguments.compare,
        fail_on_regression=arguments.fail_on_regression,
        save=arguments.save,
        bars=tuple(arguments.bar),
        check_only=arguments.check_cases,
    )
    return main(settings, call, bar)


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options to the command."""
    parser.add_argument(
        "cases", metavar="CASES.jsonl", nargs="?", type=Path, help="default: the built-in cases"
    )
    parser.add_argument("--out", metavar="DIR", type=Path, help="write the results here too")
    parser.add_argument(
        "--bar",
        metavar="MEASURE=VALUE",
        type=_named_bar,
        action="append",
        default=[],
        help="exit 1 where a measure is worse than this; may be repeated",
    )
    parser.add_argument(
        "--check-cases", action="store_true", help="say what is wrong with the cases, ask nothing"
    )
    parser.add_argument(
        "--compare", metavar="RUN.json", type=Path, help="say what differs from this earlier run"
    )
    parser.add_argument(
        "--fail-on-regression",
        action="store_true",
        help="exit 1 where a measure is clearly worse than in the run compared with",
    )
    parser.add_argument(
        "--save", metavar="RUN.json", type=Path, help="write what a later --compare needs, no more"
    )
    parser.add_argument(
        "--answers", metavar="FILE", type=Path, help="judge these answers instead of asking"
    )
    parser.add_argument(
        "--judge",
        choices=("words", "model"),
        default="words",
        help="who judges support: words and numbers alone, or the language model as well",
    )
    parser.add_argument(
        "--dataset",
        metavar="NAME",
        help="run a data set: beir, clapnq, llama-rag, mtrag or squad",
    )
    parser.add_argument("--data", metavar="PATH", type=Path, help="where its files are")
    parser.add_argument(
        "--given", action="store_true", help="ask each question of its own paragraph alone"
    )
    parser.add_argument("--sample", metavar="N", type=int, help="take N of its questions")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="for chance; default: 0")
    parser.add_argument(
        "--articles",
        metavar="TITLE",
        action="append",
        default=[],
        help="take this article; may be repeated",
    )
    parser.add_argument(
        "--left-out",
        metavar="TITLE",
        action="append",
        default=[],
        help="leave this article out; may be repeated",
    )


def _named_bar(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not MEASURE=VALUE") from None
