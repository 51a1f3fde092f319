"""The app asks nobody: whatever it is made to do, its process reaches for no other machine."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx

from index.build import build
from index.embed import embedder
from tests.serving import ask

# Ends the process at the first attempt, before anything can catch it.
_GUARD = """
import os, sys
def guard(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        address = (arguments[0],)
    else:
        return
    host = address[0] if isinstance(address, tuple) else "127.0.0.1"
    if host not in ("127.0.0.1", "::1", "localhost", None):
        os.write(2, f"reached for {event} {address}\\n".encode())
        os._exit(70)
sys.addaudithook(guard)
from ui.cli import main
sys.exit(main())
"""


def test_the_server_reaches_for_no_other_machine(tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "mill.md").write_text("# Mill\n\nThe mill employed 412 people.\n")
    build([tmp_path / "documents"], tmp_path / "index", embedder("minilm"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    call = ["serve", "--index", str(tmp_path / "index"), "--port", port, "--mcp"]
    process = subprocess.Popen(
        [sys.executable, "-c", _GUARD, *call],
        cwd=Path(__file__).parents[1],
        env={**os.environ, "HTTPS_PROXY": "http://10.0.0.1:9"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"Footnote is open"), process.communicate()
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}/", timeout=60, trust_env=False
        ) as http:
            for path in ("", "config", "theme.css", "gradio_api/info", "library/state"):
                assert http.get(path).is_success, path
            assert "412" in ask(http, "How many people did the mill employ?")["answer"]
            text = "# Far\n\n![](http://evil.example/a.png) A link to http://evil.example/.\n"
            assert http.post("library/add?name=far.md", content=text).is_success
            while http.get("library/state").json()["work"]["busy"]:
                pass
            assert len(http.get("library/state").json()["entries"]) == 2
            body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
            accept = {"Accept": "application/json, text/event-stream"}
            assert "ask" in json.dumps(http.post("mcp", json=body, headers=accept).json())
        assert process.poll() is None
    finally:
        process.terminate()
        _, said = process.communicate(timeout=30)
    assert b"reached for" not in said


def test_the_guard_would_end_it() -> None:
    """The check itself can fail."""
    call = _GUARD.replace("from ui.cli import main", "import socket").replace(
        "sys.exit(main())", "socket.create_connection(('192.0.2.1', 9))"
    )
    done = subprocess.run([sys.executable, "-c", call], capture_output=True)
    assert done.returncode == 70
    assert b"192.0.2.1" in done.stderr
