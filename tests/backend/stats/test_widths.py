from __future__ import annotations

import numpy as np
import pytest

from backend.stats import agreement, widths
from backend.stats.prevalence import Population, Sample, corrected, human_only

EVEN = {50: 0.31, 100: 0.22, 200: 0.15, 400: 0.11, 800: 0.08}  # mean widths, two coders, alpha .73
RARE = {50: 0.70, 100: 0.50, 200: 0.32, 400: 0.22, 800: 0.16}  # one of two labels has a share of 10 %


@pytest.mark.parametrize("n", EVEN)
def test_even_labels_give_the_known_widths(n: int) -> None:
    assert widths.alpha(n, 2, widths.shares(3, 1 / 3), 0.73, 1) == pytest.approx(EVEN[n], abs=0.01)


@pytest.mark.parametrize("n", RARE)
def test_a_rare_label_gives_the_known_widths(n: int) -> None:
    assert widths.alpha(n, 2, widths.shares(2, 0.1), 0.73, 1) == pytest.approx(RARE[n], rel=0.06)


def test_more_texts_than_are_simulated_follow_the_root() -> None:
    share = widths.shares(3, 1 / 3)
    assert widths.alpha(4000, 2, share, 0.73, 1) == pytest.approx(widths.alpha(1000, 2, share, 0.73, 1) / 2)


def test_the_simulated_coders_have_the_alpha_and_the_shares_that_were_asked_for() -> None:
    share = widths.shares(3, 0.1)
    rng = np.random.default_rng(5)
    counts = widths._coded(40_000, 3, share, 0.73**0.5, rng)
    ratings = np.stack([np.repeat(np.arange(3), row) for row in counts], axis=1).astype(float)
    one = np.ones((1, ratings.shape[1]))
    assert agreement.alpha(ratings, "nominal", one)[0] == pytest.approx(0.73, abs=0.01)
    assert counts.sum(axis=0) / counts.sum() == pytest.approx(share, abs=0.01)


def test_more_coders_a_text_narrow_it() -> None:
    share = widths.shares(2, 0.2)
    found = [widths.alpha(200, coders, share, 0.73, 1) for coders in (2, 3, 5)]
    assert found[0] > found[1] > found[2]


def test_nothing_to_agree_on_has_no_width() -> None:
    assert np.isnan(widths.alpha(1, 2, widths.shares(2, 0.5), 0.73, 1))
    assert np.isnan(widths.alpha(100, 1, widths.shares(2, 0.5), 0.73, 1))
    assert np.isnan(widths.scores(0, widths.shares(2, 0.5), 0.7, 1)).all()
    assert np.isnan(widths.prevalence(0, 100, 0.5, 0.5)).all()


@pytest.mark.parametrize(("k", "rarest"), [(2, 0.5), (3, 0.1), (6, 0.05)])
def test_the_simulated_model_has_the_f1_that_was_asked_for(k: int, rarest: float) -> None:
    share, copied = widths.shares(k, rarest), widths.copying(0.7, k)
    each = copied + (1 - copied) * share
    assert each.mean() == pytest.approx(0.7)


def test_f1_of_even_labels_is_about_as_sure_as_a_share() -> None:
    macro, first = widths.scores(400, widths.shares(2, 0.5), 0.7, 1)
    share_of_right = 2 * 1.96 * (0.7 * 0.3 / 400) ** 0.5
    assert macro == pytest.approx(share_of_right, rel=0.1)
    assert first > macro


def test_equal_seeds_give_equal_widths() -> None:
    share = widths.shares(4, 0.1)
    assert widths.alpha(120, 3, share, 0.73, 9) == widths.alpha(120, 3, share, 0.73, 9)
    assert widths.scores(120, share, 0.7, 9) == widths.scores(120, share, 0.7, 9)


def test_a_model_narrows_prevalence_by_what_it_knows() -> None:
    alone, corrected = widths.prevalence(100, 1_000_000, 0.5, 0.6)
    assert alone == pytest.approx(2 * 1.96 * 0.05, rel=1e-3)
    assert corrected == pytest.approx(0.8 * alone, rel=1e-3)
    assert widths.prevalence(100, 1000, 0.5, 0.0)[0] == widths.prevalence(100, 1000, 0.5, 0.0)[1]
    assert widths.prevalence(1000, 1000, 0.5, 0.3) == (0, 0), "everything is coded"


def test_the_products_own_correction_is_as_wide_as_said() -> None:
    """Of people and a model that copies them, in a corpus of which a tenth is coded."""
    rng, n, rows, share, copied = np.random.default_rng(2), 200, 2000, 0.2, 0.6
    found = []
    for _ in range(300):
        people = rng.random(rows) < share
        model = np.where(rng.random(rows) < copied, people, rng.random(rows) < share)
        whole = Population(np.array([rows]), np.array([rows]), np.array([[model.sum()]], dtype=float))
        here = (people[:n, None].astype(float), model[:n, None].astype(float))
        sample = Sample(np.zeros(n, dtype=np.int64), np.ones(n), *here)
        means = (human_only(sample, whole), corrected(sample, whole).mean)
        found.append([2 * 1.96 * float(mean.variance[0]) ** 0.5 for mean in means])
    assert np.mean(found, axis=0) == pytest.approx(widths.prevalence(n, rows, share, copied), rel=0.03)


@pytest.mark.parametrize("coders", [2, 3])
def test_the_texts_that_agreement_turns_on_are_counted(coders: int) -> None:
    share = widths.shares(3, 0.1)
    counts = widths._coded(40_000, coders, share, 0.73**0.5, np.random.default_rng(5))
    said = (counts[:, share.argmax()] < coders).mean()
    assert said == pytest.approx(widths.not_commonest(coders, share, 0.73), abs=0.01)
