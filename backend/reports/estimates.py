"""Numbers in few characters, in the unit that they are read in; a figure with its interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from backend.findings.report import Unit
from backend.learning.estimate import Estimate
from backend.learning.measured import KAPPA, MACRO, STEPS

NOBODY = "–"
MEASURED: Mapping[str, Unit] = {MACRO: "share", KAPPA: "coefficient", STEPS: "steps"}
SPOKEN: Mapping[Unit, str] = {"share": "%", "difference": "points", "steps": "steps", "seconds": "s"}  # in a head
_DIGITS: Mapping[Unit, int] = {"share": 1, "difference": 1, "coefficient": 2, "count": 0, "steps": 2, "seconds": 1}


def shown(figure: Estimate, unit: Unit) -> str:
    """'74.2 [67.1, 80.3]', '74.2' where the interval is withheld, or a dash where there is no figure."""
    return f"{_value(figure, unit)} {bounds(figure, unit)}".rstrip()


def _value(figure: Estimate, unit: Unit) -> str:
    return NOBODY if figure.value is None else number(figure.value, unit)


def bounds(figure: Estimate, unit: Unit) -> str:
    """'[67.1, 80.3]', or '' where there is no interval."""
    if figure.value is None or figure.lower is None or figure.upper is None:
        return ""
    return f"[{number(figure.lower, unit)}, {number(figure.upper, unit)}]"


def shown_or_why(figure: Estimate, unit: Unit) -> str:
    if figure.value is None:
        return figure.missing
    return f"{shown(figure, unit)} ({figure.missing})" if figure.missing else shown(figure, unit)


def number(value: float, unit: Unit) -> str:
    """'74.2' per cent, '0.71', '+4.1' points of difference, '1,200' texts; what rounds to nothing has no sign."""
    if unit == "number":
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    if unit in ("share", "difference"):
        value = 100 * value
    digits = _DIGITS[unit]
    rounded = round(value, digits) or 0.0
    return f"{rounded:+,.{digits}f}" if unit == "difference" and rounded else f"{rounded:,.{digits}f}"


def listed(counts: Mapping[str, int]) -> str:
    """'joy 310, anger 205', in the order given."""
    return ", ".join(f"{name} {n:,}" for name, n in counts.items()) or "none"


def reasons(figures: Iterable[tuple[str, Estimate]]) -> tuple[str, ...]:
    """What figures lack, or their intervals: a sentence for each reason, behind the names that it holds for."""
    names: dict[str, dict[str, None]] = {}
    for name, figure in figures:
        if figure.missing:
            names.setdefault(figure.missing, {})[name] = None
    return tuple(f"{', '.join(found)}: {reason}" for reason, found in names.items())
