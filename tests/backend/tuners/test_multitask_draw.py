"""Which question a step learns from, and which texts."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from backend.tuners.multitask_draw import MIXED, Draw, shares

LENGTHS = [np.arange(10, 110), np.arange(5, 30), np.full(7, 12)]


@pytest.mark.parametrize(("power", "expected"), [(1.0, [50, 12, 2]), (0.5, [37, 19, 9]), (0.0, [22, 21, 21])])
def test_a_question_of_n_texts_gets_n_to_the_power_of_the_steps(power: float, expected: list[int]) -> None:
    found = shares([800, 200, 40], 16, power)
    assert sum(found) == -(-1040 // 16) == 65
    exact = np.array([800.0, 200.0, 40.0]) ** power
    np.testing.assert_allclose(found, 65 * exact / exact.sum(), atol=1)
    assert sorted(found, reverse=True) == found
    assert np.abs(np.array(found) - expected).max() <= 1


def test_the_smallest_question_is_in_every_epoch() -> None:
    assert shares([10_000, 3], 32, 1.0)[1] == 1


def test_an_epoch_goes_on_where_the_one_before_ended() -> None:
    """Every text is seen before one is seen again, over the ends of epochs too."""
    draw = Draw(LENGTHS, batch=4, sampling=0.5, seed=1)
    steps = draw.steps
    seen: list[Counter[int]] = [Counter() for _ in LENGTHS]
    for epoch in range(9):
        parts = draw.epoch(epoch)
        assert Counter(part.course for part in parts) == dict(enumerate(steps))
        for part in parts:
            assert len(part.texts) == 4
            seen[part.course].update(map(int, part.texts))
    for course, counted in enumerate(seen):
        n = len(LENGTHS[course])
        times = 9 * steps[course] * 4 / n
        assert {counted[text] for text in range(n)} <= {int(times), int(times) + 1}


def test_steps_are_of_like_lengths_in_random_order_and_the_same_for_a_seed() -> None:
    draw = Draw([np.arange(4 * MIXED)], batch=4, sampling=0.5, seed=1)
    parts = draw.epoch(0)
    assert all(np.ptp(part.texts) == 3 for part in parts)
    starts = [int(part.texts[0]) for part in parts]
    assert sorted(starts) == list(range(0, 4 * MIXED, 4)) != starts
    again = Draw([np.arange(4 * MIXED)], batch=4, sampling=0.5, seed=1).epoch(0)
    assert [list(part.texts) for part in again] == [list(part.texts) for part in parts]
    other = Draw([np.arange(4 * MIXED)], batch=4, sampling=0.5, seed=2).epoch(0)
    assert [int(part.texts[0]) for part in other] != starts
