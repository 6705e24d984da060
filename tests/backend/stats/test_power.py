from __future__ import annotations

import numpy as np
import pytest

from backend.stats.power import needed, smallest_difference

PLANNED = {0.10: (293, 197), 0.15: (120, 85), 0.20: (62, 46)}  # texts beside as many others, and beside four times


@pytest.mark.parametrize("rise", PLANNED)
def test_the_published_sizes_come_out(rise: float) -> None:
    alike, beside_four = PLANNED[rise]
    assert needed(rise, 0.7) == pytest.approx(alike, abs=1)
    assert needed(rise, 0.7, 4) == pytest.approx(beside_four, abs=1)


@pytest.mark.parametrize(("n", "m"), [(294, 294), (121, 121), (62, 62), (197, 788), (400, 150)])
def test_the_smallest_difference_needs_just_these_sizes(n: int, m: int) -> None:
    found = smallest_difference(n, m, 0.7)
    assert found is not None
    assert needed(found, 0.7, m / n) == pytest.approx(n, rel=1e-6)
    assert smallest_difference(n + 50, m + 50, 0.7) < found  # type: ignore[operator]


def test_a_simulated_comparison_has_the_power_that_was_promised() -> None:
    rng = np.random.default_rng(3)
    n, m = 293, 293
    audit, control = rng.binomial(n, 0.7, 20_000) / n, rng.binomial(m, 0.8, 20_000) / m
    error = np.sqrt(audit * (1 - audit) / n + control * (1 - control) / m)
    seen = (np.abs(control - audit) > 1.96 * error).mean()
    assert seen == pytest.approx(0.8, abs=0.015)


def test_too_few_texts_show_nothing() -> None:
    assert smallest_difference(10, 10, 0.7) is None
    assert smallest_difference(0, 100, 0.7) is None
    assert smallest_difference(100, 0, 0.7) is None
