"""Embeddings already computed, kept by the hash of their text: those last used in memory, all of them in a file."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.engines.protocol import EngineError

Vector = tuple[NDArray[np.float32], int]  # the embedding, and the tokens of the text that were not read
AT_ONCE = 500  # keys of one SQL statement


def key(text: str) -> bytes:
    """16 bytes that stand for a text; the text itself is not kept."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class Memory:
    """The `capacity` embeddings used last (about 3 kB each for all-MiniLM-L6-v2)."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._kept: OrderedDict[bytes, Vector] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: bytes) -> Vector | None:
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: bytes, vector: Vector) -> None:
        self._kept[key] = vector
        self._kept.move_to_end(key)
        while len(self._kept) > self.capacity:
            self._kept.popitem(last=False)


class Disk:
    """Embeddings of one set of weights in an SQLite file that only its owner can read; several processes may share it.

    It holds hashes and numbers, no texts; a person may delete it at any time.
    """

    def __init__(self, folder: Path, digest: str) -> None:
        self._path = folder / f"embeddings-{digest[:16]}.sqlite3"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
            with self._open() as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS vector (key BLOB PRIMARY KEY, cut INTEGER, value BLOB)")
        except (OSError, sqlite3.Error) as error:
            raise EngineError(
                f"The file of embeddings {self._path} cannot be opened ({error}). "
                "Delete it, or choose another cache folder."
            ) from error

    def get(self, keys: Sequence[bytes]) -> dict[bytes, Vector]:
        """The embeddings that are there, of those asked for."""
        found: dict[bytes, Vector] = {}
        with self._open() as connection:
            for start in range(0, len(keys), AT_ONCE):
                some = list(keys[start : start + AT_ONCE])
                marks = ",".join("?" * len(some))
                rows = connection.execute(f"SELECT key, cut, value FROM vector WHERE key IN ({marks})", some)  # noqa: S608
                found |= {name: (np.frombuffer(value, dtype="<f4"), cut) for name, cut, value in rows}
        return found

    def put(self, vectors: dict[bytes, Vector]) -> None:
        rows = ((name, cut, value.astype("<f4").tobytes()) for name, (value, cut) in vectors.items())
        with self._open() as connection:
            connection.executemany("INSERT OR IGNORE INTO vector VALUES (?, ?, ?)", rows)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=60)) as connection, connection:
            yield connection
