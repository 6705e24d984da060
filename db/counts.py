"""How far each project is, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, String, cast, distinct, false, func, null, select, union_all
from sqlalchemy.orm import Session

from db import projects, runs, summaries
from db.answers import live_versions
from db.base import now
from db.inbox import ATTEMPTS
from db.models import (
    GateDecision,
    Inbox,
    Job,
    Lease,
    LsProject,
    LsTask,
    Placement,
    Pointer,
    Prediction,
    Project,
    Push,
    Question,
    Release,
    Run,
    Text,
    Tombstone,
    Unit,
)
from db.summaries import Place
from db.work import Work, work


@dataclass(frozen=True, slots=True)
class ProjectStatus:
    """One project's numbers.

    `texts` by stream ('unplaced' for those in none); `tasks` by role (assisted, audit, adjudication), those still in
    Label Studio; `predictions` are stored scores (text x question x scorer), `pushed` the tasks that were sent the
    current release's suggestion; `answers` are live and not skipped, by origin, and `answers_by_role` by where they
    were given (imported: in a table); `deleted` annotations in Label Studio; `coders` without those who only
    adjudicated; `inbox_waiting` and `inbox_failed` are events still to be applied, and given up. `training`: the run in
    progress and what it noted last (`run`, `stage`, `done`, `steps`, `loss`, `tokens_per_second`, `seconds_left`, and
    `broken_off`: nobody works on it now); `last_run`: the last that ended (`run`, `state`, `finished_at`, `outcome`,
    `sentence`).

    `coded` are the texts with a live answer that is no skip, by stream; `release_since` is when the current release
    became that; `places` are the projects in Label Studio; `work` is what is done, and went wrong.
    """

    key: str
    title: str
    phase: str
    texts: dict[str, int] = field(default_factory=dict)
    units: int = 0
    tasks: dict[str, int] = field(default_factory=dict)
    predictions: int = 0
    pushed: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    answers_by_role: dict[str, int] = field(default_factory=dict)
    skipped: int = 0
    deleted: int = 0
    coders: int = 0
    release: str | None = None
    inbox_waiting: int = 0
    inbox_failed: int = 0
    last_event_at: datetime | None = None
    jobs: dict[str, int] = field(default_factory=dict)
    training: dict[str, Any] | None = None
    last_run: dict[str, Any] | None = None
    archived_at: datetime | None = None
    coded: dict[str, int] = field(default_factory=dict)
    release_since: datetime | None = None
    places: tuple[Place, ...] = ()
    work: Work = field(default_factory=lambda: Work((), None, (), ()))


def status(s: Session, project_key: str | None = None, *, archived: bool = False) -> list[ProjectStatus]:
    """The numbers of one project, or of all, those that are archived only where asked for; some twenty queries each."""
    places = summaries.places(s)
    if project_key is not None:
        return [_project(s, projects.by_key(s, project_key), places)]
    seen = select(Project).where(projects.seen()).order_by(Project.key)
    wanted = s.scalars(seen if archived else seen.where(Project.archived_at.is_(None)))
    return [_project(s, project, places) for project in wanted.all()]


def _project(s: Session, project: Project, places: dict[int, tuple[Place, ...]]) -> ProjectStatus:
    release, since = _release(s, project.id)
    given, coded = _given(s, project.id)
    waiting, failed, last = _inbox(s, project.id)
    return ProjectStatus(
        key=project.key,
        title=project.title,
        phase=project.phase,
        texts=_texts(s, project.id),
        units=_one(s, select(func.count(Unit.id)).where(Unit.project_id == project.id)),
        tasks=_tasks(s, project.id),
        predictions=_predictions(s, project.id),
        pushed=_pushed(s, release),
        answers=_sums((one.origin, one.n) for one in given if not one.cancelled),
        answers_by_role=_sums((one.role, one.n) for one in given if not one.cancelled),
        skipped=sum(one.n for one in given if one.cancelled),
        deleted=_deleted(s, project.id),
        coders=len({one.coder_id for one in given if one.origin != "adjudicated"} - {None}),
        release=release.name if release else None,
        inbox_waiting=waiting,
        inbox_failed=failed,
        last_event_at=last,
        training=_training(s, project.id),
        last_run=_last_run(s, project.id),
        jobs=_groups(s, select(Job.state, func.count()).where(Job.project_id == project.id).group_by(Job.state)),
        archived_at=project.archived_at,
        coded=coded,
        release_since=since,
        places=places.get(project.id, ()),
        work=work(s, project.id),
    )


def _release(s: Session, project_id: int) -> tuple[Release | None, datetime | None]:
    """The current release, and since when it is."""
    query = select(Pointer).where(Pointer.project_id == project_id).order_by(Pointer.id.desc()).limit(1)
    pointer = s.scalar(query)
    return (s.get_one(Release, pointer.release_id), pointer.created_at) if pointer else (None, None)


class _Given(NamedTuple):
    """How many live answers of this kind there are."""

    cancelled: bool
    origin: str
    role: str
    coder_id: int | None
    n: int


def _given(s: Session, project_id: int) -> tuple[list[_Given], dict[str, int]]:
    """The live answers, skips included, and by stream the texts with one that is no skip: read once for both."""
    live = live_versions(project_id).order_by(None).cte("live")
    kinds = (live.c.cancelled, live.c.origin, live.c.ls_role, live.c.coder_id)
    stream, nothing = func.coalesce(live.c.stream, "unplaced"), cast(null(), String)
    texts = select(false(), nothing, stream, cast(null(), live.c.coder_id.type), func.count(distinct(live.c.text_id)))
    both = union_all(
        select(*kinds, func.count()).group_by(*kinds), texts.where(live.c.cancelled.is_(False)).group_by(stream)
    )
    given, coded = [], {}
    for row in s.execute(both):
        if row[1] is None:
            coded[row[2]] = row[4]
        else:
            given.append(_Given(*row))
    return given, coded


def _texts(s: Session, project_id: int) -> dict[str, int]:
    stream = func.coalesce(Placement.stream, "unplaced")
    query = select(stream, func.count(Text.id)).outerjoin(Placement, Placement.text_id == Text.id)
    return _groups(s, query.where(Text.project_id == project_id).group_by(stream))


def _tasks(s: Session, project_id: int) -> dict[str, int]:
    query = select(LsProject.role, func.count(LsTask.id)).join(LsProject, LsProject.id == LsTask.ls_project_id)
    there = (LsProject.project_id == project_id, LsProject.role != projects.IMPORTED, LsTask.deleted_at.is_(None))
    return _groups(s, query.where(*there).group_by(LsProject.role))


def _predictions(s: Session, project_id: int) -> int:
    scorers = select(Release.scorer_id).where(Release.project_id == project_id)
    questions = select(Question.id).where(Question.project_id == project_id)
    query = select(func.count(Prediction.id))
    return _one(s, query.where(Prediction.scorer_id.in_(scorers), Prediction.question_id.in_(questions)))


def _pushed(s: Session, release: Release | None) -> int:
    if release is None:
        return 0
    pushes = select(func.count(Push.id)).join(LsTask, LsTask.id == Push.ls_task_id)
    held = (Push.release_id == release.id, Push.pushed_at.is_not(None), LsTask.deleted_at.is_(None))
    return _one(s, pushes.where(*held))


def _deleted(s: Session, project_id: int) -> int:
    query = select(func.count(Tombstone.id)).join(LsProject, LsProject.id == Tombstone.ls_project_id)
    return _one(s, query.where(LsProject.project_id == project_id))


def _inbox(s: Session, project_id: int) -> tuple[int, int, datetime | None]:
    """Events waiting, events given up, and when the last event came."""
    open_ones = select(func.count(Inbox.id)).where(Inbox.project_id == project_id, Inbox.applied_at.is_(None))
    last = s.scalar(select(Inbox.created_at).where(Inbox.project_id == project_id).order_by(Inbox.id.desc()).limit(1))
    return (
        _one(s, open_ones.where(Inbox.attempts < ATTEMPTS)),
        _one(s, open_ones.where(Inbox.attempts >= ATTEMPTS)),
        last,
    )


def _training(s: Session, project_id: int) -> dict[str, Any] | None:
    run = runs.last(s, project_id, runs.RUNNING)
    if run is None:
        return None
    lease = s.get(Lease, f"retrain-{project_id}")
    progress: dict[str, Any] = (run.metrics or {}).get("progress", {})
    return {"run": run.id, **progress, "broken_off": lease is None or lease.expires_at <= now()}


def _last_run(s: Session, project_id: int) -> dict[str, Any] | None:
    query = select(Run).where(Run.project_id == project_id, Run.state != runs.RUNNING).order_by(Run.id.desc())
    run = s.scalar(query.limit(1))
    if run is None:
        return None
    decision = s.scalar(select(GateDecision).where(GateDecision.run_id == run.id).order_by(GateDecision.id.desc()))
    return {
        "run": run.id,
        "state": run.state,
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "outcome": decision.outcome if decision else None,
        "sentence": decision.details.get("sentence", "") if decision else run.error,
    }


def _one(s: Session, query: Select[int]) -> int:
    return s.scalars(query).one()


def _groups(s: Session, query: Select[str, int]) -> dict[str, int]:
    return {row[0]: row[1] for row in s.execute(query)}


def _sums(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for key, n in pairs:
        sums[key] += n
    return dict(sums)
