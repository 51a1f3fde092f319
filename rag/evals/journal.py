"""A run's finished cases, one a line as they come, so that an interrupted run can go on."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from rag.evals.results import Judged, case_json, case_of


class RunFile:
    """The finished cases of one run, in `file`; of another run nothing is taken.

    `what` tells runs apart: everything that the answers depend on.
    """

    def __init__(self, file: Path, *what: object) -> None:
        self._file = file
        self._key = hashlib.sha256(repr(what).encode()).hexdigest()
        self._open: IO[bytes] | None = None
        self.resumed = 0

    def begin(self, total: int) -> Sequence[Judged]:
        """The cases that are finished already, the first ones of `total`, in order."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        done, size = self._kept()
        self.resumed = len(done)
        self._open = self._file.open("r+b" if size else "wb")
        self._open.truncate(size)
        self._open.seek(size)
        if not size:
            self._write({"run": self._key})
        return done[:total]

    def add(self, judged: Judged) -> None:
        """Keep a finished case, safe from here on if the program stops."""
        self._write(case_json(judged))

    def close(self) -> None:
        """Let go of the file. Who has written the results deletes it."""
        if self._open:
            self._open.close()

    def _kept(self) -> tuple[list[Judged], int]:
        """The whole lines of this same run, and how many bytes they take."""
        lines = self._file.read_bytes().split(b"\n")[:-1] if self._file.exists() else []
        done: list[Judged] = []
        size = 0
        try:
            for number, line in enumerate(lines):
                row = json.loads(line)
                if not number and row["run"] != self._key:
                    break
                if number:
                    done.append(case_of(row))
                size += len(line) + 1
        except (ValueError, KeyError, TypeError, AttributeError):
            pass  # from here on the file was cut off or is something else
        return done, size

    def _write(self, row: object) -> None:
        assert self._open is not None
        line = json.dumps(row, ensure_ascii=False).encode(errors="backslashreplace")
        self._open.write(line + b"\n")
        self._open.flush()
