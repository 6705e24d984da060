from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.findings.advice import assumptions, trades, warnings
from backend.findings.buys import buys
from backend.findings.plan import Means, PlanError, Sizes, alternatives, controls, hours, recommended
from backend.stats.power import smallest_difference

AMPLE = Means(texts=5000, coders=3, hours=40, rarest=0.1)


def said(means: Means) -> str:
    chosen = recommended(means)
    return "\n".join(warnings(means, chosen, buys(means, chosen)))


def test_the_minimum_is_200_of_even_labels_and_400_of_a_label_of_ten_per_cent() -> None:
    assert Means(1000, 2, 10).minimum == 200
    assert Means(1000, 2, 10, labels=3).minimum == 200
    assert Means(1000, 2, 10, rarest=0.1).minimum == 400
    assert Means(1000, 2, 10, rarest=0.02).minimum == 2000


def test_ample_hours_buy_three_coders_and_all_that_is_wanted() -> None:
    chosen = recommended(AMPLE)
    assert (chosen.audit, chosen.per_text, chosen.gate, chosen.test) == (800, 3, 400, 400)
    assert chosen.work == 5000 - 800 - chosen.control
    assert said(AMPLE) == ""


def test_scarce_hours_buy_two_coders() -> None:
    chosen = recommended(Means(5000, 3, 12))
    assert chosen.per_text == 2
    assert 200 <= chosen.audit < 800


def test_a_person_may_say_how_many_code_each_text() -> None:
    assert recommended(Means(5000, 5, 40, per_text=4)).per_text == 4
    assert recommended(Means(5000, 1, 40)).per_text == 1
    with pytest.raises(PlanError, match="3 people cannot code each audit text where there are 2"):
        Means(5000, 2, 40, per_text=3)


@given(
    st.builds(
        Means,
        texts=st.integers(20, 200_000),
        coders=st.integers(1, 9),
        hours=st.floats(0.5, 2000),
        labels=st.integers(2, 5),
        rarest=st.floats(0.001, 0.2),
        seconds=st.floats(1, 120),
    )
)
def test_no_plan_needs_more_texts_or_hours_than_there_are(means: Means) -> None:
    chosen = recommended(means)
    for one in alternatives(means, chosen).values():
        assert one.audit + one.control + one.work <= means.texts
        assert one.codings <= means.codings
        assert one.gate + one.test == one.audit
        assert 2 * one.audit <= means.texts
        assert min(one.audit, one.control, one.work) >= 0
    assert chosen.per_text <= max(2, min(means.coders, 3))
    assert chosen.per_text * chosen.audit + chosen.control <= 0.6 * means.codings


def test_half_and_double_lie_around_it() -> None:
    found = alternatives(AMPLE, recommended(AMPLE))
    assert [one.audit for one in found.values()] == [400, 800, 1600]
    assert found["half"].work > found["recommended"].work > found["double"].work


def test_what_cannot_be_doubled_is_no_alternative() -> None:
    small = Means(300, 2, 40)
    assert list(alternatives(small, recommended(small))) == ["half", "recommended"]


@pytest.mark.parametrize("audit", [300, 400, 800, 4000])
def test_the_controls_are_as_many_as_show_ten_points(audit: int) -> None:
    found = controls(audit)
    enough, fewer = smallest_difference(audit, found, 0.7), smallest_difference(audit, found - 1, 0.7)
    assert enough is not None
    assert fewer is not None
    assert enough <= 0.1 < fewer


def test_where_no_control_shows_ten_points_it_is_as_large_as_the_audit() -> None:
    assert controls(100) == 100
    assert controls(0) == 0


def test_the_hours_that_are_named_suffice() -> None:
    scarce = Means(5000, 3, 6, rarest=0.1, per_text=3)
    needs = hours(scarce, scarce.minimum, 3)
    assert recommended(scarce).audit < scarce.minimum
    assert f"{-int(-needs // 1)} hours in all would" in said(scarce)
    assert "hours with 2 coders a text instead of 3" in said(scarce)
    enough = Means(5000, 3, -int(-needs // 1), rarest=0.1, per_text=3)
    assert recommended(enough).audit >= enough.minimum


def test_a_small_corpus_is_not_blamed_on_the_hours() -> None:
    assert "is half of the corpus already" in said(Means(300, 2, 40))
    assert "hours in all would" not in said(Means(300, 2, 40))
    assert "2 coders to code every text without a model" in said(Means(300, 2, 40))


def test_one_coder_and_a_rare_label_are_warned_of() -> None:
    assert "--per-text 2" in said(Means(1000, 1, 10))
    rare = Means(2000, 2, 10, rarest=0.01)
    assert "too few for its F1: an audit of 2000 would have 10" in said(rare).replace(",", "")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"rarest": 0.6}, "above 0 and of at most 0.5, not 0.6"),
        ({"rarest": 0.0}, "--rare"),
        ({"labels": 1}, "at least two labels"),
        ({"hours": 0.0}, "leave nothing to plan"),
        ({"texts": 1}, "leave nothing to plan"),
    ],
)
def test_means_that_make_no_sense_are_refused(given: dict[str, float], sentence: str) -> None:
    with pytest.raises(PlanError, match=sentence):
        Means(**({"texts": 1000, "coders": 2, "hours": 10.0} | given))  # type: ignore[arg-type]


def test_each_size_has_its_sentence() -> None:
    chosen = recommended(AMPLE)
    found = trades(AMPLE, chosen, buys(AMPLE, chosen))
    assert [sentence.split(",")[0] for sentence in found] == ["Audit", "Gate and test", "Overlap", "Control", "Work"]
    assert "10 points of anchoring" in found[3]
    assert "alpha .73" in assumptions(AMPLE)
    nothing = Sizes(0, 0, 0, 2)
    assert trades(AMPLE, nothing, buys(AMPLE, nothing)) == []
