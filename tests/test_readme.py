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


def test_every_setting_is_in_the_readme() -> None:
    written = README.read_text(encoding="utf-8")
    source = (README.parent / "rag" / "settings.py").read_text(encoding="utf-8")
    settings = set(re.findall(r"\b(?:FOOTNOTE|OPENAI)_[A-Z_]+\b", source))
    assert settings
    assert {setting for setting in settings if f"`{setting}`" not in written} == set()


def test_every_make_target_that_the_readme_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (README.parent / "Makefile").read_text(), re.M))
    named = set(re.findall(r"`make ([a-z]+)", README.read_text(encoding="utf-8")))
    assert {"run", "help"} <= named <= targets


def _steady(output: str) -> str:
    """Without what differs from run to run: seconds and sizes."""
    return re.sub(r"\d+\.\d (s|kB|MB)\b", r"# \1", output)
