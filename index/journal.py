"""What a run has embedded, kept until it is done: a run that was cut off embeds nothing twice."""

import hashlib
import threading
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.types import Embedder

NAME = "embedded"


class Remembering:
    """An embedder that writes down what it embeds, and takes what was written down before.

    A record is the sha256 of the text, a checksum, and the vector (float32). What a kill or a power
    cut left of the last one is passed over. Safe for many threads.
    """

    def __init__(self, inner: Embedder, folder: Path) -> None:
        self._inner = inner
        self._path = folder / NAME
        self._lock = threading.Lock()
        self._head = hashlib.sha256(inner.name.encode()).digest()
        self._known = self._read()
        self._file = self._path.open("ab")

    @property
    def name(self) -> str:
        """The inner embedder's."""
        return self._inner.name

    @property
    def dimension(self) -> int:
        """The inner embedder's."""
        return self._inner.dimension

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def embed(self, texts: list[str]) -> NDArray[np.float32]:
        """As the inner embedder's; only texts that are not written down are embedded."""
        digests = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts]
        new = [i for i, digest in enumerate(digests) if digest not in self._known]
        if not new:
            return np.stack([self._known[digest] for digest in digests])
        made = self._inner.embed([texts[i] for i in new])
        if self._known and made.shape[1] != len(next(iter(self._known.values()))):
            self._known = {}  # a model behind a URL that is another now
            return self.embed(texts)
        self._write([(digests[i], vector) for i, vector in zip(new, made, strict=True)])
        if len(new) == len(texts):
            return made
        vectors = np.empty((len(texts), made.shape[1]), np.float32)
        vectors[new] = made
        for i in set(range(len(texts))) - set(new):
            vectors[i] = self._known[digests[i]]
        return vectors

    def close(self) -> None:
        """Ends the writing; what was written stays."""
        self._file.close()

    def forget(self) -> None:
        """Deletes what was written: it is in the index now."""
        self.close()
        self._path.unlink(missing_ok=True)

    def _write(self, rows: list[tuple[bytes, NDArray[np.float32]]]) -> None:
        parts = []
        for digest, vector in rows:
            data = np.ascontiguousarray(vector, np.float32).tobytes()
            parts.append(digest + zlib.crc32(data).to_bytes(4, "little") + data)
        with self._lock:
            if self._file.tell() == 0:
                size = len(parts[0]) - 36
                parts.insert(0, self._head + size.to_bytes(4, "little"))
            self._file.write(b"".join(parts))
            self._file.flush()

    def _read(self) -> dict[bytes, NDArray[np.float32]]:
        """What was written; the vectors stay in the file."""
        known: dict[bytes, NDArray[np.float32]] = {}
        if not self._path.exists() or self._path.stat().st_size < 36:
            self._path.unlink(missing_ok=True)
            return known
        data = np.memmap(self._path, np.uint8, "r")
        size = int.from_bytes(bytes(data[32:36]), "little")
        end = 36
        if bytes(data[:32]) == self._head and 0 < size < 1_000_000:
            for start in range(36, len(data) - size - 35, size + 36):
                vector = data[start + 36 : start + 36 + size]
                if zlib.crc32(vector.data) != int.from_bytes(
                    data[start + 32 : start + 36], "little"
                ):
                    break
                known[bytes(data[start : start + 32])] = vector.view(np.float32)
                end = start + 36 + size
        if not known:
            self._path.unlink()
        elif end < len(data):
            with self._path.open("r+b") as file:
                file.truncate(end)
        return known
