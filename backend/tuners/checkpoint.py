"""Where a training stands, written after each epoch: an interrupted run goes on from there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A file of tensors and numbers; `fingerprint` names what is trained: another one's file is not read."""

    path: Path
    fingerprint: str

    def read(self) -> dict[str, Any] | None:
        """The last state written for this training; None when there is none, or when it is damaged."""
        import pickle

        import torch

        try:
            state: dict[str, Any] = torch.load(self.path, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError):
            return None
        return state["state"] if state.get("fingerprint") == self.fingerprint else None

    def write(self, state: dict[str, Any]) -> None:
        """Replace the state by this one: a reader finds either, whole."""
        import torch

        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_name(f".{self.path.name}.part")
        torch.save({"fingerprint": self.fingerprint, "state": state}, part)
        part.replace(self.path)
