"""How often a label occurs: people's labels of a sample, alone and with a model's labels of everything."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.stats.prevalence import Population, Sample, corrected, human_only
from backend.stats.share import totals, wilson

Values = NDArray[np.float64]


def simple(human: Values, model: Values, drawn: NDArray[np.int64]) -> tuple[Sample, Population]:
    """Texts [N] that are alone, of which some are drawn."""
    n = len(human)
    population = Population(np.array([n], dtype=float), np.array([n], dtype=float), model.sum(keepdims=True)[:, None])
    rows = np.ones(len(drawn))
    stratum = np.zeros(len(drawn), dtype=np.int64)
    return Sample(stratum, rows, human[drawn, None], model[drawn, None]), population


def world(n: int, share: float, right: float, seed: int) -> tuple[Values, Values]:
    rng = np.random.default_rng(seed)
    human = rng.random(n) < share
    return human.astype(float), np.where(rng.random(n) < right, human, ~human).astype(float)


def paper(human: Values, model: Values, rest: Values) -> tuple[float, float, float]:
    """Lambda, the mean and its variance as Angelopoulos, Duchi & Zrnic (2023) write them: n texts with both labels, N
    others with the model's, variances as of infinite populations.
    """
    n, big = len(human), len(rest)
    covariance = float(((human - human.mean()) * (model - model.mean())).sum() / (n - 1))
    weight = covariance / ((1 + n / big) * float(model.var(ddof=1)))
    point = weight * rest.mean() + (human - weight * model).mean()
    variance = weight**2 * model.var(ddof=1) / big + (human - weight * model).var(ddof=1) / n
    return weight, float(point), float(variance)


@pytest.mark.parametrize(("share", "right", "n"), [(0.5, 0.8, 100), (0.2, 0.9, 300), (0.1, 0.95, 150)])
def test_it_is_the_papers_formula(share: float, right: float, n: int) -> None:
    """The paper's variance is that of a population that never ends: it exceeds ours by what the corpus itself varies
    by, S^2 / N. That holds where lambda is the best one.
    """
    human, model = world(2000, share, right, n)
    sample, population = simple(human, model, np.arange(n))
    weight, point, variance = paper(human[:n], model[:n], model[n:])
    found = corrected(sample, population, share=False)
    assert 0 < found.weight[0] < 1
    assert found.weight[0] / (1 + n / (2000 - n)) == pytest.approx(weight, abs=1e-12)
    assert found.mean.value[0] == pytest.approx(point, abs=1e-12)
    assert found.mean.variance[0] + human[:n].var(ddof=1) / 2000 == pytest.approx(variance, rel=1e-9)


def test_a_model_that_knows_nothing_counts_for_nothing() -> None:
    human, model = world(1000, 0.3, 0.9, 1)
    for said in (np.zeros(1000), np.ones(1000), 1 - model):
        sample, population = simple(human, said, np.arange(200))
        found, alone = corrected(sample, population, share=False), human_only(sample, population)
        assert found.weight[0] == 0
        assert found.mean.value == pytest.approx(alone.value) and found.mean.variance == pytest.approx(alone.variance)


def test_a_perfect_model_has_no_variance_but_that_of_errors_it_may_make() -> None:
    human, _ = world(1000, 0.3, 0.9, 2)
    sample, population = simple(human, human, np.arange(200))
    found = corrected(sample, population, share=False)
    assert found.weight[0] == pytest.approx(1) and found.mean.variance[0] == pytest.approx(0, abs=1e-12)
    assert found.mean.value[0] == pytest.approx(human.mean())
    careful = corrected(sample, population).mean
    assert 0 < careful.variance[0] < human_only(sample, population).variance[0]
    assert careful.variance[0] == pytest.approx(0.8 * 2 / (201 * 200))


def test_what_is_wholly_coded_is_known() -> None:
    human, model = world(300, 0.3, 0.7, 3)
    sample, population = simple(human, model, np.arange(300))
    for found in (human_only(sample, population), corrected(sample, population).mean):
        assert found.value[0] == pytest.approx(human.mean()) and found.variance[0] == 0


def test_draws_are_strata_that_count_by_their_rows() -> None:
    human, model = world(900, 0.4, 0.8, 4)
    stratum = np.repeat([0, 1], [600, 300])
    drawn = np.r_[0:100, 600:700]
    population = Population(np.array([600.0, 300]), np.array([600.0, 300]), totals(stratum, 2, model[:, None]))
    sample = Sample(stratum[drawn], np.ones(200), human[drawn, None], model[drawn, None])
    found = human_only(sample, population)
    first, second = human[:100], human[600:700]
    assert found.value[0] == pytest.approx(first.mean() * 2 / 3 + second.mean() / 3)
    apart = (2 / 3) ** 2 * (5 / 6) * first.var(ddof=1) / 100 + (1 / 3) ** 2 * (2 / 3) * second.var(ddof=1) / 100
    assert found.variance[0] == pytest.approx(apart)
    assert found.degrees == 198
    everywhere = model.mean()
    both = corrected(sample, population)
    by_model = model[:100].mean() * 2 / 3 + model[600:700].mean() / 3
    assert both.mean.value[0] == pytest.approx(found.value[0] + both.weight[0] * (everywhere - by_model))


def test_a_stratum_without_coded_rows_gives_no_number() -> None:
    human, model = world(100, 0.4, 0.8, 5)
    population = Population(np.array([50.0, 50]), np.array([50.0, 50]), np.array([[20.0], [20.0]]))
    sample = Sample(np.zeros(20, dtype=np.int64), np.ones(20), human[:20, None], model[:20, None])
    assert np.isnan(human_only(sample, population).value).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(20, 60), st.integers(1, 3), st.floats(0.1, 0.9))
def test_the_order_of_clusters_changes_nothing_and_complements_mirror(seed: int, n: int, h: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.integers(1, 4, n).astype(float)
    human = rng.binomial(rows.astype(int), share).astype(float)[:, None]
    model = rng.binomial(rows.astype(int), share).astype(float)[:, None]
    stratum = np.arange(n) % h
    big = np.full(h, 500.0)
    sample = Sample(stratum, rows, human, model)
    population = Population(big, 2 * big, np.full((h, 1), 700.0))
    found = corrected(sample, population)
    order = rng.permutation(n)
    moved = corrected(Sample(stratum[order], rows[order], human[order], model[order]), population)
    assert moved.mean.value == pytest.approx(found.mean.value) and moved.mean.variance == pytest.approx(
        found.mean.variance
    )
    assert 0 <= found.weight[0] <= 1
    alone, both = human_only(sample, population).variance, corrected(sample, population, share=False).mean.variance
    assert both[0] <= alone[0] + 1e-12
    other = corrected(
        replace(sample, human=rows[:, None] - human, model=rows[:, None] - model),
        replace(population, model=population.rows[:, None] - population.model),
    )
    assert other.mean.value == pytest.approx(1 - found.mean.value)
    assert other.mean.variance == pytest.approx(found.mean.variance)


def test_the_interval_covers_where_the_models_count_never_does() -> None:
    """400 samples of 200 of 4,000 texts in pairs that are alike: the corrected interval covers 95 % of the time, and is
    narrower than people's.
    """
    rng = np.random.default_rng(6)
    pairs = 2000
    human = np.repeat(rng.random(pairs) < 0.2, 2).astype(float)
    model = np.where(rng.random(2 * pairs) < np.where(human > 0, 0.75, 0.95), human, 1 - human)
    cluster = np.repeat(np.arange(pairs), 2)
    by_human, by_model = (totals(cluster, pairs, values[:, None]) for values in (human, model))
    rows = np.full(pairs, 2.0)
    population = Population(np.array([float(pairs)]), np.array([2.0 * pairs]), by_model.sum(axis=0, keepdims=True))
    covered, width, width_alone = 0, 0.0, 0.0
    for _ in range(400):
        drawn = rng.choice(pairs, 200, replace=False)
        sample = Sample(np.zeros(200, dtype=np.int64), rows[drawn], by_human[drawn], by_model[drawn])
        found, alone = corrected(sample, population).mean, human_only(sample, population)
        lower, upper = wilson(found.value, found.variance, found.degrees, 200)
        covered += bool(lower[0] <= human.mean() <= upper[0])
        width += upper[0] - lower[0]
        low, high = wilson(alone.value, alone.variance, alone.degrees, 200)
        width_alone += high[0] - low[0]
    assert covered / 400 > 0.93
    assert width < 0.8 * width_alone


def test_a_stratum_in_which_nothing_is_meant_is_left_out_of_account() -> None:
    """As where one source's rows are asked for, and none of them came before the second draw."""
    human, model = world(300, 0.3, 0.8, 7)
    sample, population = simple(human, model, np.arange(100))
    wider = Population(
        np.append(population.clusters, 50.0), np.append(population.rows, 0.0), np.vstack([population.model, [0.0]])
    )
    more = Sample(
        np.append(sample.stratum, [1, 1]),
        np.append(sample.rows, [0.0, 0.0]),
        np.vstack([sample.human, np.zeros((2, 1))]),
        np.vstack([sample.model, np.zeros((2, 1))]),
    )
    for one, other in ((sample, more), (more, sample)):
        assert human_only(one, wider if one is more else population).value == pytest.approx(
            human_only(other, wider if other is more else population).value
        )
    found, alone = corrected(more, wider).mean, corrected(sample, population).mean
    assert found.value == pytest.approx(alone.value)
    assert not np.isnan(found.variance).any()
