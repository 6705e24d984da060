"""Whether people agree more with a model whose suggestion they see (METHODS: anchoring)."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from backend.stats.f1 import Array
from backend.stats.share import Mean, mean, totals, wilson


@dataclass(frozen=True, slots=True)
class Arm:
    """Texts [n] that are a random sample: how many of their coders agree with the model (`agrees` [n], 0 to 1), what
    each text counts (`weight` [n]), and which are drawn together (`cluster` [n], any numbers).
    """

    agrees: Array
    weight: Array
    cluster: NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its bounds; `n` texts in `clusters`."""

    value: float
    lower: float
    upper: float
    n: int
    clusters: int


@dataclass(frozen=True, slots=True)
class Anchoring:
    """Agreement with the model where its suggestion is seen, where it is not, and the difference of the two."""

    seen: Share
    blind: Share
    difference: float
    lower: float
    upper: float


def anchoring(seen: Arm, blind: Arm) -> Anchoring:
    """The difference of the two shares, with Newcombe's interval from the Wilson intervals of both (Newcombe 1998,
    Statistics in Medicine 17(8), method 10), whose variances are between clusters. The arms are independent samples.

    Bounds are NaN where an arm has fewer than two clusters.
    """
    first, second = share(seen), share(blind)
    d = first.value - second.value
    return Anchoring(
        first,
        second,
        d,
        d - sqrt((first.value - first.lower) ** 2 + (second.upper - second.value) ** 2),
        d + sqrt((first.upper - first.value) ** 2 + (second.value - second.lower) ** 2),
    )


def share(arm: Arm) -> Share:
    """The share of an arm with its Wilson interval."""
    names, place = np.unique(arm.cluster, return_inverse=True)
    weight = totals(place, len(names), arm.weight[:, None])[:, 0]
    found: Mean = mean(weight, totals(place, len(names), (arm.weight * arm.agrees)[:, None]))
    clusters = int((weight > 0).sum())
    lower, upper = wilson(found.value, found.variance, found.degrees, clusters)
    return Share(float(found.value[0]), float(lower[0]), float(upper[0]), len(arm.agrees), clusters)


def same_mix(of: NDArray[np.integer], weight: Array, target: NDArray[np.integer], target_weight: Array) -> Array:
    """Weights [n] that give the categories `of` [n], which count `weight` [n], the mix that they have in `target` [m].

    Those of a category that is not in `target` become 0. The categories of `target` must be among `of`.
    """
    factor = np.zeros(len(of))
    for name in np.unique(target):
        mine = of == name
        factor[mine] = target_weight[target == name].sum() / target_weight.sum() * weight.sum() / weight[mine].sum()
    return weight * factor
