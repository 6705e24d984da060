"""How far coders agree with each other: percent agreement and Krippendorff's alpha.

Ratings are [coders, n] with NaN where a coder did not rate a text. Nominal ratings are any numbers that name a label,
ordinal ones any whose order means something, interval ones measurements.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from backend.stats.bootstrap import percentile, resamples
from backend.stats.f1 import Array, ratio

Level = Literal["nominal", "ordinal", "interval"]
Weights = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Percent agreement and alpha, each with its interval; NaN where undefined.

    `n` texts that at least two of `coders` coders rated, as `pairs` pairs of ratings.
    """

    level: Level
    coders: int
    n: int
    pairs: int
    percent: tuple[float, float, float]  # value, lower, upper
    alpha: tuple[float, float, float]


def agreement(
    ratings: NDArray[np.floating],
    level: Level,
    *,
    seed: int,
    clusters: NDArray[np.integer] | None = None,
    confidence: float = 0.95,
    draws: int = 2000,
) -> Agreement:
    """Both coefficients of ratings [coders, n], with percentile intervals from a bootstrap over texts.

    `clusters` [n] names texts that are resampled together. Inference is to texts, given these coders.
    """
    twice = (~np.isnan(ratings)).sum(axis=0) >= 2
    ratings = ratings[:, twice]
    ties = np.arange(ratings.shape[1]) if clusters is None else clusters[twice]
    once = np.ones((1, ratings.shape[1]))
    blocks = [(percent(ratings, weights), alpha(ratings, level, weights)) for weights in resamples(ties, draws, seed)]
    points = percent(ratings, once), alpha(ratings, level, once)
    figures = []
    for which, point in enumerate(points):
        lower, upper = percentile(np.concatenate([block[which] for block in blocks]), confidence)
        figures.append((float(point[0]), float(lower), float(upper)))
    rated = (~np.isnan(ratings)).sum(axis=0)
    coders = int((~np.isnan(ratings)).any(axis=1).sum())
    return Agreement(level, coders, ratings.shape[1], int((rated * (rated - 1) // 2).sum()), figures[0], figures[1])


def percent(ratings: NDArray[np.floating], weights: Weights) -> Array:
    """The share [B] of pairs of ratings of one text that are equal; `weights` [B, n]."""
    counts, rated, _ = _counted(ratings)
    equal = (counts * (counts - 1)).sum(axis=1)
    return ratio(weights @ equal, weights @ (rated * (rated - 1)))


def alpha(ratings: NDArray[np.floating], level: Level, weights: Weights) -> Array:
    """Krippendorff's alpha [B] of texts that count as `weights` [B, n] says: 1 - observed / expected disagreement.

    Any number of coders, missing ratings, three levels of measurement, the ordinal with its own metric (Krippendorff
    2011, Computing Krippendorff's Alpha-Reliability; Hayes & Krippendorff 2007, Communication Methods and Measures
    1(1)). A text with fewer than two ratings is left out. NaN where all ratings are equal: no disagreement could have
    been seen.
    """
    counts, rated, values = _counted(ratings)
    pairable = rated >= 2
    counts, rated, weights = counts[pairable], rated[pairable], weights[:, pairable]
    share = counts / (rated - 1)[:, None]
    margins = weights @ counts  # [B, V]
    total = margins.sum(axis=1)
    if level == "interval":  # by moments, since measurements may have as many values as there are texts
        squares, sums = counts @ values**2, counts @ values
        observed = 2 * (weights @ ((rated * squares - sums**2) / (rated - 1)))
        expected = 2 * (total * (margins @ values**2) - (margins @ values) ** 2)
    else:
        v = len(values)
        pairs = (share[:, :, None] * (counts[:, None, :] - np.eye(v))).reshape(len(counts), v * v)
        cost = _nominal(v) if level == "nominal" else _ordinal(margins)
        observed = ((weights @ pairs).reshape(len(weights), v, v) * cost).sum(axis=(1, 2))
        expected = (margins[:, :, None] * margins[:, None, :] * cost).sum(axis=(1, 2))
    return 1 - ratio(observed * (total - 1), expected)


def _counted(ratings: NDArray[np.floating]) -> tuple[Array, Array, Array]:
    """Ratings of each value per text [n, V], ratings per text [n], and the values [V] in ascending order."""
    values = np.unique(ratings[~np.isnan(ratings)])
    counts = np.stack([(ratings == value).sum(axis=0) for value in values], axis=1) if len(values) else None
    if counts is None:
        counts = np.zeros((ratings.shape[1], 0))
    counts = counts.astype(np.float64)
    return counts, counts.sum(axis=1), values.astype(np.float64)


def _nominal(v: int) -> Array:
    return 1.0 - np.eye(v)


def _ordinal(margins: Array) -> Array:
    """The squared ordinal distances [B, V, V]: ratings between the middles of two values, from margins [B, V]."""
    middle = np.cumsum(margins, axis=1) - margins / 2
    return (middle[:, :, None] - middle[:, None, :]) ** 2
