"""What the report begins with."""

from __future__ import annotations

from backend.findings.agreement import people
from backend.findings.fit import fits
from backend.findings.report import Column, Section, Table
from backend.findings.summary import section
from backend.learning.estimate import Estimate
from tests.backend.findings.audited import TWENTY, audit, says
from tests.backend.findings.told import column, table
from tests.backend.findings.world import open_test, read
from tests.backend.learning.coding import Coding, coded


def found(coding: Coding, phase: str = "production") -> Section:
    facts = read(coding, phase)
    return section(facts, people(facts), fits(facts) if phase == "production" else {})


def test_it_says_what_the_project_is(coding: Coding) -> None:
    says(coding, audit(coding, TWENTY), audit(coding, TWENTY[:3], "test"))
    assert found(coding).text[0] == (
        "'Posts' holds 23 texts. Its codebook, 'Posts' in revision 1, asks 4 questions. In the production phase 2 "
        "coders gave 46 answers; 20 gate texts and 3 test texts, drawn at random and coded blind, have an accepted "
        "value."
    )


def test_each_question_has_a_sentence_and_a_row(coding: Coding) -> None:
    says(coding, audit(coding, TWENTY))
    told = found(coding)
    (sentence,) = [one for one in told.text if one.startswith("humor: ")]
    assert "macro F1 of 79 %" in sentence and "in development" in sentence and "in the test" not in sentence
    numbers = table(told, "summary")
    assert column(numbers, "texts coded twice")["humor"] == 20
    assert isinstance(column(numbers, "macro F1, gate")["humor"], Estimate)
    assert column(numbers, "macro F1, gate")["year"] is None


def test_a_closed_test_may_not_be_concluded_from(coding: Coding) -> None:
    release = says(coding, audit(coding, TWENTY), audit(coding, TWENTY, "test"))
    told = found(coding)
    assert any("no figure of the model here is one of untouched texts" in one for one in told.text)
    assert not any("test" in one.name for one in told.tables[0].columns)
    open_test(coding, release)
    told = found(coding)
    assert any("report their figures, with the number of openings" in one for one in told.text)
    assert isinstance(column(told.tables[0], "macro F1, test")["humor"], Estimate)


def test_calibration_and_anchoring_are_taken_from_their_sections(coding: Coding) -> None:
    says(coding, audit(coding, TWENTY))
    facts, number, cell = read(coding), Column("raw", "number"), Estimate(20, 0.1, missing="biased upwards")
    quality = Table("calibration-gate", "Quality", "humor", "measure", ("ECE",), (number,), ((cell,),), "gate texts")
    told = section(facts, people(facts), fits(facts), [Section("calibration", "Calibration", tables=(quality,))])
    also = table(told, "summary-also")
    assert column(also, "ECE, raw") == {"humor": cell, "topics": None, "stars": None, "year": None}
    assert set(column(also, "anchoring").values()) == {None}
    assert [one.key for one in found(coding).tables] == ["summary"]


def test_a_pilot_says_what_it_leaves_out(coding: Coding) -> None:
    coded(coding, coding.text("first", "audit", rank=0), "yes", "yes", phase="pilot")
    told = found(coding, "pilot")
    assert "those sections are left out here" in told.text[1]
    assert [one.name for one in told.tables[0].columns] == ["texts coded twice", "alpha of coders"]


def test_without_answers_nothing_is_concluded(coding: Coding) -> None:
    assert found(coding).missing == "Nothing can be concluded yet: nobody has coded anything."
