"""How strongly to hold to the zero-shot scores: cross-validation inside the training labels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from backend.engines.protocol import Family, Item
from backend.engines.zeroshot import log_probabilities
from backend.tuners.design import Design
from backend.tuners.logistic import Contrasts, Fit, balanced, fit

Array = NDArray[np.float64]
Folds = NDArray[np.int64]
Groups = NDArray[np.int64]
GRID = (100.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03)  # from the strongest, so that each fit starts near the next
PULL = 2.0  # labelled texts' worth of belief in a strength of 1: few labels cannot choose well by themselves
USUAL = 1.0
ROUGH = 1e-6  # of the loss: enough to compare strengths
LARGE = 4000  # texts from which one fold is enough


@dataclass(frozen=True, slots=True)
class Choice:
    """The strength chosen and how it did on held-out training texts; None where there were too few to hold out."""

    strength: float
    log_loss: float | None  # every label counting the same
    macro_f1: float | None
    zero_shot_macro_f1: float | None

    def plain(self) -> dict[str, float | str | None]:
        """For JSON, which has no infinity."""
        return asdict(self) | ({} if math.isfinite(self.strength) else {"strength": "infinite"})


def choose(
    design: Design, prior: Array, targets: Array, contrasts: Contrasts, groups: Groups, power: float, seed: int
) -> Choice:
    """The strength of `GRID` with the least held-out log-loss, drawn towards 1 while there are few labels.

    `targets` [n, K] are zeros and ones or shares; `groups` are those of `tied`.
    """
    labels = targets.argmax(axis=1)
    scale = balanced(targets, power)
    folds = [
        _Fold(design.rows(train), prior[train], targets[train], balanced(targets[train], power), test)
        for train, test in splits(labels, groups, seed)
        if len(test) and not (targets[train] == targets[train][:1]).all()
    ]
    if not folds:
        return Choice(USUAL, None, None, None)
    held = np.unique(np.concatenate([fold.test for fold in folds]))
    weight = sum(float(scale[fold.test].sum()) for fold in folds)
    loss: list[float] = []
    wanted: list[float] = []
    scores: list[Array] = []
    for strength in GRID:
        out = np.zeros(prior.shape)
        total = 0.0
        for fold in folds:
            said = fold.held_out(strength, contrasts, design, prior)
            total -= float((scale[fold.test, None] * targets[fold.test] * said).sum())
            out[fold.test] += said
        scores.append(out)
        loss.append(total / weight)
        wanted.append(loss[-1] + PULL / len(labels) * math.log(strength) ** 2 / 2)
        if len(wanted) > 2 and wanted[-1] > wanted[-2] > wanted[-3]:
            break  # weaker ones follow the labels even closer, and take the longest
    best = int(np.argmin(wanted))
    return Choice(
        GRID[best],
        loss[best],
        macro_f1(labels[held], scores[best][held].argmax(axis=1)),
        macro_f1(labels[held], prior[held].argmax(axis=1)),
    )


def macro_f1(truth: NDArray[np.int64], guess: NDArray[np.int64]) -> float:
    """Mean F1 over the labels that occur in either; 0 for a label that is never right."""
    labels = np.union1d(truth, guess)
    hits = np.array([((truth == k) & (guess == k)).sum() for k in labels])
    both = np.array([(truth == k).sum() + (guess == k).sum() for k in labels])
    return float((2 * hits / both).mean())


@dataclass(slots=True)
class _Fold:
    """A fold's training part, the rows that are held out, and the fit for the strength before."""

    design: Design
    prior: Array
    targets: Array
    weights: Array
    test: NDArray[np.intp]
    last: Fit | None = None

    def held_out(self, strength: float, contrasts: Contrasts, design: Design, prior: Array) -> Array:
        """Log-probabilities of the rows held out, by what the others teach at this strength."""
        self.last = fit(
            self.design, self.prior, self.targets, self.weights, contrasts, strength, self.last, tolerance=ROUGH
        )
        return log_probabilities(Family.CATEGORICAL, self.last.scores(design.rows(self.test), prior[self.test]))


def tied(items: Sequence[Item], clusters: NDArray[np.int64] | None = None) -> Groups:
    """For each of n rows the first row that it must not be parted from: rows of the same texts, or of one cluster."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    n = len(items)
    texts: dict[Item, int] = {}
    ends = [n + np.array([texts.setdefault(item, len(texts)) for item in items], dtype=np.int64)]
    if clusters is not None:
        ends.append(n + len(texts) + np.unique(clusters, return_inverse=True)[1])
    rows, nodes = np.tile(np.arange(n), len(ends)), np.concatenate(ends)
    size = int(nodes.max(initial=0)) + 1
    part = connected_components(coo_matrix((np.ones(len(rows)), (rows, nodes)), shape=(size, size)), directed=False)[1]
    _, first, place = np.unique(part[:n], return_index=True, return_inverse=True)
    return np.asarray(first[place], dtype=np.int64)


def splits(labels: NDArray[np.int64], groups: Groups, seed: int) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """(training rows, held-out rows) of each fold; small sets are split anew several times."""
    n = len(labels)
    count = 5 if n >= 20 else min(4, n)
    repeats = 5 if n <= 32 else 2 if n <= 128 else 1
    for repeat in range(repeats):
        folds = folds_of(labels, groups, count, np.random.default_rng([seed, repeat]))
        for fold in range(1 if n >= LARGE else count):
            yield np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)


def folds_of(labels: NDArray[np.int64], groups: Groups, count: int, random: np.random.Generator) -> Folds:
    """A fold for each row, every label spread over all; rows of a group stay together."""
    leaders = np.unique(groups)
    fold_of = np.zeros(len(labels), dtype=np.int64)
    start = 0
    for label in np.unique(labels[leaders]):
        rows = random.permutation(leaders[labels[leaders] == label])
        fold_of[rows] = (np.arange(len(rows)) + start) % count
        start += len(rows)
    return fold_of[groups]


def given(strength: float) -> Choice:
    """The choice of a caller who knows better."""
    if math.isnan(strength) or strength <= 0:
        raise ValueError(
            "The strength of the prior must be positive; infinity leaves the zero-shot scores as they are."
        )
    return Choice(strength, None, None, None)
