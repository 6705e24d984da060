"""Which texts coders disagree on or skipped, and which only wait for a coder."""

from __future__ import annotations

from backend.learning.disputed import disputed
from db import projects
from db.models import LsProject
from tests.backend.learning.coding import Coding, coded, humor


def found(coding: Coding) -> list[tuple[int, str, dict[str, str]]]:
    with coding.store.reading() as s:
        return [(d.text_id, d.stream, dict(d.reasons)) for d in disputed(s, coding.project, coding.book)]


def place(coding: Coding) -> int:
    """An adjudication project."""
    with coding.store.writing() as s:
        server = s.get_one(LsProject, coding.world.audit).server_id
        return projects.add_ls_project(s, coding.world.project_id, server, 3, 1000, "adjudication").id


WHOLE = {"topics": (), "stars": "1", "year": 1990}


def test_a_tie_and_a_skip_of_the_audit_wherever_it_is(coding: Coding) -> None:
    waiting = coding.text("waiting", "audit", rank=0)
    tie, agreed = coding.text("tie", "audit", rank=1), coding.text("agreed", "audit", rank=2, role="test")
    skipped, blank = coding.text("skipped", "audit", rank=3), coding.text("blank", "audit", rank=4, role="test")
    coded(coding, waiting, "yes", **WHOLE)
    coded(coding, tie, "yes", "no", **WHOLE)
    coded(coding, agreed, "yes", "yes", **WHOLE)
    coded(coding, skipped, "yes", **WHOLE)
    coding.answer(skipped, 2, cancelled=True)
    coded(coding, blank, "yes", **WHOLE)
    coding.answer(blank, 2, **WHOLE)
    everything = dict.fromkeys(("humor", "topics", "stars", "year"), "skipped")
    assert found(coding) == [
        (tie, "audit", {"humor": "tie"}),
        (skipped, "audit", everything),
        (blank, "audit", {"humor": "left blank"}),
    ]
    assert humor(coding.audit()) == [], "none is in the completed part yet"


def test_of_the_work_stream_only_what_two_coders_tried(coding: Coding) -> None:
    alone, tie, both = coding.text("alone"), coding.text("tie"), coding.text("both skipped")
    control = coding.text("control", "control")
    coding.answer(alone, 1, cancelled=True)
    coded(coding, tie, "yes", "no", origin="changed", **WHOLE)
    coded(coding, control, "yes", "no", **WHOLE)
    for coder in (1, 2):
        coding.answer(both, coder, cancelled=True)
    assert [(text, stream, reasons["humor"]) for text, stream, reasons in found(coding)] == [
        (tie, "work", "tie"),
        (both, "work", "skipped"),
    ]


def test_what_an_adjudicator_decides_is_open_no_more_and_what_is_skipped_is(coding: Coding) -> None:
    where = place(coding)
    first, second = (coding.text(body, "audit", rank=rank) for rank, body in enumerate(("one", "two")))
    for text in (first, second):
        coded(coding, text, "yes", "no", **WHOLE)
    same = {"ls_project_id": where, "origin": "adjudicated"}
    coding.answer(first, 9, humor="no", **WHOLE, **same)
    coding.answer(second, 9, cancelled=True, **same)
    assert found(coding) == [(second, "audit", {"humor": "tie"})]
    accepted = {a.question: (set(a.labels), a.by) for a in coding.audit().accepted if a.text_id == first}
    assert accepted["humor"] == ({"no"}, "adjudicated") and accepted["stars"] == ({"1"}, "majority")
    assert len(coding.audit().votes[first, "humor"]) == 2, "agreement is that of the coders"


def test_only_a_persons_answer_without_a_suggestion_adjudicates(coding: Coding) -> None:
    where = place(coding)
    audit, work = coding.text("one", "audit"), coding.text("two")
    for text in (audit, work):
        coded(coding, text, "yes", "no")
        for origin in ("human", "kept", "changed", "imported", "bulk"):
            coding.answer(text, 9, humor="no", ls_project_id=where, origin=origin)
    assert humor(coding.audit()) == [] and humor(coding.work()) == []
    assert {len(coding.audit().votes[audit, "humor"]), len(coding.work().votes[work, "humor"])} == {2}
    release = coding.release()
    coding.answer(audit, 9, humor="no", ls_project_id=where, origin="adjudicated", release_id=release)
    assert humor(coding.audit()) == [], "a suggestion was shown"


def test_the_rule_and_the_phase_are_the_projects(coding: Coding) -> None:
    text = coding.text("one", "audit")
    coded(coding, text, "yes", "yes", **WHOLE)
    assert found(coding) == []
    coding.change(gold_rule="adjudicated")
    assert found(coding) == [(text, "audit", dict.fromkeys(("humor", "stars", "topics", "year"), "not adjudicated"))]
    coding.change(gold_rule="majority", phase="pilot")
    coded(coding, text, "yes", "no", phase="pilot", **WHOLE)
    assert found(coding) == [(text, "audit", {"humor": "tie"})]
