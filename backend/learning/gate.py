"""The gate: whether a challenger takes the champion's place, from the blind gate labels (METHODS 5).

A paired bootstrap over texts. The challenger is promoted when it is surely not worse, the champion is kept when it is
surely better, and everything between is undecided, with the number of labels that would decide it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from backend.learning import gate_rule as rule
from backend.learning.gate_sentence import sentence
from backend.stats.bootstrap import resamples
from labelstudio_config.codebook import Kind

Outcome = Literal["promote", "keep", "undecided"]


@dataclass(frozen=True, slots=True)
class Compared:
    """One question's gate texts, with what people, the champion and the challenger say.

    `truth`, `champion` and `challenger` [n, K] mark the labels, in the order of `labels`: exactly one a text for single
    and ordinal questions, the latter's in ascending order. `clusters` [n]: texts with the same number are resampled
    together, across questions too, so that a text has one number in all of them.
    """

    question: str
    kind: Kind
    labels: tuple[str, ...]
    truth: NDArray[np.bool_]
    champion: NDArray[np.bool_]
    challenger: NDArray[np.bool_]
    clusters: NDArray[np.int64]

    def __post_init__(self) -> None:
        shape = (len(self.clusters), len(self.labels))
        for name in ("truth", "champion", "challenger"):
            marks = getattr(self, name)
            if marks.shape != shape:
                raise ValueError(f"'{self.question}': {name} has the shape {marks.shape}, not {shape}.")
            if self.kind in (Kind.SINGLE, Kind.ORDINAL) and not (marks.sum(axis=1) == 1).all():
                raise ValueError(f"'{self.question}': {name} has texts without exactly one label.")
        if self.kind is Kind.NUMBER:
            raise ValueError(f"'{self.question}' asks for a number; the gate compares labels only.")


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with the bounds of its interval at the gate's level."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Judged:
    """What the gate found for one question.

    `n` texts. `measure` is "macro F1" or "weighted kappa"; `macro_f1` has champion's and challenger's for any kind.
    `delta` is challenger minus champion. `fallen`: labels that fall clearly. `unjudged`: labels with too few texts for
    that. `disagreement`: share of texts on which the two differ. What cannot be computed is None.
    """

    question: str
    measure: str
    n: int
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
    what it is; None where none are needed or more would not help. `sentence` tells a person.
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
    sentence: str

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


def decide(compared: Sequence[Compared], *, look: int, seed: int) -> Decision:
    """Promote the challenger, keep the champion, or undecided. Equal arguments give equal decisions.

    `compared` holds the questions on which the two may differ, each once: one that both answer with the same scorer is
    left out, since it needs no labels to be judged. `look` counts from 1 the decisions made on these gate labels.
    """
    if not compared:
        raise ValueError("There is no question to compare champion and challenger on.")
    if look < 1:
        raise ValueError(f"Looks at the gate labels are counted from 1; this is {look}.")
    draws = _draws(compared, seed)
    family = max(1, sum(int((_support(one) >= rule.SUPPORT).sum()) for one in compared))
    judged = tuple(_judged(one, each, family) for one, each in zip(compared, draws, strict=True))
    whole = _figure(
        float(np.mean([one.delta.value for one in judged])), np.mean([each.delta for each in draws], axis=0)
    )
    outcome = _outcome(compared, whole, judged)
    decision = Decision(
        outcome=outcome,
        look=look,
        seed=seed,
        n=min(one.n for one in judged),
        delta=whole.value,
        lower=whole.lower,
        upper=whole.upper,
        questions=judged,
        needed=_needed(compared, whole, judged) if outcome == "undecided" else None,
        sentence="",
    )
    return replace(decision, sentence=sentence(decision))


def _draws(compared: Sequence[Compared], seed: int) -> list[rule.Drawn]:
    """Every question's figures on the same resamples of all clusters."""
    units = np.unique(np.concatenate([one.clusters for one in compared]))
    places = [np.searchsorted(units, one.clusters) for one in compared]
    blocks = [
        [
            rule.drawn(weights[:, place], one.kind, one.truth, one.champion, one.challenger)
            for one, place in zip(compared, places, strict=True)
        ]
        for weights in resamples(units, rule.DRAWS, seed)
    ]
    return [rule.joined([block[q] for block in blocks]) for q in range(len(compared))]


def _support(one: Compared) -> NDArray[np.intp]:
    """Clusters [K] with a text that has the label."""
    return np.array([len(np.unique(one.clusters[has])) for has in one.truth.T], dtype=np.intp)


def _figure(value: float, draws: NDArray[np.float64]) -> Figure:
    lower, upper = rule.bounds(draws)
    return Figure(value, float(lower), float(upper))


def _judged(one: Compared, each: rule.Drawn, family: int) -> Judged:
    all_once = np.ones((1, len(one.clusters)))
    point = rule.drawn(all_once, one.kind, one.truth, one.champion, one.challenger)
    nominal = rule.drawn(all_once, Kind.MULTIPLE, one.truth, one.champion, one.challenger)
    champion, challenger = float(point.champion[0]), float(point.challenger[0])
    fallen = rule.fallen(each.labels, _support(one), family)
    return Judged(
        question=one.question,
        measure="weighted kappa" if one.kind is Kind.ORDINAL else "macro F1",
        n=len(one.clusters),
        champion=_figure(champion, each.champion),
        challenger=_figure(challenger, each.challenger),
        delta=_figure(challenger - champion, each.delta),
        macro_f1=(float(nominal.champion[0]), float(nominal.challenger[0])),
        disagreement=float((one.champion != one.challenger).any(axis=1).mean()) if len(one.clusters) else 0.0,
        fallen=tuple(label for label, falls in zip(one.labels, fallen, strict=True) if falls),
        unjudged=tuple(label for label, n in zip(one.labels, _support(one), strict=True) if n < rule.SUPPORT),
    )


def _outcome(compared: Sequence[Compared], whole: Figure, judged: Sequence[Judged]) -> Outcome:
    if all(one.disagreement == 0 for one in judged):
        return "keep"
    if _missing(compared):
        return "undecided"
    falls = np.asarray(any(one.fallen for one in judged))
    if rule.promotes(np.asarray(whole.lower), [np.asarray(one.delta.lower) for one in judged], falls):
        return "promote"
    if rule.keeps(np.asarray(whole.upper), [np.asarray(one.delta.upper) for one in judged], falls):
        return "keep"
    return "undecided"


def _missing(compared: Sequence[Compared]) -> int:
    """Texts, or clusters of them, that the question with the fewest lacks to be judged."""
    return max(0, rule.TEXTS - min(len(np.unique(one.clusters)) for one in compared))


def _needed(compared: Sequence[Compared], whole: Figure, judged: Sequence[Judged]) -> int | None:
    missing = _missing(compared)
    if missing:
        return missing
    wanted = [rule.wanted(min(one.n for one in judged), whole.value, whole.lower, rule.WHOLE)]
    wanted += [rule.wanted(one.n, one.delta.value, one.delta.lower, rule.QUESTION) for one in judged]
    return None if None in wanted else max(n for n in wanted if n is not None)
