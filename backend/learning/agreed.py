"""How far coders agree with each other on the blind gate texts, at the question's level of measurement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from backend.learning.estimate import FEW, LEVEL, Estimate, estimated, too_few
from backend.learning.vote import Vote
from backend.stats.agreement import Level, agreement
from backend.stats.f1 import Array
from labelstudio_config.codebook import Kind, Question

LEVELS: dict[Kind, Level] = {
    Kind.SINGLE: "nominal",
    Kind.MULTIPLE: "nominal",
    Kind.ORDINAL: "ordinal",
    Kind.NUMBER: "interval",
}
Votes = Mapping[int, Sequence[Vote]]  # text id -> one vote a coder


@dataclass(frozen=True, slots=True)
class Agreed:
    """Of `texts` that two or more of `coders` coded, before anything was adjudicated.

    `percent`: share of pairs of answers to a text that are equal. `alpha`: Krippendorff's, at `level`; in a multiple
    choice two answers are equal when all their labels are. `labels`: alpha of each label against all others; none where
    there are two labels that exclude each other, since it would be the same.
    """

    level: Level
    coders: int
    texts: int
    percent: Estimate
    alpha: Estimate
    labels: Mapping[str, Estimate]


def agreed(question: Question, votes: Votes, clusters: Mapping[int, int], seed: int) -> Agreed:
    """The agreement of coders on one question; `clusters` as in `card.build`."""
    twice = {text: cast for text, cast in sorted(votes.items()) if len(cast) > 1}
    n, level = len(twice), LEVELS[question.kind]
    seats = {seat for cast in twice.values() for seat in _seats(cast)}
    ties = np.array([clusters.get(text, text) for text in twice], dtype=np.int64)

    def both(level: Level, value: Callable[[Vote], float]) -> tuple[Estimate, Estimate]:
        if n < FEW:
            return Estimate(n, missing=too_few(n)), Estimate(n, missing=too_few(n))
        found = agreement(_ratings(twice, value), level, seed=seed, clusters=ties, confidence=LEVEL)
        return estimated(n, *found.percent), estimated(n, *found.alpha)

    percent, alpha = both(level, _values(question, twice))
    several = len(question.labels) > 2 or question.kind is Kind.MULTIPLE
    labels = {}
    for label in question.label_ids if several else ():
        given = sum(any(label in vote.labels for vote in cast) for cast in twice.values())
        found = both("nominal", lambda vote, label=label: float(label in vote.labels))[1]  # type: ignore[misc]
        labels[label] = found if given >= FEW else Estimate(given, missing=too_few(given))
    return Agreed(level, len(seats), n, percent, alpha, labels)


def _values(question: Question, votes: Votes) -> Callable[[Vote], float]:
    """What a vote is as a number: the measurement, the place of its label, or a number for its set of labels."""
    if question.kind is Kind.NUMBER:
        return lambda vote: np.nan if vote.number is None else vote.number
    if question.kind is Kind.MULTIPLE:
        sets = {labels: n for n, labels in enumerate({vote.labels: 0 for cast in votes.values() for vote in cast})}
        return lambda vote: float(sets[vote.labels])
    place = {label: n for n, label in enumerate(question.label_ids)}
    return lambda vote: float(place[min(vote.labels)])


def _ratings(votes: Votes, value: Callable[[Vote], float]) -> Array:
    """Ratings [coders, n], NaN where a coder did not code a text."""
    rows = {seat: row for row, seat in enumerate(sorted({seat for cast in votes.values() for seat in _seats(cast)}))}
    ratings = np.full((len(rows), len(votes)), np.nan)
    for column, cast in enumerate(votes.values()):
        for seat, vote in zip(_seats(cast), cast, strict=True):
            ratings[rows[seat], column] = value(vote)
    return ratings


def _seats(cast: Sequence[Vote]) -> list[tuple[bool, int]]:
    """Who cast each vote; those whom Label Studio did not name are told apart within a text only."""
    return [(False, n) if vote.coder_id is None else (True, vote.coder_id) for n, vote in enumerate(cast)]
