"""Where a training stands, so that it can go on after an interruption: one file, whole or not there."""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.tuners.targets import TrainingError


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A file of tensors and numbers; `fingerprint` names all that decides what the training comes to.

    It begins with two sha256, of the fingerprint and of what follows. What follows is as torch writes it, and is read
    back without running any code that it may hold.
    """

    path: Path
    fingerprint: str

    @property
    def _part(self) -> Path:
        return self.path.with_name(f".{self.path.name}.part")

    def read(self) -> dict[str, Any] | None:
        """The last state written for this training; None without one. A damaged file, or another's, is removed."""
        import torch

        self._part.unlink(missing_ok=True)
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return None
        body = data[64:]
        if data[:64] != self._begin(body):
            self.path.unlink()
            return None
        state: dict[str, Any] = torch.load(io.BytesIO(body), map_location="cpu", weights_only=True)
        return state

    def write(self, state: dict[str, Any]) -> None:
        """Replace the state by this one: a reader finds either, whole. `TrainingError` when there is no room."""
        import torch

        stream = io.BytesIO()
        torch.save(state, stream)
        body = stream.getvalue()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._part.open("wb") as file:
                file.write(self._begin(body))
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            self._part.replace(self.path)
        except OSError as error:
            raise TrainingError(
                f"The training's state cannot be written to {self.path.parent}: {error.strerror}. Make room, and start "
                "the training again: it goes on from the state that was written last."
            ) from error

    def _begin(self, body: bytes) -> bytes:
        return hashlib.sha256(self.fingerprint.encode()).digest() + hashlib.sha256(body).digest()
