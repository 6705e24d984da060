from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest

from backend.engines.protocol import EngineError
from backend.engines.vectors import Disk, Memory, Vector, key


def vector(value: float, cut: int = 0) -> Vector:
    return np.full(4, value, dtype=np.float32), cut


def test_memory_forgets_what_was_not_used_longest() -> None:
    memory = Memory(2)
    memory.put(b"a", vector(1))
    memory.put(b"b", vector(2))
    assert memory.get(b"a") is not None
    memory.put(b"c", vector(3))
    assert len(memory) == 2
    assert memory.get(b"b") is None
    assert memory.get(b"a") is not None


def test_a_key_tells_texts_apart_and_takes_any() -> None:
    texts = ["", " ", "a", "A", "\x00", "\ud800", "é", "e\u0301"]
    assert len({key(text) for text in texts}) == len(texts)


def test_the_file_gives_back_what_was_put(tmp_path: Path) -> None:
    Disk(tmp_path / "cache", "d" * 64).put({key(str(n)): vector(n, n) for n in range(1200)})
    again = Disk(tmp_path / "cache", "d" * 64)
    found = again.get([key(str(n)) for n in range(1201)])
    assert len(found) == 1200
    value, cut = found[key("700")]
    assert (value.tolist(), cut) == ([700.0] * 4, 700)
    assert Disk(tmp_path / "cache", "e" * 64).get([key("700")]) == {}


def test_the_file_holds_no_text_and_is_its_owners(tmp_path: Path) -> None:
    Disk(tmp_path, "d" * 64).put({key("a very private text"): vector(1)})
    (file,) = tmp_path.glob("*.sqlite3")
    assert b"private" not in file.read_bytes()
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / f"embeddings-{'d' * 16}.sqlite3").write_bytes(b"no database" * 100)
    with pytest.raises(EngineError, match="Delete it"):
        Disk(tmp_path, "d" * 64)
