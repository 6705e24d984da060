"""What any tuner is given, and what it says while it works."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from backend.engines.protocol import Item


@dataclass(frozen=True, slots=True)
class Labelled:
    """Texts of one question with their accepted labels.

    `answers` are label ids, exactly one for single and ordinal questions, any number for multiple ones. `shares`
    [n, K] is the share of coders who gave each label, in the order of `Question.labels`. `held` [n] marks the texts of
    the validation part: nothing is fitted on them, they only say when to stop and what to choose. `clusters` [n] names
    texts that must not be separated by a split, such as near-duplicates.
    """

    items: Sequence[Item]
    answers: Sequence[frozenset[str]]
    shares: NDArray[np.float64]
    held: NDArray[np.bool_]
    clusters: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True)
class Options:
    """How adapters are tuned. The defaults of LoRA are those of SOCIALITE-LLAMA's authors.

    `shares`: train on the shares of the coders instead of the accepted label. `encoder`: "head", "lora", or "auto",
    which takes LoRA where cross-validation inside the labels says that it pays. `targets`: the linear layers that get
    a LoRA, query and value or all. `rate` is the highest learning rate. `patience`: epochs without a lower loss on the
    validation part until it stops. `checkpointing`: compute activations again instead of keeping them, for less memory.
    """

    seed: int = 0
    shares: bool = False
    encoder: Literal["auto", "head", "lora"] = "auto"
    rank: int = 8
    alpha: int = 16
    dropout: float = 0.05
    targets: Literal["qv", "all"] = "qv"
    rslora: bool = False
    rate: float = 1e-4
    epochs: int = 5
    batch: int = 32
    patience: int = 2
    checkpointing: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """How far a tuner is: `done` of `steps`; loss and tokens a second where they are known."""

    stage: str
    done: int
    steps: int
    loss: float | None = None
    tokens_per_second: float | None = None


Report = Callable[[Step], None]
