"""A webhook's body cut down to what is needed: no tokens, passwords or addresses, and texts only where they are new."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.corpus import annotation
from backend.corpus.annotation import whole
from backend.corpus.task_data import columns, mark
from db.dialect import chunks
from db.inbox import Event
from db.models import CodebookRevision, LsTask
from labelstudio_config.beside import without_areas

ANSWERED = frozenset({"ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_CREATED"})
BULK = "ANNOTATIONS_CREATED"  # "Create annotations from predictions"
DELETED = frozenset({"ANNOTATIONS_DELETED", "ANNOTATION_DELETED"})
TASKS_CREATED, TASKS_DELETED = "TASKS_CREATED", "TASKS_DELETED"
PROJECT_UPDATED, START_TRAINING = "PROJECT_UPDATED", "START_TRAINING"
WITHOUT_PAYLOAD = "WITHOUT_PAYLOAD"  # our own name for an event that does not say what happened
OTHER = "OTHER"  # and for one we do not know

TASKS_A_ROW = 200
IDS_A_ROW = 1000
_NAMED = re.compile(r"([1-9]\d{0,17})\.(\d{1,11})(?:\.\d*)?")
_ACTION = re.compile(r"[A-Z][A-Z_]{0,60}")


def identity(project: Any) -> tuple[int, int] | None:
    """Label Studio's id of a project and the second it was made, from '12.1795384072' or from a webhook's project."""
    if isinstance(project, str):
        match = _NAMED.fullmatch(project)
        return (int(match[1]), int(match[2])) if match else None
    if not isinstance(project, dict):
        return None
    number, made = whole(project.get("id")), annotation.moment(project.get("created_at"))
    return (number, int(made.timestamp())) if number is not None and made is not None else None


def label_config(body: dict[str, Any]) -> str | None:
    """The XML of the project's labelling screen, where the event brings it; without the areas of suggestions."""
    project = body.get("project")
    config = project.get("label_config") if isinstance(project, dict) else None
    return without_areas(config) if isinstance(config, str) and config.strip() else None


def cut(s: Session, project_id: int, ls_project_id: int | None, action: str, body: dict[str, Any]) -> list[Event]:
    """The rows of the inbox that keep a webhook call: at least one, and one for each annotation."""
    head: dict[str, Any] = {} if ls_project_id is None else {"ls_project": ls_project_id}
    if ls_project_id is None:
        return [_unsaid(project_id, action, head)]
    if action in ANSWERED:
        return _answers(s, project_id, ls_project_id, action, body, head | _revision(s, project_id, body))
    if action in DELETED:
        return _ids(project_id, "ANNOTATIONS_DELETED", _listed(body.get("annotations")), head, action)
    if action == TASKS_DELETED:
        return _ids(project_id, TASKS_DELETED, _listed(body.get("tasks")), head, action)
    if action == TASKS_CREATED:
        return _tasks(s, project_id, ls_project_id, body, head | _revision(s, project_id, body))
    if action == PROJECT_UPDATED:
        return _project(project_id, body, head)
    if action == START_TRAINING:
        return [Event(project_id, START_TRAINING, None, head)]
    return [Event(project_id, OTHER, None, head | {"action": shown(action)})]


def shown(action: str) -> str:
    """The action as it may be repeated: Label Studio's are capitals; anything else may be anything."""
    return action if _ACTION.fullmatch(action) else "an action of no known form"


def _unsaid(project_id: int, action: str, head: dict[str, Any]) -> Event:
    return Event(project_id, WITHOUT_PAYLOAD, None, head | {"action": shown(action)})


def _answers(
    s: Session, project_id: int, ls_project_id: int, action: str, body: dict[str, Any], head: dict[str, Any]
) -> list[Event]:
    kept = [annotation.kept(given) for given in _listed(body.get("annotation"))]
    if not kept or None in kept:
        return [_unsaid(project_id, action, head)]
    tasks = {task["id"]: task for task in _listed(body.get("task")) if isinstance(task, dict) and whole(task.get("id"))}
    known = known_tasks(s, ls_project_id, [a["task"] for a in kept if a])
    events = []
    for given in filter(None, kept):
        new = {} if given["task"] in known else {"task": _task(tasks.get(given["task"], {"id": given["task"]}))}
        key = f"annotation/{ls_project_id}/{given['id']}/{given['updated_at']}/{_digest(given)}"
        bulk = {"bulk": True} if action == BULK else {}
        events.append(Event(project_id, action, key, head | {"annotation": given} | new | bulk))
    return events


def _tasks(s: Session, project_id: int, ls_project_id: int, body: dict[str, Any], head: dict[str, Any]) -> list[Event]:
    given = [task for task in _listed(body.get("tasks")) if isinstance(task, dict) and whole(task.get("id"))]
    if not given:
        return [_unsaid(project_id, TASKS_CREATED, head)]
    known = known_tasks(s, ls_project_id, [task["id"] for task in given])
    new = [_task(task) for task in given if task["id"] not in known]
    return [
        Event(project_id, TASKS_CREATED, f"tasks/{ls_project_id}/{_digest(part)}", head | {"tasks": part})
        for part in chunks(new, TASKS_A_ROW)
    ] or [Event(project_id, TASKS_CREATED, None, head | {"tasks": []})]


def _task(task: dict[str, Any]) -> dict[str, Any]:
    """A task that is not stored yet: its columns, and which row of ours it shows."""
    return {"id": task["id"], "data": columns(task.get("data")), "mark": mark(task.get("meta"))}


def _ids(project_id: int, kind: str, things: list[Any], head: dict[str, Any], action: str) -> list[Event]:
    ids = [number for thing in things if isinstance(thing, dict) and (number := whole(thing.get("id")))]
    if not ids:
        return [_unsaid(project_id, action, head)]
    return [
        Event(project_id, kind, f"{kind}/{head['ls_project']}/{_digest(part)}", head | {"ids": part})
        for part in chunks(sorted(set(ids)), IDS_A_ROW)
    ]


def _project(project_id: int, body: dict[str, Any], head: dict[str, Any]) -> list[Event]:
    config = label_config(body)
    if config is None:
        return [_unsaid(project_id, PROJECT_UPDATED, head)]
    changed = annotation.moment(body["project"].get("updated_at"))
    kept = head | {"config": config, "updated_at": changed.isoformat() if changed else None}
    key = f"project/{head['ls_project']}/{changed.isoformat()}/{_digest(config)}" if changed else None
    return [Event(project_id, PROJECT_UPDATED, key, kept)]


def _revision(s: Session, project_id: int, body: dict[str, Any]) -> dict[str, Any]:
    """Under which codebook this happened: the revision when its XML is known, else the XML."""
    config = label_config(body)
    if config is None:
        return {}
    query = select(CodebookRevision.id).where(CodebookRevision.project_id == project_id, CodebookRevision.xml == config)
    revision = s.scalar(query.limit(1))
    return {"config": config} if revision is None else {"revision": revision}


def known_tasks(s: Session, ls_project_id: int, task_ids: Iterable[int]) -> set[int]:
    """Those of Label Studio's task ids that are stored."""
    query = select(LsTask.task_id).where(LsTask.ls_project_id == ls_project_id)
    parts = chunks(task_ids, IDS_A_ROW)
    return {task for part in parts for task in s.scalars(query.where(LsTask.task_id.in_(part)))}


def _listed(value: Any) -> list[Any]:
    """Label Studio sends one as an object and several as a list, under the same key."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _digest(value: Any) -> str:
    return sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
