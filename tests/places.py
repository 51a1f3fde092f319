"""Where an index keeps its vectors: cases that are about both places run in both."""

from functools import partial
from types import SimpleNamespace

import pytest

from index.build import build
from index.search import Index
from index.server import Server

only_embedded = pytest.mark.parametrize("place", ["embedded"], indirect=True)


@pytest.fixture(params=["embedded", "server"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test module's `build` and `Index.open` keep the vectors in the folder, or on a server."""
    if request.param == "embedded":
        return
    at: Server = request.getfixturevalue("at")
    request.getfixturevalue("at_once")
    monkeypatch.setattr(request.module, "build", partial(build, chroma=at))
    opened = SimpleNamespace(open=partial(Index.open, chroma=at))
    monkeypatch.setattr(request.module, "Index", opened)
