"""Texts without an accepted value, by the names of their rows."""

from __future__ import annotations

from collections import Counter

from backend.findings.disputes import Dispute, counted, disputes, streams
from db import projects, texts
from db.models import LsProject
from db.texts import TaskRow, UnitRow
from tests.backend.learning.coding import Coding, coded


def found(coding: Coding) -> tuple[Dispute, ...]:
    with coding.store.reading() as s:
        return disputes(s, coding.project, coding.book)


def test_each_is_named_by_its_first_row_and_the_audits_come_first(coding: Coding) -> None:
    with coding.store.writing() as s:
        rows = [UnitRow("r1", ("twice",)), UnitRow("r2", ("twice",)), UnitRow("r3", ("work",))]
        twice, _, work = texts.remember_units(s, coding.world.project_id, rows, "posts.csv")
    coding.place(twice, "audit")
    coding.place(work, "work")
    whole = {"topics": (), "stars": "1", "year": 1990}
    coded(coding, work, "yes", "no", **whole)
    coded(coding, twice, "yes", "no", **whole)
    coding.answer(twice, 1, humor="yes", **{**whole, "stars": "2"})
    assert [(d.source, d.external_id, d.stream, d.question, d.reason, d.waits) for d in found(coding)] == [
        ("posts.csv", "r1", "audit", "humor", "tie", False),
        ("posts.csv", "r1", "audit", "stars", "tie", False),
        ("posts.csv", "r3", "assisted", "humor", "tie", False),
    ]
    assert counted(found(coding))["humor", "audit"] == Counter({"tie": 1})
    assert streams(found(coding)) == ([twice], [work])


def test_who_has_a_task_in_the_adjudication_project_waits(coding: Coding) -> None:
    text = coding.text("one", "audit")
    coded(coding, text, "yes", "no", topics=(), stars="1", year=1)
    with coding.store.writing() as s:
        server = s.get_one(LsProject, coding.world.audit).server_id
        row = projects.add_ls_project(s, coding.world.project_id, server, 3, 1000, "adjudication")
        texts.remember_tasks(s, row, [TaskRow(900, "3/900", ("one",))])
    assert [d.waits for d in found(coding)] == [True]
    with coding.store.writing() as s:
        texts.delete_tasks(s, row.id, [900])
    assert [d.waits for d in found(coding)] == [False]
