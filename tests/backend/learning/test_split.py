"""Which clusters are held out."""

from __future__ import annotations

import hashlib

from backend.learning.split import held

NAMES = [hashlib.sha256(str(n).encode()).hexdigest() for n in range(2000)]


def test_about_the_share_that_was_asked_for_is_held_out_whatever_the_order() -> None:
    out = held(NAMES, seed=1, validation=0.15)
    assert 0.12 < len(out) / len(NAMES) < 0.18
    assert held(NAMES[::-1], seed=1, validation=0.15) == out
    assert held(NAMES, seed=2, validation=0.15) != out
    assert held(NAMES, seed=1, validation=0) == set()


def test_a_cluster_stays_where_it_is_when_others_come() -> None:
    before = held(NAMES[:500], seed=1, validation=0.15)
    assert held(NAMES, seed=1, validation=0.15) & set(NAMES[:500]) == before


def test_few_texts_are_all_learned_from() -> None:
    assert held(NAMES[:39], seed=1, validation=0.5) == set()
    assert held(NAMES[:40], seed=1, validation=0.5) != set()
    assert held(["one"] * 39, seed=1, validation=0.5) == set()


def test_a_cluster_larger_than_the_part_is_never_held_out() -> None:
    for seed in range(50):
        out = held([NAMES[0]] * 30 + NAMES[1:71], seed=seed, validation=0.2)
        assert NAMES[0] not in out
