"""How far coders agree with each other on the blind gate texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backend.learning.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Agreed:
    """`texts`: coded by two or more; `coders`: who coded them. `percent`: share of pairs of coders that say the same.
    `alpha` is Krippendorff's at the question's `level` of measurement; `labels`: that of each label against the others.
    """

    level: str
    coders: int
    texts: int
    percent: Estimate
    alpha: Estimate
    labels: Mapping[str, Estimate]

def agreed(*a): ...
