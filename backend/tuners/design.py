"""What a head is fitted on: embeddings in as few coordinates as the texts span, and beside them words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SMALL = 1e-9  # of the largest eigenvalue: a direction in which the texts do not differ


@dataclass(frozen=True, slots=True)
class Design:
    """`dense` [n, r] and `sparse`, a SciPy CSR matrix [n, V] or None."""

    dense: Array
    sparse: Any

    @property
    def width(self) -> int:
        return int(self.dense.shape[1] + (0 if self.sparse is None else self.sparse.shape[1]))

    def times(self, coefficients: Array) -> Array:
        """[n, J] from coefficients [width, J]."""
        r = self.dense.shape[1]
        product: Array = self.dense @ coefficients[:r]
        return product if self.sparse is None else product + self.sparse @ coefficients[r:]

    def transposed(self, rows: Array) -> Array:
        """[width, J] from rows [n, J]."""
        product: Array = self.dense.T @ rows
        return product if self.sparse is None else np.concatenate([product, self.sparse.T @ rows])

    def rows(self, index: NDArray[np.intp]) -> Design:
        return Design(self.dense[index], None if self.sparse is None else self.sparse[index])


@dataclass(frozen=True, slots=True)
class Coordinates:
    """From features [D] to the dense part of a design: (features - mean) * scale, then `onto` [D, r] if any."""

    mean: Array
    scale: Array
    onto: Array | None

    def raw(self, weights: Array) -> tuple[Array, Array]:
        """Weights [D, K] on the features themselves, and what they add to the bias [K], from weights [r, K]."""
        on_scaled = weights if self.onto is None else self.onto @ weights
        on_features = on_scaled * self.scale[:, None]
        return on_features, -(self.mean @ on_features)


def coordinates(features: NDArray[np.float32], segment: int) -> tuple[Array, Coordinates]:
    """The dense part [n, r] of a design and the way to it.

    `features` [n, D] holds segments of `segment` columns, by turns of the last and the middle layer, as
    `engines.head.features` puts them. Each is centred and scaled so that it spreads as much as any other: a layer has a
    mean squared length of one. Fewer texts than columns are turned into their own span (as many coordinates as texts),
    which changes no solution.
    """
    x = features.astype(np.float64)
    mean = x.mean(axis=0)
    x -= mean
    spread = (x * x).mean(axis=0).reshape(-1, segment).sum(axis=1)
    per_layer = max(1, len(spread) // 2)
    scale = np.repeat(1.0 / np.sqrt(np.maximum(spread, 1e-12) * per_layer), segment)
    scale = np.where(np.repeat(spread, segment) > 1e-12, scale, 0.0)
    x *= scale
    if x.shape[0] >= x.shape[1]:
        return x, Coordinates(mean, scale, None)
    values, vectors = np.linalg.eigh(x @ x.T)
    kept = values > SMALL * max(float(values[-1]), 1e-300)
    roots, vectors = np.sqrt(values[kept]), vectors[:, kept]
    return vectors * roots, Coordinates(mean, scale, x.T @ (vectors / roots))
