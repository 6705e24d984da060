from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from backend.engines.terms import Terms, counts


def known(*texts: str, idf: float = 1.0) -> Terms:
    buckets = sorted({bucket for text in texts for bucket in counts(text, 0)})
    return Terms(np.array(buckets), np.full(len(buckets), idf, dtype=np.float32))


def test_words_pairs_and_marks_are_terms() -> None:
    assert sum(counts("Well well, DONE!", 0).values()) == 5 + 4
    assert max(counts("Well well", 0).values()) == 2
    assert counts("a\ud800b", 0)


def test_fields_are_kept_apart() -> None:
    assert not counts("one two", 0).keys() & counts("one two", 1).keys()


def test_the_hash_is_the_same_on_every_machine() -> None:
    assert list(counts("word", 0)) == [95505]


@given(st.text(max_size=200))
def test_values_have_length_one_or_are_empty(text: str) -> None:
    columns, values = known("a b c", text).values(text, 0)
    assert len(columns) == len(set(columns.tolist())) == len(counts(text, 0))
    if len(values):
        assert np.isclose(np.linalg.norm(values), 1, atol=1e-5)


def test_an_unknown_word_is_left_out() -> None:
    terms = known("alpha beta")
    columns, values = terms.values("alpha gamma", 0)
    assert terms.buckets[columns].tolist() == list(counts("alpha", 0))
    assert values.tolist() == [1.0]
    assert Terms(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)).values("alpha", 0)[0].shape == (0,)
