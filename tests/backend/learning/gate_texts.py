"""Gate texts made for tests: labels, a champion and a challenger with known numbers of right answers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backend.learning.gate import Compared
from labelstudio_config.codebook import Kind

LABELS = ("a", "b", "c", "d")


def marks(answers: NDArray[np.intp], k: int) -> NDArray[np.bool_]:
    return np.eye(k, dtype=bool)[answers]


def answers(truth: NDArray[np.intp], k: int, right: float, seed: int) -> NDArray[np.intp]:
    """Right with that probability, else the label after the right one."""
    hit = np.random.default_rng(seed).random(len(truth)) < right
    return np.where(hit, truth, (truth + 1) % k)


def compared(
    n: int,
    champion: float = 0.7,
    challenger: float = 0.7,
    *,
    k: int = 4,
    kind: Kind = Kind.SINGLE,
    question: str = "q",
    seed: int = 0,
) -> Compared:
    """A question with n texts, whose two models are right with those probabilities, independently."""
    truth = np.arange(n) % k
    return Compared(
        question=question,
        kind=kind,
        labels=LABELS[:k],
        truth=marks(truth, k),
        champion=marks(answers(truth, k, champion, 2 * seed + 1), k),
        challenger=marks(answers(truth, k, challenger, 2 * seed + 2), k),
        clusters=np.arange(n),
    )


def changed(one: Compared, *, won: dict[int, int] | None = None, lost: dict[int, int] | None = None) -> Compared:
    """The challenger is the champion, but for that many texts of a label put right, or got wrong."""
    k = len(one.labels)
    truth, champion = one.truth.argmax(axis=1), one.champion.argmax(axis=1)
    challenger = champion.copy()
    for changes, right in ((won or {}, False), (lost or {}, True)):
        for label, number in changes.items():
            rows = np.flatnonzero((truth == label) & ((champion == truth) == right))[:number]
            assert len(rows) == number
            challenger[rows] = (truth[rows] + right) % k
    return Compared(one.question, one.kind, one.labels, one.truth, one.champion, marks(challenger, k), one.clusters)
