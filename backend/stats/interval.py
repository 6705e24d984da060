"""The intervals that people are shown: of proportions, and of everything else that is computed from texts.

Inference is to texts like these, or to groups of them, given these coders and this model: never to other coders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from backend.stats.bootstrap import BLOCK, Array, bca, resamples
from backend.stats.f1 import Marks, Numbers, ratio

LEVEL = 0.95
DRAWS = 1000
LEFT_OUT = 200  # samples without some clusters, at most
KEPT = 4_000_000  # numbers of resamples that are kept for the next figure of the same texts

Weights = NDArray[np.floating]
Figures = Callable[[Weights], Array]  # weights [B, n], how often each text counts -> figures [B, M]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure between its bounds; NaN where it is undefined."""

    value: float
    lower: float
    upper: float

    @property
    def width(self) -> float:
        return self.upper - self.lower


def bootstrapped(
    figures: Figures, clusters: NDArray[np.integer], seed: int, *, level: float = LEVEL, draws: int = DRAWS
) -> list[Interval]:
    """The BCa intervals (Efron 1987, JASA 82(397)) of the M figures of n texts, from a bootstrap over texts.

    `clusters` [n] names texts that are resampled together. Equal seeds give equal intervals. A resample in which a
    figure is undefined is left out. For coefficients of agreement, F1, and mean errors; a proportion has `proportions`.
    """
    found = np.concatenate([figures(weights) for weights in _weights(clusters, draws, seed)])
    point, drawn, without = found[0], found[1 : draws + 1], found[draws + 1 :]
    return [
        Interval(float(value), *bca(float(value), drawn[:, m], without[:, m], level)) for m, value in enumerate(point)
    ]


def proportions(
    above: Numbers | Marks, below: Numbers | Marks, clusters: NDArray[np.integer], level: float = LEVEL
) -> list[Interval]:
    """The intervals of M proportions, sum(above) / sum(below) over n texts, that hold however near to 0 or 1.

    `above` and `below` [n, M] say how much of a text is counted in and counted at all: its pairs of answers that are
    equal, and all its pairs; whether it has a label and was given it, and whether it was given it. `clusters` [n] as in
    `bootstrapped`. The proportion's variance over clusters says how many independent texts these are worth; of so many
    the interval is the exact one (Clopper & Pearson 1934, Biometrika 26(4); Korn & Graubard 1998, Survey Methodology
    24(2)). Where no cluster differs from the others each counts as one text. NaN where nothing is counted.
    """
    from scipy.special import betaincinv, ndtri, stdtrit

    _, place = np.unique(clusters, return_inverse=True)
    y, x = (_summed(np.asarray(each, dtype=np.float64), place) for each in (above, below))
    total = x.sum(axis=0)
    value = ratio(y.sum(axis=0), total)
    m = (x > 0).sum(axis=0)
    tail = (1 - level) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = m / (m - 1) * ((y - value * x) ** 2).sum(axis=0) / total**2
        worth = np.where(variance > 0, value * (1 - value) / variance, m)
        few = (ndtri(tail) / stdtrit(np.maximum(m - 1, 1), tail)) ** 2
        worth = np.minimum(worth, total) * few
        hits = value * worth
        lower = np.where(value > 0, betaincinv(hits, worth - hits + 1, tail), 0.0)
        upper = np.where(value < 1, betaincinv(hits + 1, worth - hits, 1 - tail), 1.0)
    undefined = np.isnan(value)
    lower, upper = np.where(undefined, np.nan, lower), np.where(undefined, np.nan, upper)
    return [Interval(*map(float, each)) for each in zip(value, lower, upper, strict=True)]


def groups(clusters: NDArray[np.integer], counted: NDArray[np.bool_]) -> int:
    """The number of clusters with a text that is `counted` [n]."""
    return len(np.unique(clusters[counted]))


def jackknife(clusters: NDArray[np.integer]) -> Iterator[NDArray[np.float32]]:
    """The weights [b, n] of the sample without each cluster in turn; of more than `LEFT_OUT`, without several."""
    names, place = np.unique(clusters, return_inverse=True)
    parts = min(len(names), LEFT_OUT)
    part = place % max(parts, 1)
    step = max(1, BLOCK // max(len(clusters), 1))
    for start in range(0, parts, step):
        yield (part != np.arange(start, min(start + step, parts))[:, None]).astype(np.float32)


def _weights(clusters: NDArray[np.integer], draws: int, seed: int) -> Iterable[Array]:
    """The weights [..., n] of the sample itself, of `draws` resamples, and of the samples without each cluster."""
    if len(clusters) * draws <= KEPT:
        return (_kept(np.asarray(clusters, dtype=np.int64).tobytes(), draws, seed),)
    return (weights.astype(np.float64) for weights in _blocks(clusters, draws, seed))


@lru_cache(maxsize=2)
def _kept(clusters: bytes, draws: int, seed: int) -> Array:
    """Many figures are of the same texts: their resamples are drawn once."""
    return np.concatenate(list(_blocks(np.frombuffer(clusters, dtype=np.int64), draws, seed)), dtype=np.float64)


def _blocks(clusters: NDArray[np.integer], draws: int, seed: int) -> Iterator[NDArray[np.float32]]:
    yield np.ones((1, len(clusters)), dtype=np.float32)
    yield from resamples(clusters, draws, seed)
    yield from jackknife(clusters)


def _summed(each: Array, place: NDArray[np.intp]) -> Array:
    """Sums [clusters, M] of [n, M]."""
    return np.stack([np.bincount(place, column) for column in each.T], axis=1)
