"""A checkpoint is there whole, or not at all, and for its own run only."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from backend.tuners.checkpoint import Checkpoint
from backend.tuners.targets import TrainingError


@pytest.fixture
def one(tmp_path: Path) -> Checkpoint:
    return Checkpoint(tmp_path / "work" / "state", "one")


def test_what_was_written_is_read(one: Checkpoint) -> None:
    import torch

    assert one.read() is None
    one.write({"a": torch.arange(3), "b": [1, 0.1]})
    one.write({"a": torch.arange(4), "b": [2, 0.2]})
    found = one.read()
    assert found is not None
    assert (found["a"].tolist(), found["b"]) == ([0, 1, 2, 3], [2, 0.2])
    assert list(one.path.parent.iterdir()) == [one.path]


def test_another_runs_is_removed(one: Checkpoint) -> None:
    one.write({"a": 1})
    assert Checkpoint(one.path, "other").read() is None
    assert not one.path.exists()
    assert one.read() is None


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda b: b[:10], lambda b: b"", lambda b: b[:99] + b"x" + b[100:]]
)
def test_a_damaged_one_is_removed(one: Checkpoint, damage: Any) -> None:
    one.write({"a": 1})
    one.path.write_bytes(damage(one.path.read_bytes()))
    assert one.read() is None
    assert not one.path.exists()


def test_what_an_interrupted_write_left_is_removed(one: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    one.write({"a": 1})
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            one.write({"a": 2})
    assert len(list(one.path.parent.iterdir())) == 2
    assert one.read() == {"a": 1}
    assert list(one.path.parent.iterdir()) == [one.path]


def test_a_full_disk_is_said(one: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    one.write({"a": 1})

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("backend.tuners.checkpoint.os.fsync", full)
    with pytest.raises(TrainingError, match=r"No space left on device.*goes on from the state"):
        one.write({"a": 2})
    assert one.read() == {"a": 1}
