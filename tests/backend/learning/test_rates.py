"""The packaged rates: of this rule, whole, and read on the careful side."""

from __future__ import annotations

from itertools import pairwise

import pytest

from backend.learning import gate_rule as rule
from backend.learning import rates as module
from backend.learning.rates import Chance, packaged, rates
from scripts.check_gate import ALLOWED, DIFFERENCES, DISAGREEMENTS, LOOKS, REPETITIONS, SIZES


def test_the_file_is_of_the_rule_as_it_is() -> None:
    """Otherwise: python3 scripts/check_gate.py --out backend/learning/gate_rates.json"""
    assert packaged()["rule"] == rule.constants()
    assert packaged()["repetitions"] == REPETITIONS
    assert min(SIZES) == rule.TEXTS


def test_the_file_has_every_cell_of_the_script() -> None:
    table = packaged()["by_look"]
    assert list(table) == list(DIFFERENCES)
    for rows in table.values():
        assert list(rows) == [str(n) for n in SIZES]
        for row in rows.values():
            assert list(row) == [str(one) for one in DISAGREEMENTS]
            for shares in row.values():
                assert len(shares) == LOOKS
                assert all(before <= after for before, after in pairwise(shares))


def test_a_challenger_five_points_worse_is_promoted_at_one_look_in_at_most_one_of_twenty() -> None:
    cells = [shares[0] for row in packaged()["by_look"]["-5"].values() for shares in row.values()]
    assert len(cells) == len(SIZES) * len(DISAGREEMENTS)
    assert max(cells) <= ALLOWED


def test_a_better_challenger_passes_more_often_the_more_labels_there_are() -> None:
    chances = [rates(n, 0.1, 1).chances["+5"].once for n in SIZES]
    assert chances == sorted(chances)
    assert chances[-1] > 0.5 > rates(100, 0.3, 1).chances["0"].once


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shares by n (tens) and disagreement (units), at one look and at two."""
    cells = {"100": {"0.1": [0.11, 0.2], "0.2": [0.12, 0.3]}, "200": {"0.1": [0.21, 0.25], "0.2": None}}
    monkeypatch.setattr(module, "packaged", lambda: {"by_look": dict.fromkeys(("-5", "-2", "0", "+5"), cells)})


@pytest.mark.usefixtures("table")
def test_between_cells_the_worst_neighbour_counts() -> None:
    found = rates(150, 0.15, 1)
    assert (found.sizes, found.disagreements) == ((100, 200), (0.1, 0.2))
    assert found.chances["0"] == Chance(0.21, 0.21)
    assert found.chances["+5"] == Chance(0.11, 0.11)


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(("n", "disagreement", "once"), [(100, 0.2, 0.12), (60, 0.01, 0.11), (999, 0.1, 0.21)])
def test_a_cell_itself_and_what_lies_outside_have_one_neighbour(n: int, disagreement: float, once: float) -> None:
    assert rates(n, disagreement, 1).chances["-5"].once == once


@pytest.mark.usefixtures("table")
def test_looks_add_up_and_go_on_beyond_what_was_simulated() -> None:
    assert rates(100, 0.1, 2).chances["0"] == Chance(0.11, 0.2)
    assert rates(100, 0.1, 3).chances["+5"] == Chance(0.11, 0.2)
    assert rates(100, 0.1, 3).chances["0"].ever == pytest.approx(1 - 0.89**3)
