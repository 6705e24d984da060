"""How well a model's labels fit the accepted ones: the product's own estimates of it, in every world."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backend.learning.measured import KAPPA, MACRO, STEPS, figures, precision_and_recall, scored
from backend.stats.f1 import Marks, scores, tally_marks
from labelstudio_config.codebook import Kind
from scripts.coverage.cells import ALIKE, Cell, Check, Sample, Shown, shown

F1, PRECISION, RECALL = ("F1", "precision", "recall")
CALLED = {MACRO: "macro F1", KAPPA: "weighted kappa of the model", STEPS: "mean error in steps"}
LABELS = {0: "first", 1: "second"}


def truths(cell: Cell, sample: Sample) -> dict[str, float]:
    accepted, said = marks(cell, sample.gold), marks(cell, sample.model)
    once = np.ones((1, len(accepted)))
    told = {CALLED[name]: float(value[0]) for name, value in figures(kind(cell), once, accepted, said).items()}
    each = scores(tally_marks(once, accepted, said))
    for place in LABELS:
        for name, column in ((F1, each.f1), (PRECISION, each.precision), (RECALL, each.recall)):
            told[of(name, place)] = float(column[0, place])
    return told


def found(cell: Cell, sample: Sample, seed: int) -> dict[str, Shown | None]:
    accepted, said = marks(cell, sample.gold), marks(cell, sample.model)
    measures, by_label = scored(kind(cell), accepted, said, sample.groups, seed // ALIKE)
    precision, recall = precision_and_recall(accepted, said, sample.groups)
    told = {CALLED[name]: shown(figure) for name, figure in measures.items()}
    for place in LABELS:
        for name, column in ((F1, by_label), (PRECISION, precision), (RECALL, recall)):
            told[of(name, place)] = shown(column[place])
    return told


def of(name: str, place: int) -> str:
    return f"{name} of the {LABELS[place]} label"


def kind(cell: Cell) -> Kind:
    return Kind.ORDINAL if cell.labels > 2 else Kind.SINGLE


def marks(cell: Cell, labels: NDArray[np.int64]) -> Marks:
    return np.eye(cell.labels, dtype=np.bool_)[labels]


NAMES = (*CALLED.values(), *(of(name, place) for place in LABELS for name in (F1, PRECISION, RECALL)))
CHECK = Check(NAMES, truths, found)
