"""Probabilities, held against what people say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sklearns_log_loss

from backend.assist.calibration import calibrated
from backend.engines.protocol import Family
from backend.stats import calibration as c

Values = NDArray[np.float64]


def softmax(logits: Values) -> Values:
    return np.asarray(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))


def world(n: int, k: int, heat: float, seed: int = 0) -> tuple[Values, NDArray[np.bool_]]:
    """Log-probabilities that are too sure by a factor `heat`, and labels drawn with the right ones."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, k))
    p = np.exp(softmax(logits))
    label = (rng.random(n)[:, None] > p.cumsum(axis=1)).sum(axis=1).clip(max=k - 1)
    return softmax(heat * logits), np.eye(k, dtype=bool)[label]


@pytest.mark.parametrize("k", [2, 5])
def test_scores_are_sklearns(k: int) -> None:
    log_p, truth = world(300, k, 1.5)
    p, label = np.exp(log_p), truth.argmax(axis=1)
    assert c.log_loss(log_p, truth, several=False).mean() == pytest.approx(sklearns_log_loss(label, p))
    if k == 2:
        assert c.brier(log_p, truth, several=False).mean() == pytest.approx(brier_score_loss(label, p[:, 1]))
    each = [brier_score_loss(truth[:, one], p[:, one]) for one in range(k)]
    assert c.brier(log_p, truth, several=False).mean() == pytest.approx(sum(each) / 2)
    assert c.brier(log_p, truth, several=True).mean() == pytest.approx(np.mean(each))
    losses = [sklearns_log_loss(truth[:, one], p[:, one]) for one in range(k)]
    assert c.log_loss(log_p, truth, several=True).mean() == pytest.approx(np.mean(losses))


def test_bins_are_sklearns_curve_of_quantiles() -> None:
    log_p, truth = world(400, 3, 1.0)
    said, right, text = c.judgements(log_p, truth, several=False)
    so, of = calibration_curve(right, said, n_bins=10, strategy="quantile")
    found = c.bins(said, right)
    assert [one.right for one in found] == pytest.approx(so) and [one.said for one in found] == pytest.approx(of)
    assert c.ece(said, right) == pytest.approx(np.abs(so - of).mean())
    assert text.tolist() == list(range(400))


def test_few_texts_are_not_cut_into_many_bins() -> None:
    said, right = np.linspace(0.1, 0.9, 45), np.ones(45, dtype=bool)
    assert [len(one.places) for one in c.bins(said, right)] == [23, 22]
    assert len(c.bins(said[:5], right[:5])) == 1


@pytest.mark.parametrize(("several", "family"), [(False, Family.CATEGORICAL), (True, Family.BERNOULLI)])
def test_a_temperature_is_read_as_the_service_reads_it(several: bool, family: Family) -> None:
    raw = world(20, 4, 1.0)[0]
    mine = c.heated(raw, 1.7, several=several)
    assert mine == pytest.approx(np.array([calibrated(row, family, 1.7) for row in raw.tolist()]))
    assert c.heated(raw, 1.0, several=several) == pytest.approx(raw)


@pytest.mark.parametrize("heat", [0.5, 2.0])
def test_the_temperature_that_was_put_in_is_found(heat: float) -> None:
    raw, truth = world(4000, 4, heat)
    assert c.temperature(raw, truth, several=False) == pytest.approx(heat, rel=0.1)
    fitted = c.cross_fitted(raw, truth, np.arange(4000), several=False, seed=1)
    assert fitted == pytest.approx(np.full(4000, heat), rel=0.1)
    before, after = (
        c.log_loss(one, truth, several=False).mean() for one in (raw, c.heated(raw, fitted, several=False))
    )
    assert after < before


def test_no_text_is_read_at_a_temperature_that_its_cluster_helped_to_fit() -> None:
    raw, truth = world(60, 3, 3.0)
    cluster = np.arange(60) // 3
    before = c.cross_fitted(raw, truth, cluster, several=False, seed=1)
    changed = truth.copy()
    changed[:3] = np.roll(truth[:3], 1, axis=1)
    after = c.cross_fitted(raw, changed, cluster, several=False, seed=1)
    assert after[:3].tolist() == before[:3].tolist() and after.tolist() != before.tolist()
    with pytest.raises(ValueError, match="two texts"):
        c.cross_fitted(raw[:3], truth[:3], cluster[:3], several=False, seed=1)


def test_chance_alone_makes_a_calibration_error_the_more_the_fewer_texts() -> None:
    few, many = (c.judgements(*world(n, 3, 1.0, seed=n), several=False) for n in (100, 3000))
    usual, high = c.by_chance(few[0], seed=1)
    assert 0.03 < usual < high < 0.25
    assert c.by_chance(many[0], seed=1)[1] < usual
    assert c.ece(many[0], many[1]) < c.by_chance(many[0], seed=1)[1]
    wrong = c.judgements(*world(3000, 3, 4.0), several=False)
    assert c.ece(wrong[0], wrong[1]) > c.by_chance(wrong[0], seed=1)[1]


def test_losses_of_tied_texts_are_one_observation() -> None:
    losses = np.random.default_rng(1).random((30, 2))
    once = c.clustered(losses, np.arange(30))
    twice = c.clustered(np.repeat(losses, 2, axis=0), np.repeat(np.arange(30), 2))
    assert twice.value == pytest.approx(once.value) and twice.variance == pytest.approx(once.variance)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 5), st.booleans())
def test_scores_are_within_their_bounds_and_the_order_of_texts_changes_nothing(
    seed: int, k: int, several: bool
) -> None:
    log_p, truth = world(40, k, 1.0, seed)
    order = np.random.default_rng(seed).permutation(40)
    for score in (c.brier, c.log_loss):
        each = score(log_p, truth, several=several)
        assert (each >= 0).all()
        assert score(log_p[order], truth[order], several=several) == pytest.approx(each[order])
    assert (c.brier(log_p, truth, several=several) <= 1).all()
    perfect = np.where(truth, 0.0, -np.inf)
    assert c.brier(perfect, truth, several=several) == pytest.approx(np.zeros(40))
