from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.engines.protocol import Family
from backend.engines.zeroshot import NEUTRAL, THRESHOLD, log_probabilities, prototypes
from labelstudio_config.codebook import Kind, Label
from tests.backend.engines.questions import MOODS, question

AXES = {"definition of a": 0, "example of a": 1, "b": 2}


def embed(texts: Sequence[str]) -> NDArray[np.float64]:
    """Unit vectors: known texts are axes, neutral sentences lie on the last."""
    return np.eye(4)[[AXES.get(text, 3) for text in texts]]


A = Label("a", "a", "wording of a", "definition of a", ("example of a", "example of a"))
B = Label("b", "b", "b")


def test_a_label_is_the_mean_of_definition_and_examples_else_its_wording() -> None:
    found = prototypes(question(labels=(A, B)), embed)
    np.testing.assert_allclose(found.vectors, [[0.5, 0.5, 0, 0], [0, 0, 1, 0]])
    scores = found.scores([embed(["definition of a", "b", "else"])])
    np.testing.assert_allclose(scores, [[5, 0], [0, 10], [0, 0]])


def test_a_pair_is_as_similar_as_its_texts_on_average() -> None:
    found = prototypes(question(labels=(A, B), fields=2), embed)
    np.testing.assert_allclose(found.scores([embed(["b"]), embed(["else"])]), [[0, 5]])


def test_a_label_applies_by_itself_above_neutral_sentences() -> None:
    found = prototypes(question(Kind.MULTIPLE, labels=(A, B)), embed)
    odds = found.scores([embed(["b", NEUTRAL[0]])])
    assert odds[0, 1] > 0 > odds[0, 0]
    assert (odds[1] < 0).all()
    level = found.scores([np.array([[0, 0, THRESHOLD, 0]])])
    assert level[0, 1] == pytest.approx(0)


@pytest.mark.parametrize("family", [Family.CATEGORICAL, Family.ORDINAL])
def test_log_probabilities_sum_to_one(family: Family) -> None:
    scores = np.random.default_rng(0).normal(0, 300, (50, len(MOODS)))
    np.testing.assert_allclose(np.exp(log_probabilities(family, scores)).sum(axis=1), 1)


def test_odds_become_probabilities_without_overflow() -> None:
    found = np.exp(log_probabilities(Family.BERNOULLI, np.array([[-1e4, 0.0, 1e4]])))
    np.testing.assert_allclose(found, [[0, 0.5, 1]])
