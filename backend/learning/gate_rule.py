"""The gate's rule in numbers: figures on resamples, their bounds, and what follows. Shared by the gate and its proof.

Every array may have axes between the first and the last, such as repetitions of a simulation; a single comparison
has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from backend.stats.bootstrap import percentile, quantile
from backend.stats.f1 import Array, Marks, confusion, f1, macro, tally_marks, weighted_kappa
from labelstudio_config.codebook import Kind

LEVEL = 0.90  # two-sided, so that 5 % lie beyond each bound
WHOLE = 0.01  # the whole may be this much worse, at its lower bound, and be promoted
QUESTION = 0.05  # a single question
SUPPORT = 10  # texts that a label needs to be judged
TEXTS = 50  # texts, or clusters of them, that a question needs to be judged
DRAWS = 2000
PATIENCE = 10  # times the labels at hand that a person may be asked for


@dataclass(frozen=True, slots=True)
class Drawn:
    """One question's figures on B resamples: both scores [B, ...], and the labels' differences in F1 [B, ..., K].

    A difference is challenger minus champion, 0 where a resample does not hold the label.
    """

    champion: Array
    challenger: Array
    labels: Array

    @property
    def delta(self) -> Array:
        return self.challenger - self.champion


def drawn(weights: NDArray[np.floating], kind: Kind, truth: Marks, champion: Marks, challenger: Marks) -> Drawn:
    """What champion and challenger come to on resamples `weights` [B, n] of texts with labels [n, ..., K]."""
    old = f1(tally_marks(weights, truth, champion))
    new = f1(tally_marks(weights, truth, challenger))
    labels = np.nan_to_num(new - old)
    if kind is Kind.ORDINAL:
        return Drawn(_kappa(weights, truth, champion), _kappa(weights, truth, challenger), labels)
    return Drawn(macro(old), macro(new), labels)


def _kappa(weights: NDArray[np.floating], truth: Marks, predicted: Marks) -> Array:
    return weighted_kappa(confusion(truth.argmax(axis=1), predicted.argmax(axis=1), truth.shape[1], weights))


def joined(blocks: Sequence[Drawn]) -> Drawn:
    """The figures of several blocks of resamples, one after the other."""
    return Drawn(
        np.concatenate([one.champion for one in blocks]),
        np.concatenate([one.challenger for one in blocks]),
        np.concatenate([one.labels for one in blocks]),
    )


def bounds(draws: Array) -> tuple[Array, Array]:
    """Lower and upper bound [...] of a figure from its draws [B, ...]."""
    return percentile(draws, LEVEL)


def fallen(labels: Array, support: NDArray[np.integer], family: int) -> NDArray[np.bool_]:
    """Which labels fall clearly [..., K]: the upper bound of their difference in F1 lies below 0.

    `labels` [B, ..., K] are differences on resamples, `support` [..., K] the texts that have the label: with fewer than
    `SUPPORT` it is not judged. `family` is the number of labels of all questions, for which the bound is corrected
    (Bonferroni): that any label is said to fall that did not has at most the probability that one has by itself.
    """
    upper = quantile(labels, 1 - (1 - LEVEL) / 2 / family)
    return (upper < 0) & (support >= SUPPORT)


def promotes(whole: Array, questions: Sequence[Array], falls: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether to promote [...], from lower bounds: of the whole, of each question, and whether any label falls."""
    fine = (whole > -WHOLE) & ~falls
    for lower in questions:
        fine &= lower > -QUESTION
    return fine


def keeps(whole: Array, questions: Sequence[Array], falls: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether the champion is clearly better [...], from upper bounds and whether any label falls."""
    worse = (whole < 0) | falls
    for upper in questions:
        worse |= upper < 0
    return worse


def wanted(n: int, delta: float, lower: float, margin: float) -> int | None:
    """About how many labels more than `n` bring the lower bound above -margin, if the difference stays `delta`.

    The distance from `delta` to its bound shrinks as 1 / sqrt(n). None where that would take more than `PATIENCE` times
    as many labels as there are: the difference is too low to be settled by more of them.
    """
    room = delta + margin
    if not room > 0:
        return None
    total = n * ((delta - lower) / room) ** 2
    return max(0, ceil((total - n) / 10) * 10) if total <= PATIENCE * n else None
