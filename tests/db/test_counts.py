from __future__ import annotations

from datetime import UTC

import numpy as np
import pytest
from sqlalchemy import event, update

from db import answers, counts, erasing, inbox, jobs, predictions, projects, releases, revisions, texts
from db.base import now
from db.counts import ProjectStatus
from db.inbox import ATTEMPTS, Event
from db.models import Project, Push
from db.store import ProjectNotFoundError, Store
from db.summaries import Place
from db.texts import PlacementRow, TextRow
from db.work import Refused
from tests.db.world import World, make_world


def status(world: World) -> ProjectStatus:
    with world.store.reading() as s:
        (only,) = counts.status(s, world.project.key)
    return only


def test_a_new_project_has_nothing(store: Store) -> None:
    with store.writing() as s:
        projects.create(s, "new", "New", 1, {})
    with store.reading() as s:
        assert counts.status(s) == [ProjectStatus(key="new", title="New", phase="production")]
        with pytest.raises(ProjectNotFoundError, match="There are: new"):
            counts.status(s, "old")


def test_each_number_counts_what_it_says(world: World) -> None:
    make_world(world.store, "other")
    with world.store.writing() as s:
        ids = texts.remember(s, world.project.id, [TextRow((str(n),)) for n in range(3)])
        texts.place(s, [PlacementRow(ids[0], None, 0, "audit", "gate"), PlacementRow(ids[1], None, 1, "control")])
        texts.place_as_work(s, [world.text])
        scores = [(i, q, np.zeros(2), 0) for i in ids for q in world.questions.values()]
        predictions.store(s, world.scorer.id, scores)
        old = releases.release(s, world.project.id, world.scorer, _revision(s, world), order_policy="random")
        s.add(Push(ls_task_id=world.task, release_id=world.release.id, score=0.5, pushed_at=now()))
        s.add(Push(ls_task_id=world.audit_task, release_id=world.release.id, score=0.5))
        s.add(Push(ls_task_id=world.audit_task, release_id=old.id, score=0.5, pushed_at=now()))
        for number, origin in enumerate(["human", "kept", "kept", "changed", "bulk"]):
            coder = answers.coder(s, world.project.id, world.assisted.server_id, number % 2)
            answers.record(s, world.fact(number, 1, origin="human", coder_id=coder.id))
            answers.record(s, world.fact(number, 2, origin=origin, coder_id=coder.id))
        audited = {"ls_project_id": world.audit.id, "ls_task_id": world.audit_task}
        answers.record(s, world.fact(50, 1, **audited))
        answers.record(s, world.fact(51, 1, cancelled=True, **audited))
        answers.bury(s, world.assisted.id, [4, 99], "webhook")
        inbox.append(s, [Event(world.project.id, "K", key, {}) for key in "abcd"])
        applied, failed, *_ = inbox.pending(s, 9)
        inbox.applied(s, applied.id)
        for _ in range(ATTEMPTS):
            inbox.failed(s, failed.id, "It failed.")
        jobs.enqueue(s, "push", world.project.id)
        jobs.enqueue(s, "sync", world.project.id)
        jobs.enqueue(s, "sync", None)
        jobs.claim(s, "w")
    found = status(world)
    assert found.last_event_at is not None
    assert found.last_event_at.tzinfo is UTC
    assert found == ProjectStatus(
        key="posts",
        title="Posts",
        phase="production",
        texts={"audit": 1, "control": 1, "work": 1, "unplaced": 2},
        units=2,
        tasks={"assisted": 1, "audit": 1},
        predictions=6,
        pushed=1,
        answers={"human": 2, "kept": 2, "changed": 1},
        answers_by_role={"assisted": 4, "audit": 1},
        skipped=1,
        deleted=2,
        coders=2,
        release=world.release.name,
        inbox_waiting=2,
        inbox_failed=1,
        last_event_at=found.last_event_at,
        jobs={"queued": 1, "running": 1},
        coded={"work": 1, "unplaced": 1},
        release_since=found.release_since,
        places=(Place("http://posts.example:8080", 1, "assisted"), Place("http://posts.example:8080", 2, "audit")),
        work=found.work,
    )
    assert found.release_since is not None and found.release_since.tzinfo is UTC
    assert [(job.kind, job.state) for job in found.work.now] == [("push", "running"), ("sync", "queued")]
    assert found.work.refused == (Refused(1, "It failed."),)


def _revision(s, world):  # type: ignore[no-untyped-def]
    return revisions.current(s, world.project.id)


def test_a_deleted_task_counts_no_longer(world: World) -> None:
    with world.store.writing() as s:
        s.add(Push(ls_task_id=world.task, release_id=world.release.id, score=0.5, pushed_at=now()))
        answers.record(s, world.fact(1, 1))
        texts.delete_tasks(s, world.assisted.id, [10])
    found = status(world)
    assert (found.tasks, found.pushed, found.answers, found.units) == ({"audit": 1}, 0, {}, 2)


def test_archived_projects_are_left_out_unless_named(store: Store) -> None:
    worlds = [make_world(store, key) for key in ("c", "a", "b")]
    with store.writing() as s:
        s.execute(update(Project).where(Project.key == "b").values(archived_at=now()))
    with store.reading() as s:
        assert [project.key for project in counts.status(s)] == ["a", "c"]
        assert [project.key for project in counts.status(s, archived=True)] == ["a", "b", "c"]
    assert status(worlds[2]).key == "b"


def test_nobody_sees_a_project_that_is_being_deleted(store: Store) -> None:
    make_world(store, "a")
    make_world(store, "b")
    erasing.hide(store, "b")
    with store.reading() as s:
        assert [project.key for project in counts.status(s, archived=True)] == ["a"]
        with pytest.raises(ProjectNotFoundError, match="There are: a"):
            counts.status(s, "b")


def test_the_number_of_queries_does_not_grow_with_the_project(world: World) -> None:
    def queries() -> int:
        seen: list[str] = []
        with world.store.reading() as s:
            connection = s.connection()
            event.listen(connection, "before_cursor_execute", lambda *args: seen.append(args[2]))
            counts.status(s, "posts")
        return len(seen)

    before = queries()
    with world.store.writing() as s:
        texts.remember(s, world.project.id, [TextRow((str(n),)) for n in range(50)])
        for number in range(20):
            answers.record(s, world.fact(number, 1))
    assert queries() == before <= 20


def test_who_only_adjudicates_is_no_coder(world: World) -> None:
    with world.store.writing() as s:
        place = projects.add_ls_project(s, world.project.id, world.assisted.server_id, 3, 1000, "adjudication")
        coder, judge = (answers.coder(s, world.project.id, world.assisted.server_id, user).id for user in (1, 2))
        answers.record(s, world.fact(1, 1, coder_id=coder))
        decided = {"ls_project_id": place.id, "coder_id": judge, "origin": "adjudicated"}
        answers.record(s, world.fact(2, 1, **decided))
    found = status(world)
    assert (found.coders, found.answers_by_role) == (1, {"assisted": 1, "adjudication": 1})
    assert found.answers == {"human": 1, "adjudicated": 1}
