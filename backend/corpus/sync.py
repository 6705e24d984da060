"""The store against what Label Studio holds: answers that never arrived are recorded, vanished ones buried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from backend.corpus import annotation
from backend.corpus.books import book
from backend.corpus.event import known_tasks
from backend.corpus.inbox import remember
from backend.corpus.label_studio import GoneError, Json, LabelStudio, created_at
from backend.corpus.label_studio_errors import LabelStudioError
from backend.corpus.servers import client_for
from backend.corpus.task_data import mark
from db import answers, jobs, projects, revisions, texts
from db.base import now
from db.dialect import chunks
from db.models import Answer, CodebookRevision, LsProject, LsTask, Tombstone
from db.projects import ADJUDICATION
from db.store import Store
from labelstudio_config.codebook import Codebook

if TYPE_CHECKING:
    from backend.settings import Settings
    from db.models import Job

Report = Callable[[int, int], None]
CHUNK = 300  # tasks or answers of a transaction
BEFORE = "pilot"  # phase of answers from before a project was connected


@dataclass(slots=True)
class Repairs:
    """What was missing here: tasks and versions of answers newly recorded, answers and tasks found to be gone; what
    could not be read.
    """

    tasks: int = 0
    answers: int = 0
    buried: int = 0
    deleted: int = 0
    unreadable: int = 0

    def add(self, other: Repairs) -> None:
        for name in ("tasks", "answers", "buried", "deleted", "unreadable"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def __str__(self) -> str:
        parts = [
            f"{self.answers:,} answers recorded",
            f"{self.buried:,} deleted answers noted",
            f"{self.tasks:,} new tasks",
            f"{self.deleted:,} deleted tasks",
        ]
        unread = f" {self.unreadable:,} tasks have no text that can be read." if self.unreadable else ""
        nothing = not (self.answers or self.buried or self.tasks or self.deleted)
        return ("Nothing was missing." if nothing else f"Repaired: {', '.join(parts)}.") + unread


def run(store: Store, settings: Settings, job: Job) -> str:
    """The job 'sync' of a project."""
    assert job.project_id is not None
    with store.reading() as s:
        rows = projects.ls_projects(s, job.project_id)

    def report(done: int, total: int) -> None:
        with store.writing() as s:
            jobs.progress(s, job.id, done, total)

    with client_for(store, settings, job.project_id) as client:
        return str(sync_all(store, client, rows, report))


def sync_all(
    store: Store, client: LabelStudio, rows: list[LsProject], report: Report, *, before: datetime | None = None
) -> Repairs:
    """Compare these Label Studio projects with the store, and repair the store.

    An adjudication project that was deleted, as it may be when all is decided, leaves its answers here.
    """
    repairs = Repairs()
    for row in rows:
        if row.role == ADJUDICATION and not _there(client, row):
            continue
        repairs.add(sync(store, client, row, report, before=before))
    return repairs


def sync(
    store: Store, client: LabelStudio, row: LsProject, report: Report, *, before: datetime | None = None
) -> Repairs:
    """One Label Studio project. Answers given before `before` belong to the pilot: they were not part of the design."""
    if not _there(client, row):
        raise LabelStudioError(
            f"The project {row.ls_id} is not in Label Studio at {client.url} any more; nothing was changed."
        )
    started = now()
    repairs, seen_tasks, seen_answers, done = Repairs(), set[int](), set[int](), 0
    for total, page in client.tasks(row.ls_id):
        repairs.add(_page(store, row, page, before))
        seen_tasks |= {int(task["id"]) for task in page}
        seen_answers |= {int(a["id"]) for task in page for a in task.get("annotations") or []}
        done += len(page)
        report(done, max(total, done))
    repairs.deleted = _lost_tasks(store, client, row, seen_tasks, started)
    repairs.buried = _lost_answers(store, client, row, seen_answers, started)
    return repairs


def _there(client: LabelStudio, row: LsProject) -> bool:
    """Whether the project is still in Label Studio; its id may be another one's by now."""
    try:
        return created_at(client.project(row.ls_id)) == row.ls_created
    except GoneError:
        return False


def _page(store: Store, row: LsProject, page: list[Json], before: datetime | None) -> Repairs:
    repairs = Repairs()
    for part in chunks(page, CHUNK):
        with store.writing() as s:
            revision = revisions.current(s, row.project_id)
            if revision is None:
                raise LabelStudioError(
                    "The project has no codebook yet, so its answers cannot be read. Run `socialite connect`."
                )
            codebook = book(revision)
            tasks = _tasks(s, row, part, codebook, repairs)
            for task in part:
                ls_task_id = tasks.get(int(task["id"]))
                if ls_task_id is not None:
                    repairs.answers += _answers(s, row, task, ls_task_id, revision, codebook, before)
    return repairs


def _tasks(s: Session, row: LsProject, page: list[Json], codebook: Codebook, repairs: Repairs) -> dict[int, int]:
    """Task id -> ls_task id of the page's tasks. New ones are remembered, and texts that were edited there."""
    known = known_tasks(s, row.id, [int(task["id"]) for task in page])
    tasks = remember(s, row, [given(task) for task in page], codebook)
    repairs.tasks += len(tasks.keys() - known)
    repairs.unreadable += len(page) - len(tasks)
    return tasks


def given(task: Json) -> dict[str, Any]:
    """A task of Label Studio's as `remember` takes it."""
    return {"id": int(task["id"]), "data": task.get("data"), "mark": mark(task.get("meta"))}


def _answers(
    s: Session,
    row: LsProject,
    task: Json,
    ls_task_id: int,
    revision: CodebookRevision,
    codebook: Codebook,
    before: datetime | None,
) -> int:
    n = 0
    for one in task.get("annotations") or []:
        kept = annotation.kept(one | {"task": task["id"]})
        if kept is None:
            continue
        fact = annotation.fact(s, row, kept, ls_task_id=ls_task_id, revision=revision, codebook=codebook, via="sync")
        if before is not None and fact.answered_at < before:
            fact = replace(fact, phase=BEFORE)
        n += answers.record(s, fact)
    return n


def _lost_tasks(store: Store, client: LabelStudio, row: LsProject, seen: set[int], started: datetime) -> int:
    """Note the tasks that are gone. Each is asked for by itself: while pages were read, tasks may have moved between
    them.
    """
    query = select(LsTask.task_id).where(
        LsTask.ls_project_id == row.id, LsTask.deleted_at.is_(None), LsTask.created_at < started
    )
    with store.reading() as s:
        missing = [task_id for task_id in s.scalars(query) if task_id not in seen]
    gone = [task_id for task_id in missing if (task := client.task(task_id)) is None or task["project"] != row.ls_id]
    store.write_in_chunks(gone, lambda s, part: texts.delete_tasks(s, row.id, part), size=CHUNK)
    return len(gone)


def _lost_answers(store: Store, client: LabelStudio, row: LsProject, seen: set[int], started: datetime) -> int:
    """Bury the answers that are gone, each asked for by itself."""
    dead = exists().where(
        Tombstone.ls_project_id == Answer.ls_project_id, Tombstone.annotation_id == Answer.annotation_id
    )
    query = select(Answer.annotation_id).where(Answer.ls_project_id == row.id, Answer.created_at < started, ~dead)
    with store.reading() as s:
        missing = [annotation_id for annotation_id in s.scalars(query) if annotation_id not in seen]
    gone = [annotation_id for annotation_id in missing if client.annotation(annotation_id) is None]
    store.write_in_chunks(gone, lambda s, part: answers.bury(s, row.id, part, "sync"), size=CHUNK)
    return len(gone)
