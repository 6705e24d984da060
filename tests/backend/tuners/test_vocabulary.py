from __future__ import annotations

import numpy as np

from backend.engines.terms import counts
from backend.tuners.vocabulary import FROM, WEIGHT, matrix, scaled, vocabulary, weight

ITEMS = [(f"shared word{n}", "reply") for n in range(FROM)]


def test_few_texts_have_no_vocabulary() -> None:
    terms = vocabulary(ITEMS[:-1])
    assert len(terms.buckets) == 0
    assert matrix(terms, ITEMS) is None
    assert scaled(None, 2.0) is None


def test_terms_of_two_texts_and_more_are_known() -> None:
    terms = vocabulary(ITEMS)
    shared, reply = next(iter(counts("shared", 0))), next(iter(counts("reply", 1)))
    assert {shared, reply} <= set(terms.buckets.tolist())
    assert len(terms.buckets) < 10  # each "word<n>" occurs once; a hash may be shared by chance
    assert (np.diff(terms.buckets) > 0).all()


def test_rows_weigh_the_same_whatever_the_fields() -> None:
    values = scaled(matrix(vocabulary(ITEMS), ITEMS), weight(2))
    assert values.shape[0] == len(ITEMS)
    squares = np.asarray(values.multiply(values).sum(axis=1)).ravel()
    np.testing.assert_allclose(squares, WEIGHT, rtol=1e-5)
