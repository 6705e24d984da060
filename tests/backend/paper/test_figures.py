"""Figures against scikit-learn, by hand, and by properties that tests must have."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, precision_recall_fscore_support

from backend.paper.figures import (
    ACCURACY,
    LABELS,
    MACRO,
    by_label,
    exchanged,
    holm,
    interval,
    p_value,
    resampled,
    sensitivity,
)
from backend.stats.f1 import Marks


def marks(labels: list[int], k: int = 3) -> Marks:
    return np.arange(k) == np.array(labels)[:, None]


def three(seed: int, n: int = 90) -> tuple[list[int], list[list[int]]]:
    """Labels of n texts, and what three systems say: often right, seldom right, always the first."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(3, size=n)
    good, bad = (np.where(rng.random(n) < q, truth, rng.integers(3, size=n)) for q in (0.8, 0.2))
    return truth.tolist(), [good.tolist(), bad.tolist(), [0] * n]


def test_macro_f1_is_scikit_learns() -> None:
    truth, said = three(1)
    drawn = resampled(marks(truth), np.stack([marks(one) for one in said], axis=1), np.arange(90), 0, draws=3)
    for place, one in enumerate(said):
        assert drawn[0, place, MACRO] == pytest.approx(f1_score(truth, one, average="macro"), abs=1e-6)
        assert drawn[0, place, ACCURACY] == pytest.approx(np.mean(np.array(truth) == np.array(one)), abs=1e-6)
        assert drawn[0, place, LABELS:] == pytest.approx(f1_score(truth, one, average=None), abs=1e-6)


def test_a_label_that_does_not_occur_is_left_out_as_scikit_learn_does() -> None:
    truth, said = [0, 0, 1, 1], [0, 1, 1, 1]
    drawn = resampled(marks(truth), marks(said)[:, None], np.arange(4), 0, draws=1)
    assert drawn[0, 0, MACRO] == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert np.isnan(drawn[0, 0, LABELS + 2])


def test_several_labels_a_text_are_scikit_learns() -> None:
    rng = np.random.default_rng(4)
    truth, said = rng.random((60, 4)) < 0.4, rng.random((60, 4)) < 0.5
    drawn = resampled(truth, said[:, None], np.arange(60), 0, draws=1)
    assert drawn[0, 0, MACRO] == pytest.approx(f1_score(truth, said, average="macro"), abs=1e-6)


def test_errors_of_each_label_are_scikit_learns() -> None:
    truth, said = three(2)
    found = by_label(marks(truth), marks(said[1]))
    precision, recall, f1, support = precision_recall_fscore_support(truth, said[1])
    assert [one.support for one in found] == support.tolist()
    assert [one.precision for one in found] == pytest.approx(precision.tolist())
    assert [one.recall for one in found] == pytest.approx(recall.tolist())
    assert [one.f1 for one in found] == pytest.approx(f1.tolist())
    assert sum(one.predicted for one in found) == 90


def test_texts_that_belong_together_widen_the_interval() -> None:
    truth, said = three(3, 300)
    both = marks(truth), marks(said[0])[:, None]
    alone = interval(resampled(*both, np.arange(300), 5)[:, 0, MACRO], 0.95)
    copies = [np.repeat(one, 10, axis=0) for one in both]
    tied = interval(resampled(copies[0], copies[1], np.repeat(np.arange(300), 10), 5)[:, 0, MACRO], 0.95)
    loose = interval(resampled(copies[0], copies[1], np.arange(3000), 5)[:, 0, MACRO], 0.95)
    assert alone.lower < alone.value < alone.upper
    assert tied.width == pytest.approx(alone.width, rel=1e-3)
    assert loose.width < 0.5 * alone.width


def test_the_exchanges_are_those_of_all_possible_ones() -> None:
    """Of five texts there are 2 ** 5 exchanges: their p, computed one by one with scikit-learn."""
    truth, one, other = [0, 1, 1, 0, 1], [0, 1, 1, 1, 1], [1, 1, 0, 0, 0]
    seen = []
    for coins in itertools.product((0, 1), repeat=5):
        pairs = list(zip(coins, one, other, strict=True))
        a, b = [y if c else x for c, x, y in pairs], [x if c else y for c, x, y in pairs]
        seen.append(f1_score(truth, a, average="macro") - f1_score(truth, b, average="macro"))
    exact = np.mean(np.abs(seen) >= abs(seen[0]) - 1e-9)
    found = exchanged(marks(truth, 2), marks(one, 2)[:, None], marks(other, 2)[:, None], np.arange(5), 0)
    assert found[0] == pytest.approx(seen[0])
    assert {round(float(x), 6) for x in found} <= {round(float(x), 6) for x in seen}
    assert p_value(found) == pytest.approx(float(exact), abs=0.02)


def test_a_better_system_is_told_from_a_worse_one_and_not_from_itself() -> None:
    truth, said = three(6)
    good, bad, _ = (marks(one)[:, None] for one in said)
    assert p_value(exchanged(marks(truth), good, bad, np.arange(90), 1)) < 0.001
    assert p_value(exchanged(marks(truth), good, good, np.arange(90), 1)) == 1.0
    tied = exchanged(marks(truth), good, bad, np.zeros(90, dtype=np.int64), 1)
    assert p_value(tied) == pytest.approx(1.0)


def test_two_alike_are_seldom_told_apart() -> None:
    """p below .1 in about a tenth of pairs that differ by chance alone."""
    found = []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        truth = rng.integers(2, size=60)
        one, other = (np.where(rng.random(60) < 0.7, truth, 1 - truth) for _ in range(2))
        both = (marks(each.tolist(), 2)[:, None] for each in (one, other))
        found.append(p_value(exchanged(marks(truth.tolist(), 2), *both, np.arange(60), seed, swaps=199)))
    assert 0.03 < np.mean(np.array(found) <= 0.1) < 0.18


def test_several_pairs_are_exchanged_together() -> None:
    truth, said = three(7)
    good, bad, first = (marks(one) for one in said)
    pairs = exchanged(marks(truth), np.stack([good, first], axis=1), np.stack([bad, bad], axis=1), np.arange(90), 0)
    single = [exchanged(marks(truth), x[:, None], bad[:, None], np.arange(90), 0)[0] for x in (good, first)]
    assert pairs[0] == pytest.approx(np.mean(single))


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_never_lowers_a_p_and_keeps_their_order(p: list[float]) -> None:
    found = holm(p)
    assert all(x <= y <= 1 for x, y in zip(p, found, strict=True))
    assert all(found[i] <= found[j] for i in range(len(p)) for j in range(len(p)) if p[i] < p[j])
    assert min(found) == pytest.approx(min(1.0, len(p) * min(p)))


def test_sensitivity_by_hand() -> None:
    truth = marks([0, 1, 0, 1], 2)
    said = np.stack([marks(one, 2) for one in ([0, 1, 0, 1], [0, 1, 0, 0], [0, 1, 0, 1])], axis=1)
    found = sensitivity(truth, said)
    low = f1_score([0, 1, 0, 1], [0, 1, 0, 0], average="macro")
    assert (found.wordings, found.lowest, found.highest, found.changed) == (3, pytest.approx(low), 1.0, 0.25)
    assert found.deviation == pytest.approx(np.std([1, low, 1], ddof=1))
