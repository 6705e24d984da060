"""The numbers of the rule: imagined texts, bounds, labels that fall, and how many labels more."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.learning import gate_rule as rule
from labelstudio_config.codebook import Kind


def test_imagined_texts_are_one_in_all_whatever_the_number_of_labels() -> None:
    for k in (2, 10):
        drawn = rule.doubt(20_000, k, 0)
        assert drawn.shape == (2, 20_000, k)
        assert drawn.sum(axis=2).mean() == pytest.approx(rule.DOUBT, abs=0.02)
        assert (drawn[0] != drawn[1]).any()


def test_without_imagined_texts_the_difference_is_that_of_the_scores() -> None:
    rng = np.random.default_rng(0)
    eye = np.eye(3, dtype=bool)
    truth, champion, challenger = (eye[rng.integers(3, size=40)] for _ in range(3))
    weights, none = rng.integers(0, 3, size=(6, 40)).astype(float), np.zeros((2, 6, 3))
    for kind in (Kind.SINGLE, Kind.MULTIPLE, Kind.ORDINAL):
        found = rule.drawn(weights, none, kind, truth, champion, challenger)
        scores = [rule.score(weights, kind, truth, marks) for marks in (champion, challenger)]
        assert found.delta == pytest.approx(scores[1] - scores[0])
        assert found.labels.shape == (6, 3)


@pytest.mark.parametrize("kind", [Kind.SINGLE, Kind.MULTIPLE, Kind.ORDINAL])
def test_an_imagined_text_speaks_for_who_has_it_right(kind: Kind) -> None:
    eye = np.eye(3, dtype=bool)[np.arange(30) % 3]
    doubted = np.zeros((2, 2, 3))
    doubted[0, 0, 1] = doubted[1, 1, 1] = 1.0
    against, for_it = rule.drawn(np.ones((2, 30)), doubted, kind, eye, eye, eye).delta
    assert against < 0 < for_it
    assert against == pytest.approx(-for_it)


def test_a_label_must_fall_in_nearly_every_resample() -> None:
    draws = np.full((1000, 3), -0.1)
    draws[:40, 1] = 0.0  # 4 % do not fall: enough for one label, too many for one of three
    draws[:60, 2] = 0.0
    support = np.full(3, 100)
    assert rule.fallen(draws, support, 1).tolist() == [True, True, False]
    assert rule.fallen(draws, support, 3).tolist() == [True, False, False]
    assert rule.fallen(draws, np.array([rule.SUPPORT - 1, 100, 100]), 1).tolist() == [False, True, False]


def test_promoting_and_keeping_exclude_each_other() -> None:
    no, yes = np.array(False), np.array(True)
    bound = np.array
    assert rule.promotes(bound(-0.009), [bound(-0.049)], no)
    assert not rule.promotes(bound(-0.011), [bound(0.0)], no)
    assert not rule.promotes(bound(0.0), [bound(0.0), bound(-0.051)], no)
    assert not rule.promotes(bound(0.1), [bound(0.1)], yes)
    assert not rule.promotes(bound(np.nan), [bound(np.nan)], no)
    assert rule.keeps(bound(-0.001), [bound(0.1)], no)
    assert rule.keeps(bound(0.1), [bound(0.1), bound(-0.001)], no)
    assert rule.keeps(bound(0.1), [bound(0.1)], yes)
    assert not rule.keeps(bound(0.0), [bound(0.0)], no)


@given(st.integers(50, 2000), st.floats(-0.1, 0.2), st.floats(0.005, 0.2))
def test_the_labels_wanted_bring_the_bound_to_the_margin(n: int, delta: float, half: float) -> None:
    more = rule.wanted(n, delta, delta - half, rule.WHOLE)
    if more is None:
        assert delta <= -rule.WHOLE or n * (half / (delta + rule.WHOLE)) ** 2 > rule.PATIENCE * n
    else:
        assert more % 10 == 0
        assert delta - half * np.sqrt(n / (n + more)) >= -rule.WHOLE - 1e-9
