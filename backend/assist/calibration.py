"""How raw log-probabilities are read: one temperature a question, applied on reading and never stored into predictions.

Guo, Pleiss, Sun and Weinberger 2017, "On calibration of modern neural networks" (temperature scaling).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from backend.engines.protocol import Family


class CalibrationError(ValueError):
    """A calibration's parameters cannot be used."""


def temperatures(parameters: Mapping[str, Any] | None) -> dict[str, float]:
    """Question key -> temperature, of a calibration's parameters `{question key: {"temperature": 1.3}}`; empty without
    any.

    CalibrationError when one is not a number above zero.
    """
    found = {}
    for key, given in (parameters or {}).items():
        value = given.get("temperature") if isinstance(given, Mapping) else None
        if not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
            raise CalibrationError(
                f"The calibration of the question '{key}' has no temperature above zero. Calibrate the release again."
            )
        found[key] = float(value)
    return found


def calibrated(log_probabilities: Sequence[float], family: Family, temperature: float = 1.0) -> list[float]:
    """The log-probabilities [K] of one text at this temperature; 1 leaves them as they are, above 1 makes them less
    sure.
    """
    if temperature == 1.0:
        return list(log_probabilities)
    if family is Family.BERNOULLI:
        return [_log_sigmoid(_logit(x) / temperature) for x in log_probabilities]
    scaled = [x / temperature for x in log_probabilities]
    highest = max(scaled)
    total = highest + math.log(math.fsum(math.exp(x - highest) for x in scaled))
    return [x - total for x in scaled]


def _logit(log_p: float) -> float:
    """log p - log(1 - p); infinite where p is 0 or 1."""
    if log_p >= 0.0:
        return math.inf
    return log_p - math.log(-math.expm1(log_p))


def _log_sigmoid(x: float) -> float:
    return -math.log1p(math.exp(-x)) if x > 0 else x - math.log1p(math.exp(x))
