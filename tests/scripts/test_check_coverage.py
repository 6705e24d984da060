"""The proof of the intervals: worlds that are what they say, and a verdict that can fail."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from backend.stats import interval, promise
from backend.stats.agreement import alpha
from scripts import check_coverage
from scripts.check_coverage import CHECKS, holds, main, summary
from scripts.coverage import agreeing, fitting
from scripts.coverage.cells import CODERS, GROUPS, LABELS, MISSING, SHARES, SIZES, Cell, Check, Shown, draw, grid
from scripts.coverage.others import left_out
from scripts.coverage.trials import Tally, Trials, trials, truths

CELL = Cell(0.1, 6, 5, 5, 200)


def test_the_grid_is_the_one_that_was_asked_for() -> None:
    assert (SHARES, LABELS, CODERS, GROUPS, SIZES) == ((0.5, 0.1, 0.02), (2, 6), (2, 5), (1, 5), (200, 800))
    assert MISSING == 0.2
    assert len({cell.name for cell in grid()}) == 48


def test_the_limits_of_the_product_are_those_that_were_tried() -> None:
    assert interval.LEVEL == 0.95
    assert interval.DRAWS >= 1000
    assert min(SIZES) / max(GROUPS) >= promise.GROUPS
    assert min(SHARES) * max(SIZES) > promise.FEW > min(SHARES) * min(SIZES)
    assert (promise.FEW, promise.GROUPS, promise.WIDEST) == (10, 30, 0.5)


@pytest.mark.parametrize("labels", LABELS)
def test_what_is_drawn_is_the_world(labels: int) -> None:
    sample = draw(replace(CELL, labels=labels), 200_000, np.random.default_rng(0))
    assert (sample.truth == 0).mean() == pytest.approx(0.1, abs=0.005)
    assert np.isnan(sample.ratings).mean() == pytest.approx(MISSING, abs=0.003)
    known = sample.ratings == sample.truth
    assert known.sum() / (~np.isnan(sample.ratings)).sum() > 0.85
    assert alpha(sample.ratings, "nominal", np.ones((1, 200_000)))[0] == pytest.approx(
        0.9025 * 2 / 3 + 0.4225 / 3, abs=0.01
    )
    assert (sample.model == sample.truth).mean() == pytest.approx(0.9 * 0.88 + 0.1 * 0.7, abs=0.01)
    assert (sample.model == 0).mean() > 0.11
    assert (sample.gold == sample.truth).mean() > 0.95


def test_texts_of_a_group_are_alike_and_others_are_not() -> None:
    sample = draw(CELL, 100_000, np.random.default_rng(1))
    first, second = (np.asarray(sample.truth == 0, dtype=float)[place::5] for place in (0, 1))
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(0.25, abs=0.03)
    right = (sample.model == sample.truth).astype(float)
    assert np.corrcoef(right[::5], right[1::5])[0, 1] > 0.03
    alone = draw(replace(CELL, group=1), 100_000, np.random.default_rng(1)).truth == 0
    assert abs(np.corrcoef(alone[::5], alone[1::5])[0, 1]) < 0.03


def test_every_figure_of_a_world_is_tried_against_its_truth() -> None:
    done = trials(CELL, CHECKS, 2, 0)
    assert {tally.tried for tally in done.tallies.values()} == {2}
    named = {name for check in CHECKS for name in check.names}
    assert done.tallies.keys() == named - {"Cohen's kappa", "Cohen's kappa, quadratic"}  # of two coders
    assert trials(replace(CELL, coders=2), CHECKS, 1, 0).tallies.keys() == named


def test_the_truth_is_that_of_the_world() -> None:
    known = truths(Cell(0.1, 2, 2, 1, 100_000), (agreeing.CHECK, fitting.CHECK))
    assert known["alpha, nominal"] == pytest.approx(0.742, abs=0.01)
    assert known["recall of the first label"] == pytest.approx(0.7, abs=0.02)
    assert known["precision of the first label"] == pytest.approx(0.07 / (0.07 + 0.108), abs=0.05)


def test_a_coder_is_read_against_the_others() -> None:
    sample = draw(Cell(0.5, 2, 2, 1, 200), 200, np.random.default_rng(2))
    others, mine, tied = left_out(sample)
    both = ~np.isnan(sample.ratings).any(axis=0)
    assert mine.any(axis=1).sum() == others.any(axis=1).sum() == 2 * both.sum()
    assert (tied == np.tile(np.arange(200), 2)).all()
    equal = sample.ratings[0, both] == sample.ratings[1, both]
    assert (mine & others).any(axis=1).sum() == 2 * equal.sum()


@pytest.mark.parametrize(
    ("shown", "covered", "fine"),
    [(1000, 930, True), (1000, 907, True), (1000, 905, False), (49, 0, True), (60, 30, False)],
)
def test_a_cell_fails_beyond_monte_carlo_error_where_it_is_shown(shown: int, covered: int, fine: bool) -> None:
    assert holds(Tally(tried=1000, shown=shown, covered=covered)) == fine


def test_what_misses_the_truth_is_told_and_exits_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = Check(("x", "naive"), lambda *_: {"x": 1.0, "naive": 1.0}, lambda *_: {"x": Shown(0, 0.5), "naive": None})
    monkeypatch.setattr(check_coverage, "CHECKS", (wrong,))
    assert main(["--quick", "--json", "--reps", "3"]) == 1
    out = capsys.readouterr().out.splitlines()
    assert "24 TOO LOW" in out[-2] and "quick" in out[-2]
    found = json.loads(out[-1])
    cell = found["coverage"]["x"][Cell(0.5, 2, 2, 1, 200).name]
    assert cell == {"coverage": 0.0, "shown": 1.0, "width": 0.5, "repetitions": 3, "truth": 1.0, "ok": False}
    assert found["coverage"]["naive"][Cell(0.5, 2, 2, 1, 200).name]["coverage"] is None
    assert (found["ok"], found["quick"]) == (False, True)


def test_what_is_not_promised_may_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Check(("naive",), lambda *_: {"naive": 1.0}, lambda *_: {}, failing=frozenset({"naive"}))
    monkeypatch.setattr(check_coverage, "CHECKS", (wrong,))
    report = summary([Trials(CELL, {"naive": Tally(100, 100, 0, 9.0)}, {"naive": 1.0})])
    assert report["ok"] and report["failing"] == ["naive"]


def test_a_name_that_nothing_has_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "nonsense"])
    assert "alpha, ordinal" in capsys.readouterr().err
