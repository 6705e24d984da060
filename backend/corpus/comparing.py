"""One Label Studio project against the store: a list of all its tasks says which of them must be read, and repaired."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.corpus import annotation
from backend.corpus.books import book
from backend.corpus.event import known_tasks
from backend.corpus.inbox import remember
from backend.corpus.label_studio import PAGE, Json, LabelStudio
from backend.corpus.label_studio_errors import LabelStudioError
from backend.corpus.repairs import Repairs
from backend.corpus.task_data import mark
from db import answers, revisions, texts
from db.base import now
from db.dialect import chunks
from db.models import Answer, LsProject, LsTask, Tombstone
from db.store import Store

Report = Callable[[int, int], None]
CHUNK = 300  # tasks or answers of a transaction
BEFORE = "pilot"  # phase of answers from before a project was connected
MADE = timedelta(seconds=2)  # that it may take Label Studio to make a task
SLOW = timedelta(minutes=1)  # that a change may take, from its time until it can be read
NO_CODEBOOK = "The project has no codebook yet, so its answers cannot be read. Run `socialite connect`."


def compare(
    store: Store,
    client: LabelStudio,
    row: LsProject,
    report: Report,
    *,
    since: datetime | None = None,
    everything: bool = False,
    before: datetime | None = None,
) -> tuple[Repairs, datetime | None]:
    """What was put right in the store; and when, by Label Studio's clock, a task changed last (None: there is none).

    Read is each task that is not known here, holds another number of answers than here, or has changed since `since`
    (None: since it was made); with `everything`, each. Answers given before `before` belong to the pilot: they were not
    part of the design.
    """
    started, changed = now(), None
    held, there, todo = _held(store, row), set[int](), []
    for total, page in client.overview(row.ls_id):
        there |= {int(task["id"]) for task in page}
        todo += [int(task["id"]) for task in page if everything or held.differs(task, since)]
        times = [datetime.fromisoformat(task["updated_at"]) for task in page]
        changed = max([*times, *([changed] if changed else [])])
        report(len(there) - len(todo), max(total, len(there)))
    repairs, still = _lost_tasks(store, client, row, held.live - there, started)
    todo += still
    done = len(there) - len(todo)
    for part in chunks(todo, PAGE):
        tasks = client.chosen(row.ls_id, part)
        repairs.add(_read(store, row, tasks, before))
        repairs.buried += _lost_answers(store, client, row, tasks, started)
        done += len(part)
        report(done, max(len(there), done))
    return repairs, changed


@dataclass(frozen=True, slots=True)
class Held:
    """What the store knows of a project's tasks, by Label Studio's ids: those that are live, those that were deleted,
    and of each with answers how many are live: (given, skipped).
    """

    live: set[int]
    deleted: set[int]
    answers: dict[int, tuple[int, int]]

    def differs(self, task: Json, since: datetime | None) -> bool:
        """Whether a task of Label Studio's list must be read. One that was deleted stays deleted."""
        number = int(task["id"])
        if number in self.deleted:
            return False
        if number not in self.live:
            return True
        if (task["total_annotations"], task["cancelled_annotations"]) != self.answers.get(number, (0, 0)):
            return True
        made, changed = (datetime.fromisoformat(task[name]) for name in ("created_at", "updated_at"))
        return changed - made > MADE and (since is None or changed >= since - SLOW)


def _held(store: Store, row: LsProject) -> Held:
    tasks = select(LsTask.task_id, LsTask.deleted_at.is_(None)).where(LsTask.ls_project_id == row.id)
    live = answers.live_versions(row.project_id).order_by(None).subquery()
    counts = (
        select(LsTask.task_id, live.c.cancelled, func.count())
        .join(LsTask, LsTask.id == live.c.ls_task_id)
        .where(LsTask.ls_project_id == row.id)
        .group_by(LsTask.task_id, live.c.cancelled)
    )
    given: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    with store.reading() as s:
        known = {row[0]: row[1] for row in s.execute(tasks)}
        for task, cancelled, n in s.execute(counts):
            given[task][bool(cancelled)] += n
    return Held(
        {task for task, is_live in known.items() if is_live},
        {task for task, is_live in known.items() if not is_live},
        {task: (n, skipped) for task, (n, skipped) in given.items()},
    )


def holds_tasks(store: Store, row: LsProject) -> bool:
    """Whether tasks of this project are known that were not deleted."""
    query = select(LsTask.id).where(LsTask.ls_project_id == row.id, LsTask.deleted_at.is_(None))
    with store.reading() as s:
        return s.scalar(query.limit(1)) is not None


def given(task: Json) -> dict[str, Any]:
    """A task of Label Studio's as `remember` takes it."""
    return {"id": int(task["id"]), "data": task.get("data"), "mark": mark(task.get("meta"))}


def _lost_tasks(
    store: Store, client: LabelStudio, row: LsProject, missing: Collection[int], started: datetime
) -> tuple[Repairs, list[int]]:
    """Note the tasks that are gone; and say which are there all the same: while the list was read, tasks may have
    moved between its pages.
    """
    query = select(LsTask.task_id).where(LsTask.ls_project_id == row.id, LsTask.created_at < started)
    with store.reading() as s:
        asked = sorted(set(s.scalars(query)) & set(missing))
    there = {int(task["id"]) for part in chunks(asked, PAGE) for task in client.chosen(row.ls_id, part, full=False)}
    gone = [task for task in asked if task not in there]
    store.write_in_chunks(gone, lambda s, part: texts.delete_tasks(s, row.id, part), size=CHUNK)
    return Repairs(deleted=len(gone)), sorted(there)


def _read(store: Store, row: LsProject, tasks: Sequence[Json], before: datetime | None) -> Repairs:
    """Take in what these tasks hold: new ones, texts that were edited there, answers and their versions."""
    repairs = Repairs()
    for part in chunks(tasks, CHUNK):
        with store.writing() as s:
            known = known_tasks(s, row.id, [int(task["id"]) for task in part])
            revision = revisions.current(s, row.project_id)
            if revision is None:
                raise LabelStudioError(NO_CODEBOOK)
            found = remember(s, row, [given(task) for task in part], book(revision))
            repairs.tasks += len(found.keys() - known)
            repairs.unreadable += len(part) - len(found)
            pairs = [
                (found[int(task["id"])], one | {"task": task["id"]})
                for task in part
                for one in task.get("annotations") or []
                if int(task["id"]) in found
            ]
            repairs.add(_answers(s, row, pairs, before))
    return repairs


def _answers(s: Session, row: LsProject, given: Sequence[tuple[int, Json]], before: datetime | None) -> Repairs:
    """Record these annotations, each with the ls_task that it belongs to; what was deleted is not heard of again."""
    revision = revisions.current(s, row.project_id)
    assert revision is not None
    codebook, repairs = book(revision), Repairs()
    ids = [int(one["id"]) for _, one in given]
    buried, tasks = _buried(s, row, ids), _tasks_of(s, row, ids)
    for ls_task, one in given:
        kept = annotation.kept(one)
        if kept is None or kept["id"] in buried:
            continue
        fact = annotation.fact(s, row, kept, ls_task_id=ls_task, revision=revision, codebook=codebook, via="sync")
        if before is not None and fact.answered_at < before:
            fact = replace(fact, phase=BEFORE)
        repairs.answers += answers.record(s, fact) or answers.correct(s, fact)
        if tasks.get(kept["id"], ls_task) != ls_task:
            answers.move(s, fact)
            repairs.moved += 1
    return repairs


def _buried(s: Session, row: LsProject, ids: Sequence[int]) -> set[int]:
    query = select(Tombstone.annotation_id).where(Tombstone.ls_project_id == row.id)
    return {
        number for part in chunks(ids, CHUNK) for number in s.scalars(query.where(Tombstone.annotation_id.in_(part)))
    }


def _tasks_of(s: Session, row: LsProject, ids: Sequence[int]) -> dict[int, int]:
    """Annotation id -> ls_task id of those answers that are stored."""
    query = select(Answer.annotation_id, Answer.ls_task_id).where(Answer.ls_project_id == row.id)
    parts = chunks(ids, CHUNK)
    return {row[0]: row[1] for part in parts for row in s.execute(query.where(Answer.annotation_id.in_(part)))}


def _lost_answers(store: Store, client: LabelStudio, row: LsProject, tasks: Sequence[Json], started: datetime) -> int:
    """Bury the answers that these tasks no longer hold. Each is asked for by itself: it may be another task's now."""
    seen = {int(one["id"]) for task in tasks for one in task.get("annotations") or []}
    query = (
        select(Answer.annotation_id)
        .join(LsTask, LsTask.id == Answer.ls_task_id)
        .where(Answer.ls_project_id == row.id, Answer.created_at < started)
    )
    with store.reading() as s:
        parts = chunks([int(task["id"]) for task in tasks], CHUNK)
        known = [one for part in parts for one in s.scalars(query.where(LsTask.task_id.in_(part)))]
        missing = [one for one in known if one not in seen]
        missing = sorted(set(missing) - _buried(s, row, missing))
    gone = [number for number in missing if client.annotation(number) is None]
    return sum(store.write_in_chunks(gone, lambda s, part: answers.bury(s, row.id, part, "sync"), size=CHUNK))
