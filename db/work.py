"""What is being done for a project, what was done last, and what went wrong: from its jobs and its inbox."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.base import now
from db.inbox import ATTEMPTS
from db.models import Inbox, Job

MOST = 5  # errors of a kind that are told


@dataclass(frozen=True, slots=True)
class Task:
    """A job that waits or runs: `done` of `total` (None while that is not known), and for one that runs the rate a
    second since it began and the seconds left at that rate, None before the first is done.
    """

    kind: str
    state: str
    done: int
    total: int | None
    started_at: datetime | None
    rate: float | None
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class Ended:
    """A job that ended, when, and what it said."""

    kind: str
    at: datetime | None
    said: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Events that were given up for the same reason, and how many."""

    n: int
    said: str


@dataclass(frozen=True, slots=True)
class Work:
    """A project's jobs: those that wait or run, the last comparison with Label Studio that worked, and jobs that failed
    and of whose kind none worked since; events that were given up.
    """

    now: tuple[Task, ...]
    last_sync: Ended | None
    failed: tuple[Ended, ...]
    refused: tuple[Refused, ...]


def work(s: Session, project_id: int) -> Work:
    """Three queries."""
    at = now()
    open_ones = select(Job).where(Job.project_id == project_id, Job.state.in_(("running", "queued"))).order_by(Job.id)
    mine = (Job.project_id == project_id, Job.state.in_(("done", "failed")))
    newest = select(func.max(Job.id)).where(*mine).group_by(Job.kind, Job.state)
    ended = {(job.kind, job.state): job for job in s.scalars(select(Job).where(Job.id.in_(newest)).order_by(Job.id))}
    failed = [
        _ended(job)
        for (kind, state), job in ended.items()
        if state == "failed" and not ((kind, "done") in ended and ended[kind, "done"].id > job.id)
    ]
    sync = ended.get(("sync", "done"))
    given_up = (Inbox.project_id == project_id, Inbox.applied_at.is_(None), Inbox.attempts >= ATTEMPTS)
    said = func.coalesce(Inbox.error, "")
    reasons = select(func.count(Inbox.id), said).where(*given_up).group_by(said).order_by(func.count(Inbox.id).desc())
    return Work(
        now=tuple(_task(job, at) for job in s.scalars(open_ones)),
        last_sync=_ended(sync) if sync else None,
        failed=tuple(failed),
        refused=tuple(Refused(*row) for row in s.execute(reasons.limit(MOST))),
    )


def _task(job: Job, at: datetime) -> Task:
    """How far a job is. Its rate is of all the time since it began, so that one slow part does not swing it."""
    took = (at - job.started_at).total_seconds() if job.started_at and job.state == "running" else 0.0
    rate = job.progress / took if took > 0 and job.progress else None
    left = max(0, job.total - job.progress) / rate if rate and job.total is not None else None
    return Task(
        job.kind, job.state, job.progress, job.total, job.started_at, rate, None if left is None else max(0, left)
    )


def _ended(job: Job) -> Ended:
    return Ended(job.kind, job.finished_at, job.message or "")
