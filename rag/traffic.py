"""How busy the answering is, so that what can wait lets people go first."""

import threading


class Traffic:
    """Counts the questions on their way: `with traffic:` around each. Safe for many threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._now = 0

    def __enter__(self) -> None:
        with self._changed:
            self._now += 1

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._now -= 1
            self._changed.notify_all()

    def quiet(self, seconds: float) -> bool:
        """Waits until no question is being answered, `seconds` at most; whether there is none."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._now, seconds)
