"""How far predicted labels agree with true ones: confusion, precision, recall, F1 and weighted kappa.

Everything takes weights of texts with leading axes, one row a bootstrap resample, and gives figures with those axes, so
that thousands of resamples are one matrix product. What is undefined (0/0) is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Marks = NDArray[np.bool_]
Numbers = NDArray[np.floating] | NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Tally:
    """Weighted numbers of texts per label, each [..., K]: given by both, by the prediction, by the truth."""

    both: NDArray[np.floating]
    predicted: NDArray[np.floating]
    actual: NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Scores:
    """Precision, recall and F1 per label, each [..., K]; NaN where the denominator is empty."""

    precision: Array
    recall: Array
    f1: Array


def confusion(
    truth: NDArray[np.integer], predicted: NDArray[np.integer], k: int, weights: NDArray[np.floating] | None = None
) -> Array:
    """The weight of texts by true label (rows) and predicted label (columns), [..., K, K].

    `truth` and `predicted` [n] are indices of K nominal or ordered labels; `weights` [..., n], one each if None.
    """
    cells = np.zeros((len(truth), k * k), dtype=np.float64)
    cells[np.arange(len(truth)), truth * k + predicted] = 1.0
    summed = cells.sum(axis=0) if weights is None else weights @ cells
    return np.asarray(summed, dtype=np.float64).reshape(*summed.shape[:-1], k, k)


def tally(matrix: Array) -> Tally:
    """The numbers per label of a confusion [..., K, K]."""
    return Tally(np.diagonal(matrix, axis1=-2, axis2=-1), matrix.sum(axis=-2), matrix.sum(axis=-1))


def tally_marks(weights: NDArray[np.floating], truth: Marks, predicted: Marks) -> Tally:
    """The numbers per label where a text may have any number of labels.

    `truth` and `predicted` [n, ..., K] say which labels a text has; their axes between the first and the last, such as
    several predictions, are broadcast. `weights` [B, n]; the result is [B, ..., K].
    """
    return Tally(_summed(weights, truth & predicted), _summed(weights, predicted), _summed(weights, truth))


def _summed(weights: NDArray[np.floating], marks: Marks) -> NDArray[np.floating]:
    flat = marks.reshape(marks.shape[0], prod(marks.shape[1:])).astype(weights.dtype)
    return (weights @ flat).reshape(weights.shape[0], *marks.shape[1:])


def scores(counted: Tally) -> Scores:
    """Precision, recall and F1 of every label."""
    return Scores(ratio(counted.both, counted.predicted), ratio(counted.both, counted.actual), f1(counted))


def f1(counted: Tally) -> Array:
    """F1 of every label [..., K]: 2 both / (predicted + actual); NaN for a label that occurs in neither."""
    return ratio(2 * counted.both, counted.predicted + counted.actual)


def macro(each: Array) -> Array:
    """The mean [...] over labels [..., K] of what is defined: a label that occurs in neither is left out."""
    defined = ~np.isnan(each)
    return ratio(np.where(defined, each, 0.0).sum(axis=-1), defined.sum(axis=-1))


def weighted_kappa(matrix: Array, power: int = 2) -> Array:
    """Weighted kappa [...] of confusions [..., K, K] of ordered labels: 1 - observed / expected disagreement.

    A disagreement over d steps counts d ** power: 2 is quadratic, 1 linear weights (Cohen 1968, Psychological Bulletin
    70(4)). NaN where no disagreement can be expected, since both sides have one and the same label throughout.
    """
    steps = np.arange(matrix.shape[-1])
    return kappa(matrix, np.abs(steps[:, None] - steps[None, :]).astype(np.float64) ** power)


def kappa(matrix: Array, cost: Array) -> Array:
    """Kappa [...] of confusions [..., K, K], where taking one label for another costs `cost` [K, K], 0 on the diagonal.

    NaN where no cost can be expected.
    """
    observed = (matrix * cost).sum(axis=(-2, -1)) * matrix.sum(axis=(-2, -1))
    expected = np.einsum("...i,ij,...j->...", matrix.sum(axis=-1), cost, matrix.sum(axis=-2))
    return 1.0 - ratio(observed, expected)


def ratio(above: Numbers, below: Numbers) -> Array:
    """above / below of like shapes, NaN where `below` is 0; in the precision of `above`."""
    out = np.full(above.shape, np.nan, dtype=np.result_type(above, np.float32))
    np.divide(above, below, out=out, where=below != 0)
    return out
