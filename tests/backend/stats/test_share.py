"""Means over rows in clusters, and the intervals of shares and means."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from backend.stats.share import mean, student, totals, wilson


def test_texts_that_are_alone_have_the_variance_of_a_mean() -> None:
    values = np.random.default_rng(1).random((50, 2))
    found = mean(np.ones(50), values)
    assert found.value == pytest.approx(values.mean(axis=0))
    assert found.variance == pytest.approx(values.var(axis=0, ddof=1) / 50)
    assert found.degrees == 49


def test_a_text_coded_three_times_over_counts_as_one() -> None:
    values = np.random.default_rng(2).random((40, 1))
    once, thrice = mean(np.ones(40), values), mean(np.full(40, 3.0), 3 * values)
    assert thrice.value == pytest.approx(once.value) and thrice.variance == pytest.approx(once.variance)


def test_clusters_without_rows_count_for_nothing() -> None:
    weight, total = np.array([1.0, 0, 2, 1]), np.array([[1.0], [0], [1], [0]])
    with_empty, without = mean(weight, total), mean(weight[weight > 0], total[weight > 0])
    assert with_empty.value == without.value and with_empty.variance == without.variance
    assert np.isnan(mean(np.array([1.0]), np.array([[1.0]])).variance)
    assert np.isnan(mean(np.zeros(3), np.zeros((3, 1))).value)


def test_wilson_is_scipys_where_the_degrees_are_many() -> None:
    value = np.array([0.3, 0.02, 0.98, 0.0, 1.0])
    lower, upper = wilson(value, value * (1 - value) / 200, 10**7, 200)
    for one, low, high in zip(value, lower, upper, strict=True):
        same = stats.binomtest(round(200 * one), 200).proportion_ci(method="wilson")
        assert (low, high) == pytest.approx((same.low, same.high), abs=1e-6)


def test_where_all_is_known_the_bounds_are_the_share() -> None:
    lower, upper = wilson(np.array([0.3]), np.zeros(1), 9, 10)
    assert (lower[0], upper[0]) == pytest.approx((0.3, 0.3))


def test_students_interval_is_scipys() -> None:
    values = np.random.default_rng(3).normal(size=(12, 1))
    found = mean(np.ones(12), values)
    lower, upper = student(found.value, found.variance, found.degrees)
    same = stats.ttest_1samp(values[:, 0], 0).confidence_interval()
    assert (lower[0], upper[0]) == pytest.approx((same.low, same.high))


def test_totals_are_sums_over_the_texts_of_a_cluster() -> None:
    found = totals(np.array([1, 0, 1]), 3, np.array([[1.0, 10], [2, 20], [3, 30]]))
    assert found.tolist() == [[2, 20], [4, 40], [0, 0]]
