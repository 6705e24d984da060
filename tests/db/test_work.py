"""What is done for a project, what was done last, and what went wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from db import inbox, jobs
from db.base import now
from db.inbox import ATTEMPTS, Event
from db.models import Job
from db.work import Ended, Refused, Work, work
from tests.db.world import World, make_world


def found(world: World) -> Work:
    with world.store.reading() as s:
        return work(s, world.project.id)


def test_nothing_was_done_yet(world: World) -> None:
    assert found(world) == Work((), None, (), ())


def test_a_job_that_runs_has_a_rate_and_an_end(world: World) -> None:
    with world.store.writing() as s:
        running, waits = (jobs.enqueue(s, kind, world.project.id) for kind in ("push", "sync"))
        job = jobs.claim(s, "w")
        assert job is not None and job.id == running
        s.execute(update(Job).where(Job.id == running).values(started_at=now() - timedelta(seconds=100)))
    first, second = found(world).now
    assert (first.kind, first.state, first.done, first.total, first.rate, first.seconds_left) == (
        "push", "running", 0, None, None, None,
    )  # fmt: skip
    assert (second.kind, second.state, second.rate) == ("sync", "queued", None)
    with world.store.writing() as s:
        jobs.progress(s, running, 500, 2000)
    first, _ = found(world).now
    assert (first.done, first.total) == (500, 2000)
    assert first.rate == pytest.approx(5, rel=0.1) and first.seconds_left == pytest.approx(300, rel=0.1)
    with world.store.writing() as s:
        jobs.finish(s, running)
    assert [one.kind for one in found(world).now] == ["sync"] and waits


def test_the_last_comparison_and_what_failed_since(world: World) -> None:
    other = make_world(world.store, "other")

    def ended(kind: str, sentence: str | None, said: str = "Done.") -> None:
        with world.store.writing() as s:
            jobs.enqueue(s, kind, world.project.id)
            job = jobs.claim(s, "w")
            assert job is not None
            if sentence is None:
                jobs.finish(s, job.id, said)
            else:
                jobs.fail(s, job.id, sentence)

    ended("sync", None, "Repaired: 1 answers recorded.")
    ended("push", "Label Studio is away.")
    ended("retrain", "Too few labels.")
    ended("retrain", None)
    ended("sync", "The token is wrong.")
    seen = found(world)
    assert seen.last_sync is not None and seen.last_sync.said == "Repaired: 1 answers recorded."
    assert {(one.kind, one.said) for one in seen.failed} == {
        ("push", "Label Studio is away."),
        ("sync", "The token is wrong."),
    }
    assert all(isinstance(one, Ended) and one.at is not None for one in seen.failed)
    assert found(other) == Work((), None, (), ())


def test_events_that_were_given_up_are_told_by_their_reason(world: World) -> None:
    with world.store.writing() as s:
        inbox.append(s, [Event(world.project.id, "K", key, {}) for key in "abcd"])
        for n, row in enumerate(inbox.pending(s, 9)):
            for _ in range(ATTEMPTS if n < 3 else 1):
                inbox.failed(s, row.id, "No codebook." if n else "No task.")
    assert found(world).refused == (Refused(2, "No codebook."), Refused(1, "No task."))
