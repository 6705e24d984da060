"""Which question each step learns from, and which of its texts.

A question of n texts gets a share of the steps in proportion to n^a. With a = 1 a question of 50,000 texts drowns one
of 500, with a = 0 the small one is repeated a hundred times as often; a = 0.5 is a temperature of 2 in the terms of
Raffel et al. (2020, JMLR 21(140), section 3.5.2). The shares are kept exactly in every epoch, only their order is
random. An epoch has as many steps as it takes to see as many texts as there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MIXED = 16  # batches whose texts are drawn together, and then put in order of length


@dataclass(frozen=True, slots=True)
class Part:
    """A step: the place of its question, and the places of the texts among that question's."""

    course: int
    texts: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Draw:
    """The steps of every epoch; `lengths` are the tokens of each text, by question."""

    lengths: Sequence[NDArray[np.int64]]
    batch: int
    sampling: float
    seed: int

    @property
    def steps(self) -> list[int]:
        """Steps of an epoch for each question, one at least."""
        return shares([len(one) for one in self.lengths], self.batch, self.sampling)

    def epoch(self, number: int) -> list[Part]:
        """The steps of an epoch, each of one question and of texts of like lengths, in random order."""
        random = np.random.default_rng([self.seed, number])
        found = []
        for course, (lengths, steps) in enumerate(zip(self.lengths, self.steps, strict=True)):
            texts = self._stream(course, number * steps * self.batch, steps * self.batch)
            for start in range(0, len(texts), MIXED * self.batch):
                part = texts[start : start + MIXED * self.batch]
                part = part[np.argsort(lengths[part], kind="stable")]
                found += [Part(course, part[at : at + self.batch]) for at in range(0, len(part), self.batch)]
        return [found[n] for n in random.permutation(len(found))]

    def _stream(self, course: int, start: int, count: int) -> NDArray[np.intp]:
        """`count` texts from the `start`-th on, of all texts in random order, again and again in another one."""
        n = len(self.lengths[course])
        first, last = start // n, (start + count - 1) // n
        passes = [np.random.default_rng([self.seed, course, 1, p]).permutation(n) for p in range(first, last + 1)]
        return np.concatenate(passes)[start - first * n :][:count]


def shares(sizes: Sequence[int], batch: int, power: float) -> list[int]:
    """How many of an epoch's steps each question of so many texts gets, in proportion to size^power, one at least."""
    steps = -(-sum(sizes) // batch)
    weight = np.asarray(sizes, dtype=np.float64) ** power
    exact = steps * weight / weight.sum()
    whole = np.floor(exact)
    rest = round(steps - whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:rest]] += 1
    return [max(1, int(n)) for n in whole]
