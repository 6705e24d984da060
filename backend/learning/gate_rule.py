"""The gate's rule in numbers: figures on resamples, their bounds, and what follows. Shared by the gate and its proof.

Arrays may have axes between the first and the last, such as repetitions of a simulation; a single comparison has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from backend.stats.bootstrap import percentile, quantile
from backend.stats.f1 import Array, Marks, Tally, confusion, f1, macro, tally_marks, weighted_kappa
from labelstudio_config.codebook import Kind

LEVEL = 0.90  # two-sided, so that 5 % lie beyond each bound
WHOLE = 0.01  # the whole may be this much worse, at its lower bound, and be promoted
QUESTION = 0.05  # a single question
SUPPORT = 10  # texts that a label needs to be judged by itself
TEXTS = 50  # texts, or clusters of them, that a question needs to be judged
DRAWS = 2000
DOUBT = 0.5  # imagined texts that the champion alone has right, and as many that the challenger alone has
PATIENCE = 10  # times the labels at hand that a person may be asked for

Weights = NDArray[np.floating]


def constants() -> dict[str, float]:
    """What the rates of the gate depend on."""
    return {"level": LEVEL, "whole": WHOLE, "question": QUESTION, "support": SUPPORT, "draws": DRAWS, "doubt": DOUBT}


@dataclass(frozen=True, slots=True)
class Drawn:
    """One question's differences, challenger minus champion, on B resamples.

    `delta` [B, ...] is that of the score, `doubt` included; `labels` [B, ..., K] that in F1 of every label, 0 where a
    resample does not hold it.
    """

    delta: Array
    labels: Array


def doubt(draws: int, k: int, seed: int) -> NDArray[np.float32]:
    """How often imagined texts of each label are in each resample, [2, draws, K]: won by the champion, the challenger.

    Resampling can only repeat what was seen, so that few texts on which the two differ give an interval that is too
    narrow: none at all when the challenger happened to lose nowhere. As Bonett & Price (2012, Journal of Educational
    and Behavioral Statistics 37(4)) do for a difference of paired proportions, a little is added to both sides, spread
    evenly over the labels, so that it weighs most where a label has few texts.
    """
    return np.random.default_rng([seed, 1]).poisson(DOUBT / k, size=(2, draws, k)).astype(np.float32)


def score(weights: Weights, kind: Kind, truth: Marks, predicted: Marks) -> Array:
    """Weighted kappa of an ordinal question, macro F1 of any other; [B, ...] for `weights` [B, n], marks [n, ..., K].

    Where ordinal, the marks have no axes between.
    """
    if kind is Kind.ORDINAL:
        return weighted_kappa(_confusion(weights, truth, predicted))
    return macro(f1(tally_marks(weights, truth, predicted)))


def drawn(weights: Weights, doubted: Weights, kind: Kind, truth: Marks, champion: Marks, challenger: Marks) -> Drawn:
    """The differences on resamples: `weights` [B, n], `doubted` [2, B, K], marks [n, ..., K]."""
    old, new = tally_marks(weights, truth, champion), tally_marks(weights, truth, challenger)
    labels = f1(new) - f1(old)
    labels[np.isnan(labels)] = 0.0
    if kind is Kind.ORDINAL:
        before = _doubtful(_confusion(weights, truth, champion), doubted[0], doubted[1])
        after = _doubtful(_confusion(weights, truth, challenger), doubted[1], doubted[0])
        return Drawn(weighted_kappa(after) - weighted_kappa(before), labels)
    lost, won = (one.reshape(len(weights), *(1,) * (labels.ndim - 2), -1) for one in doubted)
    return Drawn(macro(f1(_with(new, won, lost))) - macro(f1(_with(old, lost, won))), labels)


def _with(counted: Tally, right: Weights, wrong: Weights) -> Tally:
    return Tally(counted.both + right, counted.predicted + right, counted.actual + right + wrong)


def _doubtful(matrix: Array, right: Weights, wrong: Weights) -> Array:
    """Confusions [B, K, K] with the imagined texts [B, K]; one that is wrong has the label beside the true one."""
    k = matrix.shape[-1]
    true = np.arange(k)
    beside = np.where(true + 1 < k, true + 1, np.maximum(true - 1, 0))
    matrix = matrix.copy()
    matrix[:, true, true] += right
    matrix[:, true, beside] += wrong
    return matrix


def _confusion(weights: Weights, truth: Marks, predicted: Marks) -> Array:
    return confusion(truth.argmax(axis=1), predicted.argmax(axis=1), truth.shape[1], weights)


def bounds(draws: Array) -> tuple[Array, Array]:
    """Lower and upper bound [...] of a figure from its draws [B, ...]."""
    return percentile(draws, LEVEL)


def fallen(labels: Array, support: NDArray[np.integer], family: int) -> NDArray[np.bool_]:
    """Which labels fall clearly [..., K]: the upper bound of their difference in F1 lies below 0.

    `labels` [B, ..., K] are differences on resamples, `support` [..., K] the texts that have the label: with fewer than
    `SUPPORT` it is not judged. `family` is the number of labels judged in all questions, for which the bound is
    corrected (Bonferroni): that any label is said to fall that did not has at most the probability one has by itself.
    """
    upper = quantile(labels, 1 - (1 - LEVEL) / 2 / family)
    return (upper < 0) & (support >= SUPPORT)


def promotes(whole: Array, questions: Sequence[Array], falls: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether to promote [...], from lower bounds of the whole and of each question, and whether any label falls."""
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
