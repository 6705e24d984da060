"""A number that a scientist is shown: with its bounds and the texts behind it, or with the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.stats.bootstrap import percentile

LEVEL = 0.95  # of the intervals on cards and curves; the gate's own are its own
FEW = 10  # texts below which a figure is not shown


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure on `n` texts between its bounds at `LEVEL`; or None, and `missing` says why."""

    n: int
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    missing: str = ""


def estimated(point: float, draws: NDArray[np.floating], n: int) -> Estimate:
    """The figure `point` with the percentile interval of its bootstrap `draws` [B]. Draws without a value are left
    out; of fewer than `FEW` texts, and where the figure itself is undefined (NaN), only the reason is given.
    """
    if n < FEW:
        return Estimate(n, missing=too_few(n))
    if np.isnan(point):
        return Estimate(n, missing="undefined: these texts do not differ")
    lower, upper = percentile(draws, LEVEL)
    return Estimate(n, float(point), float(lower), float(upper))


def too_few(n: int) -> str:
    return f"too few: {n} of at least {FEW} texts"
