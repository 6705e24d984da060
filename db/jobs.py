"""The queue of jobs, and leases: who may do what, and until when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.orm import Session

from db.base import now
from db.dialect import insert_new
from db.models import Job, Lease, Project
from db.projects import hidden

SECONDS = 60.0  # that a claimed job stays its holder's without a sign of life
ATTEMPTS = 3


def enqueue(
    s: Session, kind: str, project_id: int | None, payload: dict[str, Any] | None = None, *, debounce: bool = True
) -> int:
    """Queue a job; its id. An equal job that still waits is returned instead of a second. 0, and no job, for a project
    that is archived.
    """
    if project_id is not None and s.scalar(select(Project.archived_at).where(Project.id == project_id)) is not None:
        return 0
    wanted = payload or {}
    waiting = select(Job).where(Job.state == "queued", Job.kind == kind, Job.project_id == project_id).order_by(Job.id)
    if debounce:
        for job in s.scalars(waiting):
            if job.payload == wanted:
                return job.id
    job = Job(kind=kind, project_id=project_id, payload=wanted, state="queued")
    s.add(job)
    s.flush()
    return job.id


def begin(s: Session, kind: str, project_id: int | None, holder: str, seconds: float = SECONDS) -> int:
    """A job that runs already, by hand, so that it leaves the same trace as one of the queue; its id."""
    job = Job(
        kind=kind, project_id=project_id, payload={}, state="running", holder=holder, started_at=now(), attempts=1
    )
    s.add(job)
    s.flush()
    acquire(s, _lease(job.id), holder, seconds)
    return job.id


def last(s: Session, kind: str, project_id: int, *, state: str = "done") -> Job | None:
    """The job of this kind that ended last in this way; when that was is `finished_at`, what it did `message`."""
    ended = select(Job).where(Job.kind == kind, Job.project_id == project_id, Job.state == state)
    return s.scalar(ended.order_by(Job.finished_at.desc(), Job.id.desc()).limit(1))


def note(s: Session, job_id: int, payload: dict[str, Any]) -> None:
    """Keep what the next job of the kind should know."""
    s.execute(update(Job).where(Job.id == job_id).values(payload=payload))


def claim(s: Session, holder: str, seconds: float = SECONDS, *, only: str = "", but: str = "") -> Job | None:
    """The oldest waiting job, of the kind `only` or of any `but` one, now running under this holder; None when none
    waits. Needs `Store.writing()`.

    The job is the holder's as long as the holder has any lease. This gives one for `seconds`, which `progress` renews;
    a holder that renews another lease needs no more. A job whose holder has none crashed: it waits again, or, after
    three attempts, has failed.
    """
    _requeue(s)
    of_kind = Job.kind == only if only else Job.kind != but
    whole = or_(Job.project_id.is_(None), Job.project_id.not_in(hidden()))
    waiting = select(Job.id).where(Job.state == "queued", of_kind, whole).order_by(Job.id)
    oldest = waiting.limit(1).with_for_update(skip_locked=True)
    job_id = s.scalar(oldest)
    if job_id is None:
        return None
    job = s.get_one(Job, job_id, populate_existing=True)
    job.state, job.holder, job.started_at, job.attempts = "running", holder, now(), job.attempts + 1
    s.flush()
    acquire(s, _lease(job_id), holder, seconds)
    return job


def _lease(job_id: int) -> str:
    return f"job-{job_id}"


def _requeue(s: Session) -> None:
    alive = exists().where(Lease.holder == Job.holder, Lease.expires_at > now())
    crashed = select(Job).where(Job.state == "running", ~alive).with_for_update(skip_locked=True)
    for job in s.scalars(crashed):
        job.holder = None
        if job.attempts < ATTEMPTS:
            job.state = "queued"
        else:
            job.state, job.finished_at = "failed", now()
            job.message = f"The process that ran this job ended {ATTEMPTS} times without finishing it."
    s.flush()


def progress(s: Session, job_id: int, done: int, total: int | None = None, message: str | None = None) -> None:
    """How far a running job is; what is None stays as it was. Keeps the job its holder's for another minute."""
    said = {"progress": done, "total": total, "message": message}
    values = {name: value for name, value in said.items() if value is not None}
    s.execute(update(Job).where(Job.id == job_id).values(**values))
    until = now() + timedelta(seconds=SECONDS)
    s.execute(update(Lease).where(Lease.name == _lease(job_id), Lease.expires_at < until).values(expires_at=until))


def finish(s: Session, job_id: int, message: str | None = None) -> None:
    _end(s, job_id, "done", message)


def fail(s: Session, job_id: int, sentence: str) -> None:
    """The job did not work, for this reason; no text or token in it."""
    _end(s, job_id, "failed", sentence)


def _end(s: Session, job_id: int, state: str, message: str | None) -> None:
    s.execute(update(Job).where(Job.id == job_id).values(state=state, message=message, finished_at=now()))
    s.execute(delete(Lease).where(Lease.name == _lease(job_id)))


def acquire(s: Session, name: str, holder: str, seconds: float) -> bool:
    """Take the lease for so many seconds, if it is free, expired, or the holder's own already."""
    time = now()
    until = time + timedelta(seconds=seconds)
    if insert_new(s, Lease, [{"name": name, "holder": holder, "acquired_at": time, "expires_at": until}]):
        return True
    free = (Lease.name == name, (Lease.expires_at <= time) | (Lease.holder == holder))
    taken = s.execute(
        update(Lease).where(*free).values(holder=holder, acquired_at=time, expires_at=until).returning(Lease.name)
    )
    return taken.first() is not None


def renew(s: Session, name: str, holder: str, seconds: float) -> bool:
    """Keep the lease for so many seconds from now; False when it is no longer this holder's."""
    until = now() + timedelta(seconds=seconds)
    mine = (Lease.name == name, Lease.holder == holder)
    return s.execute(update(Lease).where(*mine).values(expires_at=until).returning(Lease.name)).first() is not None


def give_back(s: Session, name: str, holder: str) -> None:
    s.execute(delete(Lease).where(Lease.name == name, Lease.holder == holder))
