"""Settings come from the environment, then the file, then the default; and keys stay hidden."""

from pathlib import Path

import pytest

from index.server import Server
from rag.errors import BadSettings
from rag.settings import load


def test_the_defaults(tmp_path: Path) -> None:
    settings = load({}, tmp_path)
    assert settings.index == Path(".footnote")
    assert settings.embedding == "minilm"
    assert not settings.uses_model


def test_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "footnote.toml").write_text('index = "from-file"\nmodel = "m"\n')
    settings = load({"FOOTNOTE_INDEX": "from-environment"}, tmp_path)
    assert (settings.index, settings.model) == (Path("from-environment"), "m")
    assert load({"FOOTNOTE_INDEX": "x"}, tmp_path, index="given").index == Path("given")


@pytest.mark.parametrize(
    ("environment", "uses_model"),
    [
        ({"OPENAI_API_KEY": "k"}, True),
        ({"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}, True),
        ({"OPENAI_API_KEY": "k", "FOOTNOTE_ANSWERS": "extractive"}, False),
        ({"FOOTNOTE_ANSWERS": "openai"}, True),
    ],
)
def test_when_a_model_writes_the_answers(
    tmp_path: Path, environment: dict[str, str], uses_model: bool
) -> None:
    assert load(environment, tmp_path).uses_model is uses_model


def test_a_key_is_never_shown(tmp_path: Path) -> None:
    settings = load({"OPENAI_API_KEY": "sk-secret"}, tmp_path)
    assert settings.api_key == "sk-secret"
    assert "secret" not in repr(settings)


def test_where_chroma_is(tmp_path: Path) -> None:
    assert load({}, tmp_path).chroma is None
    (tmp_path / "footnote.toml").write_text(
        'chroma_tenant = "t"\nchroma_token = "ck-of-the-file"\n'
    )
    environment = {
        "FOOTNOTE_CHROMA_URL": "https://api.trychroma.com",
        "FOOTNOTE_CHROMA_TOKEN": "ck-secret",
        "FOOTNOTE_CHROMA_DATABASE": "d",
        "FOOTNOTE_CHROMA_COLLECTION": "c",
    }
    settings = load(environment, tmp_path)
    server = settings.chroma
    assert server == Server("https://api.trychroma.com", "ck-secret", "t", "d", "c")
    assert "secret" not in repr(server) + repr(settings)


@pytest.mark.parametrize(
    "environment",
    [
        {"FOOTNOTE_ANSWERS": "maybe"},
        {"FOOTNOTE_EMBEDDING": "word2vec"},
        {"FOOTNOTE_PRICE_IN": "cheap"},
        {"FOOTNOTE_PRICE_OUT": "-1"},
    ],
)
def test_a_value_that_cannot_be_is_said(tmp_path: Path, environment: dict[str, str]) -> None:
    with pytest.raises(BadSettings, match=next(iter(environment))):
        load(environment, tmp_path)


@pytest.mark.parametrize("text", ["index = ", "index = 3", 'colour = "red"', 'api_key = "sk"'])
def test_a_file_that_cannot_be_used_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "footnote.toml").write_text(text)
    with pytest.raises(BadSettings, match=r"footnote\.toml"):
        load({}, tmp_path)
