"""The sample is shown to be the completed part of the random order, or refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.findings.sample import NoSampleError, NotAPrefixError, checked, frame
from tests.backend.findings.corpus_of import code, drawn
from tests.backend.findings.world import read
from tests.backend.learning.coding import Coding

IDS = np.array([11, 12, 13, 14, 15, 16])
DRAW = np.array([1, 1, 1, 1, 2, 2])
RANK = np.array([0, 2, 2, 4, 0, 2])


def test_the_first_texts_of_the_order_are_a_sample() -> None:
    assert checked(IDS, DRAW, RANK, [11, 13], [12]).tolist() == [True, True, True, False, False, False]
    assert checked(IDS, DRAW, RANK, [11, 12, 13, 14, 15], []).sum() == 5
    assert not checked(IDS, DRAW, RANK, [], []).any()


@pytest.mark.parametrize(
    ("accepted", "gaps"),
    [([12, 13], 1), ([11, 12], 1), ([11, 14], 2), ([11, 12, 13, 15], 1), ([15], 4), ([16], 5)],
)
def test_a_sample_with_a_gap_is_refused(accepted: list[int], gaps: int) -> None:
    with pytest.raises(NotAPrefixError, match=rf"^{gaps} audit texts"):
        checked(IDS, DRAW, RANK, accepted, [])


def test_a_text_is_coded_or_missing_and_of_the_audit() -> None:
    for accepted, missing in (([11], [11]), ([99], []), ([], [99])):
        with pytest.raises(ValueError, match="at once"):
            checked(IDS, DRAW, RANK, accepted, missing)


@given(st.permutations(list(range(6))), st.integers(0, 6), st.data())
def test_the_order_of_texts_is_no_matter_and_any_text_taken_out_before_the_last_is_seen(
    order: list[int], n: int, data: st.DataObject
) -> None:
    ids, draw, rank = np.arange(6), np.zeros(6, dtype=np.int64) + 1, np.array(order)
    first = ids[rank < n].tolist()
    assert checked(ids, draw, rank, first, []).sum() == n
    if n > 1:
        out = data.draw(st.sampled_from([i for i in first if rank[i] < n - 1]))
        with pytest.raises(NotAPrefixError):
            checked(ids, draw, rank, [i for i in first if i != out], [])


def test_the_frame_is_what_was_drawn_from_and_what_was_not_is_told(coding: Coding) -> None:
    corpus = drawn(coding, 40, audit=20)
    code(corpus, range(12))
    coding.answer(corpus.ids[12], 1, cancelled=True)
    coding.text("seen before")
    found = frame(read(coding), "humor", "gate")
    assert len(found.texts) == len(found.stratum) == 40
    assert found.drawn.sum() == 7 and found.coded.sum() == 6
    assert (found.missing, found.outside) == (1, 1)
    assert sorted(found.accepted) == [corpus.ids[k] for k in range(0, 12, 2)]


def test_where_nothing_was_drawn_or_coded_the_reason_is_told(coding: Coding) -> None:
    coding.text("a")
    with pytest.raises(NoSampleError, match="drawn at random"):
        frame(read(coding), "humor", "gate")
    corpus = drawn(coding, 10, audit=6)
    with pytest.raises(NoSampleError, match="No gate text"):
        frame(read(coding), "humor", "gate")
    code(corpus, [0])
    with pytest.raises(NoSampleError, match="two are the least"):
        frame(read(coding), "humor", "gate")
