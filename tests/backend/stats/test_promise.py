"""When bounds are withheld, and what people are told instead."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.stats.interval import Interval
from backend.stats.promise import FEW, GROUPS, Ground, needed, withheld, withheld_proportion

NARROW, WIDE = Interval(0.7, 0.6, 0.8), Interval(0.5, 0.19, 0.8)
ENOUGH = Ground(200, 200, 40, "got another answer than the commonest", "double-coded texts")


def test_what_stands_on_enough_is_shown() -> None:
    assert withheld(NARROW, ENOUGH) == ""
    assert withheld(NARROW, Ground(GROUPS, GROUPS, FEW, "have the label")) == ""


def test_a_wide_interval_says_how_many_texts_would_help() -> None:
    said = withheld(WIDE, replace(ENOUGH, texts=12, groups=12))
    assert said == "12 double-coded texts: the interval is wider than .5; 200 would give about .15"
    assert withheld_proportion(WIDE, 12, 12) == "12 texts: the interval is wider than .5; 200 would give about .15"
    assert withheld_proportion(NARROW, 12, 12) == ""
    assert "wider" not in withheld(Interval(1.2, 0.5, 2.0), replace(ENOUGH, bounded=False))


def test_few_texts_or_groups_are_too_few_for_a_bootstrap() -> None:
    assert withheld(NARROW, replace(ENOUGH, texts=29, groups=29)) == (
        "29 double-coded texts: an interval needs at least 30 double-coded texts"
    )
    assert withheld(NARROW, replace(ENOUGH, groups=29)) == (
        "200 double-coded texts in 29 groups: an interval needs at least 30 groups"
    )


def test_what_a_figure_turns_on_must_be_there() -> None:
    assert withheld(NARROW, replace(ENOUGH, telling=9)) == (
        "of 200 double-coded texts 9 got another answer than the commonest: an interval needs at least 10 such texts"
    )
    assert withheld(NARROW, replace(ENOUGH, groups=60, telling=9)).endswith("an interval needs at least 10 such groups")


def test_an_interval_without_width_is_none() -> None:
    assert "all resamples of them give the same value" in withheld(Interval(1.0, 1.0, 1.0), ENOUGH)


def test_an_undefined_figure_has_no_reason_of_this_kind() -> None:
    nothing = Interval(float("nan"), float("nan"), float("nan"))
    assert withheld_proportion(nothing, 200, 200) == ""


@pytest.mark.parametrize(
    ("texts", "width", "wanted"), [(12, 0.61, 200), (50, 0.31, 220), (200, 0.15, 200), (9, 2.0, 1600)]
)
def test_widths_shrink_with_the_root_of_the_number_of_texts(texts: int, width: float, wanted: int) -> None:
    """The first and second rows are of METHODS 1: of balanced labels 50 texts give .31, 200 give .15."""
    assert needed(texts, width) == wanted
