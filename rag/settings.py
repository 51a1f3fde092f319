"""What a person can set: from the environment, then `footnote.toml`, then the default."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from index.server import Server
from rag.errors import BadSettings

Answers = Literal["auto", "extractive", "openai"]

# The setting, its variable in the environment, its default. OpenAI's key is never read from a file.
_VARIABLES = {
    "index": ("FOOTNOTE_INDEX", ".footnote"),
    "chroma_url": ("FOOTNOTE_CHROMA_URL", None),
    "chroma_token": ("FOOTNOTE_CHROMA_TOKEN", None),
    "chroma_tenant": ("FOOTNOTE_CHROMA_TENANT", None),
    "chroma_database": ("FOOTNOTE_CHROMA_DATABASE", None),
    "chroma_collection": ("FOOTNOTE_CHROMA_COLLECTION", None),
    "answers": ("FOOTNOTE_ANSWERS", "auto"),
    "model": ("FOOTNOTE_MODEL", "gpt-5-mini"),
    "base_url": ("OPENAI_BASE_URL", None),
    "embedding": ("FOOTNOTE_EMBEDDING", "minilm"),
    "price_in": ("FOOTNOTE_PRICE_IN", None),
    "price_out": ("FOOTNOTE_PRICE_OUT", None),
}
FILE = "footnote.toml"


@dataclass(frozen=True, slots=True)
class Settings:
    """Read once, handed down, never changed. Prices are in money per million tokens."""

    index: Path
    chroma_url: str | None = None
    chroma_token: str | None = field(default=None, repr=False)
    chroma_tenant: str | None = None
    chroma_database: str | None = None
    chroma_collection: str | None = None
    answers: Answers = "auto"
    model: str = "gpt-5-mini"
    base_url: str | None = None
    embedding: str = "minilm"
    price_in: float | None = None
    price_out: float | None = None
    api_key: str | None = field(default=None, repr=False)

    @property
    def chroma(self) -> Server | None:
        """Where Chroma is; None: in the index's own folder."""
        if self.chroma_url is None:
            return None
        return Server(
            self.chroma_url,
            self.chroma_token,
            self.chroma_tenant,
            self.chroma_database,
            self.chroma_collection,
        )

    @property
    def uses_model(self) -> bool:
        """Whether a language model writes the answers."""
        if self.answers == "auto":
            return bool(self.api_key or self.base_url)
        return self.answers == "openai"


def load(
    env: Mapping[str, str] | None = None, folder: Path | None = None, **overrides: str | None
) -> Settings:
    """The settings that hold in `folder` (default: the current one); overrides come first.

    Raises BadSettings for a value or a file that cannot be used.
    """
    env = os.environ if env is None else env
    file = _read((folder or Path.cwd()) / FILE)
    values: dict[str, str | None] = {}
    for name, (variable, default) in _VARIABLES.items():
        values[name] = overrides.get(name) or env.get(variable) or file.get(name) or default
    if values["answers"] not in get_args(Answers):
        raise BadSettings(
            f"FOOTNOTE_ANSWERS is “{values['answers']}”: it is auto, extractive or openai"
        )
    embedding = str(values["embedding"])
    if embedding != "minilm" and not embedding.startswith("openai:"):
        raise BadSettings(f"FOOTNOTE_EMBEDDING is “{embedding}”: it is minilm or openai:MODEL")
    return Settings(
        index=Path(str(values["index"])).expanduser(),
        chroma_url=values["chroma_url"],
        chroma_token=values["chroma_token"],
        chroma_tenant=values["chroma_tenant"],
        chroma_database=values["chroma_database"],
        chroma_collection=values["chroma_collection"],
        answers=values["answers"],  # type: ignore[arg-type]
        model=str(values["model"]),
        base_url=values["base_url"],
        embedding=embedding,
        price_in=_price("price_in", values),
        price_out=_price("price_out", values),
        api_key=env.get("OPENAI_API_KEY") or None,
    )


def _price(name: str, values: Mapping[str, str | None]) -> float | None:
    value = values[name]
    try:
        price = None if value is None else float(value)
    except ValueError:
        price = -1.0
    if price is not None and not 0 <= price < float("inf"):
        variable = _VARIABLES[name][0]
        raise BadSettings(f"{variable} is “{value}”: it is money per million tokens, such as 0.25")
    return price


def _read(path: Path) -> dict[str, str]:
    """The settings in the file; nothing where there is none."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSettings(f"{FILE} cannot be read: {error}") from error
    for name, value in table.items():
        if name not in _VARIABLES:
            known = ", ".join(_VARIABLES)
            raise BadSettings(f"{FILE} has “{name}”, which is no setting: they are {known}")
        if not isinstance(value, str):
            raise BadSettings(f"{FILE}: “{name}” must be a string in quotes")
    return table
