"""The worker applies what waits, runs jobs, survives what fails, and ends when its input closes."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from backend.child import WorkerChild
from backend.corpus import event
from backend.settings import Settings, load
from backend.worker import SLOW, Worker
from db import inbox, jobs, projects
from db.models import AnswerVersion, Inbox, Job
from db.store import Store, open_store, sqlite_url
from tests.payloads import annotation, created, project, task

PLANTED = "A planted text that no log may hold"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(home=tmp_path, database_url=sqlite_url(tmp_path), engine="keyword")


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    opened = open_store(settings.database_url)
    with opened.writing() as s:
        made = projects.create(s, "tones", "Tones", 1, {"audit": 0, "control": 0, "coders": 1})
        server = projects.server(s, "http://localhost:8080")
        projects.add_ls_project(s, made.id, server.id, 7, 1795384072, "assisted")
    yield opened
    opened.close()


def receive(store: Store, *bodies: dict[str, Any]) -> None:
    with store.inbox() as s:
        for body in bodies:
            inbox.append(s, event.cut(s, 1, 1, body["action"], body))


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for a condition; the test fails when it never comes."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def number(store: Store, what: Any) -> int:
    with store.reading() as s:
        return s.scalars(what).one()


VERSIONS = select(func.count(AnswerVersion.id))
WAITING = select(func.count(Inbox.id)).where(Inbox.applied_at.is_(None))


def test_one_event_that_fails_holds_up_no_other(
    store: Store, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    receive(store, created(annotation(1, 10), PLANTED))
    lacking = created(annotation(2, 11))
    lacking["task"]["data"] = {"other": PLANTED}
    receive(store, lacking, created(annotation(3, 12), PLANTED))
    worker = Worker(store, settings)
    assert worker.apply_waiting()
    assert number(store, VERSIONS) == 2
    with store.reading() as s:
        [failed] = s.scalars(select(Inbox).where(Inbox.applied_at.is_(None)))
    assert (failed.attempts, failed.error) != (0, None)
    assert failed.error is not None and failed.error.startswith("Task 11 of this answer is not known")
    assert not worker.apply_waiting()  # not again at once
    with store.reading() as s:
        assert s.get_one(Inbox, failed.id).attempts == 1
    assert PLANTED not in caplog.text


def test_an_unforeseen_fault_is_kept_with_a_sentence_and_without_the_text(
    store: Store, settings: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)

    def fail(*_: object, **__: object) -> None:
        raise ValueError(PLANTED)

    monkeypatch.setattr("backend.worker.apply", fail)
    receive(store, created(annotation(1, 10), PLANTED))
    Worker(store, settings).apply_waiting()
    with store.reading() as s:
        row = s.scalars(select(Inbox)).one()
    assert row.error == "It failed for a reason that was not foreseen (ValueError); the server's log says where."
    assert row.applied_at is None
    assert "ValueError at " in caplog.text
    assert PLANTED not in caplog.text


def test_what_was_given_up_is_tried_again_after_a_start(store: Store, settings: Settings) -> None:
    receive(store, created(annotation(1, 10)))
    with store.writing() as s:
        for _ in range(inbox.ATTEMPTS):
            inbox.failed(s, 1, "It did not work.")
    with store.reading() as s:
        assert inbox.pending(s, 10) == []
    worker = Worker(store, settings)
    thread = threading.Thread(target=worker.run)
    thread.start()
    until(lambda: number(store, WAITING) == 0)
    worker.end()
    thread.join()
    assert number(store, VERSIONS) == 1


def test_jobs_say_what_became_of_them(store: Store, settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    receive(store, {"action": "START_TRAINING", "project": project()})
    worker = Worker(store, settings)
    worker.apply_waiting()
    with store.writing() as s:
        jobs.enqueue(s, "dance", 1, {})
    assert worker.run_job(but=SLOW)
    assert not worker.run_job(but=SLOW)
    assert worker.run_job(only=SLOW)
    assert not worker.run_job()
    with store.reading() as s:
        found = [(job.kind, job.state, job.message) for job in s.scalars(select(Job).order_by(Job.id))]
    assert found[0][:2] == ("retrain", "failed")
    assert found[0][2] is not None and found[0][2].startswith("The project 'tones' has no codebook yet")
    assert found[1][:2] == ("dance", "failed")
    assert found[1][2] is not None and "runs no 'dance' jobs" in found[1][2]


def test_a_job_in_hand_waits_for_the_next_worker(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, finish = threading.Event(), threading.Event()

    def long(*_: object) -> str:
        started.set()
        finish.wait()
        return "done"

    monkeypatch.setattr("backend.worker._function", lambda _: long)
    with store.writing() as s:
        jobs.enqueue(s, "push", 1, {})
    worker = Worker(store, settings)
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert started.wait(60)
    worker.end()
    thread.join()
    with store.reading() as s:
        assert s.scalars(select(Job.state)).one() == "queued"
    with store.writing() as s:
        again = jobs.claim(s, "next")
    assert again is not None and again.kind == "push"
    finish.set()


def test_connected_projects_are_compared_with_label_studio(store: Store, settings: Settings) -> None:
    worker = Worker(store, settings)
    assert worker.compare_all()
    assert worker.compare_all()
    with store.reading() as s:
        assert [(job.kind, job.project_id) for job in s.scalars(select(Job))] == [("sync", 1)]
    assert worker.run_job()
    with store.reading() as s:
        job = s.scalars(select(Job)).one()
    assert job.state == "failed"  # there is no token here
    assert job.message is not None and "token" in job.message


@pytest.mark.parametrize(("every", "compared"), [("0.05s", True), ("never", False)])
def test_the_clock_queues_a_comparison_unless_it_is_off(
    store: Store, settings: Settings, every: str, compared: bool
) -> None:
    given = {"sync_every": every, "label_studio_api_key": "a" * 40, "label_studio_url": "http://127.0.0.1:1"}
    worker = Worker(store, load(home=settings.home, database_url=settings.database_url, **given))
    thread = threading.Thread(target=worker.run)
    thread.start()
    until(lambda: worker.leased)
    if compared:
        until(lambda: number(store, select(func.count(Job.id)).where(Job.kind == "sync")) > 0)
    else:
        time.sleep(0.3)
        assert number(store, select(func.count(Job.id))) == 0
    worker.end()
    thread.join()


def test_only_one_worker_applies_events(store: Store, settings: Settings) -> None:
    with store.writing() as s:
        assert jobs.acquire(s, "worker", "another", 3600)
    receive(store, created(annotation(1, 10)))
    worker = Worker(store, settings)
    thread = threading.Thread(target=worker.run)
    thread.start()
    receive(store, {"action": "START_TRAINING", "project": project()})
    time.sleep(0.2)
    assert number(store, WAITING) == 2
    with store.writing() as s:
        jobs.give_back(s, "worker", "another")
    until(lambda: number(store, WAITING) == 0)
    worker.end()
    thread.join()


def test_the_process_applies_when_poked_and_ends_with_its_input(store: Store, settings: Settings) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "backend.worker"],
        stdin=subprocess.PIPE,
        env={**os.environ, **settings.environment()},
        cwd=Path(__file__).parents[2],
    )
    assert process.stdin is not None
    receive(store, created(annotation(1, 10)), {"action": "TASKS_CREATED", "tasks": [task(11)], "project": project()})
    process.stdin.write(b"\n")
    process.stdin.flush()
    until(lambda: number(store, WAITING) == 0)
    process.stdin.close()
    assert process.wait(60) == 0
    with store.writing() as s:
        assert jobs.acquire(s, "worker", "next", 1)  # given back


def test_a_worker_that_dies_is_started_again_and_one_is_ended(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.child.FIRST_WAIT", 0.05)
    monkeypatch.chdir(Path(__file__).parents[2])
    child = WorkerChild(settings.environment())
    child.start()
    until(lambda: child.process is not None)
    first = child.process
    assert first is not None
    first.kill()
    until(lambda: child.process is not None and child.process is not first)
    with store.writing() as s:  # the killed one's right would last for seconds
        for name in ("worker",):
            s.execute(jobs.delete(jobs.Lease).where(jobs.Lease.name == name))
    receive(store, created(annotation(1, 10)))
    child.poke()
    until(lambda: number(store, WAITING) == 0)
    second = child.process
    child.stop()
    assert second is not None and second.returncode == 0


def test_the_clock_queues_a_run_of_a_project_that_is_due(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run itself fails here, where there is no codebook; and it is queued once, not at every look."""
    monkeypatch.setattr("backend.learning.when.due", lambda s, every, least: [1] if (every, least) == (3600, 7) else [])
    worker = Worker(store, settings.model_copy(update={"retrain_every": 3600.0, "min_new": 7}))
    for _ in range(3):
        worker._enqueue_due()
    with store.reading() as s:
        assert [(job.kind, job.state, job.project_id) for job in s.scalars(select(Job))] == [("retrain", "queued", 1)]


def test_without_a_clock_nothing_is_queued(store: Store, settings: Settings) -> None:
    worker = Worker(store, settings)
    thread = threading.Thread(target=worker.run)
    thread.start()
    until(lambda: worker.leased)
    worker.end()
    thread.join()
    assert number(store, select(func.count(Job.id))) == 0
