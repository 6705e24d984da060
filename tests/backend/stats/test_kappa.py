"""Kappas and AC1 on published examples, beside scikit-learn, by definition, and under what must not change them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.stats.kappa import Coefficient, ac1, cohen, fleiss, why_undefined
from tests.backend.stats.published import (
    ABSTRACTORS,
    FOUR_CODERS,
    FOURTEEN,
    JUDGES,
    NONE,
    PARADOX,
    SKIN,
    crossed,
    psychiatrists,
    told,
)

Ratings = NDArray[np.floating]
few = settings(max_examples=40)
EXACT = {"abs": 1e-9, "rel": 1e-9, "nan_ok": True}
LABELS = 4
FIGURES: dict[Coefficient, Callable[[Ratings, Ratings], Ratings]] = {
    "cohen": cohen,
    "fleiss": fleiss,
    "ac1": lambda ratings, weights: ac1(ratings, weights, LABELS),
}
NAMES: tuple[Coefficient, ...] = ("cohen", "fleiss", "ac1")


def once(ratings: Ratings) -> Ratings:
    return np.ones((1, ratings.shape[1]))


def value(ratings: Ratings, of: Coefficient) -> float:
    return float(FIGURES[of](ratings, once(ratings))[0])


def test_cohen_on_his_own_example() -> None:
    assert value(crossed(JUDGES), "cohen") == pytest.approx(0.492, abs=5e-4)


def test_weighted_kappa_of_two_dermatologists() -> None:
    """Printed there: simple kappa 0.3449, weighted (linear) 0.5082."""
    skin = crossed(SKIN)
    assert value(skin, "cohen") == pytest.approx(0.3449, abs=5e-5)
    assert cohen(skin, once(skin), 1)[0] == pytest.approx(0.5082, abs=5e-5)


def test_fleiss_on_his_own_example() -> None:
    assert value(psychiatrists(), "fleiss") == pytest.approx(0.430, abs=5e-4)


def test_fleiss_of_fourteen_raters() -> None:
    assert value(told(FOURTEEN), "fleiss") == pytest.approx(0.210, abs=5e-4)


def test_ac1_does_not_fall_for_the_paradox() -> None:
    ratings = crossed(PARADOX)
    assert value(ratings, "cohen") == pytest.approx(-0.0234, abs=5e-5)
    assert ac1(ratings, once(ratings), 2)[0] == pytest.approx(0.9408, abs=5e-5)


def test_two_abstractors() -> None:
    """Printed by Gwet's own program, irrCAC: kappa .7964094, AC1 .8493305, and Scott's pi, which is Fleiss' of two."""
    ratings = crossed(ABSTRACTORS)
    assert value(ratings, "cohen") == pytest.approx(0.7964094, abs=5e-8)
    assert ac1(ratings, once(ratings), 3)[0] == pytest.approx(0.8493305, abs=5e-8)
    assert value(ratings, "fleiss") == pytest.approx(0.7962397, abs=5e-8)


def test_four_coders_with_missing_ratings() -> None:
    """Printed by irrCAC, as in Gwet 2014, for the same data as Krippendorff's: AC1 0.77544, Fleiss' kappa 0.76117."""
    assert ac1(FOUR_CODERS, once(FOUR_CODERS), 5)[0] == pytest.approx(0.77544, abs=5e-6)
    assert value(FOUR_CODERS, "fleiss") == pytest.approx(0.76117, abs=5e-6)


@st.composite
def rated(draw: st.DrawFn) -> Ratings:
    coders, texts = draw(st.integers(2, 4)), draw(st.integers(2, 8))
    cell = st.sampled_from([0.0, 1.0, 2.0, 3.0, NONE])
    return np.array([[draw(cell) for _ in range(texts)] for _ in range(coders)])


@few
@given(rated(), st.sampled_from([0, 1, 2]))
def test_a_pair_of_coders_is_as_scikit_learn_has_it(ratings: Ratings, power: int) -> None:
    from sklearn.metrics import cohen_kappa_score

    both = ratings[:2, ~np.isnan(ratings[:2]).any(axis=0)]
    found = cohen(ratings[:2], once(ratings), power)[0]
    if len(np.unique(both)) < 2:
        assert np.isnan(found)
        return
    named = (None, "linear", "quadratic")[power]
    asked = cohen_kappa_score(*both.astype(int), labels=list(range(LABELS)), weights=named)
    assert found == pytest.approx(asked, **EXACT)


@few
@given(rated(), st.sampled_from([0, 1, 2]))
def test_of_more_coders_it_is_the_mean_of_pairs(ratings: Ratings, power: int) -> None:
    pairs = [cohen(ratings[list(two)], once(ratings), power)[0] for two in combinations(range(len(ratings)), 2)]
    defined = [pair for pair in pairs if not np.isnan(pair)]
    mean = np.mean(defined) if defined else NONE
    assert cohen(ratings, once(ratings), power)[0] == pytest.approx(mean, **EXACT)


def by_definition(ratings: Ratings) -> tuple[float, list[float]]:
    """The mean share of equal pairs, and the mean share of each label, text by text."""
    units = [column[~np.isnan(column)] for column in ratings.T]
    pairs = [[a == b for a, b in permutations(unit, 2)] for unit in units if len(unit) >= 2]
    shares = [[np.mean(unit == label) for unit in units if len(unit)] for label in range(LABELS)]
    return float(np.mean([np.mean(pair) for pair in pairs])), [float(np.mean(share)) for share in shares]


@few
@given(rated())
def test_fleiss_and_ac1_are_what_their_definitions_say(ratings: Ratings) -> None:
    ratings[:2, 0], ratings[:2, 1] = 1.0, (0.0, 1.0)
    observed, shares = by_definition(ratings)
    chance = sum(share**2 for share in shares)
    assert value(ratings, "fleiss") == pytest.approx((observed - chance) / (1 - chance), **EXACT)
    chance = sum(share * (1 - share) for share in shares) / (LABELS - 1)
    assert value(ratings, "ac1") == pytest.approx((observed - chance) / (1 - chance), **EXACT)


@few
@given(rated(), st.sampled_from(NAMES), st.integers(0, 999))
def test_names_of_labels_and_the_order_of_coders_and_texts_are_nothing(
    ratings: Ratings, of: Coefficient, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    turned = rng.permutation(rng.permutation((ratings * 3) % 5 + 7, axis=0), axis=1)
    assert value(turned, of) == pytest.approx(value(ratings, of), **EXACT)


@few
@given(rated(), st.sampled_from(NAMES), st.integers(0, 999))
def test_a_text_drawn_twice_counts_as_two(ratings: Ratings, of: Coefficient, seed: int) -> None:
    weights = np.random.default_rng(seed).integers(0, 3, size=(3, ratings.shape[1])).astype(np.float32)
    for row, one in zip(weights.astype(int), FIGURES[of](ratings, weights), strict=True):
        assert one == pytest.approx(value(np.repeat(ratings, row, axis=1), of), **EXACT)


@few
@given(rated(), st.sampled_from(NAMES))
def test_coders_who_agree_throughout_agree_perfectly(ratings: Ratings, of: Coefficient) -> None:
    alike = np.where(np.isnan(ratings), NONE, np.arange(ratings.shape[1]) % LABELS)
    alike[:, :2] = [0, 1]
    assert value(alike, of) == pytest.approx(1, abs=1e-12)


@few
@given(rated(), st.sampled_from(NAMES))
def test_there_is_a_figure_or_a_reason(ratings: Ratings, of: Coefficient) -> None:
    assert np.isnan(value(ratings, of)) == bool(why_undefined(ratings, of, LABELS))


@pytest.mark.parametrize(
    ("ratings", "of", "why"),
    [
        ([[NONE, NONE], [NONE, NONE]], "ac1", "Nobody has answered"),
        ([[0, 1], [NONE, NONE]], "fleiss", "Only one coder"),
        ([[0, NONE], [NONE, 1]], "cohen", "No text was coded by two"),
        ([[1, 1], [1, 1]], "fleiss", "are the same"),
        ([[0, 0, NONE], [0, NONE, 1], [NONE, NONE, 1]], "cohen", "No two coders gave more than one label"),
    ],
)
def test_what_is_undefined_says_why(ratings: list[list[float]], of: Coefficient, why: str) -> None:
    assert why in why_undefined(np.array(ratings), of)
    assert np.isnan(value(np.array(ratings), of))


def test_one_label_leaves_no_choice() -> None:
    ratings = np.zeros((2, 3))
    assert np.isnan(ac1(ratings, once(ratings), 1)[0])
    assert "only one label" in why_undefined(ratings, "ac1", 1)


def test_more_labels_than_there_are_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="5 labels were given, though there are 3"):
        ac1(FOUR_CODERS, once(FOUR_CODERS), 3)
