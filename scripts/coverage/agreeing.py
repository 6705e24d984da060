"""How far coders agree: the product's own estimates of it, in every world."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from backend.learning.agreed import AC1, ALPHA, COHEN, FLEISS, by_label, coefficients, percentage
from backend.stats.agreement import Level, Ratings, alpha, percent
from backend.stats.f1 import Array
from backend.stats.kappa import ac1, cohen, fleiss
from scripts.coverage.cells import ALIKE, Cell, Check, Sample, Shown, shown

PERCENT, LABEL = "percent agreement", "alpha of the first label"
CALLED: Mapping[Level, Mapping[str, str]] = {  # the product's coefficients, as they are called here
    "nominal": {ALPHA: "alpha, nominal", COHEN: "Cohen's kappa", FLEISS: "Fleiss' kappa", AC1: "Gwet's AC1"},
    "ordinal": {ALPHA: "alpha, ordinal", COHEN: "Cohen's kappa, quadratic"},
    "interval": {ALPHA: "alpha, interval"},
}
FIGURES: Mapping[str, Callable[[Ratings, Array, int], Array]] = {
    PERCENT: lambda given, weights, _: percent(given, weights),
    "alpha, nominal": lambda given, weights, _: alpha(given, "nominal", weights),
    "Cohen's kappa": lambda given, weights, _: cohen(given, weights),
    "Fleiss' kappa": lambda given, weights, _: fleiss(given, weights),
    "Gwet's AC1": ac1,
    "alpha, ordinal": lambda given, weights, _: alpha(given, "ordinal", weights),
    "Cohen's kappa, quadratic": lambda given, weights, _: cohen(given, weights, 2),
    "alpha, interval": lambda given, weights, _: alpha(given, "interval", weights),
    LABEL: lambda given, weights, _: alpha(first(given), "nominal", weights),
}


def truths(cell: Cell, sample: Sample) -> dict[str, float]:
    given = twice(sample)
    once = np.ones((1, given.shape[1]))
    names = [
        name for level in levels(cell) for name in CALLED[level].values() if cell.coders == 2 or "Cohen" not in name
    ]
    return {name: float(FIGURES[name](given, once, cell.labels)[0]) for name in (PERCENT, *names, LABEL)}


def found(cell: Cell, sample: Sample, seed: int) -> dict[str, Shown | None]:
    """What the product would show of texts that are coded twice; texts coded once are drawn with them and say nothing.

    That way all repetitions of a cell have the same clusters, which are resampled once.
    """
    given, seed = twice(sample), seed // ALIKE
    told = {PERCENT: shown(percentage(given, sample.groups))}
    for level in levels(cell):
        each = coefficients(given, level, sample.groups, seed, cell.labels)
        told |= {CALLED[level][name]: shown(figure) for name, figure in each.items()}
    if cell.labels > 2:
        marks = np.where(np.isnan(given)[..., None], np.nan, given[..., None] == np.arange(cell.labels))
        told[LABEL] = shown(by_label(marks, sample.groups, seed)[0])
    else:
        told[LABEL] = told[CALLED["nominal"][ALPHA]]
    return told


def twice(sample: Sample) -> Ratings:
    """Ratings [coders, n] without those of texts that only one coder rated."""
    return np.where((~np.isnan(sample.ratings)).sum(axis=0) > 1, sample.ratings, np.nan)


def first(given: Ratings) -> NDArray[np.float64]:
    return np.where(np.isnan(given), np.nan, given == 0)


def levels(cell: Cell) -> tuple[Level, ...]:
    return ("nominal", "ordinal", "interval") if cell.labels > 2 else ("nominal",)


CHECK = Check(tuple(FIGURES), truths, found)
