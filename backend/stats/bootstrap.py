"""Resampling texts, or whole clusters of them, and the intervals that come of it (Efron & Tibshirani 1993)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
BLOCK = 1_000_000  # numbers drawn at a time


def resamples(clusters: NDArray[np.integer], draws: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """How often each text is in each of `draws` resamples, in blocks [b, n] that together have `draws` rows.

    `clusters` [n] names what is drawn: texts with the same number are in a resample together. As many clusters are
    drawn, with replacement, as there are. Equal arguments give equal resamples.
    """
    if not len(clusters):
        yield np.zeros((draws, 0), dtype=np.float32)
        return
    names, place = np.unique(clusters, return_inverse=True)
    rng = np.random.default_rng(seed)
    rows = max(1, BLOCK // len(names))
    for start in range(0, draws, rows):
        b = min(rows, draws - start)
        drawn = rng.integers(len(names), size=(b, len(names))) + len(names) * np.arange(b)[:, None]
        counted = np.bincount(drawn.ravel(), minlength=b * len(names)).reshape(b, len(names))
        yield counted[:, place].astype(np.float32)


def percentile(draws: NDArray[np.floating], level: float) -> tuple[Array, Array]:
    """The bounds [...] of the two-sided percentile interval of `draws` [B, ...]; undefined draws (NaN) are left out.

    NaN where every draw is undefined.
    """
    tail = (1 - level) / 2
    return quantile(draws, tail), quantile(draws, 1 - tail)


def quantile(draws: NDArray[np.floating], at: float) -> Array:
    """The quantile `at` [...] of draws [B, ...] without those that are NaN, between two draws by interpolation."""
    ordered = np.sort(draws, axis=0)  # NaN last
    defined = (~np.isnan(ordered)).sum(axis=0)
    position = np.maximum(at * (defined - 1), 0.0)
    below = np.floor(position).astype(np.intp)
    above = np.minimum(below + 1, np.maximum(defined - 1, 0))
    low = np.take_along_axis(ordered, below[None], axis=0)[0]
    high = np.take_along_axis(ordered, above[None], axis=0)[0]
    return np.asarray(low + (high - low) * (position - below), dtype=np.float64)


def bca(point: float, draws: Array, without: Array, level: float) -> tuple[float, float]:
    """The bias-corrected and accelerated interval of one figure (Efron 1987, JASA 82(397)).

    `point` is the figure on the sample, `draws` [B] on the resamples, `without` [m] on the sample without each cluster
    in turn. Where it has no meaning (all draws on one side of the point, or all alike) it is the percentile interval.
    """
    from scipy.special import ndtr, ndtri

    draws, without = draws[~np.isnan(draws)], without[~np.isnan(without)]
    tail = (1 - level) / 2
    share = float((draws < point).mean() + (draws == point).mean() / 2) if len(draws) else 0.0
    if not 0 < share < 1 or np.isnan(point):
        lower, upper = percentile(draws if len(draws) else np.array([np.nan]), level)
        return float(lower), float(upper)
    bias = float(ndtri(share))
    apart = without.mean() - without if len(without) else np.zeros(1)
    spread = float((apart**2).sum()) ** 1.5
    speed = float((apart**3).sum()) / (6 * spread) if spread > 0 else 0.0
    z = bias + ndtri(np.array([tail, 1 - tail]))
    lower, upper = np.quantile(draws, ndtr(bias + z / np.maximum(1 - speed * z, 1e-9)))
    return float(lower), float(upper)
