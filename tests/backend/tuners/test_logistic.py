from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from backend.tuners.design import Design
from backend.tuners.logistic import BIAS_COST, SCALE_COST, Array, balanced, contrasts, fit


def problem(n: int = 60, k: int = 4, r: int = 7, *, sparse: bool = False) -> tuple[Design, Array, Array]:
    from scipy.sparse import random as random_sparse

    random = np.random.default_rng(3)
    words = random_sparse(n, 9, 0.4, format="csr", random_state=random) if sparse else None
    prior = random.normal(size=(n, k))
    labels = (prior + random.normal(size=(n, k))).argmax(axis=1)
    return Design(random.normal(size=(n, r)), words), prior, np.eye(k)[labels]


def test_contrasts_are_orthonormal_and_sum_to_zero() -> None:
    for ordered in (False, True):
        basis = contrasts(5, ordered=ordered).basis
        np.testing.assert_allclose(basis.T @ basis, np.eye(4), atol=1e-12)
        np.testing.assert_allclose(basis.sum(axis=0), 0, atol=1e-12)
    steps = np.diff(contrasts(5, ordered=True).basis[:, 0])
    np.testing.assert_allclose(steps, steps[0])
    assert contrasts(5, ordered=True).cost.tolist() == [1, 3, 3, 3]


def test_an_infinite_strength_gives_the_prior_back_exactly() -> None:
    design, prior, targets = problem()
    for start in (math.inf, 1e12):
        found = fit(design, prior, targets, np.ones(60), contrasts(4, ordered=False), start)
        close: Any = np.testing.assert_array_equal if math.isinf(start) else np.testing.assert_allclose
        close(found.scores(design, prior), prior)


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("sparse", [False, True])
def test_the_fit_is_where_the_gradient_vanishes(ordered: bool, sparse: bool) -> None:
    """Checked against the loss of the docstring, written out and differentiated numerically."""
    design, prior, targets = problem(sparse=sparse)
    sides, weights, strength = contrasts(4, ordered=ordered), np.linspace(0.5, 1.5, 60), 0.7
    found = fit(design, prior, targets, weights, sides, strength)

    def loss(d: float, bias: Array, coefficients: Array) -> float:
        scores = (1 + d) * prior + (bias + design.times(coefficients)) @ sides.basis.T
        log_p = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        penalty = SCALE_COST * d * d + BIAS_COST * (bias @ bias) + (sides.cost * coefficients**2).sum()
        return float(-(weights[:, None] * targets * log_p).sum() + strength / 2 * penalty)

    d, bias, coefficients = found.scale - 1, found.bias @ sides.basis, found.weights @ sides.basis
    least = loss(d, bias, coefficients)
    random = np.random.default_rng(0)
    for _ in range(30):
        step = 1e-2 * random.normal(size=coefficients.shape)
        assert loss(d, bias, coefficients + step) > least
        assert loss(d + 0.01 * random.normal(), bias + 0.01 * random.normal(size=3), coefficients) > least


def test_a_start_changes_nothing_but_the_time() -> None:
    design, prior, targets = problem()
    sides = contrasts(4, ordered=False)
    cold = fit(design, prior, targets, np.ones(60), sides, 0.3)
    warm = fit(design, prior, targets, np.ones(60), sides, 0.3, fit(design, prior, targets, np.ones(60), sides, 3.0))
    np.testing.assert_allclose(cold.weights, warm.weights, atol=2e-3)


def test_without_a_prior_it_is_ordinary_logistic_regression() -> None:
    from sklearn.linear_model import LogisticRegression

    design, prior, targets = problem(k=2)
    flat = np.zeros_like(prior)
    ours = fit(design, flat, targets, np.ones(60), contrasts(2, ordered=False), 1.0)
    x = np.hstack([design.dense, np.full((60, 1), 1 / math.sqrt(BIAS_COST))])  # the bias as a column of its own cost
    # with contrasts of length 1 the log-odds are sqrt(2) times ours: the same penalty is C = 2
    theirs = LogisticRegression(C=2.0, fit_intercept=False, tol=1e-8).fit(x, targets.argmax(axis=1))
    odds = np.diff(ours.scores(design, flat), axis=1)[:, 0]
    np.testing.assert_allclose(odds, theirs.decision_function(x), atol=5e-3)


def test_balanced_weights_make_labels_count_the_same() -> None:
    targets = np.eye(3)[[0] * 8 + [1] * 2]  # the third label does not occur
    weights = balanced(targets)
    assert weights.mean() == pytest.approx(1)
    assert weights[:8].sum() == pytest.approx(weights[8:].sum())
    np.testing.assert_allclose(balanced(targets, 0.0), 1)
