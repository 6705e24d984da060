from __future__ import annotations

import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from db import jobs
from db.base import now
from db.models import Job, Lease
from db.store import Store
from tests.db.world import World

CLAIMER = """
import sys
from db import jobs
from db.store import Store
store = Store(sys.argv[1], create=False)
print("ready", flush=True)
sys.stdin.readline()
while True:
    with store.writing() as s:
        job = jobs.claim(s, sys.argv[2])
    if job is None:
        break
    print(job.id, flush=True)
store.close()
"""


def state(store: Store, job_id: int) -> Job:
    with store.reading() as s:
        return s.get_one(Job, job_id)


def expire(store: Store, holder: str) -> None:
    """As if the holder had given no sign of life for long."""
    with store.writing() as s:
        s.execute(update(Lease).where(Lease.holder == holder).values(expires_at=now() - timedelta(seconds=1)))


def test_an_equal_job_that_waits_is_not_queued_twice(world: World) -> None:
    project = world.project.id
    with world.store.writing() as s:
        first = jobs.enqueue(s, "push", project, {"a": 1, "b": [2]})
        assert jobs.enqueue(s, "push", project, {"b": [2], "a": 1}) == first
        others = [
            jobs.enqueue(s, "push", project, {"a": 1}),
            jobs.enqueue(s, "push", None, {"a": 1, "b": [2]}),
            jobs.enqueue(s, "sync", project, {"a": 1, "b": [2]}),
            jobs.enqueue(s, "push", project, {"a": 1, "b": [2]}, debounce=False),
            jobs.enqueue(s, "tidy", None),
        ]
        assert jobs.enqueue(s, "tidy", None, {}) == others[-1]
        claimed = jobs.claim(s, "w")
        assert claimed is not None
        assert claimed.id == first
    assert len({first, *others}) == 6
    with world.store.writing() as s:
        later = jobs.enqueue(s, "push", project, {"a": 1, "b": [2]})
    assert later == others[3]


def test_jobs_run_in_order_and_say_how_far_they_are(store: Store) -> None:
    with store.writing() as s:
        first, second = jobs.enqueue(s, "a", None), jobs.enqueue(s, "b", None)
        job = jobs.claim(s, "w")
        assert job is not None
        assert (job.id, job.state, job.holder, job.attempts, job.payload) == (first, "running", "w", 1, {})
        assert job.started_at is not None
        jobs.progress(s, first, 3, 10, "Scoring")
        jobs.progress(s, first, 4)
    done = state(store, first)
    assert (done.progress, done.total, done.message) == (4, 10, "Scoring")
    with store.writing() as s:
        jobs.finish(s, first, "Scored 10 texts.")
        assert getattr(jobs.claim(s, "w"), "id", None) == second
        jobs.fail(s, second, "The server did not answer.")
        assert jobs.claim(s, "w") is None
        assert s.scalars(select(func.count(Lease.name))).one() == 0
    done, failed = state(store, first), state(store, second)
    assert (done.state, done.message, failed.state, failed.message) == (
        "done", "Scored 10 texts.", "failed", "The server did not answer.",
    )  # fmt: skip
    assert done.finished_at is not None
    assert failed.finished_at is not None


def test_a_crashed_job_is_taken_up_again_three_times_at_most(store: Store) -> None:
    with store.writing() as s:
        job_id = jobs.enqueue(s, "a", None)
    for attempt in (1, 2, 3):
        holder = f"w{attempt}"
        with store.writing() as s:
            job = jobs.claim(s, holder)
            assert job is not None
            assert (job.id, job.holder, job.attempts) == (job_id, holder, attempt)
        with store.writing() as s:
            assert jobs.claim(s, "other") is None
        expire(store, holder)
    with store.writing() as s:
        assert jobs.claim(s, "other") is None
    job = state(store, job_id)
    assert (job.state, job.holder) == ("failed", None)
    assert "3 times" in str(job.message)


def test_a_sign_of_life_keeps_a_job(store: Store) -> None:
    with store.writing() as s:
        by_progress, by_lease = jobs.enqueue(s, "a", None), jobs.enqueue(s, "b", None)
        jobs.claim(s, "w1")
        jobs.claim(s, "w2")
    expire(store, "w1")
    expire(store, "w2")
    with store.writing() as s:
        jobs.progress(s, by_progress, 1)
        assert jobs.acquire(s, "worker", "w2", 60)
        assert jobs.claim(s, "other") is None
    assert [state(store, job).holder for job in (by_progress, by_lease)] == ["w1", "w2"]


def test_processes_never_get_the_same_job(store: Store, checkout: Path) -> None:
    with store.writing() as s:
        queued = [jobs.enqueue(s, "a", None, {"n": n}) for n in range(60)]
    command = [sys.executable, "-c", CLAIMER, store.url]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": checkout}
    processes = [subprocess.Popen([*command, f"w{n}"], **pipes) for n in range(3)]  # type: ignore[call-overload]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    claimed = [int(line) for process in processes for line in process.communicate(timeout=120)[0].split()]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sorted(claimed) == queued


def test_threads_never_get_the_same_job(store: Store) -> None:
    with store.writing() as s:
        queued = [jobs.enqueue(s, "a", None, {"n": n}) for n in range(30)]
    claimed: list[int] = []

    def claim(holder: str) -> None:
        while True:
            with store.writing() as s:
                job = jobs.claim(s, holder)
            if job is None:
                return
            claimed.append(job.id)

    threads = [threading.Thread(target=claim, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == queued


def test_a_lease_is_one_holders_until_it_expires_or_is_given_back(store: Store) -> None:
    with store.writing() as s:
        assert jobs.acquire(s, "worker", "a", 60)
        assert jobs.acquire(s, "worker", "a", 60)
        assert not jobs.acquire(s, "worker", "b", 60)
        assert jobs.acquire(s, "other", "b", 60)
        assert jobs.renew(s, "worker", "a", 120)
        assert not jobs.renew(s, "worker", "b", 120)
        assert not jobs.renew(s, "unknown", "a", 120)
    expire(store, "a")
    with store.writing() as s:
        assert jobs.acquire(s, "worker", "b", 60)
        assert not jobs.renew(s, "worker", "a", 60)
        assert not jobs.acquire(s, "worker", "a", 60)
        jobs.give_back(s, "worker", "a")
        assert not jobs.acquire(s, "worker", "a", 60)
        jobs.give_back(s, "worker", "b")
        assert jobs.acquire(s, "worker", "a", 60)


@pytest.mark.parametrize("seconds", [60.0, 0.5])
def test_a_lease_lasts_as_long_as_was_asked(store: Store, seconds: float) -> None:
    before = now()
    with store.writing() as s:
        jobs.acquire(s, "worker", "a", seconds)
    with store.reading() as s:
        lease = s.get_one(Lease, "worker")
    assert before <= lease.acquired_at <= now()
    assert lease.expires_at - lease.acquired_at == timedelta(seconds=seconds)
