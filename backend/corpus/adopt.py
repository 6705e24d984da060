"""Taking over a Label Studio project that is there, perhaps half coded: what was shown is found out, and cannot enter
the audit.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.corpus import adjudicate, drawing, wiring
from backend.corpus.comparing import compare, given
from backend.corpus.connect import Connected, audit_project, check_both, say_drawn, say_leaks, wire
from backend.corpus.inbox import remember
from backend.corpus.label_studio import Json
from backend.corpus.site import ConnectError, Site, codebook_of, follow, our_project, take_in
from backend.corpus.transfer import copy_audit_tasks, remove_originals
from db import predictions, releases, revisions
from db.base import now
from db.dialect import chunks
from db.models import Exposure, LsProject, LsTask, Project, Unit
from db.predictions import ExposureRow
from labelstudio_config.beside import without_areas
from labelstudio_config.codebook import Codebook

CHUNK = 300
FOUND = "found"  # channel, method and order of suggestions that were there before us
UNKNOWN = "unknown"  # version of a suggestion that is gone, or never said


@dataclass(slots=True)
class Found:
    """What a walk through the adopted project found: texts in all, and tasks without one."""

    text_ids: list[int] = field(default_factory=list)
    without_text: int = 0


def adopt(site: Site, ls_id: int, previous: Codebook | None, *, keep_audit_tasks: bool) -> Connected:
    """Connect a project of Label Studio's as the assisted one. `previous` says of the codebook what Label Studio
    cannot.
    """
    check_both(site)
    started = now()
    there = site.client.project(ls_id)
    project = our_project(site)
    xml = without_areas(there["label_config"])
    row = take_in(site, project, "assisted", there)
    if row.role != "assisted":
        raise ConnectError(
            f"Label Studio's project {ls_id} is the {row.role} project of '{project.key}'. Adopt another."
        )
    follow(site, project, xml, previous)
    found = read_tasks(site, project, row)
    say_drawn(site, drawing.draw(site.store, project, found.text_ids, audit=site.plan.audit, control=site.plan.control))
    known = codebook_of(site.store, project)
    if known is not None:
        say_leaks(site, project, known[0])
    release = wire(site, row, xml)
    created: list[int] = []
    audit = audit_project(site, project, xml, created)
    adjudicate.wire(site, project)
    if audit is not None:
        with wiring.silenced(site.client, site.line(audit)):
            copy_audit_tasks(site, project, row, audit)
        if not keep_audit_tasks:
            remove_originals(site, project, row, audit)
    bar = site.bar("Comparing answers", "tasks")
    repairs, _ = compare(site.store, site.client, row, bar, everything=True, before=started)
    if repairs.answers:
        site.say(f"{repairs.answers:,} answers that were there are kept, as answers of the pilot phase.")
    return Connected(project.key, ls_id, audit.ls_id if audit else None, release, tuple(created))


def read_tasks(site: Site, project: Project, row: LsProject) -> Found:
    """Remember all tasks, and every text that a suggestion was made for."""
    known = codebook_of(site.store, project)
    assert known is not None
    book = known[0]
    found = Found()
    report = site.bar("Reading", "tasks")
    done = 0
    for total, page in site.client.tasks(row.ls_id):
        for part in chunks(page, CHUNK):
            with site.store.writing() as s:
                text_ids = _remember(s, project, row, part, book)
            found.text_ids += text_ids
            found.without_text += len(part) - len(text_ids)
        done += len(page)
        report(done, max(total, done))
    if found.without_text:
        columns = ", ".join(f"'{f.column}'" for f in book.fields)
        site.say(f"{found.without_text:,} tasks have no text in {columns}; they get no suggestion and enter no draw.")
    return found


def _remember(s: Session, project: Project, row: LsProject, tasks: list[Json], book: Codebook) -> list[int]:
    """The texts of these tasks, stored; a suggestion that was there before us is stored as an exposure."""
    stored = remember(s, row, [given(task) for task in tasks], book)
    query = select(LsTask.id, Unit.text_id).join(Unit, Unit.id == LsTask.unit_id)
    text_of = {row[0]: row[1] for row in s.execute(query.where(LsTask.id.in_(stored.values())))}
    noted = set(s.scalars(select(Exposure.ls_task_id).where(Exposure.ls_task_id.in_(stored.values()))))
    exposures = []
    for task in tasks:
        ls_task, version = stored.get(int(task["id"])), shown_version(task)
        if ls_task is not None and version is not None and ls_task not in noted:
            release = found_release(s, project, version)
            exposures.append(ExposureRow(text_of[ls_task], release, ls_task, FOUND))
    predictions.expose(s, exposures)
    return [text_of[ls_task] for ls_task in stored.values()]


def shown_version(task: Json) -> str | None:
    """The version of a suggestion that the task holds, or that one of its answers started from; None when there was
    none.
    """
    held = task.get("predictions") or []
    if held:
        return str(held[-1].get("model_version") or UNKNOWN)
    started = any(_started_from_one(a) for a in task.get("annotations") or [])
    return UNKNOWN if started else None


def _started_from_one(annotation: dict[str, Any]) -> bool:
    regions = annotation.get("result") or []
    origins = {region.get("origin") for region in regions if isinstance(region, dict)}
    return annotation.get("parent_prediction") is not None or bool(origins & {"prediction", "prediction-changed"})


def found_release(s: Session, project: Project, version: str) -> int:
    """Id of the release that stands for another program's suggestions of this version."""
    revision = revisions.current(s, project.id)
    assert revision is not None
    scorer = releases.scorer(
        s,
        engine="label-studio",
        base=version,
        base_digest=hashlib.sha256(version.encode()).hexdigest(),
        adapter_digest="",
        prompt_hash="",
        scoring_hash=revision.scoring_hash,
        dtype="",
        method=FOUND,
    )
    return releases.release(s, project.id, scorer, revision, order_policy=FOUND).id
