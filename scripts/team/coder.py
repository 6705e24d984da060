"""A simulated coder: sees a text as its true label says, errs at times, and may keep a wrong suggestion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Coder:
    """`user` is the account's id in Label Studio; `noise` and `anchor` are probabilities (see `Plan`)."""

    user: int
    noise: float
    anchor: float
    random: np.random.Generator

    def answer(self, truth: str, labels: Sequence[str], suggestion: str | None = None) -> str:
        """The label, of `labels`, that the coder submits for a text that was opened with this `suggestion` ticked."""
        if suggestion not in (None, truth) and self.random.random() < self.anchor:
            return str(suggestion)
        if self.random.random() < self.noise:
            return str(self.random.choice([label for label in labels if label != truth]))
        return truth


def team(size: int, noise: float, anchor: float, seed: int) -> list[Coder]:
    """So many coders, and last the one who settles what they disagree on; each errs independently of the others."""
    streams = np.random.default_rng([41, seed]).spawn(size + 1)
    return [Coder(n, noise, anchor, random) for n, random in enumerate(streams, 1)]
