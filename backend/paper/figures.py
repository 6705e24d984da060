"""Figures of what models said of labelled texts: macro F1 and its kin with intervals, and tests between two of them.

Pure functions on arrays. Everything about one task is computed from the same resamples of its texts, so that a figure,
a mean of figures and a difference of two have intervals of one bootstrap (percentile; Efron & Tibshirani 1993, 13.3).
Inference is to texts like these, given the tasks, the models and the examples shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.stats.bootstrap import BLOCK, Array, percentile, resamples
from backend.stats.f1 import Marks, Tally, f1, macro, ratio, scores, tally_marks
from backend.stats.interval import Interval

DRAWS = 1000  # resamples of an interval
SWAPS = 9999  # exchanges of a test: no p is below 1 / 10,000
MACRO, ACCURACY, LABELS = 0, 1, 2  # places of the figures of `resampled`; the labels' F1 follow
CLOSE = 1e-12  # differences nearer than this are the same


def resampled(truth: Marks, said: Marks, clusters: NDArray[np.integer], seed: int, draws: int = DRAWS) -> Array:
    """Figures [1 + draws, S, 2 + K] of S systems: macro F1, accuracy, F1 of each label.

    `truth` [n, K] and `said` [n, S, K] are the labels of n texts; the first row is the sample itself. `clusters` [n]
    names texts that are drawn together. Macro F1 is over the labels that occur in the truth or in what the system said,
    as scikit-learn's f1_score has it; accuracy is the share of texts whose labels are right, all of them.
    """
    right = (truth[:, None] == said).all(axis=2).astype(np.float32)
    blocks = [_figures(np.ones((1, len(truth)), dtype=np.float32), truth, said, right)]
    blocks += [_figures(weights, truth, said, right) for weights in resamples(clusters, draws, seed)]
    return np.concatenate(blocks)


def _figures(weights: NDArray[np.float32], truth: Marks, said: Marks, right: NDArray[np.float32]) -> Array:
    counted = tally_marks(weights, truth[:, None], said)
    each = f1(counted)
    accuracy = ratio(weights @ right, np.broadcast_to(weights.sum(axis=1)[:, None], (len(weights), said.shape[1])))
    whole = np.stack([macro(each), accuracy], axis=2)
    return np.asarray(np.concatenate([whole, each], axis=2), dtype=np.float64)


def interval(drawn: Array, level: float) -> Interval:
    """The figure [1 + draws] of the sample between the bounds of its resamples."""
    lower, upper = percentile(drawn[1:], level)
    return Interval(float(drawn[0]), float(lower), float(upper))


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """One label: texts that have it, that were given it, both; what these come to (NaN where undefined)."""

    support: int
    predicted: int
    both: int
    precision: float
    recall: float
    f1: float


def by_label(truth: Marks, said: Marks) -> list[LabelFigures]:
    """The errors of each label, of texts [n, K]."""
    counted = tally_marks(np.ones((1, len(truth))), truth, said)
    found = scores(counted)
    columns = (counted.actual, counted.predicted, counted.both, found.precision, found.recall, found.f1)
    return [LabelFigures(int(a), int(p), int(b), *map(float, rest)) for a, p, b, *rest in np.stack(columns)[:, 0].T]


def exchanged(
    truth: Marks, one: Marks, other: Marks, clusters: NDArray[np.integer], seed: int, swaps: int = SWAPS
) -> Array:
    """The difference [1 + swaps] of the macro F1 of two systems, and after random exchanges of their answers.

    `one` and `other` [n, P, K] are P pairs of answers, such as several draws of examples; the difference is the mean
    over the pairs. For approximate randomisation (Noreen 1989; Yeh 2000, COLING): were the systems alike, who of the
    two gave an answer would not matter. Answers to texts of a cluster are exchanged together.
    """
    rows = np.flatnonzero((one != other).any(axis=(1, 2)))
    actual = truth.sum(axis=0)[None, None].astype(np.float64)
    sides = [(_counts(truth, mine), mine.sum(axis=0)[None].astype(np.float64)) for mine in (one, other)]
    difference = [_difference(sides, actual, None)]
    if not len(rows):
        return np.zeros(1 + swaps)
    names, place = np.unique(clusters[rows], return_inverse=True)
    moved = _moved(truth[rows], one[rows], other[rows])
    by_cluster = np.zeros((len(names), *moved.shape[1:]), dtype=np.float32)
    np.add.at(by_cluster, place, moved)
    flat = by_cluster.reshape(len(names), -1)
    rng = np.random.default_rng(seed)
    step = max(1, BLOCK // len(names))
    for start in range(0, swaps, step):
        coins = rng.integers(2, size=(min(step, swaps - start), len(names))).astype(np.float32)
        difference.append(_difference(sides, actual, (coins @ flat).reshape(len(coins), *moved.shape[1:])))
    return np.concatenate(difference)


def _counts(truth: Marks, said: Marks) -> Array:
    return np.asarray((truth[:, None] & said).sum(axis=0)[None], dtype=np.float64)


def _moved(truth: Marks, one: Marks, other: Marks) -> NDArray[np.float32]:
    """What the counts of the first gain when a text's answers are exchanged: [m, 2, P, K], right ones and all."""
    a, b = one.astype(np.float32), other.astype(np.float32)
    return np.stack([(b - a) * truth[:, None], b - a], axis=1)


def _difference(sides: Sequence[tuple[Array, Array]], actual: Array, moved: NDArray[np.float32] | None) -> Array:
    """The difference [R] of the mean macro F1; `moved` [R, 2, P, K] went from the second to the first."""
    found = []
    for (both, predicted), sign in zip(sides, (1, -1), strict=True):
        if moved is not None:
            both, predicted = both + sign * moved[:, 0], predicted + sign * moved[:, 1]
        found.append(macro(f1(Tally(both, predicted, np.broadcast_to(actual, both.shape)))).mean(axis=1))
    return np.asarray(found[0] - found[1], dtype=np.float64)


def p_value(exchanges: Array) -> float:
    """The two-sided p of differences [1 + swaps]: the share at least as large as the first, which counts as one."""
    return float((np.abs(exchanges) >= abs(exchanges[0]) - CLOSE).mean())


def holm(p: Sequence[float]) -> list[float]:
    """The p values adjusted for being several (Holm 1979, Scandinavian Journal of Statistics 6(2)), in their order."""
    order = sorted(range(len(p)), key=p.__getitem__)
    adjusted, most = [0.0] * len(p), 0.0
    for rank, place in enumerate(order):
        most = max(most, min(1.0, (len(p) - rank) * p[place]))
        adjusted[place] = most
    return adjusted


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What W wordings of one instruction do: macro F1 of each, and the share of texts whose label is not always the
    same.
    """

    wordings: int
    lowest: float
    highest: float
    deviation: float
    changed: float


def sensitivity(truth: Marks, said: Marks) -> Sensitivity:
    """Of answers [n, W, K] under W >= 2 wordings; the standard deviation is that of a sample."""
    found = macro(f1(tally_marks(np.ones((1, len(truth))), truth[:, None], said)))[0]
    changed = (said != said[:, :1]).any(axis=(1, 2)).mean()
    return Sensitivity(len(found), float(found.min()), float(found.max()), float(found.std(ddof=1)), float(changed))
