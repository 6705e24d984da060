"""Krippendorff's alpha on published examples, by its definition, and under what must not change it."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.stats.agreement import Level, alpha, percent, why_undefined
from tests.backend.stats.published import FOUR_CODERS, NONE

few = settings(max_examples=40)
LEVELS: tuple[Level, ...] = ("nominal", "ordinal", "interval")


def value(ratings: NDArray[np.floating], level: Level) -> float:
    return float(alpha(ratings, level, np.ones((1, ratings.shape[1])))[0])


@pytest.mark.parametrize(("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_four_coders_with_missing_ratings(level: Level, published: float) -> None:
    assert value(FOUR_CODERS, level) == pytest.approx(published, abs=5e-4)


def test_two_coders_and_two_labels() -> None:
    """Part A of the same paper."""
    ratings = np.array([[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]], dtype=float)
    assert value(ratings, "nominal") == pytest.approx(0.095, abs=5e-4)


def test_two_coders_and_five_labels() -> None:
    """Part B of the same paper."""
    coders = ("aabbdcccedda", "babbbccceddd")
    ratings = np.array([[ord(letter) for letter in coder] for coder in coders], dtype=float)
    assert value(ratings, "nominal") == pytest.approx(0.692, abs=5e-4)


def by_definition(ratings: NDArray[np.floating], level: Level) -> float:
    """Alpha from every pair of ratings, one by one."""
    units = [column[~np.isnan(column)] for column in ratings.T]
    units = [unit for unit in units if len(unit) >= 2]
    everything = np.concatenate(units)
    values, counts = np.unique(everything, return_counts=True)

    def distance(a: float, b: float) -> float:
        if level == "nominal":
            return float(a != b)
        if level == "interval":
            return float((a - b) ** 2)
        low, high = sorted((a, b))
        between = counts[(values >= low) & (values <= high)].sum()
        ends = counts[values == low].sum() + counts[values == high].sum()
        return float((between - ends / 2) ** 2)

    observed = sum(distance(a, b) / (len(unit) - 1) for unit in units for a, b in permutations(unit, 2))
    expected = sum(distance(a, b) for a, b in permutations(everything, 2)) / (len(everything) - 1)
    return 1 - observed / expected if expected else float("nan")


@st.composite
def rated(draw: st.DrawFn) -> NDArray[np.floating]:
    coders, texts = draw(st.integers(2, 4)), draw(st.integers(2, 8))
    cell = st.sampled_from([0.0, 1.0, 2.0, 4.0, NONE])
    return np.array([[draw(cell) for _ in range(texts)] for _ in range(coders)])


@few
@given(rated(), st.sampled_from(LEVELS))
def test_it_is_what_the_definition_says(ratings: NDArray[np.floating], level: Level) -> None:
    ratings[:2, 0] = 1.0
    assert value(ratings, level) == pytest.approx(by_definition(ratings, level), nan_ok=True)


EXACT = {"abs": 1e-9, "rel": 1e-9, "nan_ok": True}


@few
@given(rated(), st.sampled_from(LEVELS), st.integers(0, 999))
def test_the_order_of_coders_and_texts_is_nothing(ratings: NDArray[np.floating], level: Level, seed: int) -> None:
    rng = np.random.default_rng(seed)
    turned = rng.permutation(rng.permutation(ratings, axis=0), axis=1)
    assert value(turned, level) == pytest.approx(value(ratings, level), **EXACT)


@few
@given(rated())
def test_nominal_ratings_are_names_and_ordinal_ones_an_order(ratings: NDArray[np.floating]) -> None:
    renamed, stretched = (ratings * 7) % 5 + 3, ratings**3 + 10
    assert value(renamed, "nominal") == pytest.approx(value(ratings, "nominal"), **EXACT)
    assert value(stretched, "ordinal") == pytest.approx(value(ratings, "ordinal"), **EXACT)


@few
@given(rated(), st.floats(0.01, 100), st.floats(-3000, 3000))
def test_the_unit_and_the_zero_of_measurements_are_nothing(
    ratings: NDArray[np.floating], unit: float, zero: float
) -> None:
    assert value(unit * ratings + zero, "interval") == pytest.approx(value(ratings, "interval"), **EXACT)


@few
@given(rated(), st.sampled_from(LEVELS))
def test_coders_who_agree_throughout_agree_perfectly(ratings: NDArray[np.floating], level: Level) -> None:
    ratings[0] = np.arange(ratings.shape[1])
    alike = np.where(np.isnan(ratings), NONE, ratings[0])
    alike[1, :2] = [0, 1]
    assert value(alike, level) == 1


@few
@given(rated(), st.sampled_from(LEVELS))
def test_there_is_a_figure_or_a_reason(ratings: NDArray[np.floating], level: Level) -> None:
    assert np.isnan(value(ratings, level)) == bool(why_undefined(ratings))
    shares = percent(ratings, np.ones((1, ratings.shape[1])))
    assert np.isnan(shares[0]) == bool(why_undefined(ratings, chance=False))


@pytest.mark.parametrize(
    ("ratings", "why"),
    [
        ([[NONE, NONE], [NONE, NONE]], "Nobody has answered"),
        ([[1, 2], [NONE, NONE]], "Only one coder"),
        ([[1, NONE], [NONE, 2]], "No text was coded by two"),
        ([[1, 1, 2], [1, 1, NONE]], "are the same"),
    ],
)
def test_what_is_undefined_says_why(ratings: list[list[float]], why: str) -> None:
    given = np.array(ratings)
    assert why in why_undefined(given)
    assert all(np.isnan(value(given, level)) for level in LEVELS)


def test_measurements_of_one_size_have_no_alpha_in_a_resample_either() -> None:
    ratings = np.array([[0.1, 0.7, 1e4], [0.1, 0.9, 1e4 + 1]])
    weights = np.array([[3, 0, 0], [0, 3, 0], [1, 1, 1]], dtype=float)
    assert np.isnan(alpha(ratings, "interval", weights)).tolist() == [True, False, False]


def test_many_ordered_values_are_summed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    ratings = np.random.default_rng(3).integers(30, size=(3, 40)).astype(float)
    whole = value(ratings, "ordinal")
    monkeypatch.setattr("backend.stats.agreement.BLOCK", 100)
    assert value(ratings, "ordinal") == pytest.approx(whole, rel=1e-12)


@few
@given(rated(), st.sampled_from(LEVELS), st.integers(0, 999))
def test_a_text_drawn_twice_counts_as_two(ratings: NDArray[np.floating], level: Level, seed: int) -> None:
    weights = np.random.default_rng(seed).integers(0, 3, size=(3, ratings.shape[1])).astype(float)
    together, shares = alpha(ratings, level, weights), percent(ratings, weights)
    for row, one, share in zip(weights.astype(int), together, shares, strict=True):
        repeated = np.repeat(ratings, row, axis=1)
        assert one == pytest.approx(value(repeated, level), nan_ok=True)
        assert share == pytest.approx(percent(repeated, np.ones((1, row.sum())))[0], nan_ok=True)


def test_percent_is_the_mean_share_of_equal_pairs_in_a_text() -> None:
    ratings = np.array([[1, 1, 2], [1, 2, 2], [NONE, 1, NONE]], dtype=float)
    assert percent(ratings, np.ones((1, 3)))[0] == pytest.approx((1 + 1 / 3 + 1) / 3)
