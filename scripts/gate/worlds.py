"""Worlds of which the truth is known: true labels, a champion and a challenger, as a joint distribution.

A world has exactly the macro F1 asked for, exactly the difference between the two models, and exactly the share of
texts on which they disagree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.stats.f1 import f1, macro, tally

Array = NDArray[np.float64]
BASE = 0.70  # the champion's macro F1
SIDEWAYS = 0.5  # with more than two labels, for each wrong answer put right this many become another wrong answer
SHARES = {
    "2 balanced": (0.5, 0.5),
    "2 skewed": (0.85, 0.15),
    "4 balanced": (0.25, 0.25, 0.25, 0.25),
    "4 skewed": (0.6, 0.2, 0.12, 0.08),
}


@dataclass(frozen=True, slots=True)
class World:
    """`table` [K, K, K]: probability of a true label, a champion's and a challenger's answer."""

    table: Array

    @property
    def champion(self) -> float:
        """Macro F1 of the champion."""
        return figure(self.table.sum(axis=2))

    @property
    def difference(self) -> float:
        """Macro F1 of the challenger minus that of the champion."""
        return figure(self.table.sum(axis=1)) - self.champion

    @property
    def disagreement(self) -> float:
        return 1.0 - float(np.einsum("tcc->", self.table))


def figure(matrix: Array) -> float:
    """Macro F1 of a confusion."""
    return float(macro(f1(tally(matrix))))


def world(shares: tuple[float, ...], difference: float, disagreement: float, rarest: bool = False) -> World | None:
    """The world with these shares of true labels; None where there is none, the disagreement being too small for the
    difference.

    With `rarest` the difference is made by the last label alone, whose texts the challenger gets wrong: the champion's
    right answers to the others are lost as often as its wrong ones are put right.
    """
    champion = first(np.array(shares))
    right = np.diagonal(champion)
    wrong = 1 - float(right.sum())
    aside = SIDEWAYS if len(shares) > 2 else 0.0
    last = np.arange(len(shares)) == len(shares) - 1

    def evenly(lost: float) -> Array:
        won = (disagreement - lost * float(right.sum())) / (wrong * (1 + aside))
        return second(champion, np.full(len(shares), lost), won, won * aside)

    def at_the_last(lost: float) -> Array:
        half = (disagreement - lost * float(right[-1])) / 2
        won = half / (wrong * (1 + aside))
        return second(champion, half / float(right.sum()) + lost * last, won, won * aside)

    made = at_the_last if rarest else evenly
    least = 0.0 if rarest else max(0.0, (disagreement - wrong) / float(right.sum()))
    most = min(1 - disagreement, disagreement / float(right[-1])) if rarest else disagreement / float(right.sum())
    lost = root(lambda lost: figure(made(lost).sum(axis=1)) - figure(champion) - difference, least, most)
    if lost is None or made(lost).min() < -1e-12:
        return None
    return World(np.maximum(made(lost), 0.0))


def first(prevalence: Array) -> Array:
    """The champion's confusion [K, K], with macro F1 `BASE`: right with one probability, else by the labels' shares."""

    def made(accuracy: float) -> Array:
        return (
            accuracy * np.eye(len(prevalence)) + (1 - accuracy) * np.outer(np.ones(len(prevalence)), prevalence)
        ) * (prevalence[:, None])

    accuracy = root(lambda accuracy: figure(made(accuracy)) - BASE, 0.0, 1.0)
    assert accuracy is not None
    return made(accuracy)


def second(champion: Array, lost: Array, won: float, aside: float) -> Array:
    """The joint table [K, K, K] from the champion's confusion [K, K].

    Of its right answers to each label the share `lost` [K] turns wrong, as its own errors spread; of its wrong ones the
    share `won` turns right, and `aside` into another wrong one.
    """
    k = len(champion)
    errors = champion * (1 - np.eye(k))
    errors /= errors.sum(axis=1, keepdims=True)
    table = np.zeros((k, k, k))
    for t in range(k):
        table[t, t] = champion[t, t] * lost[t] * errors[t]
        table[t, t, t] = champion[t, t] * (1 - lost[t])
        for c in set(range(k)) - {t}:
            others = errors[t].copy()
            others[c] = 0.0
            table[t, c] = champion[t, c] * aside * others / max(others.sum(), 1e-300)
            table[t, c, t] = champion[t, c] * won
            table[t, c, c] = champion[t, c] * (1 - won - aside)
    return table


def root(of: Callable[[float], float], low: float, high: float) -> float | None:
    """Where a monotone function is 0 between two points; None where it is nowhere."""
    from scipy.optimize import brentq

    if of(low) * of(high) > 0:
        return None
    return float(brentq(of, low, high, xtol=1e-14))
