"""The learning curve of a project: what its runs came to on the gate texts, by the labels that each learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from backend.learning.card import Part
from backend.learning.cards import Kept
from backend.learning.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Point:
    """A run on one question.

    `labels`: texts that it learned from. `scores`: who of `card.WHO` -> figure on the gate texts as they were then;
    `ceiling`: a coder's, with the others as the yardstick. `served`: the challenger was the project's release.
    """

    run: int
    date: datetime
    labels: int
    scores: Mapping[str, Estimate]
    ceiling: Estimate
    outcome: str
    served: bool


@dataclass(frozen=True, slots=True)
class Line:
    """The runs of one question, the oldest first, by the measure that the gate decides by."""

    question: str
    name: str
    measure: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """A line a question; none where no run has learned from labels of it."""

    project: str
    lines: tuple[Line, ...]


def curve(project: str, runs: Sequence[Kept]) -> Curve:
    """The curve of a project's kept cards, given the oldest first.

    A question is named as in its newest card. Runs that learned nothing of a question are no points of it.
    """
    found: dict[str, list[tuple[Part, Point]]] = {}
    for one in runs:
        for part in one.card.questions:
            if part.used is not None and part.measures:
                found.setdefault(part.question, []).append((part, _point(one, part, part.used.texts)))
    lines = (
        Line(key, pairs[-1][0].name, pairs[-1][0].measures[0].name, tuple(point for _, point in pairs))
        for key, pairs in found.items()
    )
    return Curve(project, tuple(lines))


def _point(one: Kept, part: Part, labels: int) -> Point:
    facts, measure = one.card.facts, part.measures[0]
    outcome = one.card.decision.outcome
    return Point(facts.run, facts.date, labels, measure.scores, measure.ceiling, outcome, one.served)
