"""`python -m backend.worker`: applies the inbox's events and runs the queued jobs, until its standard input closes."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from backend.alone import holder
from backend.corpus.inbox import NotAppliedError, apply
from backend.faults import sentence, where
from backend.learning import when
from backend.logs import to_stderr
from backend.settings import Settings, SettingsError, load
from db import inbox, jobs
from db.models import Inbox, Job, LsProject, Project
from db.projects import IMPORTED
from db.store import Store, StoreBusyError, StoreError, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)
LEASE, SECONDS = "worker", 15.0  # the right to apply events, and for how long it is taken
LOOK = 1.0  # seconds between two looks when nobody wakes it
BATCH = 100  # events read at once
FIRST_SYNC = 60.0  # seconds after the start that stores are first compared, unless that is to be done more often
AGAIN = 4.0  # seconds until an event that failed is tried again; with each failure as many times more

JOBS = {"push": "backend.corpus.push", "retrain": "backend.trainer", "sync": "backend.corpus.sync"}
SLOW = "retrain"  # what has a thread of its own, so that pushes and syncs need not wait hours for it
JobFunction = Callable[[Store, Settings, Job], str | None]


class UnknownJobError(Exception):
    """A job of a kind that this version cannot run."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"This version runs no '{kind}' jobs; it runs: {', '.join(JOBS)}.")


class Worker:
    """Applies events in one thread, re-tunes in another, and runs the other jobs in a third: none waits for another."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store, self.settings = store, settings
        self.holder = holder()
        self.events, self.jobs, self.ended = threading.Event(), threading.Event(), threading.Event()
        self.reaches = bool(settings.label_studio_api_key.get_secret_value())  # whether it can speak to Label Studio
        self.leased = False
        self.hand: set[int] = set()  # jobs in hand
        self._later: dict[int, float] = {}  # event id -> when to try it again

    def poke(self) -> None:
        """There is work."""
        self.events.set()
        self.jobs.set()

    def end(self) -> None:
        self.ended.set()
        self.poke()

    def run(self) -> None:
        """Work until `end`. Of several workers of a store one applies events, the others wait for its place."""
        self._try(self._try_again_all)
        beside = [
            threading.Thread(target=one, daemon=True) for one in (self._keep_lease, self._run_jobs, self._retrain)
        ]
        for thread in beside:
            thread.start()
        while not self.ended.is_set():
            self.events.clear()
            if not (self.leased and self._try(self.apply_waiting)):
                self.events.wait(LOOK)
        for thread in beside:
            thread.join(LOOK)  # a short job ends; a long one waits for the next worker
        self._try(self._leave)

    def apply_waiting(self) -> bool:
        """Apply what waits, oldest first, one event a transaction; True when something was applied."""
        with self.store.reading() as s:
            rows = inbox.pending(s, BATCH + len(self._later))
        due = [row for row in rows if self._later.get(row.id, 0.0) <= time.monotonic()]
        results = [self._apply(row) for row in due if not self.ended.is_set()]
        if any(results):
            self.jobs.set()
        return any(results)

    def _apply(self, row: Inbox) -> bool:
        """An event that cannot be applied is noted and tried again later; it holds up no other."""
        try:
            with self.store.writing() as s:
                waiting = s.get_one(Inbox, row.id)
                if waiting.applied_at is None:  # else a comparison with Label Studio applied it meanwhile
                    apply(s, waiting, push=self.reaches)
        except (StoreBusyError, OperationalError):
            raise
        except Exception as fault:  # noqa: BLE001 - whatever an event does, the next one is applied
            if not isinstance(fault, NotAppliedError):
                log.error("Event %s (%s) could not be applied: %s", row.id, row.kind, where(fault))
            with self.store.writing() as s:
                inbox.failed(s, row.id, sentence(fault))
            self._later[row.id] = time.monotonic() + AGAIN ** (row.attempts + 1)
            return False
        self._later.pop(row.id, None)
        return True

    def _try_again_all(self) -> bool:
        """Events that were given up have another chance after each start."""
        with self.store.writing() as s:
            s.execute(update(Inbox).where(Inbox.applied_at.is_(None), Inbox.attempts > 0).values(attempts=0))
        return True

    def _run_jobs(self) -> None:
        every = self.settings.sync_every
        compare_at = time.monotonic() + min(FIRST_SYNC, every)
        while not self.ended.is_set():
            self.jobs.clear()
            due = every > 0 and self.reaches and self.leased and time.monotonic() > compare_at
            if due and self._try(self.compare_all):
                compare_at = time.monotonic() + every
            if not self._try(lambda: self.run_job(but=SLOW)):
                self.jobs.wait(LOOK)

    def _retrain(self) -> None:
        """Run what tunes, and queue it by the clock where that is wanted."""
        every = self.settings.retrain_every
        while not self.ended.is_set():
            if every and self.leased:
                self._try(self._enqueue_due)
            if not self._try(lambda: self.run_job(only=SLOW)):
                self.ended.wait(LOOK)

    def _enqueue_due(self) -> bool:
        with self.store.reading() as s:
            found = when.due(s, self.settings.retrain_every, self.settings.min_new)
        if found:
            with self.store.writing() as s:
                for project in found:
                    jobs.enqueue(s, SLOW, project, {})
        return bool(found)

    def compare_all(self) -> bool:
        """Queue a sync of every connected project: Label Studio sends an event once, and not when we were away."""
        connected = select(LsProject.project_id).join(Project, Project.id == LsProject.project_id)
        there = (LsProject.role != IMPORTED, Project.archived_at.is_(None))
        with self.store.writing() as s:
            for project in s.scalars(connected.where(*there).distinct()).all():
                jobs.enqueue(s, "sync", project, {})
        return True

    def run_job(self, *, only: str = "", but: str = "") -> bool:
        """Run the oldest waiting job, of one kind or of all but one; True when there was one."""
        with self.store.writing() as s:
            job = jobs.claim(s, self.holder, only=only, but=but)
        if job is None:
            return False
        self.hand.add(job.id)
        try:
            message = _function(job.kind)(self.store, self.settings, job)
        except Exception as fault:  # noqa: BLE001 - whatever a job does, the next one runs
            log.error("Job %s (%s) failed: %s", job.id, job.kind, where(fault))
            self._write_down(jobs.fail, job.id, sentence(fault))
        else:
            self._write_down(jobs.finish, job.id, message or "")
        self.hand.discard(job.id)
        return True

    def _write_down(self, end: Callable[[Session, int, str], None], job_id: int, message: str) -> None:
        """Note how a job ended, however long the store is busy."""

        def write() -> bool:
            with self.store.writing() as s:
                end(s, job_id, message)
            return True

        while not self._try(write) and not self.ended.wait(LOOK):
            continue

    def _keep_lease(self) -> None:
        while not self.ended.is_set():
            self.leased = self._try(self._acquire)
            self.poke()
            self.ended.wait(SECONDS / 5)

    def _acquire(self) -> bool:
        with self.store.writing() as s:
            return jobs.acquire(s, LEASE, self.holder, SECONDS)

    def _leave(self) -> bool:
        """Give back what is held, so that the next worker need not wait; a job in hand waits for it."""
        with self.store.writing() as s:
            jobs.give_back(s, LEASE, self.holder)
            for job in sorted(self.hand):
                mine = (Job.id == job, Job.state == "running", Job.holder == self.holder)
                s.execute(update(Job).where(*mine).values(state="queued", holder=None, attempts=Job.attempts - 1))
                jobs.give_back(s, f"job-{job}", self.holder)
        return True

    def _try(self, step: Callable[[], bool]) -> bool:
        """A step during which the store may be busy or away: said in the log, and tried again at the next look."""
        try:
            return step()
        except (SQLAlchemyError, StoreError) as fault:
            log.error("The store could not be used: %s", where(fault))
            return False


def _function(kind: str) -> JobFunction:
    if kind not in JOBS:
        raise UnknownJobError(kind)
    run: JobFunction = importlib.import_module(JOBS[kind]).run
    return run


def _input() -> Iterator[bytes]:
    """What comes in on standard input, until it closes."""
    while chunk := os.read(sys.stdin.fileno(), 4096):
        yield chunk


def _listen(worker: Worker) -> None:
    """Wake the worker at each byte, end it when the server that holds the other end is gone."""
    try:
        for _ in _input():
            worker.poke()
    except OSError as fault:
        log.debug("Standard input broke off: %s", where(fault))
    worker.end()


def main() -> int:
    """0 when the server ended, 1 with a sentence when it cannot work."""
    to_stderr()
    if not sys.stdin.isatty():
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the server ends this process
    try:
        settings = load()
        store = open_store(settings.database_url)
    except (SettingsError, StoreError) as error:
        log.error("%s", error)
        return 1
    worker = Worker(store, settings)
    threading.Thread(target=_listen, args=(worker,), name="input", daemon=True).start()
    worker.run()
    store.close()
    logging.shutdown()
    os._exit(0)  # a job in hand has been queued again; its libraries' threads would hold the process


if __name__ == "__main__":
    sys.exit(main())
