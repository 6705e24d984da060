"""From the assisted project to the audit's: tasks of texts that are coded blind are copied there, and leave here."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from backend.corpus import drawing, tasks
from backend.corpus.label_studio import Json
from backend.corpus.site import Site
from backend.corpus.tasks import NewTask
from db import texts
from db.dialect import chunks
from db.models import LsProject, LsTask, Project, Unit
from db.store import Store

CHUNK = 300


def copy_audit_tasks(site: Site, project: Project, assisted: LsProject, audit: LsProject) -> int:
    """A task in the audit project for each audit text of the assisted one, in the draw's order; the number copied."""
    order = drawing.audit_order(site.store, project)
    there = tasks.shown(site.store, audit)
    missing = {text_id for text_id in order if text_id not in there}
    if not missing:
        return 0
    units = _units(site.store, assisted, missing)
    fields = _bodies(site.store, missing)
    found: dict[int, NewTask] = {}
    for _, page in site.client.tasks(assisted.ls_id, full=False):
        for task in page:
            unit = units.get(int(task["id"]))
            if unit is not None:
                found.setdefault(unit.text_id, _copy(unit, fields[unit.text_id], task))
    new = [found[text_id] for text_id in order if text_id in found]
    return tasks.import_new(site.store, site.client, audit, new, site.bar("To the audit project", "tasks"))


def _copy(unit: Unit, fields: tuple[str, ...], task: Json) -> NewTask:
    return NewTask(unit.text_id, unit.source, unit.external_id, fields, dict(task["data"]))


def remove_originals(site: Site, project: Project, assisted: LsProject, audit: LsProject) -> int:
    """Remove from the assisted project what was copied to the audit project and is untouched there; the number removed.

    A task with an answer, a skip, a draft or a suggestion stays.
    """
    copied = tasks.shown(site.store, audit) & set(drawing.audit_order(site.store, project))
    units = _units(site.store, assisted, copied)
    if not units:
        return 0
    untouched, kept = [], 0
    for _, page in site.client.tasks(assisted.ls_id):
        for task in page:
            if int(task["id"]) in units:
                if _untouched(task):
                    untouched.append(int(task["id"]))
                else:
                    kept += 1
    for part in chunks(untouched, CHUNK):
        site.client.delete_tasks(assisted.ls_id, part)
        with site.store.writing() as s:
            texts.delete_tasks(s, assisted.id, part)
    if untouched:
        site.say(
            f"{len(untouched):,} audit texts that nobody had begun were taken out of the assisted project; they are "
            "coded in the "
            "audit project, without a suggestion."
        )
    if kept:
        site.say(
            f"{kept:,} audit texts stay in the assisted project, too, because somebody has begun them; no suggestion "
            "is shown."
        )
    return len(untouched)


def _untouched(task: Json) -> bool:
    counts = ("total_annotations", "cancelled_annotations", "total_predictions")
    return not any(task.get(name) for name in (*counts, "annotations", "predictions", "drafts", "draft_exists"))


def _units(store: Store, ls_project: LsProject, text_ids: Iterable[int]) -> dict[int, Unit]:
    """Label Studio's task id -> unit, of the live tasks that show one of these texts."""
    query = select(LsTask.task_id, Unit).join(Unit, Unit.id == LsTask.unit_id)
    live = query.where(LsTask.ls_project_id == ls_project.id, LsTask.deleted_at.is_(None))
    with store.reading() as s:
        parts = chunks(sorted(text_ids), 500)
        return {row[0]: row[1] for part in parts for row in s.execute(live.where(Unit.text_id.in_(part)))}


def _bodies(store: Store, text_ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
    with store.reading() as s:
        return texts.bodies(s, sorted(text_ids))
