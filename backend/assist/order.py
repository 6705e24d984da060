"""In which order coders should see texts: Label Studio's uncertainty sampling serves the lowest score first.

Control texts come first, in the order they were drawn; then work texts, those the model is least sure of before the
others. Audit texts have no place here: they are coded without suggestions, in a Label Studio project of their own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backend.engines.protocol import Family

POLICY = "control-uncertain-1"  # part of a release's name: change it with the scores
WORK, LAST = 0.1, 0.9  # control texts lie in [0, 0.1), work texts in [0.1, 0.9]
NOWHERE = 1.0  # the score of what gets no suggestion


def order_score(stream: str, rank: int | None, margins: Sequence[float]) -> float:
    """Place in the order, 0 (first) to 1.

    `stream` is 'control' or 'work', `rank` the text's rank in its permutation, `margins` one `margin` for each question
    that was scored.
    """
    if stream == "control":
        return WORK * (1.0 - 1.0 / ((rank or 0) + 1))
    certain = math.fsum(margins) / len(margins) if margins else 1.0
    return WORK + (LAST - WORK) * certain


def margin(log_probabilities: Sequence[float] | NDArray[np.float64], family: Family) -> float:
    """How sure a question's answer is, 0 to 1, from its log-probabilities [K]; see `margin_of`."""
    return margin_of(probabilities(log_probabilities), family)


def margin_of(p: Sequence[float], family: Family) -> float:
    """The best label's probability minus the second's; where each label is true or not, the smallest distance over the
    labels between being true and not. `p` is [K]."""
    if family is Family.BERNOULLI:
        return min([abs(2.0 * x - 1.0) for x in p])
    if len(p) == 1:
        return p[0]
    best, second = sorted(p)[:-3:-1]
    return best - second


def probabilities(log_probabilities: Sequence[float] | NDArray[np.float64]) -> list[float]:
    """The probabilities [K]; rounding may have left a log-probability just above zero."""
    return [math.exp(x) if x < 0.0 else 1.0 for x in log_probabilities]
