"""Intervals against SciPy's, and under what must and must not change them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest, bootstrap

from backend.stats import interval
from backend.stats.agreement import alpha_of
from backend.stats.interval import bootstrapped, groups, jackknife, proportions

RNG = np.random.default_rng(4)
SKEWED = RNG.exponential(size=80)


def mean(weights: NDArray[np.floating]) -> NDArray[np.float64]:
    return (weights @ SKEWED / weights.sum(axis=1))[:, None].astype(np.float64)


def single(n: int) -> NDArray[np.int64]:
    return np.arange(n, dtype=np.int64)


def ones(hits: int, n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return (np.arange(n) < hits).astype(np.int64)[:, None], np.ones((n, 1), dtype=np.int64)


def test_a_bootstrap_of_single_texts_is_scipys() -> None:
    (found,) = bootstrapped(mean, single(80), 1, draws=20_000)
    wanted = bootstrap((SKEWED,), np.mean, n_resamples=20_000, method="BCa", rng=6).confidence_interval
    assert found.value == pytest.approx(SKEWED.mean())
    assert (found.lower, found.upper) == pytest.approx((wanted.low, wanted.high), abs=0.01)


def test_equal_seeds_give_equal_intervals_whether_resamples_are_kept_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, other = (bootstrapped(mean, single(80), seed) for seed in (1, 2))
    monkeypatch.setattr(interval, "KEPT", 0)
    (anew,) = bootstrapped(mean, single(80), 1)
    assert anew.lower == pytest.approx(kept[0].lower) and anew.upper == pytest.approx(kept[0].upper)
    assert kept != other


def test_several_figures_of_the_same_texts_come_together() -> None:
    def both(weights: NDArray[np.floating]) -> NDArray[np.float64]:
        return np.column_stack([mean(weights), -mean(weights)])

    one, minus = bootstrapped(both, single(80), 1, draws=4000)
    assert (one.lower, one.upper) == pytest.approx((-minus.upper, -minus.lower), abs=0.02)


def test_texts_in_clusters_tell_less() -> None:
    truth = RNG.integers(3, size=40)
    ratings = np.array([np.where(RNG.random(40) < 0.7, truth, RNG.integers(3, size=40)) for _ in range(2)], dtype=float)
    figure = alpha_of(np.repeat(ratings, 5, axis=1), "nominal")
    loose, tied = (bootstrapped(lambda w: figure(w)[:, None], ties, 1)[0] for ties in (single(200), single(200) // 5))
    assert loose.value == tied.value
    assert tied.width > 1.5 * loose.width


def test_the_jackknife_leaves_out_each_cluster_and_of_many_several(monkeypatch: pytest.MonkeyPatch) -> None:
    (weights,) = jackknife(np.array([7, 7, 3, 9]))
    assert weights.tolist() == [[1, 1, 0, 1], [0, 0, 1, 1], [1, 1, 1, 0]]
    monkeypatch.setattr(interval, "LEFT_OUT", 2)
    (halves,) = jackknife(np.array([7, 7, 3, 9]))
    assert halves.tolist() == [[1, 1, 0, 0], [0, 0, 1, 1]]


def test_a_figure_that_is_undefined_has_no_bounds() -> None:
    same = alpha_of(np.ones((2, 50)), "nominal")
    (found,) = bootstrapped(lambda weights: same(weights)[:, None], single(50), 1)
    assert np.isnan([found.value, found.lower, found.upper]).all()


@pytest.mark.parametrize(("hits", "n"), [(0, 60), (60, 60), (1, 200), (150, 200), (398, 400)])
def test_a_proportion_of_single_texts_is_all_but_the_exact_interval(hits: int, n: int) -> None:
    (found,) = proportions(*ones(hits, n), single(n))
    wanted = binomtest(hits, n).proportion_ci(method="exact")
    assert found.value == hits / n
    assert (found.lower, found.upper) == pytest.approx((wanted.low, wanted.high), abs=0.006)
    assert found.lower <= wanted.low and found.upper >= wanted.high


def test_a_proportion_of_clusters_that_are_alike_is_that_of_as_many_texts() -> None:
    above, below = ones(30, 40)
    (few,) = proportions(above, below, single(40))
    (tied,) = proportions(above.repeat(5, axis=0), below.repeat(5, axis=0), single(200) // 5)
    assert (tied.lower, tied.upper) == pytest.approx((few.lower, few.upper))
    (always,) = proportions(np.ones((200, 1)), np.ones((200, 1)), single(200) // 5)
    assert always.lower == pytest.approx(0.025 ** (1 / 40), abs=0.01)


def test_what_is_not_counted_does_not_tell() -> None:
    above, below = ones(30, 40)
    padded = np.pad(above, ((0, 60), (0, 0))), np.pad(below, ((0, 60), (0, 0)))
    assert proportions(*padded, single(100)) == proportions(above, below, single(40))
    (nothing,) = proportions(np.zeros((9, 1)), np.zeros((9, 1)), single(9))
    assert np.isnan([nothing.value, nothing.lower, nothing.upper]).all()


def test_pairs_of_ratings_are_counted_with_their_text() -> None:
    equal, all_pairs = RNG.integers(0, 11, size=(90, 1)), np.full((90, 1), 10)
    (found,) = proportions(np.minimum(equal, 10), all_pairs, single(90))
    assert found.value == pytest.approx(np.minimum(equal, 10).mean() / 10)
    spread = (np.minimum(equal, 10) / 10).std(ddof=1) / np.sqrt(90)
    assert found.width == pytest.approx(2 * 1.987 * spread, rel=0.1)


def test_one_cluster_says_nothing() -> None:
    (found,) = proportions(*ones(30, 40), np.zeros(40, dtype=np.int64))
    assert found.width > 0.95


def test_groups_are_those_with_a_text_that_counts() -> None:
    assert groups(np.array([1, 1, 2, 3, 3]), np.array([True, True, False, False, True])) == 2
