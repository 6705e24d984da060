"""The worlds in which intervals are tried, and what is drawn from them: texts, coders and a model, the truth known.

A text has a label; coders give it or guess; some texts are harder than others; a model errs more on one label than on
the others, so that counting its labels gives wrong shares. Texts of a group are alike in label and in difficulty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from backend.learning.estimate import Estimate

SHARES = (0.5, 0.1, 0.02)  # of the first label; the others share the rest evenly
LABELS = (2, 6)  # ordered
CODERS = (2, 5)
MISSING = 0.2  # of all ratings, at random
GROUPS = (1, 5)  # texts
SIZES = (200, 800)  # texts
COPIED = 0.5  # of the texts of a group have the group's label, the others one of their own
HARD = 1 / 3  # of groups
KNOWN = {False: 0.95, True: 0.65}  # hard -> probability that a coder knows the label; .85 on average
ERRS = {False: 0.6, True: 1.8}  # hard -> times the model's usual rate of errors; 1 on average
ALIKE = 100  # repetitions whose seeds are the same where drawing resamples anew would take long
MISSED, MISTAKEN = 0.30, 0.12  # the model's usual rates of errors on texts with and without the first label


@dataclass(frozen=True, slots=True)
class Cell:
    """A world, and the number `n` of texts that are drawn from it, in groups of `group`."""

    share: float
    labels: int
    coders: int
    group: int
    n: int

    @property
    def name(self) -> str:
        return f"share {self.share:g}, {self.labels} labels, {self.coders} coders, groups of {self.group}, n {self.n}"

    @property
    def shares(self) -> NDArray[np.float64]:
        """Of the labels, [labels]."""
        return np.array([self.share] + [(1 - self.share) / (self.labels - 1)] * (self.labels - 1))


@dataclass(frozen=True, slots=True)
class Sample:
    """Texts [n]: their true label, what coders say [coders, n] (NaN where missing), what the model says, their group.

    Labels are 0 to `labels` - 1.
    """

    labels: int
    truth: NDArray[np.int64]
    ratings: NDArray[np.float64]
    model: NDArray[np.int64]
    groups: NDArray[np.int64]

    @property
    def gold(self) -> NDArray[np.int64]:
        """The label that most coders of a text gave, [n]; the true one where they are tied, or none coded it: that is
        adjudicated, and adjudicators do not err here.
        """
        votes = np.stack([(self.ratings == label).sum(axis=0) for label in range(self.labels)], axis=1)
        tied = (votes == votes.max(axis=1, keepdims=True)).sum(axis=1) > 1
        return np.where(tied, self.truth, votes.argmax(axis=1))


@dataclass(frozen=True, slots=True)
class Shown:
    """The bounds of an interval that a person is shown; `truth` where every repetition has one of its own."""

    lower: float
    upper: float
    truth: float | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """Figures whose intervals are tried together; `names` of all of them.

    `truths(cell, sample)`: the true figures of a world, from a very large sample of it; a name that is left out has a
    truth of its own in every repetition. `found(cell, sample, seed)`: their intervals, None where withheld; a name that
    is left out does not exist in this world. `failing`: names shown for comparison, which the product does not promise.
    `every`: it takes long, and is tried in one of so many repetitions of the larger samples.
    """

    names: tuple[str, ...]
    truths: Callable[[Cell, Sample], Mapping[str, float]]
    found: Callable[[Cell, Sample, int], Mapping[str, Shown | None]]
    failing: frozenset[str] = frozenset()
    every: int = 1


def shown(found: Estimate) -> Shown | None:
    """What a person is shown of an estimate."""
    if found.lower is None or found.upper is None:
        return None
    return Shown(found.lower, found.upper)


def grid() -> list[Cell]:
    """All 48 cells."""
    return [Cell(*each) for each in product(SHARES, LABELS, CODERS, GROUPS, SIZES)]


def draw(cell: Cell, size: int, rng: np.random.Generator) -> Sample:
    """`size` texts of the cell's world, a multiple of its group."""
    k, shares = cell.labels, cell.shares
    groups = np.repeat(np.arange(size // cell.group), cell.group)
    hard = (rng.random(size // cell.group) < HARD)[groups]
    truth = labelled(shares, rng.random(size))
    if cell.group > 1:
        truth = np.where(rng.random(size) < COPIED, labelled(shares, rng.random(size // cell.group))[groups], truth)
    known = rng.random((cell.coders, size)) < np.where(hard, KNOWN[True], KNOWN[False])
    ratings = np.where(known, truth, labelled(shares, rng.random((cell.coders, size)))).astype(np.float64)
    ratings[rng.random((cell.coders, size)) < MISSING] = np.nan
    usual = np.where(truth == 0, MISSED, MISTAKEN)
    errs = rng.random(size) < usual * np.where(hard, ERRS[True], ERRS[False])
    to_first = (truth != 0) & (rng.random(size) < 1 / 2)
    elsewhere = np.where(truth == 0, 1 + rng.integers(k - 1, size=size), other(truth, k, rng))
    wrong = np.where(to_first | ((k == 2) & (truth != 0)), 0, elsewhere)
    return Sample(k, truth, ratings, np.where(errs, wrong, truth), groups)


def labelled(shares: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.int64]:
    """The labels that uniform numbers stand for."""
    return np.searchsorted(np.cumsum(shares)[:-1], at, side="right").astype(np.int64)


def other(truth: NDArray[np.int64], k: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """A neighbour of each label among the ordered ones, not the first: what the model confuses it with."""
    step = np.where(rng.random(len(truth)) < 1 / 2, 1, -1)
    moved = truth + step
    return np.clip(np.where((moved < 1) | (moved > k - 1), truth - step, moved), 0, k - 1)
