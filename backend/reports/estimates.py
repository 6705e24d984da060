"""Estimates in few characters: a figure with its interval, in the unit that its measure is read in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from backend.learning.estimate import Estimate
from backend.learning.measured import MACRO

NOBODY = "–"
PERCENT, ALPHA, DIFFERENCE = "percent", "alpha", "difference"
POINTS = (MACRO, PERCENT, DIFFERENCE)  # shown as points of 100, all else as it is


def shown(figure: Estimate, measure: str) -> str:
    """'74.2 [67.1, 80.3]', '0.71 [0.63, 0.78]', or a dash where there is no figure."""
    values = (figure.value, figure.lower, figure.upper)
    if None in values:
        return NOBODY
    point, lower, upper = (number(value, measure) for value in values if value is not None)
    return f"{point} [{lower}, {upper}]"


def shown_or_why(figure: Estimate, measure: str) -> str:
    return figure.missing if figure.value is None else shown(figure, measure)


def number(value: float, measure: str) -> str:
    """'74.2', '0.71', '+4.1' for a difference; what rounds to nothing has no sign."""
    value, digits = (100 * value, 1) if measure in POINTS else (value, 2)
    rounded = round(value, digits) or 0.0
    return f"{rounded:+.{digits}f}" if measure == DIFFERENCE and rounded else f"{rounded:.{digits}f}"


def listed(counts: Mapping[str, int]) -> str:
    """'joy 310, anger 205', in the order given."""
    return ", ".join(f"{name} {n:,}" for name, n in counts.items()) or "none"


def reasons(figures: Iterable[tuple[str, Estimate]]) -> tuple[str, ...]:
    """A sentence for each, by name, that has no figure."""
    return tuple(f"{name}: {figure.missing}" for name, figure in figures if figure.value is None)
