"""Ten kills at random; `make soak` does a hundred."""

import random
from pathlib import Path

from tests.soak.__main__ import soak


def test_ten_kills_lose_nothing(tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")  # shown when the test fails: python -m tests.soak --kills 10 --seed N
    soak(10, seed, tmp_path)
