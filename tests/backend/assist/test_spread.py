from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.assist.order import LAST, NOWHERE, WORK
from backend.assist.spread import clusters, spread_scores, turns
from tests.moods import rows


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 4)), max_size=60), st.integers(1, 9), st.integers(1, 4))
def test_every_text_has_a_turn_of_its_own(texts: list[tuple[float, int]], batch: int, pool: int) -> None:
    certain, cluster = np.array([c for c, _ in texts]), np.array([k for _, k in texts], dtype=np.intp)
    assert sorted(turns(certain, cluster, batch, pool).tolist()) == list(range(len(texts)))


def test_a_batch_takes_one_of_each_cluster_in_turn_small_clusters_first() -> None:
    certain = np.array([0.00, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.99])
    cluster = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 3], dtype=np.intp)
    order = np.argsort(turns(certain, cluster, batch=3, pool=3))
    assert order[:3].tolist() == [7, 4, 0], "one of 2, of 1, of 0, each the least certain of its own"
    assert turns(certain, cluster, batch=2, pool=2)[9] >= 6, "the surest waits, however rare its kind"
    assert turns(certain, cluster, batch=1, pool=1).tolist() == list(range(10)), "by uncertainty alone"


def test_in_one_cluster_the_order_is_that_of_uncertainty() -> None:
    certain = np.array([0.5, 0.1, 0.9, 0.1])
    assert turns(certain, np.zeros(4, dtype=np.intp)).tolist() == [2, 0, 3, 1]


def test_alike_texts_come_apart() -> None:
    """Twenty copies of a kind are the least certain: by uncertainty alone they come first, all together."""
    rng = random.Random(3)
    same = [f"The train to town was late again today, {rng.random():.3f}" for _ in range(20)]
    others = [text for (text,), _ in rows(80, 1)]
    certain = np.array([0.001 * i for i in range(20)] + [0.1 + 0.001 * i for i in range(80)])
    scores = spread_scores([*same, *others], certain, seed=5)
    first = np.argsort(scores)[:20]
    assert (first < 20).sum() <= 10
    assert 0 in first, "one of them is there early"


def test_the_same_texts_have_the_same_places_and_lie_where_work_does() -> None:
    words = [text for (text,), _ in rows(120, 2)]
    certain = np.linspace(0, 1, 120)
    first, second = spread_scores(words, certain, 7), spread_scores(words, certain, 7)
    assert first.tolist() == second.tolist()
    assert len(set(first.tolist())) == 120
    assert (first.min(), first.max()) == (WORK, LAST)
    assert NOWHERE > LAST


@pytest.mark.parametrize("n", [0, 1, 2, 7])
def test_few_texts_are_one_cluster(n: int) -> None:
    assert clusters([f"text {i}" for i in range(n)], 1).tolist() == [0] * n
    assert len(spread_scores([f"text {i}" for i in range(n)], np.zeros(n), 1)) == n
