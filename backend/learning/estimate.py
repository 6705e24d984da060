"""A number that a scientist is shown: with its bounds and the texts behind it, or with the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan

LEVEL = 0.95  # of the intervals on cards and curves; the gate's own are its own
FEW = 10  # texts below which a figure is not shown
ALIKE = "undefined: all answers are alike"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure on `n` texts between its bounds at `LEVEL`; or None, and `missing` says why."""

    n: int
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    missing: str = ""


def estimated(n: int, value: float, lower: float, upper: float) -> Estimate:
    """The figure with its bounds; only the reason where it is one of fewer than `FEW` texts, or undefined (NaN)."""
    if n < FEW:
        return Estimate(n, missing=too_few(n))
    if isnan(value):
        return Estimate(n, missing=ALIKE)
    return Estimate(n, float(value), float(lower), float(upper))


def too_few(n: int) -> str:
    return f"too few: {n} of at least {FEW} texts"
