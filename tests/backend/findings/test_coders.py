"""Who coded how much."""

from __future__ import annotations

from datetime import timedelta

from backend.findings.coders import section
from tests.backend.findings.told import column
from tests.backend.findings.world import read
from tests.backend.learning.coding import START, Coding, coded


def test_each_coder_has_a_row_with_texts_by_stream(coding: Coding) -> None:
    audit = coding.text("first", "audit", rank=0, role="test")
    control, work = coding.text("second", "control"), coding.text("third")
    coded(coding, audit, "yes", "no")
    coding.answer(control, 1, humor="yes", origin="kept", lead_time=4.0)
    coding.answer(work, 1, humor="no", origin="changed", lead_time=10.0)
    coding.answer(work, 2, cancelled=True)
    (table,) = section(read(coding)).tables
    assert table.rows == ("coder-1", "coder-2")
    assert column(table, "audit texts") == {"coder-1": 1, "coder-2": 1}
    assert column(table, "control texts") == {"coder-1": 1, "coder-2": 0}
    assert column(table, "work texts") == {"coder-1": 1, "coder-2": 0}
    assert column(table, "skipped") == {"coder-1": 0, "coder-2": 1}
    assert column(table, "suggestion kept") == {"coder-1": 1, "coder-2": 0}
    assert column(table, "suggestion changed") == {"coder-1": 1, "coder-2": 0}
    assert column(table, "own label") == {"coder-1": 1, "coder-2": 1}
    assert column(table, "median time") == {"coder-1": 7.0, "coder-2": None}


def test_a_text_that_was_answered_twice_is_one_text(coding: Coding) -> None:
    work = coding.text("first")
    coding.answer(work, 1, humor="yes")
    coding.answer(work, 1, humor="no")
    (table,) = section(read(coding)).tables
    assert (column(table, "work texts"), column(table, "own label")) == ({"coder-1": 1}, {"coder-1": 2})


def test_days_are_those_of_the_first_and_the_last_answer(coding: Coding) -> None:
    for n in range(3):
        coding.answer(coding.text(f"text {n}"), 1, humor="yes", answered_at=START + timedelta(days=n))
    found = section(read(coding))
    assert column(found.tables[0], "first day") == {"coder-1": "2026-03-01"}
    assert column(found.tables[0], "last day") == {"coder-1": "2026-03-03"}
    assert found.text[0] == "1 coder gave 3 answers, from 2026-03-01 to 2026-03-03."


def test_bulk_answers_unnamed_coders_and_texts_in_no_stream_are_shown(coding: Coding) -> None:
    coding.answer(coding.text("first", None), None, humor="yes", origin="bulk", lead_time=1.0)
    coding.answer(coding.text("second", None), None, humor="yes")
    found = section(read(coding))
    (table,) = found.tables
    assert column(table, "made from predictions") == {"not named": 1}
    assert column(table, "texts in no stream") == {"not named": 1}
    assert column(table, "median time") == {"not named": None}
    assert found.text[0].startswith("0 coders and people whom Label Studio did not name gave 1 answer, from")


def test_who_adjudicates_codes_no_text_by_that(coding: Coding) -> None:
    text = coding.text("first", "audit", rank=0)
    coded(coding, text, "yes", "no")
    coding.answer(text, 3, humor="no", origin="adjudicated")
    found = section(read(coding))
    assert column(found.tables[0], "audit texts") == {"coder-1": 1, "coder-2": 1, "coder-3": 0}
    assert column(found.tables[0], "adjudicated") == {"coder-1": 0, "coder-2": 0, "coder-3": 1}
    assert found.text[0].startswith("2 coders gave 2 answers")


def test_other_phases_are_counted_apart(coding: Coding) -> None:
    coding.answer(coding.text("first"), 1, humor="yes", phase="pilot")
    found = section(read(coding))
    assert found.tables == () and "Nobody has coded anything in the production phase" in found.missing
    assert found.text == ("Not counted here: 1 answer of the pilot phase.",)
    assert section(read(coding, "pilot")).tables[0].rows == ("coder-1",)
