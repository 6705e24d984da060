from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backend.assist.ties import Ties

IDS = st.integers(1, 12)


@given(st.lists(st.tuples(IDS, IDS)))
def test_tied_ids_are_those_that_a_walk_over_the_pairs_reaches(pairs: list[tuple[int, int]]) -> None:
    ties = Ties(range(1, 13))
    for a, b in pairs:
        ties.tie(a, b)
    sets = {i: {i} for i in range(1, 13)}
    for a, b in pairs:
        both = sets[a] | sets[b]
        for i in both:
            sets[i] = both
    assert ties.roots() == {i: min(sets[i]) for i in range(1, 13)}


def test_an_id_that_is_new_stands_alone() -> None:
    ties = Ties()
    ties.tie_all([])
    ties.tie_all([9, 4, 7])
    assert (ties.root(7), ties.root(1)) == (4, 1)
    assert ties.roots() == {9: 4, 4: 4, 7: 4, 1: 1}
