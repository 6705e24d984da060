"""Every coefficient on 13,036 real ratings of 1,500 texts by 262 coders, beside implementations that are not ours."""

from __future__ import annotations

import csv
from itertools import combinations
from pathlib import Path

import krippendorff
import numpy as np
import pytest
from numpy.typing import NDArray

from backend.stats.agreement import Level, alpha, percent
from backend.stats.bootstrap import resamples
from backend.stats.kappa import ac1, cohen, fleiss

Ratings = NDArray[np.floating]
KNOWN: dict[Level, float] = {"nominal": 0.13390, "ordinal": 0.28649, "interval": 0.28718}


@pytest.fixture(scope="module")
def ratings(shared: Path) -> Ratings:
    file = shared / "data" / "popquorn_offensiveness" / "annotations.csv"
    if not file.is_file():
        pytest.skip("shared material absent")
    with file.open(encoding="utf-8", newline="") as stream:
        rows = [(row["item"], row["coder"], float(row["offensiveness"])) for row in csv.DictReader(stream)]
    items, item = np.unique([row[0] for row in rows], return_inverse=True)
    coders, coder = np.unique([row[1] for row in rows], return_inverse=True)
    assert (len(rows), len(items), len(coders)) == (13_036, 1_500, 262)
    table = np.full((len(coders), len(items)), np.nan)
    table[coder, item] = [row[2] for row in rows]
    return table


def once(ratings: Ratings) -> Ratings:
    return np.ones((1, ratings.shape[1]))


@pytest.mark.parametrize("level", KNOWN)
def test_alpha_is_that_of_an_independent_package(ratings: Ratings, level: Level) -> None:
    found = alpha(ratings, level, once(ratings))[0]
    assert found == pytest.approx(KNOWN[level], abs=5e-6)
    assert found == pytest.approx(krippendorff.alpha(ratings, level_of_measurement=level), abs=1e-9)


@pytest.mark.parametrize("level", KNOWN)
def test_so_it_is_in_resamples(ratings: Ratings, level: Level) -> None:
    weights = next(resamples(np.arange(ratings.shape[1]), 20, 1))
    for row, found in zip(weights.astype(int), alpha(ratings, level, weights), strict=True):
        theirs = krippendorff.alpha(np.repeat(ratings, row, axis=1), level_of_measurement=level)
        assert found == pytest.approx(theirs, abs=1e-9)


def test_the_others_are_what_their_formulas_say_text_by_text(ratings: Ratings) -> None:
    labels = np.unique(ratings[~np.isnan(ratings)])
    units = [column[~np.isnan(column)].tolist() for column in ratings.T]
    equal = [[a == b for a, b in combinations(unit, 2)] for unit in units]
    shares = [np.mean([unit.count(label) / len(unit) for unit in units]) for label in labels]
    observed = np.mean([np.mean(pairs) for pairs in equal])
    chance = sum(share**2 for share in shares)
    assert fleiss(ratings, once(ratings))[0] == pytest.approx((observed - chance) / (1 - chance), abs=1e-9)
    chance = sum(share * (1 - share) for share in shares) / (len(labels) - 1)
    found = ac1(ratings, once(ratings), len(labels))[0]
    assert found == pytest.approx((observed - chance) / (1 - chance), abs=1e-9)
    assert percent(ratings, once(ratings))[0] == pytest.approx(observed, abs=1e-9)


@pytest.mark.parametrize(("power", "named"), [(0, None), (1, "linear"), (2, "quadratic")])
def test_pairs_of_coders_are_as_scikit_learn_has_them(ratings: Ratings, power: int, named: str | None) -> None:
    from sklearn.metrics import cohen_kappa_score

    busy = ratings[np.argsort((~np.isnan(ratings)).sum(axis=1))[-25:]]
    theirs = []
    for one, other in combinations(busy, 2):
        both = ~np.isnan(one) & ~np.isnan(other)
        if len(np.union1d(one[both], other[both])) > 1:
            scale = {"labels": [1, 2, 3, 4, 5], "weights": named}
            theirs.append(cohen_kappa_score(one[both].astype(int), other[both].astype(int), **scale))
    assert len(theirs) > 20
    assert cohen(busy, once(busy), power)[0] == pytest.approx(np.mean(theirs), abs=1e-9)
