"""The leave-one-coder-out score: how well a coder agrees with what the other coders come to.

It is the ceiling that a model's score against the coders is read with.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.stats.bootstrap import percentile, resamples
from backend.stats.f1 import Array, Tally, confusion, f1, macro, tally, weighted_kappa


@dataclass(frozen=True, slots=True)
class Human:
    """The score of a coder against the others, with its interval; NaN where undefined.

    `value` is over all `judged` judgements, each a coder's of a text that others rated too; `each` is every coder's own
    score, by row of the ratings. `ties`: judgements left out because the others came to no single answer.
    """

    measure: str
    value: float
    lower: float
    upper: float
    each: tuple[float, ...]
    judged: int
    ties: int
    n: int


def human_score(
    ratings: NDArray[np.floating],
    k: int,
    *,
    ordinal: bool,
    seed: int,
    clusters: NDArray[np.integer] | None = None,
    confidence: float = 0.95,
    draws: int = 2000,
) -> Human:
    """Each coder against the majority of the others, or their median if `ordinal`: macro F1, or weighted kappa.

    `ratings` [coders, n] are indices 0 to k - 1 of labels, NaN where a coder did not rate. Majorities that are no
    single label, and medians between two, are ties: such judgements are left out, and counted. The interval is the
    percentile one of a bootstrap over texts, or over `clusters` [n] of them.
    """
    others = [left_out(ratings, coder, k, ordinal) for coder in range(len(ratings))]
    rows = [np.flatnonzero(~np.isnan(other) & ~np.isnan(own)) for other, own in zip(others, ratings, strict=True)]
    faced = sum(
        int((~np.isnan(own) & (~np.isnan(np.delete(ratings, coder, axis=0))).any(axis=0)).sum())
        for coder, own in enumerate(ratings)
    )
    text = np.concatenate(rows) if rows else np.zeros(0, dtype=np.intp)
    truth = np.concatenate([other[row] for other, row in zip(others, rows, strict=True)]).astype(np.intp)
    said = np.concatenate([own[row] for own, row in zip(ratings, rows, strict=True)]).astype(np.intp)
    used, place = np.unique(text, return_inverse=True)
    ties = used if clusters is None else clusters[used]
    drawn = [scored(confusion(truth, said, k, weights[:, place]), ordinal) for weights in resamples(ties, draws, seed)]
    lower, upper = percentile(np.concatenate(drawn), confidence)
    each = [
        float(scored(confusion(other[row].astype(np.intp), own[row].astype(np.intp), k), ordinal))
        for other, own, row in zip(others, ratings, rows, strict=True)
    ]
    return Human(
        measure="weighted kappa" if ordinal else "macro F1",
        value=float(scored(confusion(truth, said, k), ordinal)),
        lower=float(lower),
        upper=float(upper),
        each=tuple(each),
        judged=len(text),
        ties=faced - len(text),
        n=len(used),
    )


def human_score_marks(
    ratings: NDArray[np.floating],
    *,
    seed: int,
    clusters: NDArray[np.integer] | None = None,
    confidence: float = 0.95,
    draws: int = 2000,
) -> Human:
    """As `human_score` where a text may have any number of labels: label by label, macro F1 over the labels.

    `ratings` [coders, n, K] are 1 for a label given, 0 for one not given, NaN where the coder did not rate the text.
    A judgement is a coder's of one label of one text; where half of the others give the label it is a tie.
    """
    given = ~np.isnan(ratings)
    said = np.nan_to_num(ratings) > 0
    others = given.sum(axis=0) - given
    votes = said.sum(axis=0) - said
    faced = given & (others > 0)
    judged = faced & (2 * votes != others)
    truth = 2 * votes > others
    counted = Tally(*((judged & marks).astype(np.float64) for marks in (truth & said, said, truth)))  # [coders, n, K]
    pooled = Tally(counted.both.sum(axis=0), counted.predicted.sum(axis=0), counted.actual.sum(axis=0))
    ties = np.arange(ratings.shape[1]) if clusters is None else clusters
    drawn = [macro(f1(_weighed(weights, pooled))) for weights in resamples(ties, draws, seed)]
    lower, upper = percentile(np.concatenate(drawn), confidence)
    once = np.ones(ratings.shape[1])
    return Human(
        measure="macro F1",
        value=float(macro(f1(_weighed(once, pooled)))),
        lower=float(lower),
        upper=float(upper),
        each=tuple(float(one) for one in macro(f1(_weighed(once, counted)))),
        judged=int(judged.sum()),
        ties=int((faced & ~judged).sum()),
        n=int(judged.any(axis=(0, 2)).sum()),
    )


def _weighed(weights: NDArray[np.floating], counted: Tally) -> Tally:
    """Sums over texts: of numbers [..., n, K] and weights [n] or [B, n]."""
    return Tally(weights @ counted.both, weights @ counted.predicted, weights @ counted.actual)


def scored(matrix: Array, ordinal: bool) -> Array:
    """Weighted kappa or macro F1 [...] of confusions [..., K, K]."""
    return weighted_kappa(matrix) if ordinal else macro(f1(tally(matrix)))


def left_out(ratings: NDArray[np.floating], coder: int, k: int, ordinal: bool) -> Array:
    """What the other coders come to [n]: NaN where none rated the text, or where they tie."""
    rest = np.delete(ratings, coder, axis=0)
    counts = np.stack([(rest == label).sum(axis=0) for label in range(k)], axis=1)
    total = counts.sum(axis=1)
    if ordinal:
        so_far = np.cumsum(counts, axis=1) * 2
        low = (so_far >= total[:, None]).argmax(axis=1)  # the label of the lower and of the upper middle rating
        high = (so_far > total[:, None]).argmax(axis=1)
        answer, single = low, low == high
    else:
        answer = counts.argmax(axis=1)
        single = (counts == counts.max(axis=1, keepdims=True)).sum(axis=1) == 1
    return np.where(single & (total > 0), answer, np.nan).astype(np.float64)
