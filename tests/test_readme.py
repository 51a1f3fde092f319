"""The session in the README is what the commands print."""

import re
import shlex
from pathlib import Path

from tests.conftest import Footnote

README = Path(__file__).parents[1] / "README.md"


def test_the_session_is_real(footnote: Footnote) -> None:
    written = README.read_text(encoding="utf-8")
    session = re.search(r"```console\n(.*?)```", written, re.S)
    assert session
    steps = re.split(r"^\$ ", session[1], flags=re.M)[1:]
    assert len(steps) >= 3
    for step in steps:
        call, _, output = step.partition("\n")
        name, *arguments = shlex.split(call)
        assert name == "footnote"
        assert _steady(footnote(*arguments).stdout.strip()) == _steady(output.strip()), call


def _steady(output: str) -> str:
    """Without what differs from run to run: seconds and sizes."""
    return re.sub(r"\d+\.\d (s|kB|MB)\b", r"# \1", output)
