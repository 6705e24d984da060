from __future__ import annotations

import pytest

from backend.learning.estimate import Estimate
from backend.learning.measured import KAPPA, MACRO
from backend.reports.estimates import DIFFERENCE, listed, reasons, shown


@pytest.mark.parametrize(
    ("measure", "told"),
    [(MACRO, "4.1 [-0.3, 8.2]"), (KAPPA, "0.04 [0.00, 0.08]"), (DIFFERENCE, "+4.1 [-0.3, +8.2]")],
)
def test_a_figure_is_shown_in_the_unit_of_its_measure(measure: str, told: str) -> None:
    assert shown(Estimate(200, 0.041, -0.003, 0.082), measure) == told


def test_what_rounds_to_nothing_has_no_sign() -> None:
    assert shown(Estimate(200, 0.0, -0.0004, 0.0004), DIFFERENCE) == "0.0 [0.0, 0.0]"


def test_what_is_missing_is_a_dash_and_its_reason_a_sentence() -> None:
    missing = Estimate(6, missing="too few: 6 of at least 10 texts")
    assert shown(missing, MACRO) == "–"
    assert reasons([("champion", missing), ("challenger", Estimate(9, 0.5, 0.4, 0.6))]) == (
        "champion: too few: 6 of at least 10 texts",
    )


def test_counts_are_listed_in_their_order() -> None:
    assert listed({"joy": 1310, "anger": 2}) == "joy 1,310, anger 2"
    assert listed({}) == "none"
