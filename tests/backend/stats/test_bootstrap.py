"""Resamples of clusters, and the intervals against numpy's and SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap

from backend.stats import bootstrap as module
from backend.stats.bootstrap import bca, percentile, quantile, resamples


@settings(max_examples=40)
@given(st.lists(st.integers(-3, 9), min_size=1, max_size=40), st.integers(0, 2**63))
def test_a_cluster_is_drawn_as_a_whole_and_as_many_as_there_are(names: list[int], seed: int) -> None:
    clusters = np.array(names)
    (weights,) = resamples(clusters, 8, seed)
    assert weights.shape == (8, len(names))
    firsts = np.unique(clusters, return_index=True)[1]
    assert (weights[:, firsts].sum(axis=1) == len(firsts)).all()
    for name in set(names):
        ours = weights[:, clusters == name]
        assert (ours == ours[:, :1]).all()


def test_equal_seeds_draw_equally_and_others_do_not() -> None:
    one, again, other = (np.concatenate(list(resamples(np.arange(50), 20, seed))) for seed in (1, 1, 2))
    assert (one == again).all()
    assert (one != other).any()


def test_many_draws_come_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 100)
    assert [len(block) for block in resamples(np.arange(30), 10, 0)] == [3, 3, 3, 1]
    assert [len(block) for block in resamples(np.arange(300), 2, 0)] == [1, 1]


def test_no_text_is_drawn_from_none() -> None:
    (weights,) = resamples(np.zeros(0, dtype=np.int64), 5, 0)
    assert weights.shape == (5, 0)


def test_texts_are_drawn_with_equal_chances() -> None:
    (weights,) = resamples(np.arange(20), 4000, 3)
    assert np.allclose(weights.mean(axis=0), 1, atol=0.08)
    assert weights.var() == pytest.approx(0.95, abs=0.03)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_a_quantile_is_numpys_without_what_is_undefined(seed: int, at: float) -> None:
    rng = np.random.default_rng(seed)
    draws = rng.normal(size=(30, 3))
    draws[rng.random((30, 3)) < 0.2] = np.nan
    draws[0] = 1.0
    assert np.allclose(quantile(draws, at), np.nanquantile(draws, at, axis=0))


def test_a_figure_never_defined_has_no_bounds() -> None:
    lower, upper = percentile(np.full((10, 2), np.nan), 0.9)
    assert np.isnan([*lower, *upper]).all()


def test_bca_is_scipys() -> None:
    sample = np.random.default_rng(4).exponential(size=60)
    weights = np.concatenate(list(resamples(np.arange(60), 20_000, 5)))
    draws = (weights @ sample / 60).astype(np.float64)
    without = np.array([np.delete(sample, i).mean() for i in range(60)])
    lower, upper = bca(float(sample.mean()), draws, without, 0.9)
    wanted = bootstrap((sample,), np.mean, n_resamples=20_000, confidence_level=0.9, method="BCa", rng=6)
    assert lower == pytest.approx(wanted.confidence_interval.low, abs=0.01)
    assert upper == pytest.approx(wanted.confidence_interval.high, abs=0.01)
    plain = percentile(draws, 0.9)
    assert lower > plain[0]  # a skewed figure's interval is moved
    assert upper > plain[1]


def test_bca_of_draws_that_are_all_alike_is_the_point() -> None:
    assert bca(0.5, np.full(100, 0.5), np.full(10, 0.5), 0.9) == (0.5, 0.5)
    assert bca(0.0, np.full(100, 0.5), np.full(10, 0.5), 0.9) == (0.5, 0.5)
    assert np.isnan(bca(float("nan"), np.full(9, np.nan), np.zeros(0), 0.9)).all()
