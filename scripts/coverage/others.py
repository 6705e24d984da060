"""How well a coder does by what the others come to: the ceiling, as the product has it, in every world."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backend.learning.measured import MACRO, figures, scored
from backend.stats.f1 import Marks
from labelstudio_config.codebook import Kind
from scripts.coverage.cells import ALIKE, Cell, Check, Sample, Shown, shown

NAME = "macro F1 of a coder, by the others"


def truths(cell: Cell, sample: Sample) -> dict[str, float]:
    others, said, _ = left_out(sample)
    return {NAME: float(figures(Kind.SINGLE, np.ones((1, len(said))), others, said)[MACRO][0])}


def found(cell: Cell, sample: Sample, seed: int) -> dict[str, Shown | None]:
    others, said, tied = left_out(sample)
    return {NAME: shown(scored(Kind.SINGLE, others, said, tied, seed // ALIKE, "answers")[0][MACRO])}


def left_out(sample: Sample) -> tuple[Marks, Marks, NDArray[np.int64]]:
    """For each coder and text [coders * n]: what most others said and what the coder said [.., K], and its group.

    Neither where the coder did not code it, nobody else did, or the others are tied: such a row counts nowhere, and
    keeps the clusters of all repetitions the same.
    """
    said = sample.ratings[:, :, None] == np.arange(sample.labels)
    votes = said.sum(axis=0) - said
    most = votes == votes.max(axis=-1, keepdims=True)
    counted = said.any(axis=-1) & (votes.max(axis=-1) > 0) & (most.sum(axis=-1) == 1)
    others, mine = (each & counted[..., None] for each in (most, said))
    k = sample.labels
    return others.reshape(-1, k), mine.reshape(-1, k), np.tile(sample.groups, len(said))


CHECK = Check((NAME,), truths, found, every=4)
