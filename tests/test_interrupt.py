"""Ctrl-C while the model is silent: the command ends at once, and the request with it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.openai_server import Say, serving


def test_ctrl_c_ends_the_request(built_in_index: Path) -> None:
    with serving(Say("Too late [1.1].", before=60)) as server:
        environment = {**os.environ, "OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "k"}
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "ui.cli",
                "ask",
                "How many suspects?",
                "--index",
                built_in_index,
            ],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        deadline = time.monotonic() + 60
        while not server.requests and time.monotonic() < deadline:
            time.sleep(0.05)
        assert server.requests
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert time.monotonic() - started < 10
        assert server.left.wait(2)
    assert process.returncode == 130
    assert out == b""
    assert b"Traceback" not in err
