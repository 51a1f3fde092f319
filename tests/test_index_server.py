"""The same index, with its vectors on a Chroma server."""

import gc
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.build import build
from index.embed import embedder
from index.errors import IndexMissing, IndexUnreachable
from index.search import Index


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    chroma = str(Path(sys.executable).with_name("chroma"))
    command = [chroma, "run", "--path", str(tmp_path / "server"), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < until
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.wait()


# Chroma's client leaves the connections of a failed start to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_server_holds_the_vectors(
    tmp_path: Path, server: tuple[str, subprocess.Popen[bytes]]
) -> None:
    url, process = server
    docs, model = tmp_path / "docs", embedder("minilm")
    docs.mkdir()
    (docs / "a.txt").write_text("The lighthouse was built in 1888.")
    (docs / "b.txt").write_text("The keeper had two dogs.")
    for place in ("one", "two"):
        build([docs], tmp_path / place, model, chroma_url=url)
    index = Index.open(tmp_path / "one", model, url)
    assert index.search(["When was the lighthouse built?"])[0].passage.document.id == "a.txt"

    (docs / "b.txt").unlink()
    build([docs], tmp_path / "one", model, chroma_url=url)
    found = index.refresh().search(["the keeper's dogs"])
    assert [hit.passage.document.id for hit in found] == ["a.txt"]
    other = Index.open(tmp_path / "two", model, url)
    assert other.search(["the keeper's dogs"])[0].passage.document.id == "b.txt"

    # An index moves from a server to the folder itself by one run.
    with pytest.raises(IndexMissing, match="run `footnote index` again"):
        Index.open(tmp_path / "one", model)
    assert build([docs], tmp_path / "one", model).unchanged == 1
    assert Index.open(tmp_path / "one", model).search(["lighthouse"])

    process.kill()
    process.wait()
    with pytest.raises(IndexUnreachable, match=re.escape(url)) as caught:
        other.search(["the keeper's dogs"])
    assert "\n" not in str(caught.value)
    with pytest.raises(IndexUnreachable, match=re.escape(url)):
        Index.open(tmp_path / "two", model, url)
    with pytest.raises(IndexUnreachable, match="not the address"):
        Index.open(tmp_path / "two", model, "ftp://nowhere")
    gc.collect()
