"""Agreement with a model whose suggestion is seen, and is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.stats.anchoring import Arm, anchoring, same_mix, share


def arm(agree: int, n: int, times: int = 1) -> Arm:
    """`n` texts of which so many agree; each in a cluster of so many copies."""
    agrees = np.repeat((np.arange(n) < agree).astype(float), times)
    return Arm(agrees, np.ones(n * times), np.repeat(np.arange(n), times))


def test_the_difference_has_newcombes_interval() -> None:
    """Newcombe 1998, Table II: 56/70 - 48/80 = .20, method 10 without continuity correction [.0524, .3339]. Ours uses
    Student's t and variances with n - 1, so bounds are a little wider.
    """
    found = anchoring(arm(56, 70), arm(48, 80))
    assert found.difference == pytest.approx(0.2)
    assert (found.lower, found.upper) == pytest.approx((0.0524, 0.3339), abs=0.004)
    assert found.lower < 0.0524 and found.upper > 0.3339


def test_texts_that_are_tied_count_as_one() -> None:
    once, thrice = anchoring(arm(30, 40), arm(24, 40)), anchoring(arm(30, 40, 3), arm(24, 40, 3))
    assert (thrice.lower, thrice.upper) == pytest.approx((once.lower, once.upper))
    assert (once.seen.n, once.seen.clusters, thrice.seen.n, thrice.seen.clusters) == (40, 40, 120, 40)


def test_an_arm_that_wholly_agrees_still_has_an_interval() -> None:
    found = share(arm(20, 20))
    assert found.value == 1 and found.upper == 1 and 0.8 < found.lower < 0.9


@given(st.integers(0, 30), st.integers(0, 30))
def test_the_arms_may_be_exchanged(a: int, b: int) -> None:
    one, other = anchoring(arm(a, 30), arm(b, 30)), anchoring(arm(b, 30), arm(a, 30))
    assert one.difference == pytest.approx(-other.difference)
    assert (one.lower, one.upper) == pytest.approx((-other.upper, -other.lower))
    assert -1 <= one.lower <= one.difference <= one.upper <= 1


def test_weights_give_one_mix_to_another() -> None:
    of, target = np.array([1, 1, 1, 2]), np.array([1, 2, 2, 2])
    weight = same_mix(of, np.ones(4), target, np.ones(4))
    assert weight[of == 1].sum() / weight.sum() == pytest.approx(1 / 4)
    assert weight.sum() == pytest.approx(4)
    halves = same_mix(of, np.array([0.5, 0.5, 1, 1]), target, np.array([1.5, 0.5, 0.5, 0.5]))
    assert halves[of == 1].sum() / halves.sum() == pytest.approx(1 / 2)
    assert halves[0] == pytest.approx(halves[2] / 2)
    assert same_mix(np.array([1, 3]), np.ones(2), np.array([1, 1]), np.ones(2)).tolist() == [2, 0]
