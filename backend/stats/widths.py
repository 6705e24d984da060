"""How wide 95 % intervals will be, before anybody has coded: by simulating coders, a model, and their texts.

Everyone here copies what a text is with some probability, and else picks a label at random by the labels' shares. Then
the shares of labels are everyone's, two coders who copy with probability q have alpha = q ** 2, and a model that copies
the coders' label with probability a has F1 = a + (1 - a) * share.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from backend.stats.f1 import f1, macro, ratio, tally

if TYPE_CHECKING:
    from numpy.random import Generator

Array = NDArray[np.float64]
Z = 1.959963984540054  # of a two-sided 95 % interval
SAMPLES = 400  # simulated codings of an alpha, over the number of labels: with more labels they differ less
FEWEST = 20
RESAMPLES = 200  # of each
TESTS = 1000  # simulated tests of an F1
LARGE = 1000  # texts from which on an interval narrows as the root of their number says


def shares(k: int, rarest: float) -> Array:
    """The shares [K] of labels: the rarest first, the others alike."""
    return np.concatenate([[rarest], np.full(k - 1, (1 - rarest) / (k - 1))])


def alpha(n: int, coders: int, share: Array, true: float, seed: int) -> float:
    """Mean width of the percentile bootstrap interval of nominal alpha on n texts that `coders` people code each.

    `share` [K] are the labels' shares, `true` is the alpha of all texts. NaN where there is nothing to resample, or
    fewer than two coders.
    """
    if n < 2 or coders < 2:
        return float("nan")
    rng = np.random.default_rng(seed)
    size = min(n, LARGE)
    samples = max(FEWEST, SAMPLES // len(share))
    found = [_alpha_width(_coded(size, coders, share, sqrt(true), rng), coders, rng) for _ in range(samples)]
    return float(np.nanmean(found)) * sqrt(size / n)


def not_commonest(coders: int, share: Array, true: float) -> float:
    """The expected share of texts that one of the coders gives another label than the commonest."""
    most, q = float(share.max()), sqrt(true)
    return 1 - most * (q + (1 - q) * most) ** coders - (1 - most) * ((1 - q) * most) ** coders


def _coded(n: int, coders: int, share: Array, q: float, rng: Generator) -> NDArray[np.int64]:
    """How many coders gave each label to each text, [n, K]."""
    k = len(share)
    truth = rng.choice(k, size=n, p=share)
    said = np.where(rng.random((coders, n)) < q, truth, rng.choice(k, size=(coders, n), p=share))
    return np.bincount((np.arange(n) * k + said).ravel(), minlength=n * k).reshape(n, k)


def _alpha_width(counts: NDArray[np.int64], coders: int, rng: Generator) -> float:
    """Equal texts are resampled together: how often each pattern of answers occurs is multinomial."""
    patterns, times = np.unique(counts, axis=0, return_counts=True)
    n = len(counts)
    drawn = rng.multinomial(n, times / n, size=RESAMPLES).astype(np.float64)
    observed = drawn @ (1 - (patterns * (patterns - 1)).sum(axis=1) / (coders * (coders - 1))) / n
    margins, ratings = drawn @ patterns, n * coders
    expected = 1 - (margins * (margins - 1)).sum(axis=1) / (ratings * (ratings - 1))
    found = 1 - ratio(observed, expected)
    found = found[~np.isnan(found)]
    return float(np.subtract(*np.quantile(found, (0.975, 0.025)))) if len(found) else float("nan")


def scores(n: int, share: Array, true: float, seed: int) -> tuple[float, float]:
    """Widths of the range that holds 95 % of samples of n texts: of macro F1, and of the first label's F1.

    `share` [K]; `true` is the macro F1 on all texts, above 1 / K. A label that is in no sample has no F1 there.
    """
    if n < 1:
        return float("nan"), float("nan")
    k = len(share)
    copied = copying(true, k)
    cells = copied * np.diag(share) + (1 - copied) * np.outer(share, share)
    drawn = np.random.default_rng(seed).multinomial(n, cells.ravel() / cells.sum(), size=TESTS)
    each = f1(tally(drawn.reshape(TESTS, k, k).astype(np.float64)))
    return _spread(macro(each)), _spread(each[:, 0])


def copying(f1: float, k: int) -> float:
    """How often a model copies the coders' label so that its macro F1 over k labels is this."""
    return max(0.0, (f1 - 1 / k) / (1 - 1 / k))


def _spread(found: Array) -> float:
    found = found[~np.isnan(found)]
    return float(np.subtract(*np.quantile(found, (0.975, 0.025)))) if len(found) else float("nan")


def prevalence(n: int, corpus: int, share: float, correlation: float) -> tuple[float, float]:
    """Widths of the interval of a label's share, from people's n labels alone and corrected by a model's.

    `correlation` is that of the model's and people's indicators of the label. The n texts are a random sample of the
    corpus, which the model labels as a whole: the difference estimator with its best slope (Cochran 1977, Sampling
    Techniques, 7.6), which is power-tuned prediction-powered inference (Angelopoulos, Duchi & Zrnic 2023, PPI++).
    """
    if n < 1:
        return float("nan"), float("nan")
    alone = 2 * Z * sqrt(share * (1 - share) / n * (1 - n / corpus))
    return alone, alone * sqrt(1 - correlation**2)
