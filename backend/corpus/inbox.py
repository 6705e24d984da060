"""What an event in the inbox changes in the store. Order does not matter, and twice is as good as once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.corpus import annotation, event
from backend.corpus.books import book
from backend.corpus.task_data import task_row
from db import answers, inbox, jobs, revisions, texts
from db.models import CodebookRevision, Inbox, LsProject, LsTask, Project, Push, Release, Unit
from db.texts import TaskRow
from labelstudio_config.codebook import Codebook
from labelstudio_config.errors import CodebookError
from labelstudio_config.xml import from_xml

ASSISTED = "assisted"
ELSEWHERE = "label-studio"  # the source of a task that somebody made there


class NotAppliedError(Exception):
    """An event cannot be applied; the message says why, without a text."""


def apply(s: Session, row: Inbox, *, push: bool = False) -> None:
    """Apply one event and note that it is dealt with, in one transaction; NotAppliedError says why it cannot be.

    `push`: where suggestions were pushed before, have them pushed for what is new.
    """
    handler = _HANDLERS.get(row.kind, _nothing)
    remark = handler(s, row)
    if push and row.kind in (event.TASKS_CREATED, event.PROJECT_UPDATED):
        _push_again(s, row)
    inbox.applied(s, row.id)
    row.body = _without_texts(row.body)
    if remark:
        row.error = remark


def _answered(s: Session, row: Inbox) -> str | None:
    ls_project = _ls_project(s, row)
    revision, problem = _revision(s, ls_project, row.body)
    codebook = book(revision)
    given = row.body["annotation"]
    task = _task(s, ls_project, given["task"], row.body, codebook)
    fact = annotation.fact(
        s,
        ls_project,
        given,
        ls_task_id=task,
        revision=revision,
        codebook=codebook,
        via="webhook",
        bulk=row.body.get("bulk", False),
    )
    answers.record(s, fact)
    return problem


def _answers_deleted(s: Session, row: Inbox) -> None:
    answers.bury(s, _ls_project(s, row).id, row.body["ids"], "webhook")


def _tasks_created(s: Session, row: Inbox) -> str | None:
    ls_project = _ls_project(s, row)
    revision, problem = _revision(s, ls_project, row.body)
    tasks = row.body["tasks"]
    if lacking := len(tasks) - len(remember(s, ls_project, tasks, book(revision))):
        return f"{lacking} of {len(tasks)} tasks lack a text in {_columns(revision)} and were left out."
    return problem


def _tasks_deleted(s: Session, row: Inbox) -> None:
    texts.delete_tasks(s, _ls_project(s, row).id, row.body["ids"])


def _project_updated(s: Session, row: Inbox) -> str | None:
    ls_project = _ls_project(s, row)
    if ls_project.role != ASSISTED or _overtaken(s, row):
        return None
    project = s.get_one(Project, ls_project.project_id)
    current = revisions.current(s, project.id)
    try:
        codebook = _codebook(project, row.body["config"], current)
    except CodebookError as error:
        return f"The labelling screen cannot be read as a codebook, so the last one stays. {error}"
    revisions.register(s, project.id, codebook, row.body["config"])
    return None


def _push_again(s: Session, row: Inbox) -> None:
    """Queue a push where there are new tasks, or another codebook than that of the suggestions pushed last."""
    pushed = select(Release.revision_id).join(Push, Push.release_id == Release.id).join(LsTask)
    latest = s.scalar(pushed.where(LsTask.ls_project_id == row.body["ls_project"]).order_by(Push.id.desc()).limit(1))
    current = revisions.current(s, row.project_id) if row.project_id else None
    if latest is None or current is None:
        return
    if current.id != latest or row.body.get("tasks"):
        jobs.enqueue(s, "push", row.project_id, {})


def _training(s: Session, row: Inbox) -> None:
    jobs.enqueue(s, "retrain", row.project_id, {})


def _without_payload(s: Session, row: Inbox) -> None:
    jobs.enqueue(s, "sync", row.project_id, {})


def _nothing(_s: Session, _row: Inbox) -> None:
    """An event that changes nothing here."""


_HANDLERS: dict[str, Callable[[Session, Inbox], str | None]] = {
    **dict.fromkeys(event.ANSWERED, _answered),
    "ANNOTATIONS_DELETED": _answers_deleted,
    event.TASKS_CREATED: _tasks_created,
    event.TASKS_DELETED: _tasks_deleted,
    event.PROJECT_UPDATED: _project_updated,
    event.START_TRAINING: _training,
    event.WITHOUT_PAYLOAD: _without_payload,
}


def remember(s: Session, ls_project: LsProject, tasks: Sequence[dict[str, Any]], codebook: Codebook) -> dict[int, int]:
    """Task id -> ls_task id of the tasks that have a text. One deleted before it was heard of stays deleted."""
    rows: dict[str, list[TaskRow]] = defaultdict(list)
    for task in tasks:
        row = task_row(ls_project.id, task["id"], task["data"], codebook.fields)
        if row is not None:
            mine = _unit(s, ls_project.project_id, task["mark"])
            rows[task["mark"]["source"] if mine else ELSEWHERE].append(
                replace(row, external_id=task["mark"]["id"]) if mine else row
            )
    known = event.known_tasks(s, ls_project.id, [task["id"] for task in tasks])
    found: dict[int, int] = {}
    for source, part in rows.items():
        stored = texts.remember_tasks(s, ls_project, part, source)
        found.update(zip((row.task_id for row in part), (ls_task for ls_task, _ in stored), strict=True))
    if gone := (found.keys() - known) & _deleted(s, ls_project):
        texts.delete_tasks(s, ls_project.id, sorted(gone))
    return found


def _unit(s: Session, project_id: int, mark: dict[str, str] | None) -> bool:
    """Whether a task shows a row of ours."""
    if mark is None:
        return False
    query = select(Unit.id).where(
        Unit.project_id == project_id, Unit.source == mark["source"], Unit.external_id == mark["id"]
    )
    return s.scalar(query) is not None


def _deleted(s: Session, ls_project: LsProject) -> set[int]:
    query = select(Inbox.body).where(Inbox.project_id == ls_project.project_id, Inbox.kind == event.TASKS_DELETED)
    return {task for body in s.scalars(query) if body.get("ls_project") == ls_project.id for task in body["ids"]}


def _task(s: Session, ls_project: LsProject, task_id: int, body: dict[str, Any], codebook: Codebook) -> int:
    """The ls_task of an annotation, remembered when its data came along."""
    if "task" in body and (found := remember(s, ls_project, [body["task"]], codebook)):
        return found[task_id]
    known = s.scalar(select(LsTask.id).where(LsTask.ls_project_id == ls_project.id, LsTask.task_id == task_id))
    if known is None:
        raise NotAppliedError(
            f"Task {task_id} of this answer is not known, and has no text in the columns "
            f"{', '.join(f.column for f in codebook.fields)}. `socialite sync` fetches both."
        )
    return known


def _revision(s: Session, ls_project: LsProject, body: dict[str, Any]) -> tuple[CodebookRevision, str | None]:
    """The codebook revision that an event happened under, and what was wrong with it."""
    if "revision" in body:
        return s.get_one(CodebookRevision, body["revision"]), None
    current = revisions.current(s, ls_project.project_id)
    problem = None
    if "config" in body:
        try:
            return _unseen(s, ls_project, body["config"], current), None
        except CodebookError as error:
            problem = f"The labelling screen cannot be read as a codebook, so the last one was taken. {error}"
    if current is None:
        raise NotAppliedError(problem or "The project has no codebook yet: open it in Label Studio once.")
    return current, problem


def _unseen(s: Session, ls_project: LsProject, config: str, current: CodebookRevision | None) -> CodebookRevision:
    """The revision of a labelling screen; a new one becomes current, unless it is the audit project's."""
    project = s.get_one(Project, ls_project.project_id)
    codebook = _codebook(project, config, current)
    known = select(CodebookRevision).where(
        CodebookRevision.project_id == project.id, CodebookRevision.content_hash == codebook.content_hash
    )
    if revision := s.scalar(known):
        return revision
    revision = revisions.register(s, project.id, codebook, config)
    if current is not None and ls_project.role != ASSISTED:
        revisions.register(s, project.id, book(current), current.xml)
    return revision


def _codebook(project: Project, config: str, current: CodebookRevision | None) -> Codebook:
    previous = book(current) if current else None
    key = previous.key if previous else project.key
    return from_xml(config, key=key, title=previous.title if previous else project.title, previous=previous)


def _overtaken(s: Session, row: Inbox) -> bool:
    """Whether a later change of the same screen was taken before."""
    mine = row.body.get("updated_at")
    taken = (Inbox.kind == event.PROJECT_UPDATED, Inbox.applied_at.is_not(None), Inbox.error.is_(None))
    query = select(Inbox.body).where(Inbox.project_id == row.project_id, *taken)
    theirs = [b.get("updated_at") for b in s.scalars(query) if b.get("ls_project") == row.body.get("ls_project")]
    return mine is not None and any(t and datetime.fromisoformat(t) > datetime.fromisoformat(mine) for t in theirs)


def _ls_project(s: Session, row: Inbox) -> LsProject:
    return s.get_one(LsProject, row.body["ls_project"])


def _columns(revision: CodebookRevision) -> str:
    return ", ".join(f"'{field.column}'" for field in book(revision).fields)


def _without_texts(body: dict[str, Any]) -> dict[str, Any]:
    """The event without what is stored elsewhere now, where it can be erased."""
    kept = {name: value for name, value in body.items() if name not in ("task", "config")}
    if "tasks" in kept:
        kept["tasks"] = [{"id": task["id"]} for task in kept["tasks"]]
    if "annotation" in kept:
        result = [region for region in kept["annotation"]["result"] if region["type"] != "textarea"]
        kept["annotation"] = kept["annotation"] | {"result": result}
    return kept
