"""How well labels fit those that people accepted on blind texts, by the question's level of measurement (METHODS 5).

Single and multiple choice: macro F1. Ordinal: quadratically weighted kappa, macro F1, and the mean error in steps.
`scored(kind, truth, predicted, clusters, seed)` gives these and the F1 of each label,
`precision_and_recall(truth, predicted, clusters)` those of each label.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.learning.estimate import FEW, Estimate, estimated, proportion, too_few
from backend.stats import interval
from backend.stats.f1 import Array, Marks, confusion, f1, macro, ratio, tally_marks, weighted_kappa
from backend.stats.interval import bootstrapped, groups, proportions
from backend.stats.promise import Ground
from labelstudio_config.codebook import Kind, Question

MACRO, KAPPA, STEPS = "macro F1", "weighted kappa", "mean error in steps"
MEASURES = {Kind.SINGLE: (MACRO,), Kind.MULTIPLE: (MACRO,), Kind.ORDINAL: (KAPPA, MACRO, STEPS), Kind.NUMBER: ()}
DRAWS = interval.DRAWS

Predicted = Marks | str  # which labels [n, K] each text gets, or the reason why there are none
Figured = Callable[[NDArray[np.floating], Marks, Marks], Array]  # weights [B, n], truth, predicted [n, K] -> [B]


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of one question, for each of those who labelled the gate texts, and for a coder whom the others are
    the yardstick of (`ceiling`).
    """

    name: str
    scores: Mapping[str, Estimate]
    ceiling: Estimate


@dataclass(frozen=True, slots=True)
class LabelScores:
    """F1 of one label; `support` texts have it."""

    label: str
    support: int
    f1: Mapping[str, Estimate]


def figures(kind: Kind, weights: NDArray[np.floating], truth: Marks, predicted: Marks) -> dict[str, Array]:
    """Measure -> figure [B] on resamples `weights` [B, n] of texts with labels [n, K]."""
    return {name: _FIGURES[name](weights, truth, predicted) for name in MEASURES[kind]}


def compared(
    question: Question,
    truth: Marks,
    said: Mapping[str, Predicted],
    clusters: NDArray[np.int64],
    people: Mapping[str, Estimate],
    seed: int,
) -> tuple[tuple[Measure, ...], tuple[LabelScores, ...]]:
    """Every measure and every label's F1, for each who labelled the gate texts; `people`: measure -> ceiling."""
    names, n = MEASURES[question.kind], len(truth)
    whole: dict[str, dict[str, Estimate]] = {name: {} for name in names}
    each: list[dict[str, Estimate]] = [{} for _ in question.labels]
    for who, predicted in said.items():
        if isinstance(predicted, str):
            missing = Estimate(n, missing=predicted)
            found, by_label = dict.fromkeys(names, missing), [missing] * len(question.labels)
        else:
            found, by_label = scored(question.kind, truth, predicted, clusters, seed)
        for name in names:
            whole[name][who] = found[name]
        for column, figure in zip(each, by_label, strict=True):
            column[who] = figure
    support = [int(m) for m in truth.sum(axis=0)]
    labels = zip(question.label_ids, support, each, strict=True)
    return (
        tuple(Measure(name, whole[name], people[name]) for name in names),
        tuple(LabelScores(label, m, figures) for label, m, figures in labels),
    )


def scored(
    kind: Kind, truth: Marks, predicted: Marks, clusters: NDArray[np.int64], seed: int, unit: str = "texts"
) -> tuple[dict[str, Estimate], list[Estimate]]:
    """Measure -> its estimate, and F1 of every label.

    `truth` and `predicted` [n, K], `clusters` [n]: texts with the same number are resampled together. A label that
    fewer than `FEW` texts have gets no figure of its own. `unit`: what the n rows are called in a reason.
    """
    n, support, names = len(truth), truth.sum(axis=0), MEASURES[kind]
    if n < FEW:
        return dict.fromkeys(names, Estimate(n, missing=too_few(n))), [
            Estimate(int(m), missing=too_few(int(m))) for m in support
        ]

    def figure(weights: NDArray[np.floating]) -> Array:
        each = f1(tally_marks(weights, truth, predicted))
        whole = (macro(each) if name == MACRO else _FIGURES[name](weights, truth, predicted) for name in names)
        return np.column_stack([*whole, each])

    found = bootstrapped(figure, clusters, seed)
    there, having = len(np.unique(clusters)), [groups(clusters, column) for column in truth.T]
    measures = {
        name: estimated(one, Ground(n, there, *_telling(name, truth, predicted, clusters), unit, name != STEPS))
        for name, one in zip(names, found, strict=False)
    }
    by_label = zip(found[len(names) :], support.tolist(), having, strict=True)
    return measures, [
        estimated(one, Ground(n, there, have, "have the label", unit)) if m >= FEW else Estimate(m, missing=too_few(m))
        for one, m, have in by_label
    ]


def _telling(name: str, truth: Marks, predicted: Marks, clusters: NDArray[np.int64]) -> tuple[int, str]:
    """The number of groups that a measure turns on, and what they have."""
    if name == STEPS:
        return groups(clusters, (truth != predicted).any(axis=1)), "are off by a step or more"
    if name == KAPPA:
        return groups(clusters, ~truth[:, truth.sum(axis=0).argmax()]), "have another label than the commonest"
    occurring = np.flatnonzero((truth | predicted).any(axis=0))  # macro F1 is over these
    return min((groups(clusters, truth[:, k]) for k in occurring), default=0), "have the rarest label"


def precision_and_recall(
    truth: Marks, predicted: Marks, clusters: NDArray[np.int64]
) -> tuple[list[Estimate], list[Estimate]]:
    """Of every label: which share of the texts that got it have it, and which share of those that have it got it.

    Arguments as in `scored`; `n` of an estimate are the texts that the share is of.
    """
    both = truth & predicted
    return _shares(both, predicted, clusters), _shares(both, truth, clusters)


def _shares(both: Marks, of: Marks, clusters: NDArray[np.int64]) -> list[Estimate]:
    found = proportions(both, of, clusters)
    return [
        proportion(one, int(column.sum()), groups(clusters, column)) for one, column in zip(found, of.T, strict=True)
    ]


def _macro(weights: NDArray[np.floating], truth: Marks, predicted: Marks) -> Array:
    return macro(f1(tally_marks(weights, truth, predicted)))


def _kappa(weights: NDArray[np.floating], truth: Marks, predicted: Marks) -> Array:
    return weighted_kappa(confusion(truth.argmax(axis=1), predicted.argmax(axis=1), truth.shape[1], weights))


def _steps(weights: NDArray[np.floating], truth: Marks, predicted: Marks) -> Array:
    apart = np.abs(truth.argmax(axis=1) - predicted.argmax(axis=1)).astype(np.float64)
    return ratio(weights @ apart, weights.sum(axis=-1))


_FIGURES: dict[str, Figured] = {MACRO: _macro, KAPPA: _kappa, STEPS: _steps}
