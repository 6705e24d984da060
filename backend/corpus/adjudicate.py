"""The Label Studio project in which disputed texts are decided: shown once more, without a suggestion and without what
anybody said.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from backend.corpus import tasks, wiring
from backend.corpus.intake import columns_shown, task_data
from backend.corpus.label_studio import LabelStudio
from backend.corpus.site import ConnectError, Site, ls_project, make_ls_project
from backend.corpus.tasks import NewTask
from db import projects, texts
from db.dialect import chunks
from db.models import LsProject, LsTask, Project, Unit
from db.projects import ADJUDICATION
from db.store import Store
from db.texts import UnitRow
from labelstudio_config.codebook import Codebook

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Adjudication:
    """What there is now: Label Studio's id of the project, None where there was nothing to decide; `new` tasks in it;
    and texts that cannot be shown, since they were erased.
    """

    ls_id: int | None
    new: int = 0
    erased: int = 0


def address(client: LabelStudio, store: Store, project: Project) -> str:
    """Where Label Studio reaches our server, as `connect` told it. ConnectError when it does not know."""
    with store.reading() as s:
        rows = projects.ls_projects(s, project.id)
    for row in rows:
        url = wiring.told(client, row.ls_id, project.key) if row.role != ADJUDICATION else None
        if url is not None:
            return url.removesuffix(f"/ls/{project.key}")
    raise ConnectError(
        f"Label Studio does not know where to send what is decided. Run `socialite connect --project {project.key}` "
        "again."
    )


def wire(site: Site, project: Project) -> None:
    """Put an adjudication project that there is in order again."""
    found = ls_project(site, project, ADJUDICATION)
    if found is not None:
        wiring.connect_blind(site.store, site.client, site.line(found[0]), wiring.ADJUDICATION)


def push(site: Site, project: Project, book: Codebook, xml: str, streams: Sequence[Sequence[int]]) -> Adjudication:
    """A task for each of these texts that has had none there, after the project was made where there was none.

    `streams`: lists of text ids; the texts of the first come first. The order within a list is random, by the project's
    seed, so that it says nothing of the texts. A task holds what coders saw of the text, and nothing else.
    """
    found = ls_project(site, project, ADJUDICATION)
    if found is None:
        if not any(streams):
            return Adjudication(None)
        found = make_ls_project(site, project, ADJUDICATION, xml)
    row = found[0]
    wanted = wiring.ADJUDICATION | {"label_config": xml.strip()}
    wiring.connect_blind(site.store, site.client, site.line(row), wanted)
    there = tasks.shown(site.store, row)
    order = [text for stream in streams for text in _shuffled(stream, project.seed) if text not in there]
    new = _tasks(site, project, book, xml, order)
    with wiring.silenced(site.client, site.line(row)):
        n = tasks.import_new(site.store, site.client, row, new, site.bar("To the adjudication project", "tasks"))
    return Adjudication(row.ls_id, n, len(order) - len(new))


def _shuffled(ids: Sequence[int], seed: int) -> list[int]:
    order = sorted(ids)
    random.Random(f"{seed}/adjudication").shuffle(order)
    return order


def _tasks(site: Site, project: Project, book: Codebook, xml: str, ids: Sequence[int]) -> list[NewTask]:
    """A task for each text that is not erased, in this order."""
    with site.store.reading() as s:
        units, bodies = texts.units(s, ids), texts.bodies(s, ids)
    data = {
        text: task_data(book, xml, UnitRow(units[text].external_id, bodies[text], other=units[text].other))
        for text in ids
        if text in units and text in bodies
    }
    screen = columns_shown(xml)
    more = _elsewhere(site, project, [text for text, given in data.items() if screen - given.keys()], screen)
    return [
        NewTask(text, units[text].source, units[text].external_id, bodies[text], more.get(text, {}) | data[text])
        for text in data
    ]


def _elsewhere(site: Site, project: Project, ids: Sequence[int], screen: set[str]) -> dict[int, dict[str, Any]]:
    """Text id -> the columns of the screen that its task holds in a project that was there before us."""
    found: dict[int, dict[str, Any]] = {}
    if not ids:
        return found
    with site.store.reading() as s:
        rows = [row for row in projects.ls_projects(s, project.id) if row.role != ADJUDICATION]
    for row in rows:
        texts_of = _texts_of(site.store, row, ids)
        if not texts_of:
            continue
        for _, page in site.client.tasks(row.ls_id, full=False):
            for task in page:
                if int(task["id"]) in texts_of:
                    held = {name: value for name, value in task["data"].items() if name in screen}
                    found.setdefault(texts_of[int(task["id"])], held)
    return found


def _texts_of(store: Store, row: LsProject, ids: Sequence[int]) -> Mapping[int, int]:
    """Label Studio's task id -> text id, of the live tasks of a project that show one of these texts."""
    query = select(LsTask.task_id, Unit.text_id).join(Unit, Unit.id == LsTask.unit_id)
    live = query.where(LsTask.ls_project_id == row.id, LsTask.deleted_at.is_(None))
    with store.reading() as s:
        parts = chunks(ids, CHUNK)
        return {row[0]: row[1] for part in parts for row in s.execute(live.where(Unit.text_id.in_(part)))}
