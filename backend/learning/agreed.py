"""How far coders agree with each other on texts that several of them coded, at the question's level of measurement.

Ratings are [coders, n] with NaN where a coder did not code a text, of texts that at least two coded; `clusters` [n]
names texts that belong together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from backend.learning.estimate import FEW, Estimate, estimated, proportion, too_few
from backend.learning.vote import Vote
from backend.stats.agreement import Figure, Level, Ratings, alpha_of, pairs
from backend.stats.f1 import Array
from backend.stats.interval import Interval, bootstrapped, groups, proportions
from backend.stats.kappa import ac1_chance, cohen, fleiss
from backend.stats.promise import Ground
from backend.stats.sets import label_alphas, set_alpha
from labelstudio_config.codebook import Kind, Question

LEVELS: dict[Kind, Level] = {
    Kind.SINGLE: "nominal",
    Kind.MULTIPLE: "nominal",
    Kind.ORDINAL: "ordinal",
    Kind.NUMBER: "interval",
}
TWICE = "double-coded texts"
ALPHA = "Krippendorff's alpha"
COHEN, FLEISS, AC1, MASI = "Cohen's kappa", "Fleiss' kappa", "Gwet's AC1", "alpha of sets (MASI)"
Votes = Mapping[int, Sequence[Vote]]  # text id -> one vote a coder
Clusters = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Agreed:
    """Of `texts` that two or more of `coders` coded, before anything was adjudicated.

    `percent`: mean share of equal pairs among a text's answers. `alpha`: Krippendorff's, at `level`; in a multiple
    choice two answers are equal when all their labels are. `labels`: alpha of each label against all others; none where
    there are two labels that exclude each other, since it would be the same. `others`: further coefficients by name.
    """

    level: Level
    coders: int
    texts: int
    percent: Estimate
    alpha: Estimate
    labels: Mapping[str, Estimate]
    others: Mapping[str, Estimate] = field(default_factory=dict)


def agreed(question: Question, votes: Votes, clusters: Mapping[int, int], seed: int) -> Agreed:
    """The agreement of coders on one question; `clusters` as in `card.build`."""
    twice = {text: cast for text, cast in sorted(votes.items()) if len(cast) > 1}
    level, ids = LEVELS[question.kind], question.label_ids
    ties = np.array([clusters.get(text, text) for text in twice], dtype=np.int64)
    given = _ratings(twice, _values(question, twice))
    several = len(ids) > 2 or question.kind is Kind.MULTIPLE
    marks = _marks(ids, twice) if several else None
    others = coefficients(given, level, ties, seed, len(ids), marks if question.kind is Kind.MULTIPLE else None)
    labels = dict(zip(ids, by_label(marks, ties, seed), strict=True)) if marks is not None else {}
    return Agreed(level, len(given), len(twice), percentage(given, ties), others.pop(ALPHA), labels, others)


def percentage(given: Ratings, clusters: Clusters) -> Estimate:
    """The mean share of equal pairs among a text's ratings: texts count the same, whatever the number of coders."""
    return proportion(_observed(given, clusters), len(clusters), len(np.unique(clusters)), TWICE)


def _observed(given: Ratings, clusters: Clusters) -> Interval:
    equal, every = pairs(given)
    (found,) = proportions((equal / np.maximum(every, 1))[:, None], (every > 0)[:, None], clusters)
    return found


def coefficients(
    given: Ratings, level: Level, clusters: Clusters, seed: int, k: int, marks: Array | None = None
) -> dict[str, Estimate]:
    """Krippendorff's alpha, and by the level what else is in use; `k` labels could have been given.

    Cohen's kappa is of two coders, quadratically weighted where labels are ordered. Gwet's AC1 is of single labels: of
    sets nobody can say how many could have been given. `marks` [coders, n, K] in a multiple choice: which labels are in
    a rating.
    """
    figures: dict[str, Figure] = {ALPHA: alpha_of(given, level)}
    if len(given) == 2 and level != "interval":
        power = 2 if level == "ordinal" else 0
        figures[COHEN] = lambda weights: cohen(given, weights, power)
    if level == "nominal":
        figures[FLEISS] = lambda weights: fleiss(given, weights)
    if marks is not None:
        figures[MASI] = set_alpha(marks == 1, ~np.isnan(given))
    n = given.shape[1]
    if n < FEW:
        return dict.fromkeys(figures, Estimate(n, missing=too_few(n)))
    found = bootstrapped(lambda weights: np.stack([each(weights) for each in figures.values()], axis=1), clusters, seed)
    ground = _ground(given, clusters)
    told = {name: estimated(one, ground) for name, one in zip(figures, found, strict=True)}
    return told | ({AC1: _gwet(given, clusters, k)} if level == "nominal" and marks is None else {})


def _gwet(given: Ratings, clusters: Clusters, k: int) -> Estimate:
    """AC1 from the interval of what is observed, chance being taken as it is: where AC1 is high, and a bootstrap meets
    hardly a disagreement, chance hardly matters.
    """
    found, chance = _observed(given, clusters), ac1_chance(given, k)
    bounds = ((each - chance) / (1 - chance) for each in (found.value, found.lower, found.upper))
    return proportion(Interval(*bounds), len(clusters), len(np.unique(clusters)), TWICE)


def by_label(marks: Array, clusters: Clusters, seed: int) -> list[Estimate]:
    """Alpha of each of K labels against all others, of `marks` [coders, n, K]: 1 given, 0 not, NaN not coded."""
    _, n, k = marks.shape
    given = [int(m) for m in (marks == 1).any(axis=0).sum(axis=0)]
    if n < FEW:
        return [Estimate(m, missing=too_few(m)) for m in given]
    found = bootstrapped(label_alphas(marks == 1, ~np.isnan(marks[:, :, 0])), clusters, seed)
    grounds = (_ground(marks[:, :, place], clusters) for place in range(k))
    return [
        estimated(one, ground) if m >= FEW else Estimate(m, missing=too_few(m))
        for one, ground, m in zip(found, grounds, given, strict=True)
    ]


def _ground(given: Ratings, clusters: Clusters) -> Ground:
    """What is beyond chance turns on the texts that somebody gave another answer than the commonest."""
    there = ~np.isnan(given)
    values, place = np.unique(given[there], return_inverse=True)
    other = (there & (given != values[np.bincount(place).argmax()])).any(axis=0)
    said = "got another answer than the commonest"
    return Ground(given.shape[1], len(np.unique(clusters)), groups(clusters, other), said, TWICE)


def _marks(ids: Sequence[str], votes: Votes) -> Array:
    """Which labels each coder gave [coders, n, K]: 1 given, 0 not, NaN not coded."""

    def of(label: str) -> Ratings:
        return _ratings(votes, lambda vote: float(label in vote.labels))

    return np.stack([of(label) for label in ids], axis=-1)


def _ratings(votes: Votes, value: Callable[[Vote], float]) -> Ratings:
    rows = {seat: row for row, seat in enumerate(sorted({seat for cast in votes.values() for seat in _seats(cast)}))}
    found = np.full((len(rows), len(votes)), np.nan)
    for column, cast in enumerate(votes.values()):
        for seat, vote in zip(_seats(cast), cast, strict=True):
            found[rows[seat], column] = value(vote)
    return found


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
