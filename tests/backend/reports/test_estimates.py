from __future__ import annotations

import pytest

from backend.findings.report import Unit
from backend.learning.estimate import Estimate
from backend.reports.estimates import listed, number, reasons, shown, shown_or_why


@pytest.mark.parametrize(
    ("unit", "told"),
    [
        ("share", "4.1 [-0.3, 8.2]"),
        ("coefficient", "0.04 [0.00, 0.08]"),
        ("difference", "+4.1 [-0.3, +8.2]"),
        ("number", "0.041 [-0.003, 0.082]"),
    ],
)
def test_a_figure_is_shown_in_its_unit(unit: Unit, told: str) -> None:
    assert shown(Estimate(200, 0.041, -0.003, 0.082), unit) == told


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (1234567, "count", "1,234,567"),
        (1234.5, "number", "1,234"),
        (3.14159, "number", "3.142"),
        (1200, "seconds", "1,200.0"),
        (0.5, "steps", "0.50"),
        (12.0, "share", "1,200.0"),
    ],
)
def test_a_number_is_shown_in_its_unit(value: float, unit: Unit, told: str) -> None:
    assert number(value, unit) == told


def test_a_figure_whose_interval_is_withheld_stands_alone_with_the_reason() -> None:
    figure = Estimate(40, 0.041, missing="too few texts for an interval")
    assert shown(figure, "share") == "4.1"
    assert shown_or_why(figure, "share") == "4.1 (too few texts for an interval)"
    assert reasons([("champion", figure)]) == ("champion: too few texts for an interval",)


def test_a_reason_is_said_once_behind_all_names() -> None:
    few, alike = Estimate(4, missing="too few"), Estimate(40, 1.0, missing="alike")
    named = [("joy", few), ("anger", alike), ("joy", few), ("fear", few), ("hope", Estimate(9, 0.5, 0.4, 0.6))]
    assert reasons(named) == ("joy, fear: too few", "anger: alike")


def test_what_rounds_to_nothing_has_no_sign() -> None:
    assert shown(Estimate(200, 0.0, -0.0004, 0.0004), "difference") == "0.0 [0.0, 0.0]"


def test_what_is_missing_is_a_dash_and_its_reason_a_sentence() -> None:
    missing = Estimate(6, missing="too few: 6 of at least 10 texts")
    assert shown(missing, "share") == "–"
    assert reasons([("champion", missing), ("challenger", Estimate(9, 0.5, 0.4, 0.6))]) == (
        "champion: too few: 6 of at least 10 texts",
    )


def test_counts_are_listed_in_their_order() -> None:
    assert listed({"joy": 1310, "anger": 2}) == "joy 1,310, anger 2"
    assert listed({}) == "none"
