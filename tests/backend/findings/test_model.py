"""What is told of the release against people."""

from __future__ import annotations

import pytest

from backend.findings.agreement import people
from backend.findings.fit import fits
from backend.findings.model import section
from backend.findings.report import Section
from backend.learning.estimate import Estimate
from tests.backend.findings.audited import TWENTY, audit, says
from tests.backend.findings.told import column, table
from tests.backend.findings.world import open_test, read, score
from tests.backend.learning.coding import Coding


def found(coding: Coding, looks: int = 0) -> Section:
    facts = read(coding)
    return section(facts, fits(facts), people(facts), looks)


def test_the_figure_of_the_release_is_beside_that_of_a_coder(coding: Coding) -> None:
    says(coding, audit(coding, TWENTY))
    told = table(found(coding), "model-gate")
    model, coder = column(told, "macro F1")["humor"], column(told, "macro F1 of a coder")["humor"]
    assert isinstance(model, Estimate) and isinstance(coder, Estimate)
    assert model.value == pytest.approx((2 * 10 / 24 + 2 * 6 / 16) / 2) and coder.value == 1.0
    assert column(told, "weighted kappa")["humor"] is None  # it has no order


def test_the_yardstick_is_described(coding: Coding) -> None:
    gate = audit(coding, TWENTY)
    coding.answer(next(iter(gate)), 3, humor="no")
    says(coding, gate)
    told = table(found(coding), "gold-gate")
    assert column(told, "texts with gold")["humor"] == 20
    assert column(told, "coders a text")["humor"] == "2 (19), 3 (1)"
    assert column(told, "accepted by")["humor"] == "majority (20)"
    assert told.notes[0].startswith("Gold of humor and topics comes from different numbers of coders")


def test_a_development_figure_is_called_one_and_looks_are_counted(coding: Coding) -> None:
    says(coding, audit(coding, TWENTY))
    told = found(coding, 3)
    assert "development" in table(told, "model-gate").title
    assert "which were looked at 3 times for that" in told.text[0]


def test_a_closed_test_is_said_to_be_closed(coding: Coding) -> None:
    release = says(coding, audit(coding, TWENTY), audit(coding, TWENTY, "test"))
    told = " ".join(found(coding).text)
    assert "The test is closed: 20 test texts with accepted values wait for it." in told
    assert "socialite open-test --project posts" in told
    open_test(coding, release)
    opened = found(coding)
    assert "This was its only opening." in " ".join(opened.text)
    assert column(table(opened, "gold-test"), "scored")["humor"] == 20


def test_openings_for_other_releases_are_counted(coding: Coding) -> None:
    gate = audit(coding, TWENTY)
    open_test(coding, score(coding, {}))
    coding.revise(coding.book.__class__(coding.book.key, "Another title", coding.book.questions))
    assert "opened once so far, for other releases" in " ".join(found(coding).text)
    release = says(coding, gate)
    open_test(coding, release)
    assert "It was opened 2 times in all" in " ".join(found(coding).text)


def test_what_is_missing_is_said(coding: Coding) -> None:
    assert "no release yet" in found(coding).missing
    says(coding, audit(coding, [("no", "no")]))
    coding.answer(coding.text("alone", "audit", rank=10**6), 1, humor="no")
    assert "texts with gold" in {one.name for one in table(found(coding), "gold-gate").columns}


def test_a_gate_without_gold_says_why(coding: Coding) -> None:
    coding.answer(coding.text("alone", "audit", rank=0), 1, humor="no")
    says(coding)
    told = found(coding)
    assert told.tables == ()
    assert told.missing.startswith("No gate text has an accepted value yet: ")
