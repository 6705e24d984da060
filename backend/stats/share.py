"""Means over rows that come in clusters, and the intervals of a share and of a mean.

Clusters are what is drawn, so variances are between clusters: a mean is a ratio of two totals over clusters, and its
variance that of the ratio's residuals (Cochran 1977, Sampling Techniques, 6.3 and 9A).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.stats.f1 import Array

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Mean:
    """Means [K], each with its variance [K], and the degrees of freedom of the variances."""

    value: Array
    variance: Array
    degrees: int


def mean(weight: Array, total: Array) -> Mean:
    """The mean over rows of n clusters with `weight` rows [n] each and the totals [n, K] of K values over them.

    Clusters without rows count for nothing. NaN where there are no rows, and as variance where there is one cluster.
    """
    there = weight > 0
    m, y = weight[there], total[there]
    n = len(m)
    value = y.sum(axis=0) / m.sum() if n else np.full(total.shape[1], np.nan)
    if n < 2:
        return Mean(value, np.full(total.shape[1], np.nan), 0)
    residual = y - m[:, None] * value
    return Mean(value, n / (n - 1) * (residual**2).sum(axis=0) / m.sum() ** 2, n - 1)


def wilson(
    value: Array, variance: Array, degrees: int | Array, clusters: int, level: float = LEVEL
) -> tuple[Array, Array]:
    """Wilson's interval (1927, JASA 22(158)) of shares [K] with these variances [K], as of the simple random sample
    that would have the same variance, with the quantile of Student's t with `degrees` of freedom, or [K] of them.

    A share of 0 or 1 shows no variance: it counts as one of `clusters` texts. Without a variance otherwise (all was
    coded) the bounds are the share itself.
    """
    spread = value * (1 - value)
    edge = spread <= 0
    size = np.divide(spread, variance, out=np.full(value.shape, np.inf), where=variance > 0)
    size = np.where(edge, float(clusters), size)
    t2 = quantile(degrees, level) ** 2
    middle = (value + t2 / (2 * size)) / (1 + t2 / size)
    half = np.sqrt(t2 * (spread / size + t2 / (4 * size**2))) / (1 + t2 / size)
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)


def student(value: Array, variance: Array, degrees: int, level: float = LEVEL) -> tuple[Array, Array]:
    """Student's interval of means [K]."""
    half = quantile(degrees, level) * np.sqrt(variance)
    return value - half, value + half


def quantile(degrees: int | Array, level: float = LEVEL) -> Array:
    """Of Student's t, two-sided, of each of the degrees of freedom; NaN where there are none."""
    from scipy.special import stdtrit

    given = np.asarray(degrees, dtype=np.float64)
    return np.asarray(stdtrit(np.where(given > 0, given, np.nan), (1 + level) / 2))


def totals(cluster: NDArray[np.integer], n: int, values: NDArray[np.floating]) -> Array:
    """The sums [n, K] of values [texts, K] over the texts of each of n clusters; `cluster` [texts] is 0 to n - 1."""
    return np.stack([np.bincount(cluster, column, minlength=n) for column in values.T], axis=1)
