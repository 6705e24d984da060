"""How far coders agree with each other on texts that several of them coded, at the question's level of measurement.

For other coefficients of the same texts: `ratings` and `coefficient`, which takes any function of weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.learning.estimate import FEW, Estimate, estimated, proportion, too_few
from backend.learning.vote import Vote
from backend.stats.agreement import Level, alpha
from backend.stats.f1 import Array
from backend.stats.interval import Figure, bootstrapped, groups, proportions
from backend.stats.promise import Ground
from labelstudio_config.codebook import Kind, Question

LEVELS: dict[Kind, Level] = {
    Kind.SINGLE: "nominal",
    Kind.MULTIPLE: "nominal",
    Kind.ORDINAL: "ordinal",
    Kind.NUMBER: "interval",
}
TWICE = "double-coded texts"
Votes = Mapping[int, Sequence[Vote]]  # text id -> one vote a coder
Clusters = NDArray[np.int64]


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
    level = LEVELS[question.kind]
    seats = {seat for cast in twice.values() for seat in _seats(cast)}
    ties = np.array([clusters.get(text, text) for text in twice], dtype=np.int64)
    whole = ratings(twice, _values(question, twice))
    several = len(question.labels) > 2 or question.kind is Kind.MULTIPLE
    labels = {}
    for label in question.label_ids if several else ():
        given = sum(any(label in vote.labels for vote in cast) for cast in twice.values())
        has = ratings(twice, lambda vote, label=label: float(label in vote.labels))  # type: ignore[misc]
        labels[label] = (
            Estimate(given, missing=too_few(given)) if given < FEW else reliability(has, "nominal", ties, seed)
        )
    return Agreed(level, len(seats), len(twice), percentage(whole, ties), reliability(whole, level, ties, seed), labels)


def percentage(given: Array, clusters: Clusters) -> Estimate:
    """The share of equal pairs of ratings [coders, n] of a text; `clusters` [n] names texts that belong together."""
    given, clusters = _twice(given, clusters)
    there = ~np.isnan(given)
    rated = there.sum(axis=0)
    equal = ((given[:, None] == given[None]) & there[:, None]).sum(axis=(0, 1)) - rated
    (found,) = proportions(equal[:, None], (rated * (rated - 1))[:, None], clusters)
    return proportion(found, len(clusters), len(np.unique(clusters)), TWICE)


def reliability(given: Array, level: Level, clusters: Clusters, seed: int) -> Estimate:
    """Krippendorff's alpha of ratings [coders, n]."""
    given, clusters = _twice(given, clusters)
    return coefficient(given, lambda weights: alpha(given, level, weights), clusters, seed)


def coefficient(given: Array, figure: Figure, clusters: Clusters, seed: int) -> Estimate:
    """A coefficient of ratings [coders, n] beyond chance: `figure` of weights [B, n], such as
    `lambda weights: cohen(given, weights)`.

    It turns on the texts that somebody gave another answer than the commonest.
    """
    there = ~np.isnan(given)
    n = given.shape[1]
    if n < FEW:
        return Estimate(n, missing=too_few(n))
    values, place = np.unique(given[there], return_inverse=True)
    commonest = values[np.bincount(place).argmax()] if len(values) else np.nan
    other = (there & (given != commonest)).any(axis=0)
    (found,) = bootstrapped(figure, clusters, seed)
    said = "got another answer than the commonest"
    return estimated(found, Ground(n, len(np.unique(clusters)), groups(clusters, other), said, TWICE))


def ratings(votes: Votes, value: Callable[[Vote], float]) -> Array:
    """Ratings [coders, n], NaN where a coder did not code a text."""
    rows = {seat: row for row, seat in enumerate(sorted({seat for cast in votes.values() for seat in _seats(cast)}))}
    found = np.full((len(rows), len(votes)), np.nan)
    for column, cast in enumerate(votes.values()):
        for seat, vote in zip(_seats(cast), cast, strict=True):
            found[rows[seat], column] = value(vote)
    return found


def _twice(given: Array, clusters: Clusters) -> tuple[Array, Clusters]:
    twice = (~np.isnan(given)).sum(axis=0) > 1
    return given[:, twice], clusters[twice]


def _values(question: Question, votes: Votes) -> Callable[[Vote], float]:
    """What a vote is as a number: the measurement, the place of its label, or a number for its set of labels."""
    if question.kind is Kind.NUMBER:
        return lambda vote: np.nan if vote.number is None else vote.number
    if question.kind is Kind.MULTIPLE:
        sets = {labels: n for n, labels in enumerate({vote.labels: 0 for cast in votes.values() for vote in cast})}
        return lambda vote: float(sets[vote.labels])
    place = {label: n for n, label in enumerate(question.label_ids)}
    return lambda vote: float(place[min(vote.labels)])


def _seats(cast: Sequence[Vote]) -> list[tuple[bool, int]]:
    """Who cast each vote; those whom Label Studio did not name are told apart within a text only."""
    return [(False, n) if vote.coder_id is None else (True, vote.coder_id) for n, vote in enumerate(cast)]
