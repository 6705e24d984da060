"""How far coders agree with each other: percent agreement and Krippendorff's alpha.

Ratings are [coders, n] with NaN where a coder did not rate a text. Nominal ratings are any numbers that name a label,
ordinal ones any whose order means something, interval ones measurements. A figure of ratings is a function of weights
[B, n], how often each text counts in each of B resamples, since a bootstrap comes in blocks: what does not change
between them is computed once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from backend.stats.f1 import Array, ratio

Level = Literal["nominal", "ordinal", "interval"]
Ratings = NDArray[np.floating]
Weights = NDArray[np.floating]
Figure = Callable[[Weights], Array]  # weights [B, n] -> [B]
BLOCK = 4_000_000  # numbers of pairs of values at a time
ROUNDING = 1e-12  # a variance below this share of the mean square is none


def why_undefined(ratings: Ratings, *, chance: bool = True) -> str:
    """Why ratings [coders, n] have no alpha, or no percent agreement if not `chance`: a sentence, '' where they have.

    A bootstrap may still meet resamples in which a coefficient is undefined.
    """
    there = ~np.isnan(ratings)
    if not there.any():
        return "Nobody has answered yet."
    if there.any(axis=1).sum() < 2:
        return "Only one coder has answered: agreement needs a second one who codes the same texts."
    twice = there.sum(axis=0) >= 2
    if not twice.any():
        return "No text was coded by two coders: agreement needs texts that two or more have coded."
    if chance and len(np.unique(ratings[:, twice][there[:, twice]])) < 2:
        return (
            "All answers to the texts that several coders coded are the same: no disagreement could have been seen, so "
            "nothing can be said beyond chance. Texts of which some get another answer would tell."
        )
    return ""


def percent(ratings: Ratings, weights: Weights) -> Array:
    """The mean share [B] of equal pairs among a text's ratings, over texts with two or more; `weights` [B, n].

    Texts count the same, whatever the number of their ratings (Fleiss 1971, Psychological Bulletin 76(5); Gwet 2014,
    Handbook of Inter-Rater Reliability, chapter 2).
    """
    return percent_of(ratings)(weights)


def percent_of(ratings: Ratings) -> Figure:
    """`percent` of these ratings, as a function of weights."""
    equal, every = pairs(ratings)
    share = np.stack([equal / np.maximum(every, 1.0), every > 0], axis=1)

    def figure(weights: Weights) -> Array:
        return ratio(*(_wide(weights) @ share).T)

    return figure


def pairs(ratings: Ratings) -> tuple[Array, Array]:
    """Of each text [n]: its ordered pairs of equal ratings, and all its ordered pairs."""
    text, _, times = given(ratings)
    n = ratings.shape[1]
    rated = np.bincount(text, times, n).astype(np.float64)
    return np.bincount(text, times * (times - 1), n).astype(np.float64), rated * (rated - 1)


def alpha(ratings: Ratings, level: Level, weights: Weights) -> Array:
    """Krippendorff's alpha [B] of texts that count as `weights` [B, n] says: 1 - observed / expected disagreement.

    Any number of coders, missing ratings, three levels of measurement, the ordinal with its own metric (Krippendorff
    2011, Computing Krippendorff's Alpha-Reliability; Hayes & Krippendorff 2007, Communication Methods and Measures
    1(1)). A text with fewer than two ratings is left out. NaN where all ratings are equal: no disagreement could have
    been seen (`why_undefined`).
    """
    return alpha_of(ratings, level)(weights)


def alpha_of(ratings: Ratings, level: Level) -> Figure:
    """`alpha` of these ratings, as a function of weights.

    Measurements may have as many values as there are ratings; memory is for [n, V] where nominal or ordinal ratings
    have V values.
    """
    if level == "interval":
        return _interval(ratings)
    counts = counted(ratings)
    return _ordinal(counts) if level == "ordinal" else _nominal(counts)


def counted(ratings: Ratings) -> Array:
    """How often each value was given to each text [n, V], the values in ascending order; 0 for a text rated once."""
    text, value, times = given(ratings)
    counts = np.zeros((ratings.shape[1], int(value.max(initial=-1)) + 1))
    counts[text, value] = times
    counts[counts.sum(axis=1) < 2] = 0
    return counts


def given(ratings: Ratings) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Each value of each text, by text [m]: the text, the value's place among all in order, how often it was given."""
    _, text = at = np.nonzero(~np.isnan(ratings))
    values, place = np.unique(ratings[at], return_inverse=True)
    pair, times = np.unique(text * len(values) + place, return_counts=True)
    return pair // max(len(values), 1), pair % max(len(values), 1), times


def _nominal(counts: Array) -> Figure:
    rated = counts.sum(axis=1)
    return by_distance(counts, lambda each: each.sum(axis=1, keepdims=True) - each, rated)


def by_distance(counts: Array, distances: Callable[[Array], Array], rated: Array) -> Figure:
    """Alpha of counts [n, V], 0 for texts that were `rated` [n] fewer than two times, with one distance of any kind.

    `distances`: counts [..., V] -> the sum [..., V] of the distances of each value from all that were counted.
    """
    apart = (counts * distances(counts)).sum(axis=1) / np.maximum(rated - 1, 1)
    columns = np.column_stack([counts, apart])

    def figure(weights: Weights) -> Array:
        summed = _wide(weights) @ columns
        margins, observed = summed[:, :-1], summed[:, -1]
        expected = (margins * distances(margins)).sum(axis=1)
        return 1 - ratio(observed * (margins.sum(axis=1) - 1), expected)

    return figure


def _ordinal(counts: Array) -> Figure:
    """The distance of two values is the number of ratings between their middles, so it changes with the resample."""
    share = counts / np.maximum(counts.sum(axis=1) - 1, 1)[:, None]
    low, high = np.nonzero(np.triu(counts.T @ counts, 1))  # pairs of values that some text was given

    def figure(weights: Weights) -> Array:
        weights = _wide(weights)
        margins = weights @ counts
        total = margins.sum(axis=1)
        middle = np.cumsum(margins, axis=1) - margins / 2 - total[:, None] / 2
        observed = np.zeros(len(weights))
        step = max(1, BLOCK // max(weights.shape))
        for part in (slice(start, start + step) for start in range(0, len(low), step)):
            pairs = weights @ (share[:, low[part]] * counts[:, high[part]])
            observed += 2 * (pairs * (middle[:, low[part]] - middle[:, high[part]]) ** 2).sum(axis=1)
        expected = 2 * total * (margins * middle**2).sum(axis=1)  # the mean of the middles is 0
        return 1 - ratio(observed * (total - 1), expected)

    return figure


def _interval(ratings: Ratings) -> Figure:
    """By moments: the squared differences of all pairs are 2 (n times the sum of squares - the square of the sum)."""
    there = ~np.isnan(ratings)
    there &= there.sum(axis=0) >= 2
    centre = np.unique(ratings[there]).mean() if there.any() else 0.0  # exact where all are the same
    moved = np.where(there, ratings - centre, 0.0)
    rated, sums, squares = there.sum(axis=0).astype(np.float64), moved.sum(axis=0), (moved**2).sum(axis=0)
    mean = sums / np.maximum(rated, 1)
    apart = rated * (np.where(there, moved - mean, 0.0) ** 2).sum(axis=0) / np.maximum(rated - 1, 1)
    columns = np.stack([rated, sums, squares, apart], axis=1)

    def figure(weights: Weights) -> Array:
        total, first, second, observed = (_wide(weights) @ columns).T
        expected = total * second - first**2
        expected = np.where(expected > ROUNDING * total * second, expected, 0.0)
        return 1 - ratio(observed * (total - 1), expected)

    return figure


def _wide(weights: Weights) -> Array:
    return weights.astype(np.float64, copy=False)
