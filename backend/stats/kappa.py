"""Agreement corrected for chance in other ways: Cohen's kappa, Fleiss' kappa and Gwet's AC1.

Ratings are [coders, n] with NaN where a coder did not rate a text; weights [B, n] say how often each text counts in
each of B resamples. All are for nominal ratings but the weighted kappa, whose ratings are the places of labels in their
order.
"""

from __future__ import annotations

from itertools import combinations
from typing import Literal

import numpy as np

from backend.stats import agreement
from backend.stats.agreement import Ratings, Weights, given
from backend.stats.f1 import Array, confusion, kappa, macro, ratio

Coefficient = Literal["cohen", "fleiss", "ac1"]


def cohen(ratings: Ratings, weights: Weights, power: int = 0) -> Array:
    """Cohen's kappa [B] of two coders; of more, the mean over pairs of coders of what is defined.

    A pair is compared on the texts that both rated (Cohen 1960, Educational and Psychological Measurement 20(1); the
    mean of pairs is Light's, 1971, Psychological Bulletin 76(5)). `power` 0: any two labels differ alike. 1, 2: a
    difference of d steps counts d ** power, the linear and the quadratic weights (Cohen 1968, Psychological Bulletin
    70(4)). NaN where no pair has texts in common in which it gave more than one label.
    """
    values, place = np.unique(ratings[~np.isnan(ratings)], return_inverse=True)
    codes = np.full(ratings.shape, -1)
    codes[~np.isnan(ratings)] = place
    apart = np.abs(values[:, None] - values[None, :])
    cost = apart**power if power else (apart > 0).astype(np.float64)
    pairs = []
    for one, other in combinations(codes, 2):
        both = (one >= 0) & (other >= 0)
        if both.any():
            pairs.append(kappa(confusion(one[both], other[both], len(values), weights[:, both]), cost))
    return macro(np.stack(pairs, axis=1)) if pairs else np.full(len(weights), np.nan)


def fleiss(ratings: Ratings, weights: Weights) -> Array:
    """Fleiss' kappa [B]: chance is that of drawing the same label twice from all ratings together.

    Fleiss (1971, Psychological Bulletin 76(5)) has the same number of ratings a text. Where it varies this is Gwet's
    form of it (2014, Handbook of Inter-Rater Reliability, 4th edition, chapter 2), equal to Fleiss' where it does not:
    every text counts the same, a text rated once tells of the labels' shares only. NaN where all ratings are equal, or
    no text was rated twice.
    """
    observed, shares = _shares(ratings, weights)
    chance = (shares**2).sum(axis=1)
    return ratio(observed - chance, 1 - chance)


def ac1(ratings: Ratings, weights: Weights, k: int) -> Array:
    """Gwet's AC1 [B], for any number of coders and missing ratings; `k` labels could have been given.

    Chance is that of agreeing on a text that is labelled at random, so that a frequent label does not make agreement
    look small (Gwet 2008, British Journal of Mathematical and Statistical Psychology 61(1)). Texts count as in
    `fleiss`. It depends on `k`: labels nobody used raise it. NaN where no text was rated twice, or `k` is 1. ValueError
    where more than `k` labels were given.
    """
    observed, shares = _shares(ratings, weights)
    chance = _random(shares, k)
    return ratio(observed - chance, 1 - chance)


def ac1_chance(ratings: Ratings, k: int) -> float:
    """The agreement by chance that AC1 takes off, as in `ac1`."""
    return float(_random(_shares(ratings, np.ones((1, ratings.shape[1])))[1], k)[0])


def _random(shares: Array, k: int) -> Array:
    if shares.shape[1] > k:
        raise ValueError(f"{shares.shape[1]} labels were given, though there are {k}.")
    if k < 2:
        return np.full(len(shares), np.nan)
    return np.asarray((shares * (1 - shares)).sum(axis=1) / (k - 1))


def why_undefined(ratings: Ratings, of: Coefficient, k: int = 2) -> str:
    """Why ratings [coders, n] have no such coefficient: a sentence, '' where they have. `k` as in `ac1`."""
    once = np.ones((1, ratings.shape[1]))
    why = agreement.why_undefined(ratings, chance=False)
    if why:
        return why
    if of == "ac1":
        return "" if k > 1 else "There is only one label: coders cannot but agree."
    if not np.isnan(cohen(ratings, once) if of == "cohen" else fleiss(ratings, once))[0]:
        return ""
    return agreement.why_undefined(ratings) or (
        "No two coders gave more than one label to the texts that both coded: nothing can be said beyond chance."
    )


def _shares(ratings: Ratings, weights: Weights) -> tuple[Array, Array]:
    """The mean share [B] of equal pairs over texts rated twice, and that of each label [B, V] over all rated texts."""
    text, value, times = given(ratings)
    counts = np.zeros((ratings.shape[1], int(value.max(initial=-1)) + 1))
    counts[text, value] = times
    rated = counts.sum(axis=1)
    equal = (counts * (counts - 1)).sum(axis=1) / np.maximum(rated * (rated - 1), 1)
    columns = np.column_stack([equal, rated >= 2, counts / np.maximum(rated, 1)[:, None], rated >= 1])
    summed = weights.astype(np.float64, copy=False) @ columns
    return ratio(summed[:, 0], summed[:, 1]), ratio(summed[:, 2:-1], summed[:, -1:].repeat(counts.shape[1], axis=1))
