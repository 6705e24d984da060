"""The gate's proof: worlds with exactly the truth they promise, and a report with the keys it names."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from backend.learning import gate_rule as rule
from backend.learning.gate import Compared, decide
from labelstudio_config.codebook import Kind
from scripts import check_gate
from scripts.check_gate import DIFFERENCES, DISAGREEMENTS, HARD, Cell, grid, packaged, simulated, summary
from scripts.gate.trials import error_of_truth, sampled, trials
from scripts.gate.worlds import BASE, SHARES, world


@pytest.mark.parametrize("setting", SHARES)
@pytest.mark.parametrize("rarest", [False, True])
def test_a_world_is_what_it_promises(setting: str, rarest: bool) -> None:
    made = 0
    for difference in DIFFERENCES:
        for disagreement in DISAGREEMENTS:
            found = world(SHARES[setting], int(difference) / 100, disagreement, rarest)
            if found is None:
                continue
            made += 1
            assert found.table.min() >= 0
            assert found.table.sum(axis=(1, 2)) == pytest.approx(SHARES[setting])
            assert found.champion == pytest.approx(BASE)
            assert found.difference == pytest.approx(int(difference) / 100)
            assert found.disagreement == pytest.approx(disagreement)
    assert made > 5


def test_a_difference_larger_than_the_disagreement_has_no_world() -> None:
    assert world(SHARES["2 balanced"], -0.05, 0.04) is None
    assert world(SHARES["2 balanced"], -0.05, 0.06) is not None


def test_what_is_drawn_from_a_world_is_that_world() -> None:
    found = world(SHARES["4 skewed"], -0.05, 0.2)
    assert found is not None
    assert error_of_truth(found, 0) < 0.006
    assert error_of_truth(found, 0) > 0


def test_the_trials_promote_whom_the_gate_promotes() -> None:
    """The same gate texts, through `decide`, with other resamples: the few that differ are at the bound."""
    found = world(SHARES["2 balanced"], 0.05, 0.1)
    assert found is not None
    truth, champion, challenger = sampled(found, (100, 25), 1, np.random.default_rng([7, 0]))
    ours = trials(found, 100, 25, 1, 7)[:, 0]
    theirs = []
    for r in range(25):
        marks = truth[:, r, 0], champion[:, r, 0], challenger[:, r, 0]
        theirs.append(decide([Compared("q", Kind.SINGLE, ("a", "b"), *marks, np.arange(100))], look=1, seed=r).outcome)
    assert 5 < ours.sum() < 24
    assert sum(bool(a) != (b == "promote") for a, b in zip(ours, theirs, strict=True)) <= 1


def test_equal_cells_are_simulated_equally() -> None:
    cell = Cell("2 skewed", "-5", 50, 0.1, False, 30, 3)
    found = simulated(cell)
    assert found == simulated(cell)
    assert found["by_look"] == sorted(found["by_look"])
    assert found["by_look"][-1] > 0


def test_impossible_cells_are_marked() -> None:
    assert simulated(Cell("2 balanced", "-5", 50, 0.03, False, 30, 3))["by_look"] is None


def test_the_quick_grid_is_part_of_the_whole() -> None:
    whole = {(c.setting, c.difference, c.n, c.disagreement, c.rarest): c.seed for c in grid(False)}
    quick = {(c.setting, c.difference, c.n, c.disagreement, c.rarest): c.seed for c in grid(True)}
    assert quick.items() <= whole.items()
    assert len(set(whole.values())) == len(whole)
    assert {setting for setting, *_, rarest in whole if rarest} == set(HARD)


def row(setting: str, difference: str, shares: list[float] | None, rarest: bool = False) -> dict[str, object]:
    cell = {"setting": setting, "difference": difference, "n": 100, "disagreement": 0.1, "rarest": rarest}
    return cell | {"repetitions": 9, "by_look": shares, "error_of_truth": 0.001}


def test_the_report_has_the_worst_of_the_settings() -> None:
    bad, good = [0.02] * 14 + [0.3], [0.04] * 14 + [0.2]
    report = summary(
        [row("a", d, one) for d in ("-5", "+5") for one in (bad, None, good)] + [row("a", "-5", [0.06] * 15, True)]
    )
    assert report["promoted"] == {"-5": {"100": {"0.1": 0.04}}, "+5": {"100": {"0.1": 0.02}}}
    assert report["promoted_15"] == {"-5": {"100": {"0.1": 0.3}}, "+5": {"100": {"0.1": 0.2}}}
    assert report["hard"] == {"100": {"0.1": 0.06}}
    assert (report["worst"], report["ok"], report["impossible"]) == (0.04, True, 2)
    assert report["cells"][0]["promoted_15"] == 0.3
    assert packaged(report) == {"rule": rule.constants(), "repetitions": 9, "by_look": report["by_look"]}
    assert not summary([row("a", "-5", [0.051] * 15)])["ok"]


def test_a_small_run_prints_one_object_last_and_fails_where_the_gate_does(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """In this process, with three cells."""
    cells = [Cell("2 skewed", d, 50, 0.1, False, 20, 1) for d in ("-5", "0", "+5")]
    monkeypatch.setattr(check_gate, "grid", lambda quick: iter(cells))
    monkeypatch.setattr(check_gate, "ProcessPoolExecutor", _Here)
    assert check_gate.main(["--json", "--out", str(tmp_path / "rates.json")]) == 0
    out = capsys.readouterr().out
    report = json.loads(out.splitlines()[-1])
    assert {"promoted", "promoted_15", "by_look", "hard", "cells", "worst", "error_of_truth", "ok"} <= report.keys()
    assert json.loads((tmp_path / "rates.json").read_text()) == packaged(report)
    assert "| -5 | 50 |" in out
    monkeypatch.setattr(check_gate, "ALLOWED", -1.0)
    assert check_gate.main([]) == 1
    assert "TOO OFTEN" in capsys.readouterr().out


class _Here:
    def __init__(self, *_: object, **__: object) -> None: ...

    def __enter__(self) -> _Here:
        return self

    def __exit__(self, *_: object) -> None: ...

    map = staticmethod(map)


def test_the_table_needs_the_whole_run(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        check_gate.main(["--quick", "--out", "rates.json"])
    assert "leave --quick away" in capsys.readouterr().err
