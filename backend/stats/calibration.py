"""Whether a model's probabilities mean what they say: Brier score, log loss, calibration error, curves, temperature.

A text has K log-probabilities that sum to one (categorical), or one for each of K labels that may apply (`several`).
Truth is marks [n, K].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.stats.f1 import Array, Marks
from backend.stats.share import Mean, mean, totals

BINS = 10
PER_BIN = 20  # texts at least; fewer bins where there are fewer texts
FOLDS = 5
SURE = 1e-12  # probabilities are kept so far from 0 and 1 in the log loss
HEAT = (0.05, 20.0)  # temperatures tried


@dataclass(frozen=True, slots=True)
class Bin:
    """Texts with like probabilities: their places, the mean of what was said, and how often it was so."""

    places: NDArray[np.int64]
    said: float
    right: float


def heated(raw: Array, temperature: float | Array, *, several: bool) -> Array:
    """Log-probabilities [n, K] at a temperature, or at one of its own for each text [n] (Guo et al. 2017)."""
    heat = np.broadcast_to(np.asarray(temperature, dtype=np.float64), (len(raw),))[:, None]
    if several:
        with np.errstate(divide="ignore"):
            logit = raw - np.log(-np.expm1(np.minimum(raw, 0.0)))
        return np.asarray(-np.logaddexp(0.0, -logit / heat))
    scaled = raw / heat
    return np.asarray(scaled - np.logaddexp.reduce(scaled, axis=1, keepdims=True))


def brier(log_p: Array, truth: Marks, *, several: bool) -> Array:
    """The Brier score [n] of each text (Brier 1950, Monthly Weather Review 78(1)), 0 to 1.

    Categorical: half the sum of squares over labels, which is the usual one of two labels. Otherwise the mean of
    squares over labels.
    """
    squares = (np.exp(log_p) - truth) ** 2
    return np.asarray(squares.mean(axis=1) if several else squares.sum(axis=1) / 2)


def log_loss(log_p: Array, truth: Marks, *, several: bool) -> Array:
    """Minus the log-probability [n] of what is true; the mean over labels where several may apply."""
    p = np.clip(np.exp(log_p), SURE, 1 - SURE)
    if several:
        return np.asarray(-np.where(truth, np.log(p), np.log1p(-p)).mean(axis=1))
    return np.asarray(-(np.log(p) * truth).sum(axis=1))


def clustered(losses: Array, cluster: NDArray[np.integer]) -> Mean:
    """The mean of each column of losses [n, J], its variance between clusters [n]."""
    names, place = np.unique(cluster, return_inverse=True)
    counts = np.bincount(place, minlength=len(names)).astype(np.float64)
    return mean(counts, totals(place, len(names), losses))


def judgements(log_p: Array, truth: Marks, *, several: bool) -> tuple[Array, NDArray[np.bool_], NDArray[np.int64]]:
    """What is said and whether it is so: probabilities [m], truths [m], and the text [m] of each.

    Categorical: of the most probable label of every text. Otherwise of every label of every text.
    """
    p, n = np.exp(log_p), len(log_p)
    if several:
        return p.ravel(), truth.ravel(), np.repeat(np.arange(n), p.shape[1])
    best = p.argmax(axis=1)
    return p[np.arange(n), best], truth[np.arange(n), best], np.arange(n)


def bins(said: Array, right: NDArray[np.bool_], most: int = BINS) -> list[Bin]:
    """Reliability bins of equal mass, in ascending order; equal probabilities may fall into two of them."""
    order = np.argsort(said, kind="stable")
    parts = np.array_split(order, max(1, min(most, len(said) // PER_BIN)))
    return [Bin(part, float(said[part].mean()), float(right[part].mean())) for part in parts if len(part)]


def ece(said: Array, right: NDArray[np.bool_], most: int = BINS) -> float:
    """The expected calibration error with bins of equal mass (Nixon et al. 2019, CVPR workshops): the mean distance of
    what is said and what is so.

    It is biased upwards: chance alone moves each bin off the diagonal, the more the fewer texts there are. Hold it
    against `by_chance`.
    """
    found = bins(said, right, most)
    return float(sum(len(one.places) * abs(one.said - one.right) for one in found) / len(said)) if len(said) else np.nan


def by_chance(said: Array, *, seed: int, draws: int = 500, level: float = 0.95) -> tuple[float, float]:
    """The mean, and the value that is exceeded with probability 1 - `level`, of the ECE of a perfectly calibrated model
    that says these probabilities (consistency resampling, Broecker & Smith 2007, Weather and Forecasting 22(3)).
    """
    rng = np.random.default_rng(seed)
    order = np.argsort(said, kind="stable")
    ordered = said[order]
    parts = np.array_split(np.arange(len(said)), max(1, min(BINS, len(said) // PER_BIN)))
    starts = np.array([part[0] for part in parts])
    hits = np.add.reduceat((rng.random((draws, len(said))) < ordered).astype(np.float64), starts, axis=1)
    found = np.abs(hits - np.add.reduceat(ordered, starts)).sum(axis=1) / len(said)
    return float(found.mean()), float(np.quantile(found, level))


def temperature(raw: Array, truth: Marks, *, several: bool) -> float:
    """The one temperature at which the log loss of raw log-probabilities [n, K] is smallest (Guo, Pleiss, Sun &
    Weinberger 2017, ICML), between 0.05 and 20.
    """
    from scipy.optimize import minimize_scalar

    def loss(log_heat: float) -> float:
        return float(log_loss(heated(raw, np.exp(log_heat), several=several), truth, several=several).mean())

    found = minimize_scalar(loss, bounds=tuple(np.log(HEAT)), method="bounded", options={"xatol": 1e-4})
    return float(np.exp(found.x))


def cross_fitted(
    raw: Array, truth: Marks, cluster: NDArray[np.integer], *, several: bool, seed: int, folds: int = FOLDS
) -> Array:
    """A temperature [n] for each text, fitted to the texts of the other parts; texts of a cluster are in one part.

    ValueError with fewer than two clusters.
    """
    names, place = np.unique(cluster, return_inverse=True)
    parts = min(folds, len(names))
    if parts < 2:
        raise ValueError("A temperature that is fitted to other texts needs two texts that are not tied, at least.")
    part = (np.random.default_rng(seed).permutation(len(names)) % parts)[place]
    found = np.ones(len(raw))
    for one in range(parts):
        mine = part == one
        found[mine] = temperature(raw[~mine], truth[~mine], several=several)
    return found
