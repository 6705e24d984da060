"""How often a label occurs in a corpus: by the model's labels, by people's labels of a random sample, and by both.

A corpus is N clusters of rows, in strata; n of them are drawn at random without replacement from each stratum, and all
their rows are coded. The model's values are known of every row. What is estimated is the mean over the rows that there
are, so variances have the finite-population correction.

Both together: the model's mean over the corpus, plus the mean of (human - model) over the sample, where the model
counts lambda times: PPI++ with power tuning (Angelopoulos, Duchi & Zrnic 2023, arXiv 2311.01453, section 6), the
difference estimator of survey sampling with an estimated slope (Cochran 1977, Sampling Techniques, 7.6), and for a mean
the same as design-based supervised learning (Egami, Hinck, Stewart & Wei 2023, NeurIPS). The paper's N rows without a
human label are here the rows of the corpus outside the sample: its lambda / (1 + n/N) is then ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.stats.f1 import Array
from backend.stats.share import Mean


@dataclass(frozen=True, slots=True)
class Population:
    """Of each stratum [H]: the number of clusters, of rows, and the model's totals [H, K] over the rows."""

    clusters: Array
    rows: Array
    model: Array


@dataclass(frozen=True, slots=True)
class Sample:
    """Of each drawn cluster [n]: its stratum (0 to H - 1), its coded rows, and the totals [n, K] of what people and the
    model say of them. A cluster without coded rows, or with none of the part that is estimated, has zeros.
    """

    stratum: NDArray[np.int64]
    rows: Array
    human: Array
    model: Array


@dataclass(frozen=True, slots=True)
class Corrected:
    """The corrected means with what the model counts: `weight` [K] is lambda, 0 (not at all) to 1."""

    mean: Mean
    weight: Array


@dataclass(frozen=True, slots=True)
class _Spread:
    """What variances are made of: the sample's means [H, K], residuals [n, K], and each cluster's factor [n]."""

    share: Array  # of the corpus's rows, [H]
    human: Array
    model: Array
    residual: Array
    explained: Array
    factor: Array
    clusters: int
    left: float  # the share of clusters that were not drawn


def human_only(sample: Sample, population: Population) -> Mean:
    """People's mean [K] alone, and its variance."""
    found = _spread(sample, population)
    return _mean(found, found.share @ found.human, (found.factor[:, None] * found.residual**2).sum(axis=0))


def corrected(sample: Sample, population: Population, *, share: bool = True) -> Corrected:
    """The model's mean [K], corrected by the sample.

    Lambda is the slope that makes the variance smallest, kept within 0 and 1. It is estimated on the sample that the
    correction comes from: lambdas from ten cross-fitted parts change the coverage of the intervals by less than .01
    (simulated for shares of .02 to .5 and samples of 200 and 800), as the bias is of the order of 1/n.

    For shares the variance is had as if the model had missed the label in one more cluster of the sample, and given it
    wrongly in another, each time to as many rows as have it (or lack it, if that is less) where any does: without it a
    model that happens to make no error in a small sample would seem to make none anywhere (the thought of Agresti & Min
    2005, Statistics in Medicine 24(5), for paired shares).
    """
    found = _spread(sample, population)
    covariance = (found.factor[:, None] * found.residual * found.explained).sum(axis=0)
    spread = (found.factor[:, None] * found.explained**2).sum(axis=0)
    weight = np.clip(np.divide(covariance, spread, out=np.zeros_like(spread), where=spread > 0), 0.0, 1.0)
    everywhere = population.model.sum(axis=0) / population.rows.sum()
    human, model = found.share @ found.human, found.share @ found.model
    variance = (found.factor[:, None] * (found.residual - weight * found.explained) ** 2).sum(axis=0)
    if share and found.clusters > 1:
        n = found.clusters
        missed = (1 - human) + weight * model
        mistaken = -human - weight * (1 - model)
        more = (missed**2 + mistaken**2 - (missed + mistaken) ** 2 / (n + 2)) * _together(sample) ** 2
        variance = variance * (n - 1) / (n + 1) + found.left * more / ((n + 1) * n)
    return Corrected(_mean(found, human + weight * (everywhere - model), variance), weight)


def _together(sample: Sample) -> Array:
    """The rows [K] of a cluster that have a label if any does, or lack it, whichever is less; in mean cluster sizes."""
    there = sample.rows > 0
    rows, some = sample.rows[there, None], sample.human[there]
    found = []
    for values in (some, rows - some):
        having = (values > 0).sum(axis=0)
        found.append(np.divide(values.sum(axis=0), having, out=np.full(values.shape[1], np.inf), where=having > 0))
    return np.asarray(np.minimum(*found) / rows.mean())


def _mean(found: _Spread, value: Array, variance: Array) -> Mean:
    """A census has no degrees of freedom to lose: its variance is 0 whatever they are."""
    return Mean(value, variance, found.clusters - int((found.share > 0).sum()))


def _spread(sample: Sample, population: Population) -> _Spread:
    """NaN where a stratum has rows, but none that are coded; strata without rows are left out of account."""
    h, k = len(population.rows), sample.human.shape[1]
    there = sample.rows > 0
    drawn = np.bincount(sample.stratum, minlength=h)
    stratum, rows = sample.stratum[there], sample.rows[there]
    n = np.bincount(stratum, minlength=h).astype(np.float64)
    m = np.bincount(stratum, rows, minlength=h)
    empty = population.rows == 0
    m = np.where(m > 0, m, np.where(empty, 1.0, np.nan))
    human, model = (_sums(stratum, values[there], h, k) / m[:, None] for values in (sample.human, sample.model))
    share = population.rows / population.rows.sum() if not empty.all() else np.full(h, np.nan)
    left = np.clip(1 - drawn / population.clusters, 0.0, 1.0)
    several = np.divide(n, n - 1, out=np.full(h, np.nan), where=n > 1)
    each = np.where(empty, 0.0, share**2 * left * several / m**2)
    residual = sample.human[there] - rows[:, None] * human[stratum]
    explained = sample.model[there] - rows[:, None] * model[stratum]
    whole = float(1 - drawn.sum() / population.clusters.sum())
    return _Spread(share, human, model, residual, explained, each[stratum], int(n.sum()), max(whole, 0.0))


def _sums(stratum: NDArray[np.int64], values: Array, h: int, k: int) -> Array:
    found = np.zeros((h, k))
    np.add.at(found, stratum, values)
    return found
