"""Tasks of ours in Label Studio: which texts have one, importing the others, and finding again what an interruption
lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from backend.corpus.label_studio import LabelStudio
from db import texts
from db.models import LsProject, LsTask, Unit
from db.store import Store, chunks
from db.texts import TaskRow

Report = Callable[[int, int], None]
BATCH = 300  # tasks of one request, and of one transaction
MARK = "socialite"  # key of a task's `meta`: which row of which source it shows


@dataclass(frozen=True, slots=True)
class NewTask:
    """A unit to be shown by a new task with this data."""

    text_id: int
    source: str
    external_id: str
    fields: tuple[str, ...]
    data: dict[str, Any]


def shown(store: Store, ls_project: LsProject) -> set[int]:
    """The texts that have, or had, a task in a Label Studio project: a person who deleted one does not want it back."""
    query = select(Unit.text_id).join(LsTask, LsTask.unit_id == Unit.id)
    with store.reading() as s:
        return set(s.scalars(query.where(LsTask.ls_project_id == ls_project.id)))


def import_new(
    store: Store, client: LabelStudio, ls_project: LsProject, tasks: Sequence[NewTask], report: Report
) -> int:
    """Import a task for each text that has none yet, in this order; the number imported. A text is shown once."""
    first: dict[int, NewTask] = {}
    for task in tasks:
        first.setdefault(task.text_id, task)
    return import_texts(store, client, ls_project, list(first), lambda part: [first[text] for text in part], report)


def import_texts(
    store: Store,
    client: LabelStudio,
    ls_project: LsProject,
    text_ids: Sequence[int],
    tasks: Callable[[Sequence[int]], Sequence[NewTask]],
    report: Report,
) -> int:
    """As `import_new`, of texts without doubles. The `tasks` of some are made when it is their turn: there may be a
    million.
    """
    if text_ids:
        find_again(store, client, ls_project)
    there = shown(store, ls_project)
    todo = [text for text in text_ids if text not in there]
    done = 0
    if todo:
        report(0, len(todo))
    for part in chunks(todo, BATCH):
        batch = tasks(part)
        if batch:
            ids = client.import_tasks(ls_project.ls_id, [_posted(task) for task in batch])
            _remember(store, ls_project, zip(ids, batch, strict=True))
        done += len(part)
        report(done, len(todo))
    return done


def find_again(store: Store, client: LabelStudio, ls_project: LsProject) -> int:
    """Remember the tasks that were imported just before an interruption; the number of them."""
    known_ids = select(LsTask.task_id).where(LsTask.ls_project_id == ls_project.id)
    with store.reading() as s:
        live = s.scalar(
            select(func.count(LsTask.id)).where(LsTask.ls_project_id == ls_project.id, LsTask.deleted_at.is_(None))
        )
        known = set(s.scalars(known_ids))
    if client.project(ls_project.ls_id).get("task_number") == live:
        return 0
    n = 0
    for _, page in client.tasks(ls_project.ls_id, full=False):
        for task in page:
            mark = (task.get("meta") or {}).get(MARK)
            if mark and task["id"] not in known:
                n += _find_one(store, ls_project, int(task["id"]), mark)
    return n


def _find_one(store: Store, ls_project: LsProject, task_id: int, mark: dict[str, str]) -> int:
    with store.writing() as s:
        unit = s.scalar(
            select(Unit).where(
                Unit.project_id == ls_project.project_id,
                Unit.source == mark.get("source"),
                Unit.external_id == mark.get("id"),
            )
        )
        if unit is None:
            return 0
        fields = texts.bodies(s, [unit.text_id])[unit.text_id]
        texts.remember_tasks(s, ls_project, [TaskRow(task_id, unit.external_id, fields)], unit.source)
    return 1


def _posted(task: NewTask) -> dict[str, Any]:
    return {"data": task.data, "meta": {MARK: {"source": task.source, "id": task.external_id}}}


def _remember(store: Store, ls_project: LsProject, pairs: Iterable[tuple[int, NewTask]]) -> None:
    by_source: dict[str, list[TaskRow]] = {}
    for task_id, task in pairs:
        by_source.setdefault(task.source, []).append(TaskRow(task_id, task.external_id, task.fields))
    with store.writing() as s:
        for source, rows in by_source.items():
            texts.remember_tasks(s, ls_project, rows, source)
