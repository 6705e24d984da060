"""Which tasks hold a release's suggestion in Label Studio: what was sent, what is missing, and what an interruption
left in doubt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import String, cast, exists, func, or_, select, update
from sqlalchemy.orm import Session

from backend.corpus.label_studio import PAGE, LabelStudio
from backend.corpus.label_studio_errors import LabelStudioError
from db import predictions, texts
from db.answers import live_versions
from db.base import now
from db.dialect import chunks, insert_new
from db.models import Exposure, LsProject, LsTask, Placement, Push, TextBody, Unit
from db.predictions import ExposureRow
from db.store import Store

CHUNK = 500
STRETCH = 2000  # tasks sorted by length together
_LENGTH = func.length(cast(TextBody.fields, String))


@dataclass(frozen=True, slots=True)
class Todo:
    """A task that lacks the suggestion, its text, and the text's stream and rank."""

    ls_task_id: int
    task_id: int
    text_id: int
    stream: str
    rank: int | None
    length: int  # of the text, roughly


def missing(store: Store, row: LsProject, release_id: int, *, never: bool = False) -> list[Todo]:
    """The live tasks without the release's suggestion, or, if `never`, without one of any release; none whose text is
    in the audit, and none that a coder answered after an earlier release's suggestion was there: what is done needs no
    other.

    Control texts come first, as coders are to have them first; then the others, in stretches sorted by length, which is
    how an engine scores them fastest.
    """
    sent = exists().where(Push.ls_task_id == LsTask.id, Push.pushed_at.is_not(None))
    sent = sent if never else sent.where(Push.release_id == release_id)
    query = (
        select(LsTask.id, LsTask.task_id, Unit.text_id, Placement.stream, Placement.rank, _LENGTH)
        .join(Unit, Unit.id == LsTask.unit_id)
        .join(TextBody, TextBody.text_id == Unit.text_id)
        .outerjoin(Placement, Placement.text_id == Unit.text_id)
        .where(LsTask.ls_project_id == row.id, LsTask.deleted_at.is_(None), ~sent)
        .order_by(LsTask.task_id)
    )
    with store.reading() as s:
        done = _done(s, row)
        rows = [found for found in s.execute(query).all() if found[0] not in done]
    unplaced = [row[2] for row in rows if row[3] is None]
    store.write_in_chunks(unplaced, texts.place_as_work, size=CHUNK)
    todo = [Todo(row[0], row[1], row[2], row[3] or "work", row[4], row[5] or 0) for row in rows if row[3] != "audit"]
    first = sorted((one for one in todo if one.stream == "control"), key=lambda one: one.rank or 0)
    others = [one for one in todo if one.stream != "control"]
    return first + [one for part in chunks(others, STRETCH) for one in sorted(part, key=lambda one: one.length)]


def _done(s: Session, row: LsProject) -> set[int]:
    """The tasks that have an answer, and got a suggestion before."""
    live = live_versions(row.project_id).order_by(None).subquery()
    answered = select(live.c.ls_task_id).join(Push, Push.ls_task_id == live.c.ls_task_id)
    return set(s.scalars(answered.where(live.c.cancelled.is_(False), Push.pushed_at.is_not(None))))


def settle_doubts(store: Store, client: LabelStudio, row: LsProject, release_id: int, release: str) -> int:
    """Look up in Label Studio what may be there already: sent just before an interruption, or asked for by a coder's
    page.

    The number of tasks that turn out to hold the suggestion.
    """
    begun = exists().where(Push.ls_task_id == LsTask.id, Push.release_id == release_id, Push.pushed_at.is_(None))
    sent = exists().where(Push.ls_task_id == LsTask.id, Push.release_id == release_id, Push.pushed_at.is_not(None))
    asked = exists().where(
        Exposure.ls_task_id == LsTask.id, Exposure.release_id == release_id, Exposure.channel == "predict"
    )
    doubtful = select(LsTask.task_id, LsTask.id).where(
        LsTask.ls_project_id == row.id, LsTask.deleted_at.is_(None), ~sent, or_(begun, asked)
    )
    with store.reading() as s:
        doubts = {row[0]: row[1] for row in s.execute(doubtful)}
    if not doubts:
        return 0
    held: dict[int, float] = {}
    for some in chunks(list(doubts), PAGE):
        for task in client.chosen(row.ls_id, some):
            scores = [p.get("score") for p in task.get("predictions") or [] if p.get("model_version") == release]
            if scores:
                held[doubts[task["id"]]] = float(scores[0] or 0.0)
    for part in chunks(held.items(), CHUNK):
        with store.writing() as s:
            _insert(s, release_id, part)
            finish(s, release_id, [ls_task for ls_task, _ in part])
    return len(held)


def begin(s: Session, release_id: int, rows: Sequence[tuple[Todo, float]]) -> None:
    """These are about to be sent, with this place in the order: from now on their texts count as shown."""
    ids = [todo.ls_task_id for todo, _ in rows]
    begun = set(s.scalars(select(Push.ls_task_id).where(Push.release_id == release_id, Push.ls_task_id.in_(ids))))
    new = [(todo, score) for todo, score in rows if todo.ls_task_id not in begun]
    _insert(s, release_id, [(todo.ls_task_id, score) for todo, score in new])
    predictions.expose(s, [ExposureRow(todo.text_id, release_id, todo.ls_task_id, "push") for todo, _ in new])


def finish(s: Session, release_id: int, ls_task_ids: Sequence[int]) -> None:
    """These have arrived."""
    for part in chunks(ls_task_ids, CHUNK):
        mine = (Push.release_id == release_id, Push.ls_task_id.in_(part))
        s.execute(update(Push).where(*mine).values(pushed_at=now()))


def send(store: Store, client: LabelStudio, row: LsProject, bodies: Sequence[dict[str, Any]]) -> set[int]:
    """Send suggestions; the tasks that have one now. A task that was deleted meanwhile is noted, and the others are
    sent again.
    """
    try:
        client.import_predictions(row.ls_id, bodies)
    except LabelStudioError as error:
        if error.status != 400:
            raise
        there = {int(task["id"]) for _, page in client.tasks(row.ls_id, full=False) for task in page}
        left = [body for body in bodies if body["task"] in there]
        if len(left) == len(bodies):
            raise
        with store.writing() as s:
            texts.delete_tasks(s, row.id, [body["task"] for body in bodies if body["task"] not in there])
        if left:
            client.import_predictions(row.ls_id, left)
        return {int(body["task"]) for body in left}
    return {int(body["task"]) for body in bodies}


def _insert(s: Session, release_id: int, rows: Sequence[tuple[int, float]]) -> None:
    values = [{"ls_task_id": task, "release_id": release_id, "score": score, "pushed_at": None} for task, score in rows]
    insert_new(s, Push, values)
