from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.findings.report import Column
from backend.learning.estimate import Estimate
from backend.reports.figures import axis, diagonal, panels, shades, strips
from tests.backend.reports import made


@pytest.mark.parametrize(
    ("values", "anchors", "low", "high", "step"),
    [
        ([0.31, 0.02], [0.0], 0.0, 0.4, 0.1),
        ([0.71, 0.83], [0.0, 1.0], 0.0, 1.0, 0.25),
        ([-0.062, 0.008], [0.0], -0.08, 0.02, 0.02),
        ([0.52, 0.83], [], 0.5, 0.9, 0.1),
        ([], [], 0.0, 1.0, 0.25),
        ([0.0], [0.0], 0.0, 0.25, 0.25),
        ([5e-324], [], 0.0, 0.25, 0.25),
        ([float("nan"), 0.5], [0.0, 1.0], 0.0, 1.0, 0.25),
    ],
)
def test_an_axis_ends_at_round_numbers(
    values: list[float], anchors: list[float], low: float, high: float, step: float
) -> None:
    found = axis(values, anchors)
    assert (found.low, found.high, found.step) == pytest.approx((low, high, step))
    assert len(found.ticks()) <= 7


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5))
def test_an_axis_holds_all_its_values(values: list[float]) -> None:
    found = axis(values)
    wide = found.high - found.low
    assert found.low < found.high and len(found.ticks()) <= 8
    assert all(found.low - 1e-6 * wide <= value <= found.high + 1e-6 * wide for value in values)
    assert all(0 <= found.at(value) <= 100 for value in values)


def test_columns_of_one_unit_have_one_axis() -> None:
    naive, people, corrected, differences = strips(made.prevalence())
    assert naive is not None and naive == people == corrected != differences
    assert differences is not None and differences.zero is not None and naive.zero is None


def test_rows_go_from_left_to_right_and_what_is_missing_is_no_mark() -> None:
    f1, alpha = panels(made.releases())
    assert (f1.name, f1.first, f1.last) == ("macro F1", "2026-03-01", "2026-03-06")
    assert [mark.across for mark in f1.marks] == [0.0, 20.0, 60.0, 80.0, 100.0]
    assert [mark.lower is None for mark in alpha.marks] == [True, True, False, False, False, False]
    assert [mark.across for mark in panels(made.releases(1))[0].marks] == [50.0]


def test_reliability_takes_the_first_two_columns_of_shares() -> None:
    found = diagonal(made.calibration())
    assert found is not None
    assert (found.across, found.up, len(found.marks)) == ("mean probability", "right", 9)
    assert (found.marks[0].across, found.marks[0].at) == (5.0, 3.6)
    assert diagonal(made.work()) is None


def test_shades_are_parts_of_a_row() -> None:
    table = made.table(
        "t", (Column("a", "share"), Column("b", "share")), ("r", "s"), ((Estimate(9, 0.2), 0.6), (None, 0.0))
    )
    assert shades(table) == [[0.25, 0.75], [None, 0.0]]
