"""Diversity: among the uncertain texts, those that are like each other come apart.

Cluster-Margin (Citovsky et al. 2021, "Batch Active Learning at Scale", NeurIPS 34): the texts are clustered once; a
batch is drawn from the least certain ones, a text of each cluster in turn, small clusters first. Their clusters come
from a network's embeddings; ours from the texts' own characters (k-means over TF-IDF of character n-grams), so that any
engine, in any language, has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from backend.assist.order import LAST, WORK

BATCH = 20  # texts after which the least certain of the rest are looked at anew
POOL = 5  # times as many are drawn from, so that what the model is sure of stays behind in a small corpus too
FITTED = 20_000  # texts that the clusters are made of; the others join the nearest
FEATURES = 2**14
NGRAMS = (3, 4)
MOST = 300  # clusters

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


def spread_scores(words: Sequence[str], certain: Floats, seed: int) -> Floats:
    """Place in the order of each work text [n], the lowest first, in the range that `order_score` gives them.

    `certain` [n] is what `order_score` would have gone by: the mean margin. The same texts, margins and seed give the
    same places.
    """
    turn = turns(certain, clusters(words, seed))
    return np.asarray(WORK + (LAST - WORK) * turn / max(1, len(turn) - 1))


def turns(certain: Floats, cluster: Places, batch: int = BATCH, pool: int = POOL) -> Places:
    """0 for the text [n] that comes first, 1 for the next, and so on."""
    order = np.argsort(certain, kind="stable")
    turn = np.empty(len(order), dtype=np.intp)
    passed_over, looked_at, done = order[:0], 0, 0
    while done < len(order):
        until = looked_at + batch * pool - len(passed_over)
        candidates = np.concatenate([passed_over, order[looked_at:until]])
        chosen = _in_turn(cluster[candidates])[:batch]
        turn[candidates[chosen]] = np.arange(done, done + len(chosen))
        passed_over, looked_at, done = np.delete(candidates, chosen), until, done + len(chosen)
    return turn


def clusters(words: Sequence[str], seed: int) -> Places:
    """The cluster [n] of each text."""
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

    k = min(MOST, max(1, isqrt(len(words) // 2)))
    if k < 2:
        return np.zeros(len(words), dtype=np.intp)
    hashed = HashingVectorizer(analyzer="char_wb", ngram_range=NGRAMS, n_features=FEATURES, alternate_sign=False)
    rows = TfidfTransformer(sublinear_tf=True).fit_transform(hashed.transform(words))
    rng = np.random.default_rng(seed)
    some = np.sort(rng.permutation(len(words))[:FITTED])
    kmeans = MiniBatchKMeans(  # a fixed number of steps: when to stop must not hang on the last bit of a sum
        k, random_state=seed % 2**32, n_init=1, batch_size=1024, max_iter=5, max_no_improvement=None, tol=0.0
    )
    kmeans.fit(rows[some])
    return np.asarray(kmeans.predict(rows), dtype=np.intp)


def _in_turn(cluster: Places) -> Places:
    """Positions of candidates [m], given least certain first: one of each cluster, then another of each, and so on."""
    _, place, sizes = np.unique(cluster, return_inverse=True, return_counts=True)
    by_cluster = np.argsort(place, kind="stable")
    starts = np.cumsum(sizes) - sizes
    turn = np.empty(len(cluster), dtype=np.intp)
    turn[by_cluster] = np.arange(len(cluster)) - np.repeat(starts, sizes)
    return np.asarray(np.lexsort((np.arange(len(cluster)), sizes[place], turn)), dtype=np.intp)
