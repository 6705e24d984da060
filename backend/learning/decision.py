"""What the gate decided, with every number that it decided by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from backend.learning import gate_rule as rule
from backend.learning.rates import Rates

Outcome = Literal["promote", "keep", "undecided"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with the bounds of its interval at the gate's level."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Judged:
    """What the gate found for one question.

    `n` texts, in `clusters` that are resampled whole. `measure` is "macro F1" or "weighted kappa", and `macro_f1` has
    champion's and challenger's for any kind. `delta` is challenger minus champion. `disagreement`: share of texts on
    which the two differ. `fallen`: labels that fall clearly. `unjudged`: labels with too few texts for that. What
    cannot be computed is NaN.
    """

    question: str
    measure: str
    n: int
    clusters: int
    champion: Figure
    challenger: Figure
    delta: Figure
    macro_f1: tuple[float, float]
    disagreement: float
    fallen: tuple[str, ...]
    unjudged: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the gate says of a challenger, at the `look`-th look at these labels.

    `n`: texts of the question that has the fewest. `delta`, `lower`, `upper`: challenger minus champion, mean over the
    questions, with its 90 % interval. `needed`: about how many more gate labels would decide, if the difference stays
    what it is; None where none are needed or more would not help. `rates`: how often a gate like this promotes; None
    where it cannot. `sentence` tells a person.
    """

    outcome: Outcome
    look: int
    seed: int
    n: int
    delta: float
    lower: float
    upper: float
    questions: tuple[Judged, ...]
    needed: int | None
    rates: Rates | None
    sentence: str

    @property
    def identical(self) -> bool:
        """Whether both give the same answers throughout."""
        return identical(self.questions)

    @property
    def too_few(self) -> bool:
        """Whether a question has too few gate texts, or clusters of them, to be judged."""
        return missing(self.questions) > 0

    def plain(self) -> dict[str, Any]:
        """A dictionary that JSON can hold: NaN is None."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain | {"level": rule.LEVEL, "draws": rule.DRAWS}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def missing(judged: Sequence[Judged]) -> int:
    """Texts, or clusters of them, that the question with the fewest lacks to be judged."""
    return max(0, rule.TEXTS - min(one.clusters for one in judged))


def identical(judged: Sequence[Judged]) -> bool:
    """Whether champion and challenger give the same answers to every text of every question."""
    return all(one.n > 0 and one.disagreement == 0 for one in judged)
