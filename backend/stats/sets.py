"""How far coders agree who give a text any number of labels: alpha of each label, and of whole sets.

`marks` [coders, n, K] say which of K labels a coder gave a text, `coded` [coders, n] whether the coder coded it: no
label is an answer too. Single labels are sets of one. Figures are functions of weights of texts, as in `agreement`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from backend.stats.agreement import Figure, Weights, by_distance, counted
from backend.stats.f1 import Array, Marks, ratio

Distance = Literal["masi", "jaccard"]
Coded = NDArray[np.bool_]


def label_alphas(marks: Marks, coded: Coded) -> Callable[[Weights], Array]:
    """Krippendorff's nominal alpha of each label against all others: weights [B, n] -> [B, K].

    NaN for a label that nobody gave, or everybody did, to all texts that two or more coded.
    """
    coded = coded & (coded.sum(axis=0) >= 2)
    rated = coded.sum(axis=0).astype(np.float64)
    given = (marks & coded[:, :, None]).sum(axis=0).astype(np.float64)  # [n, K]
    apart = 2 * given * (rated[:, None] - given) / np.maximum(rated - 1, 1)[:, None]
    columns, k = np.column_stack([given, apart, rated]), given.shape[1]

    def figures(weights: Weights) -> Array:
        summed = weights.astype(np.float64, copy=False) @ columns
        with_it, observed, total = summed[:, :k], summed[:, k:-1], summed[:, -1:]
        return 1 - ratio(observed * (total - 1), 2 * with_it * (total - with_it))

    return figures


def set_alpha(marks: Marks, coded: Coded, distance: Distance = "masi") -> Figure:
    """Krippendorff's alpha of whole sets: weights [B, n] -> [B]. Sets that share labels differ less.

    `distance` as in `distances`. NaN where all sets are equal.
    """
    ratings, sets = numbered(marks, coded)
    counts, cost = counted(ratings), distances(sets, distance)
    return by_distance(counts, lambda each: each @ cost, counts.sum(axis=1))


def numbered(marks: Marks, coded: Coded) -> tuple[Array, Marks]:
    """Nominal ratings [coders, n] of whole sets, NaN where not coded, and the sets [S, K] they stand for."""
    sets, place = np.unique(marks[coded], axis=0, return_inverse=True)
    ratings = np.full(coded.shape, np.nan)
    ratings[coded] = place.ravel()
    return ratings, sets


def distances(sets: Marks, distance: Distance) -> Array:
    """The distances [S, S] of sets [S, K], from 0 for the same one to 1 for those that share nothing.

    Jaccard's is 1 - |both| / |either|. MASI is 1 - |both| / |either| * m, where m is 1 for the same set, 2/3 where one
    holds the other, 1/3 where they merely overlap (Passonneau 2006, Measuring Agreement on Set-valued Items (MASI) for
    Semantic and Pragmatic Annotation, LREC).
    """
    each = sets.astype(np.float64)
    size = each.sum(axis=1)
    both = each @ each.T
    either = size[:, None] + size[None, :] - both
    shared = np.divide(both, either, out=np.ones_like(both), where=either > 0)  # two empty sets are the same
    if distance == "jaccard":
        return np.asarray(1 - shared)
    held = (both == size[:, None]) | (both == size[None, :])
    return np.asarray(1 - shared * np.where(shared == 1, 1.0, np.where(held, 2 / 3, 1 / 3)))
