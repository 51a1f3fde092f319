"""The wheel: built from the project, installed into an empty environment, asked one question."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "pptx": "python-pptx",
    "yaml": "pyyaml",
    "llama_index.core": "llama-index-core",
    "llama_index.llms.openai_like": "llama-index-llms-openai-like",
}
UV = Path(sys.executable).with_name("uv")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
    (built,) = folder.glob("*.whl")
    return built


def test_it_holds_the_four_packages_the_documents_and_the_models(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        str(file.relative_to(ROOT))
        for package in ("corpus", "index", "rag", "ui")
        for file in (ROOT / package).rglob("*")
        if file.suffix in {".py", ".md", ".jsonl", ".onnx", ".css", ".js", ".svg"}
    }
    assert expected - names == set()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {
        *("corpus", "index", "rag", "ui")
    }
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_it_answers_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    """Its packages come from what setting up has downloaded already, checked against the lock."""
    home = tmp_path / "env"
    _run(str(UV), "venv", "--quiet", "--python", sys.executable, str(home))
    install = [str(UV), "pip", "install", "--quiet", "--python", str(home / "bin" / "python")]
    locked = ["--require-hashes", "-r", str(ROOT / "requirements.lock")]
    if _status(*install, "--offline", *locked) != 0:
        _run(*install, *locked)
    _run(*install, "--offline", "--no-deps", str(wheel))
    footnote = str(home / "bin" / "footnote")
    _run(footnote, "index", "--json", folder=tmp_path)
    question = "How many suspects did the police detain in last year's campaign?"
    answer = json.loads(_run(footnote, "ask", question, "--json", folder=tmp_path))
    assert "21,566" in answer["answer"]
    text = _run(footnote, "text", answer["citations"][0]["document"], folder=tmp_path)
    start, end = answer["citations"][0]["start"], answer["citations"][0]["end"]
    assert text[start:end] == answer["citations"][0]["quote"]


def test_what_is_imported_is_declared_and_no_more() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {
        re.split("[<>=]", line)[0]
        for line in (*project["dependencies"], *project["optional-dependencies"]["pytest"])
    }
    imported = {
        PACKAGES.get(name) or PACKAGES.get(name.split(".")[0], name.split(".")[0])
        for package in ("corpus", "index", "rag", "ui")
        for file in (ROOT / package).rglob("*.py")
        if "models" not in file.parts
        for name in _imports(ast.parse(file.read_text(encoding="utf-8")))
    }
    own = {"corpus", "index", "rag", "ui", *sys.stdlib_module_names}
    assert imported - own == declared - {"llama-index"}


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            parts = node.module.split(".")
            yield ".".join(parts[: {"llms": 3}.get(parts[1], 2) if parts[1:] else 1])


def _run(*command: str, folder: Path = ROOT) -> str:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {
        "UV_SYSTEM_CERTS": "1"
    }
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=240)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def _status(*command: str) -> int:
    return subprocess.run(command, cwd=ROOT, capture_output=True, timeout=240).returncode
