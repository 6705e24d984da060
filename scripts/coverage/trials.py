"""Repetitions of one cell: a sample is drawn, and every interval that is shown is held against the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

from scripts.coverage.cells import SIZES, Cell, Check, Shown, draw

LARGE, TIMES = 100_000, 2  # texts that a truth is had from, and how many samples of so many


@dataclass(slots=True)
class Tally:
    """What became of one figure in the repetitions of a cell."""

    tried: int = 0
    shown: int = 0
    covered: int = 0
    width: float = 0.0

    def add(self, found: Shown | None, truth: float | None) -> None:
        self.tried += 1
        if found is None:
            return
        aim = truth if found.truth is None else found.truth
        if aim is None:
            raise ValueError("A figure has neither a truth of its world nor one of its repetition.")
        self.shown += 1
        self.covered += found.lower <= aim <= found.upper
        self.width += found.upper - found.lower


@dataclass(slots=True)
class Trials:
    """The tallies of a cell, by name, and the truths that were known beforehand."""

    cell: Cell
    tallies: dict[str, Tally] = field(default_factory=dict)
    truths: dict[str, float] = field(default_factory=dict)


def trials(cell: Cell, checks: Sequence[Check], repetitions: int, number: int) -> Trials:
    """`repetitions` of a cell; `number` tells its random numbers from those of other cells."""
    done = Trials(cell, truths=truths(replace(cell, group=1, n=LARGE), tuple(checks)))
    for repetition in range(repetitions):
        sample = draw(cell, cell.n, np.random.default_rng([number, repetition]))
        for check in (one for one in checks if cell.n == min(SIZES) or repetition % one.every == 0):
            for name, found in check.found(cell, sample, repetition).items():
                done.tallies.setdefault(name, Tally()).add(found, done.truths.get(name))
    return done


@cache
def truths(world: Cell, checks: tuple[Check, ...]) -> dict[str, float]:
    """Name -> the figure of the world, the mean of very large samples.

    Groups make texts alike, and leave what is true of one text as it is: the world is that of single texts.
    """
    samples = (draw(world, world.n, np.random.default_rng([LARGE, time])) for time in range(TIMES))
    seen = [{name: value for check in checks for name, value in check.truths(world, one).items()} for one in samples]
    return {name: float(np.mean([each[name] for each in seen])) for name in seen[0]}
