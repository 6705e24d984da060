"""From a model's hidden states to embeddings: the mean over a text's tokens, of length 1, of two layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Ids = Sequence[int]  # the tokens of a text


class Reader(Protocol):
    """One way to take texts through a model."""

    def means(self, ids: Sequence[Ids]) -> list[Any]:
        """The means [n, width] over the tokens of n texts, of the last and of the middle layer; torch may differentiate
        them.
        """
        ...

    def read(self, ids: Sequence[Ids]) -> Iterator[tuple[Sequence[int], NDArray[np.float32]]]:
        """Batch by batch: the places in `ids` of its texts, and their embeddings [n, 2 width]."""
        ...


def two(states: Sequence[Any]) -> tuple[Any, Any]:
    """The last and the middle of a model's layers; `states` has the token embeddings first."""
    return states[-1], states[(len(states) - 1) // 2]


def joined(means: Sequence[Any]) -> NDArray[np.float32]:
    """The unit vectors [n, 2 width] of the means [n, width] of two layers, beside each other."""
    import torch

    units: NDArray[np.float32] = (
        torch.cat([torch.nn.functional.normalize(x, dim=1) for x in means], dim=1).cpu().numpy()
    )
    return units
