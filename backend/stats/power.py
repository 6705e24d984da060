"""What two random samples of given sizes can tell apart: the power of a comparison of two shares."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

LEVEL = 0.95
POWER = 0.8


def smallest_difference(n: int, m: int, base: float, *, level: float = LEVEL, power: float = POWER) -> float | None:
    """The smallest rise above `base`, the share among n texts, that m other texts show with this power.

    Both samples are random and of their own texts; the test is two-sided at 1 - `level`. None where even a share of 1
    would not be told from `base`.
    """
    if n <= 0 or m <= 0 or not _told(n, m, base, 1 - base, level, power):
        return None
    low, high = 0.0, 1 - base
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if _told(n, m, base, middle, level, power) else (middle, high)
    return high


def needed(difference: float, base: float, ratio: float = 1.0, *, level: float = LEVEL, power: float = POWER) -> float:
    """How many texts show this rise above `base` with this power, beside `ratio` times as many others.

    The larger of two common formulas (Fleiss, Levin & Paik 2003, Statistical Methods for Rates and Proportions,
    chapter 4): with the variance under equality for the test and the other for its power, and with the latter for both,
    as an interval of the difference has it.
    """
    alpha, beta = NormalDist().inv_cdf((1 + level) / 2), NormalDist().inv_cdf(power)
    other = base + difference
    pooled = (base + ratio * other) / (1 + ratio)
    equal = (1 + 1 / ratio) * pooled * (1 - pooled)
    apart = base * (1 - base) + other * (1 - other) / ratio
    return max((alpha * sqrt(equal) + beta * sqrt(apart)) ** 2, (alpha + beta) ** 2 * apart) / difference**2


def _told(n: int, m: int, base: float, difference: float, level: float, power: float) -> bool:
    return difference > 0 and needed(difference, base, m / n, level=level, power=power) <= n
