"""How often the first label occurs in a corpus: by the model, by people, by both; and whether coders follow the model.

Here a corpus is finite: it is drawn anew in every repetition, as is the sample that is coded of it, and what is to be
covered is the share in that corpus. People's label is the true one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from zlib import crc32

import numpy as np

from backend.findings.anchoring import compared
from backend.findings.sample import Frame
from backend.findings.weighed import weighed
from backend.learning.estimate import Estimate
from backend.stats.anchoring import Arm
from scripts.coverage.cells import Cell, Check, Sample, Shown, draw

CORPUS = 5000  # texts
FOLLOWED = 0.25  # of the suggestions in sight are taken over without a look
NAIVE, HUMAN, CORRECTED = "share, model alone", "share, people alone", "share, corrected"
SEEN, DIFFERENCE = "agreement with a model in sight", "anchoring"


def found(cell: Cell, sample: Sample, seed: int) -> Mapping[str, Shown | None]:
    return _shares(cell, sample) | _anchoring(sample)


def own(sample: Sample, which: int) -> np.random.Generator:
    """Random numbers of a repetition's own: seeds of intervals come again, samples do not."""
    return np.random.default_rng([crc32(sample.ratings.tobytes()), which])


def _shares(cell: Cell, sample: Sample) -> dict[str, Shown | None]:
    """`cell.n` texts of the corpus are coded; as texts are drawn independently, the first ones are a random sample."""
    corpus = draw(cell, CORPUS, own(sample, 1))
    human = (corpus.truth == 0).astype(np.float64)[:, None]
    model = (corpus.model == 0).astype(np.float64)[:, None]
    truth, given = float(human.mean()), weighed(_frame(cell), np.ones(CORPUS), human, model, share=True)
    three = {NAIVE: given.naive, HUMAN: given.human, CORRECTED: given.corrected}
    return {name: _shown(estimates[0], truth) for name, estimates in three.items()}


@lru_cache
def _frame(cell: Cell) -> Frame:
    places = np.arange(CORPUS)
    cluster = places // cell.group
    coded = places < cell.n
    stratum = np.zeros(CORPUS // cell.group, dtype=np.int64)
    drawn = np.arange(len(stratum)) < cell.n // cell.group
    return Frame(places, cluster, stratum, drawn, coded, {}, 0, 0)


def _shown(one: Estimate, truth: float | None = None) -> Shown | None:
    return None if one.lower is None or one.upper is None else Shown(one.lower, one.upper, truth)


def _anchoring(sample: Sample) -> dict[str, Shown | None]:
    """The first half of the groups is coded blind, the second with the suggestion in sight, each text by one coder."""
    names = np.unique(sample.groups)
    blind = sample.groups < names[len(names) // 2]
    alone = _agrees(sample)
    followed = own(sample, 2).random(len(alone)) < FOLLOWED
    seen = np.where(followed, 1.0, alone)
    arms = [
        Arm(agrees[half], np.ones(int(half.sum())), sample.groups[half])
        for agrees, half in ((seen, ~blind), (alone, blind))
    ]
    first, _, difference = compared(*arms)
    return {SEEN: _shown(first), DIFFERENCE: _shown(difference)}


def _agrees(sample: Sample) -> np.ndarray:
    """Whether the first coder of each text who answered agrees with the model; the true label where nobody did."""
    rated = ~np.isnan(sample.ratings)
    first = sample.ratings[rated.argmax(axis=0), np.arange(len(sample.truth))]
    said = np.where(rated.any(axis=0), first, sample.truth)
    return (said == sample.model).astype(np.float64)


def truths(cell: Cell, sample: Sample) -> Mapping[str, float]:
    blind = float(_agrees(sample).mean())
    return {SEEN: blind + FOLLOWED * (1 - blind), DIFFERENCE: FOLLOWED * (1 - blind)}


CHECK = Check((NAIVE, HUMAN, CORRECTED, SEEN, DIFFERENCE), truths, found, frozenset({NAIVE}))
