from __future__ import annotations

import numpy as np
import pytest

from backend.tuners.design import Design, coordinates
from backend.tuners.logistic import contrasts, fit


@pytest.mark.parametrize("n", [5, 12, 40])
def test_weights_go_back_to_the_features_themselves(n: int) -> None:
    """Fewer texts than columns and more."""
    features = np.random.default_rng(0).normal(1.0, 2.0, (n, 12)).astype(np.float32)
    dense, way = coordinates(features, 6)
    weights = np.random.default_rng(1).normal(size=(dense.shape[1], 3))
    raw, bias = way.raw(weights)
    np.testing.assert_allclose(features @ raw + bias, dense @ weights, atol=1e-5)


def test_turning_changes_no_solution() -> None:
    random = np.random.default_rng(2)
    features = random.normal(size=(20, 30)).astype(np.float32)
    dense, way = coordinates(features, 15)
    assert dense.shape[1] < 30
    straight = (features - way.mean) * way.scale
    prior, goal = random.normal(size=(20, 3)), np.eye(3)[random.integers(0, 3, 20)]
    sides = contrasts(3, ordered=False)
    one = fit(Design(dense, None), prior, goal, np.ones(20), sides, 0.5)
    other = fit(Design(straight, None), prior, goal, np.ones(20), sides, 0.5)
    np.testing.assert_allclose(
        one.scores(Design(dense, None), prior), other.scores(Design(straight, None), prior), atol=5e-3
    )


def test_every_segment_spreads_alike_and_a_layer_has_length_one() -> None:
    features = np.random.default_rng(0).normal(size=(50, 12)) * np.repeat([1.0, 9.0, 0.1, 4.0, 2.0, 7.0], 2)
    dense, _ = coordinates(features.astype(np.float32), 2)
    lengths = (dense * dense).mean(axis=0).reshape(6, 2).sum(axis=1)
    np.testing.assert_allclose(lengths, 1 / 3)


def test_a_column_without_spread_is_left_out() -> None:
    features = np.ones((9, 4), dtype=np.float32)
    features[:, 0] = np.arange(9)
    dense, way = coordinates(features, 2)
    assert np.isfinite(dense).all()
    assert way.scale.tolist()[2:] == [0.0, 0.0]
    same, _ = coordinates(np.ones((3, 8), dtype=np.float32), 4)
    assert np.isfinite(same).all()
