from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.assist.order import LAST, NOWHERE, WORK, margin, margin_of, order_score, probabilities
from backend.engines.protocol import Family

MARGINS = st.lists(st.floats(0, 1), max_size=4)
RANKS = st.one_of(st.none(), st.integers(0, 10**6))
P = st.lists(st.floats(0, 1), min_size=1, max_size=5)


@given(RANKS, MARGINS, MARGINS)
def test_control_comes_before_work_and_work_before_what_gets_none(
    rank: int | None, some: list[float], others: list[float]
) -> None:
    control, work = order_score("control", rank, some), order_score("work", rank, others)
    assert 0 <= control < WORK <= work <= LAST < NOWHERE <= 1


@given(st.integers(0, 10**6))
def test_control_keeps_the_order_of_the_draw(rank: int) -> None:
    assert order_score("control", rank, [0.0]) < order_score("control", rank + 1, [1.0])


def test_the_least_sure_work_comes_first() -> None:
    scores = [order_score("work", None, margins) for margins in ([0.0, 0.1], [0.5], [0.2, 0.9], [1.0], [])]
    assert scores == sorted(scores)
    assert scores[0] == pytest.approx(WORK + 0.8 * 0.05)
    assert scores[-1] == LAST


@given(P)
def test_margins_are_finite_shares(p: list[float]) -> None:
    for family in Family:
        assert 0 <= margin_of(p, family) <= 1
    with np.errstate(divide="ignore"):
        assert margin(np.log(np.array(p)), Family.ORDINAL) == pytest.approx(margin_of(p, Family.CATEGORICAL))


def test_the_margin_of_each_family() -> None:
    assert margin_of([0.2, 0.7, 0.1], Family.CATEGORICAL) == pytest.approx(0.5)
    assert margin_of([0.9], Family.ORDINAL) == 0.9
    assert margin_of([0.5, 0.5], Family.CATEGORICAL) == 0
    assert margin_of([0.9, 0.4, 0.0], Family.BERNOULLI) == pytest.approx(0.2)


def test_probabilities_survive_rounding_and_zero() -> None:
    assert probabilities([1e-9, -math.inf, math.log(0.5)]) == pytest.approx([1.0, 0.0, 0.5])
