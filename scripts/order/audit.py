"""What the product says of each label's share in the corpus, beside the true share and what is often published."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.findings.sample import Frame
from backend.findings.weighed import weighed
from backend.learning.estimate import Estimate
from scripts.order.corpus import Corpus, Ints

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """Of K shares: the `error` [K] in shares of 1, whether an interval was `shown` [K], and `held` the truth [K]."""

    error: Array
    shown: NDArray[np.bool_]
    held: NDArray[np.bool_]


def shares(labels: Ints, k: int) -> Array:
    return np.bincount(labels, minlength=k) / max(1, len(labels))


def corrected(corpus: Corpus, model: Ints, audit: Ints, k: int) -> Judged:
    """The product's corrected shares, from the model's label of every text [n] and people's of the audit's texts."""
    n = len(corpus.items)
    clusters = int(corpus.cluster.max()) + 1
    drawn = np.zeros(clusters, dtype=np.bool_)
    drawn[corpus.cluster[audit]] = True
    frame = Frame(
        texts=np.arange(n),
        cluster=corpus.cluster,
        stratum=np.zeros(clusters, dtype=np.int64),
        drawn=drawn,
        coded=drawn[corpus.cluster],
        accepted={},
        missing=0,
        outside=0,
    )
    human = np.eye(k)[corpus.truth] * frame.coded[:, None]
    found = weighed(frame, np.ones(n), human, np.eye(k)[model], share=True)
    return _judged(found.corrected, shares(corpus.truth, k))


def redrawn(corpus: Corpus, model: Ints, k: int, times: int, seed: int) -> list[Judged]:
    """The same with other audits of as many clusters, drawn anew from the whole corpus while the model stays."""
    random = np.random.default_rng([54, seed])
    clusters = int(corpus.cluster.max()) + 1
    size = len(np.unique(corpus.cluster[corpus.audit]))
    each = (random.choice(clusters, size, replace=False) for _ in range(times))
    return [corrected(corpus, model, np.flatnonzero(np.isin(corpus.cluster, drawn)), k) for drawn in each]


def _judged(found: tuple[Estimate, ...], truth: Array) -> Judged:
    bounds = [(one.lower, one.upper) for one in found]
    shown = np.array([low is not None and high is not None for low, high in bounds])
    held = np.array(
        [
            low is not None and high is not None and low <= true <= high
            for (low, high), true in zip(bounds, truth, strict=True)
        ]
    )
    value = np.array([np.nan if one.value is None else one.value for one in found])
    return Judged(value - truth, shown, held)
