"""The gate: whether a challenger takes the champion's place, from the blind gate labels (METHODS 5).

A paired bootstrap over texts. The challenger is promoted when it is surely not worse, the champion is kept when it is
surely better, and everything between is undecided, with the number of labels that would decide it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from backend.learning import gate_rule as rule
from backend.learning.decision import Decision, Figure, Judged, Outcome, identical, missing
from backend.learning.gate_sentence import sentence
from backend.learning.rates import rates
from backend.stats.bootstrap import resamples
from labelstudio_config.codebook import Kind

__all__ = ["Compared", "Decision", "decide"]


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
    deltas = np.mean([each.differences.delta for each in draws], axis=0)
    whole = _figure(float(np.mean([one.delta.value for one in judged])), deltas)
    outcome = _outcome(whole, judged)
    differ = float(np.mean([one.disagreement for one in judged]))
    decision = Decision(
        outcome=outcome,
        look=look,
        seed=seed,
        n=min(one.n for one in judged),
        delta=whole.value,
        lower=whole.lower,
        upper=whole.upper,
        questions=judged,
        needed=_needed(whole, judged) if outcome == "undecided" else None,
        rates=None if missing(judged) else rates(min(one.clusters for one in judged), differ, look),
        sentence="",
    )
    return replace(decision, sentence=sentence(decision))


@dataclass(frozen=True, slots=True)
class _Draws:
    """One question's figures on the resamples: both scores [B], and the differences."""

    champion: NDArray[np.float64]
    challenger: NDArray[np.float64]
    differences: rule.Drawn


def _draws(compared: Sequence[Compared], seed: int) -> list[_Draws]:
    """Every question's figures on the same resamples of all clusters."""
    units = np.unique(np.concatenate([one.clusters for one in compared]))
    weights = np.concatenate(list(resamples(units, rule.DRAWS, seed)))
    made = []
    for q, one in enumerate(compared):
        ours = weights[:, np.searchsorted(units, one.clusters)]
        doubted = rule.doubt(rule.DRAWS, len(one.labels), seed + q)
        made.append(
            _Draws(
                rule.score(ours, one.kind, one.truth, one.champion),
                rule.score(ours, one.kind, one.truth, one.challenger),
                rule.drawn(ours, doubted, one.kind, one.truth, one.champion, one.challenger),
            )
        )
    return made


def _support(one: Compared) -> NDArray[np.intp]:
    """Clusters [K] with a text that has the label."""
    return np.array([len(np.unique(one.clusters[has])) for has in one.truth.T], dtype=np.intp)


def _figure(value: float, draws: NDArray[np.float64]) -> Figure:
    lower, upper = rule.bounds(draws)
    return Figure(value, float(lower), float(upper))


def _judged(one: Compared, each: _Draws, family: int) -> Judged:
    once = np.ones((1, len(one.clusters)))
    champion, challenger = (
        float(rule.score(once, one.kind, one.truth, marks)[0]) for marks in (one.champion, one.challenger)
    )
    old, new = (float(rule.score(once, Kind.MULTIPLE, one.truth, marks)[0]) for marks in (one.champion, one.challenger))
    fallen = rule.fallen(each.differences.labels, _support(one), family)
    return Judged(
        question=one.question,
        measure="weighted kappa" if one.kind is Kind.ORDINAL else "macro F1",
        n=len(one.clusters),
        clusters=len(np.unique(one.clusters)),
        champion=_figure(champion, each.champion),
        challenger=_figure(challenger, each.challenger),
        delta=_figure(challenger - champion, each.differences.delta),
        macro_f1=(old, new),
        disagreement=float((one.champion != one.challenger).any(axis=1).mean()) if len(one.clusters) else 0.0,
        fallen=tuple(label for label, falls in zip(one.labels, fallen, strict=True) if falls),
        unjudged=tuple(label for label, n in zip(one.labels, _support(one), strict=True) if n < rule.SUPPORT),
    )


def _outcome(whole: Figure, judged: Sequence[Judged]) -> Outcome:
    if identical(judged):
        return "keep"
    if missing(judged) or np.isnan(whole.value):
        return "undecided"
    falls = np.asarray(any(one.fallen for one in judged))
    if rule.promotes(np.asarray(whole.lower), [np.asarray(one.delta.lower) for one in judged], falls):
        return "promote"
    if rule.keeps(np.asarray(whole.upper), [np.asarray(one.delta.upper) for one in judged], falls):
        return "keep"
    return "undecided"


def _needed(whole: Figure, judged: Sequence[Judged]) -> int | None:
    if missing(judged):
        return missing(judged)
    wanted = [rule.wanted(min(one.n for one in judged), whole.value, whole.lower, rule.WHOLE)]
    wanted += [rule.wanted(one.n, one.delta.value, one.delta.lower, rule.QUESTION) for one in judged]
    return None if None in wanted else max(n for n in wanted if n is not None)
