"""Means over the rows of a corpus, estimated in three ways side by side; each with its interval, or why it has none."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np

from backend.findings.sample import Frame
from backend.learning.estimate import FEW, Estimate, proportion, too_few
from backend.stats import prevalence
from backend.stats.anchoring import Share
from backend.stats.f1 import Array
from backend.stats.interval import Interval
from backend.stats.share import Mean, mean, student, totals, wilson

SEEN = 3  # coded texts (groups) that must have a label, and must not have it, for the share's interval to hold
ENOUGH = 10  # of them to be expected, where an interval was withheld


@dataclass(frozen=True, slots=True)
class Weighed:
    """Of K values: what the model says of all rows, people of the sample, and both together; `weight` is how much the
    model counts in the latter, 0 to 1.
    """

    rows: int
    naive: tuple[Estimate, ...]
    human: tuple[Estimate, ...]
    corrected: tuple[Estimate, ...]
    weight: tuple[float | None, ...]


def weighed(frame: Frame, rows: Array, human: Array, model: Array | str, *, share: bool) -> Weighed:
    """The means of K values over the rows of a frame's T texts.

    `rows` [T] are those of each text that are meant, such as those of one source. `human` [T, K] holds what people say
    of the texts of the sample that have an accepted value, and `model` [T, K] what the model says of every text, or the
    reason why it does not. `share`: the values are 0 or 1.
    """
    coded = np.where(frame.coded, rows, 0.0)
    n, k = int((coded > 0).sum()), human.shape[1]
    said = np.zeros_like(human) if isinstance(model, str) else model
    size = len(frame.stratum)
    in_all = totals(frame.cluster, size, rows[:, None])[:, 0]
    by_model = totals(frame.cluster, size, rows[:, None] * said)
    strata = int(frame.stratum.max()) + 1
    population = prevalence.Population(
        np.bincount(frame.stratum, minlength=strata).astype(np.float64),
        totals(frame.stratum, strata, in_all[:, None])[:, 0],
        totals(frame.stratum, strata, by_model),
    )
    drawn = frame.drawn
    sample = prevalence.Sample(
        frame.stratum[drawn],
        totals(frame.cluster, size, coded[:, None])[drawn, 0],
        totals(frame.cluster, size, coded[:, None] * human)[drawn],
        totals(frame.cluster, size, coded[:, None] * said)[drawn],
    )
    there = sample.rows > 0
    some = [int((sample.human[there, column] > 0).sum()) for column in range(k)]
    others = [int((sample.human[there, column] < sample.rows[there]).sum()) for column in range(k)]
    clusters = int(there.sum())
    tied = bool((sample.rows > 1).any())
    tellers = np.maximum(np.minimum(some, others), 1)

    def each_of(found: Mean) -> tuple[Estimate, ...]:
        if clusters < FEW or np.isnan(found.variance).any():
            return (Estimate(n, missing=too_few(clusters)),) * k
        degrees: Array = np.minimum(found.degrees, tellers if tied else np.inf)
        lower, upper = _bounds(found, degrees, clusters, share=share)
        each = zip(found.value, lower, upper, some, others, strict=True)
        return tuple(_figure(n, clusters, *one) if share else _plain(n, *one[:3]) for one in each)

    people = each_of(prevalence.human_only(sample, population))
    total = int(rows.sum())
    if isinstance(model, str):
        missing = (Estimate(n, missing=model),) * k
        return Weighed(total, missing, people, missing, (None,) * k)
    both = prevalence.corrected(sample, population, share=share)
    weight = tuple(None if np.isnan(one) else float(one) for one in both.weight)
    return Weighed(total, _naive(frame, rows, in_all, by_model, share=share), people, each_of(both.mean), weight)


def _naive(frame: Frame, rows: Array, in_all: Array, by_model: Array, *, share: bool) -> tuple[Estimate, ...]:
    """As it is published where nobody corrects: the interval takes the texts for a sample and the model for right."""
    n, found = int((rows > 0).sum()), mean(in_all, by_model)
    if n < FEW or found.degrees < 1:
        return (Estimate(n, missing=too_few(n)),) * len(found.value)
    lower, upper = _bounds(found, np.array(found.degrees), found.degrees + 1, share=share)
    return tuple(_plain(n, *one) for one in zip(found.value, lower, upper, strict=True))


def _bounds(found: Mean, degrees: Array, clusters: int, *, share: bool) -> tuple[Array, Array]:
    """Where rows are tied, how much they vary is known from the clusters that have a rare label: hence `degrees`."""
    if share:
        return wilson(found.value, found.variance, degrees, clusters)
    return student(found.value, found.variance, found.degrees)


def _plain(n: int, value: float, lower: float, upper: float) -> Estimate:
    return Estimate(n, float(value), float(lower), float(upper))


def _figure(n: int, clusters: int, value: float, lower: float, upper: float, some: int, others: int) -> Estimate:
    """A share with its bounds, unless too few clusters of the sample have the label, or too few do not."""
    inside = float(min(max(value, 0.0), 1.0))
    if not some or not others:
        what = "has this label: it is likely rarer" if not some else "lacks this label: its absence is likely rarer"
        return Estimate(n, inside, missing=f"none of {n:,} coded texts {what} than {3 / clusters:.1%} of texts")
    rare = min(some, others)
    if rare < SEEN:
        what = "have" if some <= others else "lack"
        return Estimate(
            n,
            inside,
            missing=f"only {rare} of {n:,} coded texts {what} this label, too few for an interval; about "
            f"{ceil(n * ENOUGH / rare / 50) * 50:,} coded texts would give one",
        )
    if not 0 <= value <= 1:
        return Estimate(
            n,
            inside,
            missing=f"the correction goes beyond {inside:.0%}: too few of {n:,} coded texts have this label; about "
            f"{2 * n:,} coded texts would do",
        )
    return proportion(Interval(inside, float(lower), float(upper)), n, clusters)


def shown(found: Share, n: int) -> Estimate:
    """A share of `n` things, with its bounds where enough clusters are behind it, and the bounds are not far apart."""
    if found.clusters < FEW:
        return Estimate(n, missing=too_few(found.clusters))
    return proportion(Interval(found.value, found.lower, found.upper), n, found.clusters)
