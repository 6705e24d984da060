"""The release and people: what fits, and on which texts that may be known."""

from __future__ import annotations

import pytest

from backend.findings.fit import GATE, TEST, Fit, fits
from backend.learning.measured import MACRO
from tests.backend.findings.audited import TWENTY, audit, says
from tests.backend.findings.world import open_test, read
from tests.backend.learning.coding import Coding, coded


def humor(coding: Coding, role: str = GATE) -> Fit:
    return next(one for one in fits(read(coding))[role] if one.question.id == "humor")


def test_the_figures_are_those_of_hand(coding: Coding) -> None:
    says(coding, audit(coding, TWENTY))
    found = humor(coding)
    assert (len(found.gold), len(found.ids), found.unscored) == (20, 20, 0)
    assert found.measures[MACRO].value == pytest.approx((2 * 10 / 24 + 2 * 6 / 16) / 2)
    assert found.f1[0].value == pytest.approx(2 * 10 / 24)
    assert [one.value for one in found.precision] == pytest.approx([10 / 12, None])
    assert found.recall[0].value == pytest.approx(10 / 12)
    assert found.alike.percent.value == pytest.approx(16 / 20)
    # Of 40 labels 24 are 'no', 16 'yes'; 4 texts differ.
    assert found.alike.alpha.value == pytest.approx(1 - 39 * (2 * 4) / (2 * 24 * 16))


def test_texts_without_scores_are_counted_and_left_out(coding: Coding) -> None:
    says(coding, audit(coding, TWENTY))
    audit(coding, [("no", "no")] * 3)
    found = humor(coding)
    assert (len(found.gold), len(found.ids), found.unscored) == (23, 20, 3)


def test_nothing_is_known_of_the_test_until_it_is_opened_for_this_release(coding: Coding) -> None:
    release = says(coding, audit(coding, TWENTY), audit(coding, TWENTY, TEST))
    assert set(fits(read(coding))) == {GATE}
    open_test(coding, release)
    assert humor(coding, TEST).measures[MACRO].value == pytest.approx((2 * 10 / 24 + 2 * 6 / 16) / 2)


def test_without_a_release_there_is_nothing_to_compare(coding: Coding) -> None:
    audit(coding, TWENTY[:2])
    assert fits(read(coding)) == {}


def test_a_release_that_scored_no_text_of_a_question_has_a_fit_without_texts(coding: Coding) -> None:
    gate = audit(coding, TWENTY[:2])
    for text in gate:
        coded(coding, text, "no", "no")
    says(coding)
    found = humor(coding)
    assert (len(found.ids), found.truth.shape, found.said.shape) == (0, (0, 2), (0, 2))
    assert found.measures[MACRO].missing == "too few: 0 of at least 10 texts"
