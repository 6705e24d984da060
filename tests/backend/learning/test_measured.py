from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.learning.measured import KAPPA, MACRO, STEPS, figures, precision_and_recall, scored
from labelstudio_config.codebook import Kind


def marks(*places: int, k: int = 2) -> NDArray[np.bool_]:
    return np.eye(k, dtype=np.bool_)[list(places)]


def apart(n: int) -> NDArray[np.int64]:
    return np.arange(n, dtype=np.int64)


TRUTH, SAID = marks(*[0] * 8, *[1] * 4), marks(*[0] * 6, 1, 1, 1, 1, 1, 0)


def test_macro_f1_is_the_mean_over_labels() -> None:
    found, by_label = scored(Kind.SINGLE, np.tile(TRUTH, (3, 1)), np.tile(SAID, (3, 1)), apart(36), 1)
    a, b = 2 * 6 / (8 + 7), 2 * 3 / (4 + 5)
    figure = found[MACRO]
    assert figure.value == pytest.approx((a + b) / 2) and figure.n == 36
    assert [one.value for one in by_label] == pytest.approx([a, b])
    assert figure.lower is not None and figure.upper is not None
    assert 0.5 < figure.lower < 0.66 and 0.8 < figure.upper < 0.95


def test_equal_arguments_give_equal_intervals_and_another_seed_others() -> None:
    truth, said = np.tile(TRUTH, (9, 1)), np.tile(SAID, (9, 1))
    first, again, other = (scored(Kind.SINGLE, truth, said, apart(108), seed)[0][MACRO] for seed in (1, 1, 2))
    assert first == again != other


def test_texts_of_one_cluster_are_resampled_together() -> None:
    truth, said = np.tile(TRUTH, (9, 1)), np.tile(SAID, (9, 1))
    loose, tied = (scored(Kind.SINGLE, truth, said, ties, 1)[0][MACRO] for ties in (apart(108), apart(108) % 36))
    assert loose.value == tied.value
    assert loose.lower is not None and tied.lower is not None and loose.lower > tied.lower + 0.02


def test_where_an_interval_would_not_hold_the_figure_is_alone() -> None:
    alone = scored(Kind.SINGLE, TRUTH, SAID, np.zeros(12, dtype=np.int64), 1)[0][MACRO]
    assert alone.value is not None and (alone.lower, alone.upper) == (None, None)
    assert alone.missing == "12 texts in 1 group: an interval needs at least 30 groups"
    truth, said = marks(*[0] * 40, *[1] * 40), marks(*[0] * 35, *[1] * 5, *[1] * 40)
    whole, by_label = scored(Kind.SINGLE, truth, said, np.r_[:40, 40 + np.arange(40) // 5], 1)
    assert whole[MACRO].missing == (
        "of 80 texts in 48 groups 8 have the rarest label: an interval needs at least 10 such groups"
    )
    assert by_label[0].lower is not None
    assert by_label[1].missing == (
        "of 80 texts in 48 groups 8 have the label: an interval needs at least 10 such groups"
    )


def test_who_is_always_right_may_still_err() -> None:
    both = marks(*[0] * 40, *[1] * 40)
    whole, _ = scored(Kind.ORDINAL, both, both, apart(80), 1)
    assert {figure.lower for figure in whole.values()} == {None}
    assert whole[MACRO].missing == (
        "80 texts: all resamples of them give the same value, which says nothing of other texts; more would"
    )
    assert whole[STEPS].missing == ("of 80 texts 0 are off by a step or more: an interval needs at least 10 such texts")
    precision, recall = precision_and_recall(both, both, apart(80))
    for figure in (*precision, *recall):
        assert (figure.value, figure.upper) == (1.0, 1.0)
        assert figure.lower == pytest.approx(0.91, abs=0.01)


def test_precision_and_recall_are_shares_of_their_texts() -> None:
    precision, recall = precision_and_recall(np.tile(TRUTH, (5, 1)), np.tile(SAID, (5, 1)), apart(60))
    assert [one.value for one in precision] == pytest.approx([6 / 7, 3 / 5])
    assert [one.value for one in recall] == pytest.approx([6 / 8, 3 / 4])
    assert [one.n for one in (*precision, *recall)] == [35, 25, 40, 20]
    for figure in (*precision, *recall):
        assert figure.lower is not None and figure.value is not None and figure.upper is not None
        assert figure.lower < figure.value < figure.upper < figure.lower + 0.5


def test_a_label_that_nobody_was_given_has_no_precision() -> None:
    precision, recall = precision_and_recall(marks(*[0, 1] * 10), marks(*[0] * 20), apart(20))
    assert precision[1].missing == "too few: 0 of at least 10 texts"
    assert (recall[1].value, recall[1].lower) == (0.0, 0.0)


def test_a_label_that_few_texts_have_gets_no_figure() -> None:
    _, (common, rare) = scored(Kind.SINGLE, marks(*[0] * 10, *[1] * 9), marks(*[0] * 19), apart(19), 1)
    assert common.value is not None
    assert (rare.value, rare.n, rare.missing) == (None, 9, "too few: 9 of at least 10 texts")


def test_of_few_texts_nothing_is_shown() -> None:
    found, by_label = scored(Kind.ORDINAL, TRUTH[:9], SAID[:9], apart(9), 1)
    assert {figure.missing for figure in found.values()} == {"too few: 9 of at least 10 texts"}
    assert [figure.n for figure in by_label] == [8, 1]


def test_labels_of_a_multiple_question_are_judged_each_by_itself() -> None:
    truth = np.array([[1, 1], [1, 0], [0, 1], [0, 0]] * 5, dtype=np.bool_)
    said = np.array([[1, 1], [1, 1], [0, 1], [0, 0]] * 5, dtype=np.bool_)
    assert scored(Kind.MULTIPLE, truth, said, apart(20), 1)[0][MACRO].value == pytest.approx((1 + 0.8) / 2)


def test_an_ordinal_question_is_judged_by_steps_too() -> None:
    from sklearn.metrics import cohen_kappa_score

    truth, said = [0, 0, 1, 2, 2, 1, 0, 2, 1, 1, 2, 0], [0, 1, 1, 2, 0, 1, 0, 1, 1, 2, 2, 0]
    found, _ = scored(Kind.ORDINAL, marks(*truth, k=3), marks(*said, k=3), apart(12), 1)
    assert list(found) == [KAPPA, MACRO, STEPS]
    assert found[KAPPA].value == pytest.approx(cohen_kappa_score(truth, said, weights="quadratic"))
    assert found[STEPS].value == pytest.approx(5 / 12)


def test_texts_that_do_not_differ_have_no_kappa() -> None:
    found, _ = scored(Kind.ORDINAL, marks(*[1] * 12), marks(*[1] * 12), apart(12), 1)
    assert found[KAPPA].value is None and found[KAPPA].missing == "undefined: all answers are alike"
    assert (found[MACRO].value, found[STEPS].value) == (1.0, 0.0)


def test_resamples_are_weights() -> None:
    twice = np.array([[2.0] + [1.0] * 11, [0.0] + [1.0] * 11])
    by_weight = figures(Kind.ORDINAL, twice, TRUTH, SAID)[STEPS]
    assert by_weight == pytest.approx([3 / 13, 3 / 11])
