"""What two random samples of given sizes can tell apart: the power of a comparison of two shares."""

from __future__ import annotations

from backend.stats.anchoring import needed

LEVEL = 0.95
POWER = 0.8


def smallest_difference(n: int, m: int, base: float, *, level: float = LEVEL, power: float = POWER) -> float | None:
    """The smallest rise above `base`, the share among n texts, that m other texts show with this power.

    Both samples are random and of their own texts; the test is two-sided at 1 - `level`. None where even a share of 1
    would not be told from `base`.
    """
    if n <= 0 or m <= 0 or not _told(n, m, base, 1 - base - 1e-9, level, power):
        return None
    low, high = 0.0, 1 - base
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if _told(n, m, base, middle, level, power) else (middle, high)
    return high


def _told(n: int, m: int, base: float, difference: float, level: float, power: float) -> bool:
    enough = needed(base, difference, ratio=m / n, power=power, level=level)
    return enough is not None and enough <= n
