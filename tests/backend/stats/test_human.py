"""A coder against the others, on ratings counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from backend.stats.human import human_score, human_score_marks, left_out

NONE = np.nan


def test_the_others_majority_is_a_single_label_or_nothing() -> None:
    ratings = np.array([[0, 0, 0, 0], [1, 1, 2, NONE], [1, 2, 2, NONE], [0, NONE, 2, NONE]], dtype=float)
    assert left_out(ratings, 0, 3, ordinal=False).tolist()[:3:2] == [1, 2]
    assert np.isnan(left_out(ratings, 0, 3, ordinal=False)[[1, 3]]).all()


def test_the_others_median_lies_on_a_label_or_is_nothing() -> None:
    ratings = np.array([[0, 0, 0], [0, 1, NONE], [4, 2, NONE], [3, NONE, NONE]], dtype=float)
    assert left_out(ratings, 0, 5, ordinal=True)[0] == 3
    assert np.isnan(left_out(ratings, 0, 5, ordinal=True)[1:]).all()


def test_judgements_and_ties_are_counted_by_hand() -> None:
    ratings = np.array([[0, 0, 1, 0], [0, 1, 1, NONE], [0, 1, 0, NONE]], dtype=float)
    found = human_score(ratings, 2, ordinal=False, seed=0, draws=100)
    # Text 1: three judgements. Text 2: the first coder's; the others' others tie. Text 3: the third's. Text 4: none.
    assert (found.judged, found.ties, found.n) == (5, 4, 3)
    # Label 0: right three times, said twice more (0 for 1, 0 for 1), so F1 = 6 / 8. Label 1: never said.
    assert found.value == pytest.approx((6 / 8 + 0) / 2)


def test_coders_who_agree_reach_the_ceiling() -> None:
    ratings = np.tile(np.arange(30) % 3, (3, 1)).astype(float)
    for ordinal in (False, True):
        found = human_score(ratings, 3, ordinal=ordinal, seed=0)
        assert (found.value, found.lower, found.upper, found.ties) == (1, 1, 1, 0)
        assert found.each == (1, 1, 1)


def test_a_worse_coder_has_a_lower_score_and_the_interval_comes_again() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(4, size=150)
    ratings = np.array(
        [np.where(rng.random(150) < p, truth, rng.integers(4, size=150)) for p in (0.9, 0.9, 0.4)], float
    )
    found = human_score(ratings, 4, ordinal=False, seed=3)
    assert found == human_score(ratings, 4, ordinal=False, seed=3)
    assert found.each[2] < min(found.each[:2]) - 0.2
    assert found.lower < found.value < found.upper
    tied = human_score(ratings, 4, ordinal=True, seed=3, clusters=np.arange(150) // 15)
    assert tied.measure == "weighted kappa"
    assert tied.upper - tied.lower > 0


def test_one_coder_alone_has_no_score() -> None:
    found = human_score(np.array([[0.0, 1.0]]), 2, ordinal=False, seed=0, draws=20)
    assert np.isnan([found.value, found.lower, found.upper, *found.each]).all()
    assert (found.judged, found.ties) == (0, 0)


def test_labels_of_multiple_choice_are_judged_one_by_one() -> None:
    ratings = np.array([[[1, 0], [1, 1]], [[1, 0], [0, 1]], [[1, 1], [NONE, NONE]]])
    found = human_score_marks(ratings, seed=0, draws=100)
    # First label: text 1 right three times, text 2 one coder says it alone, the other alone does not.
    # Second label: text 1 one coder alone says it, for the other two it is a tie; text 2 right twice.
    assert (found.judged, found.ties, found.n) == (8, 2, 2)
    assert found.value == pytest.approx((2 * 3 / (4 + 4) + 2 * 2 / (3 + 2)) / 2)
    assert found.each[2] == pytest.approx((1 + 0) / 2)


def test_with_one_of_two_labels_both_forms_agree() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=200)
    single = np.array([np.where(rng.random(200) < 0.8, truth, 1 - truth) for _ in range(3)], float)
    single[0, :50] = NONE
    marks = np.stack([1 - single, single], axis=2)
    one, other = human_score(single, 2, ordinal=False, seed=1), human_score_marks(marks, seed=1)
    assert (one.value, one.each) == (pytest.approx(other.value), pytest.approx(other.each))
    assert (2 * one.judged, 2 * one.ties, one.n) == (other.judged, other.ties, other.n)
    assert (one.lower, one.upper) == pytest.approx((other.lower, other.upper), abs=0.02)
