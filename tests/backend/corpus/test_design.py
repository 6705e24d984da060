"""A plan put into force in a project that was connected without an audit, or with a small one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from backend.alone import alone
from backend.corpus import connect, design, drawing
from backend.corpus.design import Applied, DesignError
from backend.corpus.label_studio import created_at
from backend.corpus.push import PushBusyError
from backend.corpus.site import ConnectError, Plan, Site
from db import answers, predictions, projects, releases, revisions, texts
from db.answers import AnswerFact
from db.base import now
from db.models import LsProject, LsTask, Placement, Project, Unit
from db.predictions import ExposureRow
from db.releases import scorer
from db.store import Store
from db.texts import UnitRow
from labelstudio_config.xml import to_xml
from tests.backend.assist.test_streams import body
from tests.backend.assist.world import BOOK
from tests.backend.corpus.fake_label_studio import FakeLabelStudio

KEY, N = "posts", 30
BACKEND = "http://backend.example:9090"


class Place:
    """A connected project of 30 texts in a fake Label Studio, and what was said."""

    def __init__(self, store: Store, audit: int = 0, control: int = 0, coders: int = 2) -> None:
        self.store, self.client, self.said = store, FakeLabelStudio(), list[str]()
        with store.writing() as s:
            drawn = {"audit": audit, "control": control, "coders": coders}
            project = projects.create(s, KEY, "Posts", 7, drawn)
            revisions.register(s, project.id, BOOK, to_xml(BOOK))
            there = self.client.create_project(title="Posts", label_config=to_xml(BOOK))
            server = projects.server(s, self.client.url)
            row = projects.add_ls_project(s, project.id, server.id, there["id"], created_at(there), "assisted")
            rows = [UnitRow(f"r{i}", (body(i),), i) for i in range(N)]
            ids = texts.remember_units(s, project.id, rows, "posts.csv")
        self.client.ml.append({"id": 1, "project": row.ls_id, "url": f"{BACKEND}/ls/{KEY}"})
        self.project_id, self.assisted = project.id, row
        site = self.site(audit, control, coders)
        drawing.draw(store, project, ids, audit=audit, control=control)
        audited = connect.audit_project(site, project, to_xml(BOOK), [])
        connect.import_by_stream(site, project, row, audited, ids, (BOOK, to_xml(BOOK)))
        self.client.calls.clear()

    def site(self, audit: int, control: int = 0, coders: int | None = None) -> Site:
        plan = Plan(KEY, "Posts", BACKEND, None, audit, control, coders)
        return Site(self.store, self.client, plan, self.said.append, lambda *_: lambda *_: None)  # type: ignore[arg-type]

    def apply(self, audit: int, control: int = 0, coders: int | None = None) -> Applied:
        self.said.clear()
        return design.apply(self.site(audit, control, coders))

    @property
    def project(self) -> Project:
        with self.store.reading() as s:
            return s.get_one(Project, self.project_id)

    def rows(self) -> dict[str, LsProject]:
        with self.store.reading() as s:
            return {row.role: row for row in projects.ls_projects(s, self.project_id)}

    def words(self, ls_id: int) -> list[str]:
        return [task["data"]["text"] for task in self.client.tasks_of[ls_id]]

    def drawn_words(self) -> list[str]:
        order = drawing.audit_order(self.store, self.project)
        with self.store.reading() as s:
            found = texts.bodies(s, order)
        return [found[text][0] for text in order]

    def answer(self) -> None:
        """Somebody codes the first audit text."""
        audit = self.rows()["audit"]
        with self.store.writing() as s:
            task = s.scalars(select(LsTask.id).where(LsTask.ls_project_id == audit.id).order_by(LsTask.id)).first()
            revision = revisions.current(s, self.project_id)
            assert task is not None
            assert revision is not None
            coder = answers.coder(s, self.project_id, audit.server_id, 1)
            given: dict[str, Any] = {"ls_project_id": audit.id, "annotation_id": 1, "ls_task_id": task}
            given |= {"coder_id": coder.id, "answered_at": now(), "updated_at": now(), "via": "webhook"}
            assert answers.record(s, AnswerFact(**given, revision_id=revision.id, phase="production", origin="human"))

    def show(self, rank: int) -> None:
        """A suggestion for the text at this rank was shown."""
        with self.store.writing() as s:
            revision = revisions.current(s, self.project_id)
            assert revision is not None
            made = scorer(
                s,
                engine="fake",
                base="fake",
                base_digest="",
                adapter_digest="",
                prompt_hash="",
                scoring_hash=revision.scoring_hash,
                dtype="",
                method="fake",
            )
            release = releases.release(s, self.project_id, made, revision, order_policy="fake")
            text = s.scalars(select(Placement.text_id).where(Placement.rank == rank)).one()
            predictions.expose(s, [ExposureRow(text, release.id, None, "push")])


def test_an_audit_comes_into_being_with_overlap_order_and_tasks(store: Store) -> None:
    place = Place(store)
    assert "audit" not in place.rows()
    done = place.apply(audit=8, control=5, coders=3)
    audit = place.rows()["audit"]
    assert done == Applied(audit=8, control=5, coders=3, audit_project=audit.ls_id, tasks=8)
    assert place.words(audit.ls_id) == place.drawn_words()
    assert sorted(place.words(place.assisted.ls_id) + place.words(audit.ls_id)) == sorted(body(i) for i in range(N))
    there = place.client.project(audit.ls_id)
    assert (there["maximum_annotations"], there["sampling"]) == (3, "Sequential sampling")
    assert there["show_collab_predictions"] is False
    assert place.client.backends(audit.ls_id) == []
    (hook,) = place.client.webhooks(audit.ls_id)
    assert (hook["url"], hook["is_active"]) == (f"{BACKEND}/ls/{KEY}/webhook", True)
    assert place.project.sampling_design == {"audit": 8, "control": 5, "coders": 3}


def test_an_audit_that_is_there_grows_at_its_end(store: Store) -> None:
    place = Place(store, audit=4, control=3)
    audit = place.rows()["audit"].ls_id
    before = place.words(audit)
    assert place.apply(audit=9, control=3, coders=3).tasks == 5
    assert place.words(audit)[:4] == before
    assert place.words(audit) == place.drawn_words()
    assert place.client.project(audit)["maximum_annotations"] == 3
    assert any("5 more for the audit" in sentence for sentence in place.said)


def test_a_second_run_changes_nothing(store: Store) -> None:
    place = Place(store, audit=4)
    first = place.apply(audit=9, control=6, coders=3)
    place.client.calls.clear()
    assert place.apply(audit=9, control=6, coders=3) == replace(first, tasks=0)
    assert place.client.calls == []
    assert place.said == []


def test_an_interruption_is_made_good(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(store, audit=2)
    with monkeypatch.context() as patch:
        patch.setattr(design, "copy_audit_tasks", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            place.apply(audit=6)
    assert all(hook["is_active"] for hook in place.client.hooks)
    assert place.apply(audit=6).tasks == 4
    audit = place.rows()["audit"].ls_id
    assert place.words(audit) == place.drawn_words()
    assert len(place.words(place.assisted.ls_id)) == N - 6


def test_nothing_ever_shrinks(store: Store) -> None:
    place = Place(store, audit=6, control=5)
    done = place.apply(audit=3, control=2)
    assert (done.audit, done.control, done.tasks) == (6, 5, 0)
    assert "The audit has 6 texts already, more than the 3 of this plan, and stays so." in place.said
    assert "The control has 5 texts already, more than the 2 of this plan, and stays so." in place.said


def test_coders_a_text_are_fixed_once_the_audit_has_answers(store: Store) -> None:
    place = Place(store, audit=4, coders=2)
    place.answer()
    with pytest.raises(DesignError, match="under the rule that 2 people code each text"):
        place.apply(audit=6, coders=3)
    assert place.project.sampling_design["audit"] == 4
    assert place.apply(audit=6, coders=2).audit == 6
    assert place.apply(audit=7).coders == 2


def test_answers_that_have_not_arrived_here_count_too(store: Store) -> None:
    place = Place(store, audit=4, coders=2)
    place.client.held[place.rows()["audit"].ls_id]["total_annotations_number"] = 1
    with pytest.raises(DesignError, match="--per-text 2"):
        place.apply(audit=6, coders=3)


def test_what_was_shown_cannot_join_and_that_is_said(store: Store) -> None:
    place = Place(store, audit=4)
    place.show(rank=6)
    done = place.apply(audit=10)
    assert done.audit == 6
    assert any("4 texts of the plan cannot join the audit" in sentence for sentence in place.said)


def test_what_somebody_has_begun_stays_where_it_is(store: Store) -> None:
    place = Place(store)
    for task in place.client.tasks_of[place.assisted.ls_id]:
        task["total_annotations"] = 1
    done = place.apply(audit=5)
    assert done.tasks == 5
    assert len(place.words(place.assisted.ls_id)) == N
    assert any("5 audit texts stay in the assisted project" in sentence for sentence in place.said)


def test_nothing_is_drawn_while_suggestions_are_pushed(store: Store) -> None:
    place = Place(store)
    with alone(store, f"push-{place.project_id}", PushBusyError()), pytest.raises(PushBusyError):
        place.apply(audit=5)
    assert drawing.drawn(store, place.project) == (0, 0)


def test_where_label_studio_reaches_us_is_read_from_it(store: Store) -> None:
    place = Place(store)
    client: Any = place.client
    assert design.served_at(client, design.assisted(store, place.project), KEY) == BACKEND
    place.client.ml.clear()
    with pytest.raises(ConnectError, match=f"socialite connect --project {KEY}"):
        design.served_at(client, place.assisted, KEY)


def test_a_project_that_is_not_connected_is_refused(store: Store) -> None:
    with store.writing() as s:
        project = projects.create(s, KEY, "Posts", 7, {"audit": 0, "control": 0, "coders": 2})
    with pytest.raises(ConnectError, match="not connected"):
        design.assisted(store, project)


def test_no_answer_is_lost_of_texts_that_moved(store: Store) -> None:
    """Their assisted tasks are deleted; what the store knows of them is kept."""
    place = Place(store)
    place.apply(audit=5)
    with store.reading() as s:
        gone = s.scalars(select(LsTask).where(LsTask.deleted_at.is_not(None))).all()
        shown = s.scalars(select(Unit.text_id).where(Unit.id.in_([task.unit_id for task in gone]))).all()
    assert set(shown) == set(drawing.audit_order(store, place.project))
