"""F1 and weighted kappa against scikit-learn, and on resamples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score, f1_score, precision_recall_fscore_support

from backend.stats.f1 import confusion, f1, macro, scores, tally, tally_marks, weighted_kappa

K = 4
pairs = st.lists(st.tuples(st.integers(0, K - 1), st.integers(0, K - 1)), min_size=1, max_size=25)

few = settings(max_examples=30)


def columns(rows: list[tuple[int, int]]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    both = np.array(rows, dtype=np.intp)
    return both[:, 0], both[:, 1]


@few
@given(pairs)
def test_precision_recall_and_f1_are_scikit_learns(rows: list[tuple[int, int]]) -> None:
    truth, predicted = columns(rows)
    found = scores(tally(confusion(truth, predicted, K)))
    wanted = precision_recall_fscore_support(truth, predicted, labels=range(K), zero_division=np.nan)
    assert np.allclose(found.precision, wanted[0], equal_nan=True)
    assert np.allclose(found.recall, wanted[1], equal_nan=True)
    assert np.allclose(found.f1, wanted[2], equal_nan=True)


@few
@given(pairs)
def test_macro_f1_is_over_the_labels_that_occur(rows: list[tuple[int, int]]) -> None:
    truth, predicted = columns(rows)
    found = macro(f1(tally(confusion(truth, predicted, K))))
    assert found == pytest.approx(f1_score(truth, predicted, average="macro"))


@few
@given(pairs)
def test_quadratic_kappa_is_scikit_learns(rows: list[tuple[int, int]]) -> None:
    truth, predicted = columns(rows)
    found = float(weighted_kappa(confusion(truth, predicted, K)))
    if len({*truth, *predicted}) == 1:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(cohen_kappa_score(truth, predicted, labels=range(K), weights="quadratic"))


def test_linear_kappa_is_scikit_learns() -> None:
    truth, predicted = np.array([0, 1, 2, 3, 3, 1]), np.array([0, 2, 2, 3, 1, 1])
    found = float(weighted_kappa(confusion(truth, predicted, K), power=1))
    assert found == pytest.approx(cohen_kappa_score(truth, predicted, weights="linear"))


@few
@given(pairs, st.permutations(range(K)))
def test_macro_f1_does_not_depend_on_the_order_of_labels(rows: list[tuple[int, int]], order: list[int]) -> None:
    truth, predicted = columns(rows)
    new = np.array(order)
    before, after = (
        macro(f1(tally(confusion(a, b, K)))) for a, b in ((truth, predicted), (new[truth], new[predicted]))
    )
    assert before == pytest.approx(after)


@few
@given(pairs, st.integers(0, 2**32 - 1))
def test_a_weight_of_two_is_a_text_twice_and_of_none_is_no_text(rows: list[tuple[int, int]], seed: int) -> None:
    truth, predicted = columns(rows)
    weights = np.random.default_rng(seed).integers(0, 3, size=(5, len(rows))).astype(np.float64)
    together = confusion(truth, predicted, K, weights)
    for row, matrix in zip(weights.astype(int), together, strict=True):
        assert (matrix == confusion(np.repeat(truth, row), np.repeat(predicted, row), K)).all()
    eye = np.eye(K, dtype=bool)
    marked = macro(f1(tally_marks(weights, eye[truth], eye[predicted])))
    assert np.allclose(marked, macro(f1(tally(together))), equal_nan=True)


def test_several_predictions_are_counted_at_once() -> None:
    rng = np.random.default_rng(0)
    truth, predicted = rng.random((30, 1, K)) < 0.4, rng.random((30, 3, K)) < 0.4
    weights = rng.integers(0, 3, size=(7, 30)).astype(np.float64)
    together = f1(tally_marks(weights, truth, predicted))
    assert together.shape == (7, 3, K)
    for one in range(3):
        alone = f1(tally_marks(weights, truth[:, 0], predicted[:, one]))
        assert np.array_equal(together[:, one], alone, equal_nan=True)


def test_multiple_choice_is_scikit_learns() -> None:
    rng = np.random.default_rng(1)
    truth, predicted = rng.random((40, K)) < 0.3, rng.random((40, K)) < 0.3
    found = f1(tally_marks(np.ones((1, 40)), truth, predicted))[0]
    assert np.allclose(found, f1_score(truth, predicted, average=None))


def test_nothing_at_all_has_no_score() -> None:
    nothing = np.zeros((1, 0, K), dtype=bool)[0]
    assert np.isnan(macro(f1(tally_marks(np.ones((1, 0)), nothing, nothing)))).all()
