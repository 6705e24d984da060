"""Which words the texts of a training set share, and how often each text says them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from backend.engines.protocol import Item
from backend.engines.terms import Terms, counts

FROM = 256  # labelled texts: with fewer, words add noise (measured)
TEXTS = 2  # texts a term must occur in
MOST = 20_000  # terms, the most frequent
WEIGHT = 0.5  # mean squared length beside one for each layer of the embedding


def vocabulary(items: Sequence[Item]) -> Terms:
    """The terms worth knowing; none for a small training set."""
    if len(items) < FROM:
        return Terms(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))
    seen: Counter[int] = Counter()
    for item in items:
        seen.update({term for field, text in enumerate(item) for term in counts(text, field)})
    common = sorted((-n, term) for term, n in seen.items() if n >= TEXTS)[:MOST]
    pairs = sorted((term, -n) for n, term in common)
    buckets = np.array([term for term, _ in pairs], dtype=np.int64)
    frequency = np.array([n for _, n in pairs], dtype=np.float64)
    return Terms(buckets, (np.log((1 + len(items)) / (1 + frequency)) + 1).astype(np.float32))


def matrix(terms: Terms, items: Sequence[Item]) -> Any:
    """SciPy CSR [n, V] of TF-IDF values; None when there are no terms."""
    if not len(terms.buckets):
        return None
    from scipy.sparse import csr_matrix

    columns, values, ends = [], [], [0]
    for item in items:
        for field, text in enumerate(item):
            where, what = terms.values(text, field)
            columns.append(where)
            values.append(what)
        ends.append(ends[-1] + sum(len(x) for x in columns[-len(item) :]))
    data = np.concatenate(values).astype(np.float64)
    return csr_matrix((data, np.concatenate(columns), ends), shape=(len(items), len(terms.buckets)))


def scaled(values: Any, factor: float) -> Any:
    """The matrix times a factor; None stays None."""
    return None if values is None else values * factor


def weight(fields: int) -> float:
    """Factor on the matrix, so that words weigh `WEIGHT` whatever the number of fields."""
    return float(np.sqrt(WEIGHT / fields))
