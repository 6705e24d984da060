"""Multinomial logistic regression that starts from given log-scores and is held to them.

For n texts with K labels, log-scores z, features x and contrasts P [K, J] (orthonormal, each summing to zero over the
labels):

    f = (1 + d) z + P (b + V' x),   loss = sum_i w_i log-loss_i + strength / 2 (10 d^2 + 5 |b|^2 + sum_j cost_j |V_j|^2)

so an infinite strength leaves z as it is. Ordered labels take orthogonal polynomials for contrasts: the linear one
alone is the adjacent-categories model with proportional odds (Agresti 2010, Analysis of Ordinal Categorical Data, ch.
4), and the others cost more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.tuners.design import Design

Array = NDArray[np.float64]
SCALE_COST = 10.0
BIAS_COST = 5.0
CURVE_COST = 3.0  # of an ordinal contrast beyond the linear one


@dataclass(frozen=True, slots=True)
class Contrasts:
    """`basis` [K, J] and the `cost` [J] of each of its columns."""

    basis: Array
    cost: Array


@dataclass(frozen=True, slots=True)
class Fit:
    """Scores are `scale * z + bias + features @ weights`: a number, [K], and [width, K] on the columns of a design."""

    scale: float
    bias: Array
    weights: Array

    def scores(self, design: Design, prior: Array) -> Array:
        return self.scale * prior + self.bias + design.times(self.weights)


def contrasts(labels: int, *, ordered: bool) -> Contrasts:
    """K - 1 contrasts of K labels."""
    if ordered:
        steps = np.arange(labels) - (labels - 1) / 2
        columns = np.vander(steps, labels, increasing=True)
    else:
        columns = np.hstack([np.ones((labels, 1)), np.eye(labels)[:, : labels - 1]])
    basis, _ = np.linalg.qr(columns)
    cost = np.full(labels - 1, CURVE_COST if ordered else 1.0)
    cost[0] = 1.0
    return Contrasts(basis[:, 1:], cost)


def balanced(targets: Array, power: float = 1.0) -> Array:
    """Weights [n], 1 on average: each label that occurs counts the same (power 1), or the n as they are (power 0)."""
    share = np.maximum(targets.sum(axis=0), 1.0)
    weights = (targets @ (1.0 / share)) ** power
    return np.asarray(weights * len(targets) / weights.sum())


def fit(
    design: Design,
    prior: Array,
    targets: Array,
    weights: Array,
    contrasts: Contrasts,
    strength: float,
    start: Fit | None = None,
    *,
    tolerance: float = 1e-9,
) -> Fit:
    """The minimum of the loss above: `prior` and one-hot `targets` [n, K], `weights` [n]; `start` only saves time.

    It ends when the loss falls by less than this share of itself.
    """
    labels, width = prior.shape[1], design.width
    if math.isinf(strength):
        return Fit(1.0, np.zeros(labels), np.zeros((width, labels)))
    from scipy.optimize import minimize

    basis, cost = contrasts.basis, contrasts.cost
    j = basis.shape[1]
    penalty = strength * np.concatenate([[SCALE_COST], np.full(j, BIAS_COST), np.tile(cost, width)])
    goal = targets * weights[:, None]

    def objective(x: Array) -> tuple[float, Array]:
        bias, coefficients = x[1 : 1 + j], x[1 + j :].reshape(width, j)
        scores = (1.0 + x[0]) * prior + (bias + design.times(coefficients)) @ basis.T
        scores -= scores.max(axis=1, keepdims=True)
        odds = np.exp(scores)
        total = odds.sum(axis=1, keepdims=True)
        loss = -(goal * (scores - np.log(total))).sum() + 0.5 * (penalty * x * x).sum()
        residual = odds / total * weights[:, None] - goal
        onto = residual @ basis
        gradient = np.concatenate([[(residual * prior).sum()], onto.sum(axis=0), design.transposed(onto).ravel()])
        return float(loss), gradient + penalty * x

    x0 = np.zeros(1 + j + width * j) if start is None else _packed(start, basis)
    how = {"maxiter": 300, "maxcor": 20, "ftol": tolerance}
    found = minimize(objective, x0, jac=True, method="L-BFGS-B", options=how).x
    return Fit(1.0 + float(found[0]), basis @ found[1 : 1 + j], found[1 + j :].reshape(width, j) @ basis.T)


def _packed(start: Fit, basis: Array) -> Array:
    return np.concatenate([[start.scale - 1.0], start.bias @ basis, (start.weights @ basis).ravel()])
