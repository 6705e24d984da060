"""A number that a scientist is shown: with its bounds and the texts behind it, or with the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan

from backend.stats import interval, promise
from backend.stats.interval import Interval
from backend.stats.promise import Ground

LEVEL = interval.LEVEL  # of the intervals on cards and curves; the gate's own are its own
FEW = promise.FEW  # texts below which a figure is not shown
ALIKE = "undefined: all answers are alike"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure on `n` texts between its bounds at `LEVEL`.

    Where the bounds are None though there is a value, `missing` says why they are withheld; where the value is None,
    why there is none.
    """

    n: int
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    missing: str = ""


def estimated(found: Interval, ground: Ground) -> Estimate:
    """A figure with the bounds that a bootstrap gave it, or without where they would not hold."""
    return _shown(found, ground.texts, promise.withheld(found, ground))


def proportion(found: Interval, texts: int, groups: int, kind: str = "texts") -> Estimate:
    """A proportion of things in `texts` texts of `groups` groups, with its bounds unless they are far apart."""
    return _shown(found, texts, promise.withheld_proportion(found, texts, groups, kind))


def _shown(found: Interval, n: int, withheld: str) -> Estimate:
    """Only the reason where the figure is one of fewer than `FEW` texts, or undefined (NaN)."""
    if n < FEW:
        return Estimate(n, missing=too_few(n))
    if isnan(found.value):
        return Estimate(n, missing=ALIKE)
    if withheld:
        return Estimate(n, found.value, missing=withheld)
    return Estimate(n, found.value, found.lower, found.upper)


def too_few(n: int) -> str:
    return f"too few: {n} of at least {FEW} texts"
