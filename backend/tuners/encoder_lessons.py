"""What an encoder learns from: the tokens of labelled texts, what is said of each label, and how much it counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.engines.encoder import EncoderEngine, Prior
from backend.engines.pooling import Ids
from backend.engines.protocol import Family, Item
from backend.tuners.head import BALANCE
from backend.tuners.logistic import balanced

Array = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Lessons:
    """Texts to learn from: `ids` [n][fields] are their tokens, `goal` and `weight` [n, K] what is learned of each label
    and how much it counts; `held` [n] marks those that only say when to stop.
    """

    family: Family
    ids: Sequence[Sequence[Ids]]
    goal: Array
    weight: Array
    held: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def tokens(self) -> int:
        return sum(len(text) for item in self.ids for text in item)

    def rows(self, rows: Rows) -> Lessons:
        return Lessons(self.family, [self.ids[n] for n in rows], self.goal[rows], self.weight[rows], self.held[rows])

    def losses(self, scores: Array) -> Array:
        """The weighted log-loss [n] of unnormalised log-scores [n, K]."""
        if self.family is Family.BERNOULLI:
            each = np.logaddexp(0.0, scores) - self.goal * scores
        else:
            top = scores.max(axis=1, keepdims=True)
            each = -self.goal * (scores - top - np.log(np.exp(scores - top).sum(axis=1, keepdims=True)))
        return np.asarray((self.weight * each).sum(axis=1))


def lessons(
    engine: EncoderEngine, prior: Prior, items: Sequence[Item], goal: Array, held: NDArray[np.bool_]
) -> Lessons:
    """What is learned of `items`, whose targets [n, K] are `goal`, with labels weighted as a head weights them.

    A label that may apply by itself and on which all texts agree teaches nothing: it is held to its zero-shot scores.
    """
    read = iter(engine.embedder.tokens([text for item in items for text in item])[0])
    ids = [[next(read) for _ in item] for item in items]
    power = BALANCE[prior.family]
    if prior.family is not Family.BERNOULLI:
        weight = np.repeat(balanced(goal, power)[:, None], goal.shape[1], axis=1)
        return Lessons(prior.family, ids, goal, weight, held)
    agreed = (goal == goal[0]).all(axis=0)
    sides = [balanced(np.stack([1 - one, one], axis=1), power) for one in goal.T]
    weight = np.where(agreed, 1.0, np.stack(sides, axis=1))
    return Lessons(prior.family, ids, np.where(agreed, 1 / (1 + np.exp(-prior.scores)), goal), weight, held)
