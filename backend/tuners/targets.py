"""Labelled texts as numbers, or the reason why nothing can be learned from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backend.engines.protocol import FAMILY, Family, Item
from labelstudio_config.codebook import Question


class TrainingError(Exception):
    """Nothing can be learned from these labels."""


def targets(question: Question, items: Sequence[Item], answers: Sequence[frozenset[str]]) -> NDArray[np.float64]:
    """Zeros and ones [n, K]: which labels (by id) each item was given. Raises `TrainingError` with a sentence.

    Refused: no items, an unknown label, not exactly one label where the question takes one, and labels that are all
    alike.
    """
    if len(items) != len(answers):
        raise TrainingError(f"{len(items)} texts were given with {len(answers)} answers: each text needs one.")
    if not items:
        raise TrainingError(f"There are no labelled texts for the question '{question.name}' yet. Code some first.")
    column = {label: k for k, label in enumerate(question.label_ids)}
    found = np.zeros((len(items), len(column)))
    one = FAMILY[question.kind] is not Family.BERNOULLI
    for row, answer in enumerate(answers):
        unknown = sorted(answer - column.keys())
        if unknown:
            raise TrainingError(
                f"The question '{question.name}' has no label '{unknown[0]}' (it has: {', '.join(column)}). "
                "Map the old label to a new one, or leave those texts out."
            )
        if one and len(answer) != 1:
            raise TrainingError(
                f"Text {row} has {len(answer)} labels, but the question '{question.name}' takes exactly one. "
                "Adjudicate it, or leave it out."
            )
        found[row, [column[label] for label in answer]] = 1.0
    if (found == found[0]).all():
        given = ", ".join(sorted(answers[0])) or "none"
        raise TrainingError(
            f"All {len(items)} texts have the same answer to the question '{question.name}' ({given}), so there is "
            "nothing to tell apart. Code texts until a second label occurs."
        )
    return found


def shared(question: Question, found: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Soft targets [n, K]: the share of coders who gave each label, in place of the zeros and ones of `targets`.

    Where exactly one label applies a row sums to one; a text that no coder gave a label of the question to keeps what
    was accepted. Raises `TrainingError` when the shares are none.
    """
    if shares.shape != found.shape or not (np.isfinite(shares).all() and (shares >= 0).all() and (shares <= 1).all()):
        raise TrainingError(
            f"The shares of the coders for the question '{question.name}' must be numbers from 0 to 1, one for each of "
            f"{len(found)} texts and {len(question.labels)} labels. Freeze the labels again, or train without shares."
        )
    if FAMILY[question.kind] is Family.BERNOULLI:
        return shares.astype(np.float64)
    sums = shares.sum(axis=1, keepdims=True)
    return np.where(sums > 0, shares / np.where(sums > 0, sums, 1.0), found)


def counts(question: Question, found: NDArray[np.float64]) -> dict[str, int]:
    """Texts per label id."""
    return {label: int(n) for label, n in zip(question.label_ids, found.sum(axis=0), strict=True)}
