"""A simulated project in the store, as `socialite connect` leaves one: texts drawn into streams, tasks, a codebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backend.corpus import drawing
from db import projects, revisions, texts
from db.store import Store, chunks
from labelstudio_config.codebook import Codebook
from labelstudio_config.ids import slug
from labelstudio_config.xml import to_xml
from scripts.bench.coding_tasks import Row, Task
from scripts.bench.material import LS_CREATED
from scripts.team.plan import Plan

SOURCE = "texts.csv"
SERVER = "http://127.0.0.1:8080"  # where the Label Studio that is played would be
TASKS = 250  # of a transaction
CONTROL, GATE = "control", "gate"


@dataclass(frozen=True, slots=True)
class LabelStudioProject:
    """A project as Label Studio numbers and dates it, and its tasks: task id -> texts and true label."""

    ls_id: int
    config: str
    columns: tuple[str, ...]  # of a task's data, one a text
    tasks: Mapping[int, Row]

    @property
    def identity(self) -> str:
        """What /setup and /predict call it."""
        return f"{self.ls_id}.{LS_CREATED}"


@dataclass(frozen=True, slots=True)
class Place:
    """A project. `audit` holds the tasks of the audit in the order in which they are to be coded."""

    key: str
    project_id: int
    codebook: Codebook
    assisted: LabelStudioProject
    audit: LabelStudioProject
    gate: frozenset[int]  # tasks of the audit whose labels decide on promotions
    controls: frozenset[int]  # tasks of the assisted project that were drawn at random, and teach nothing


def made(store: Store, task: Task, rows: Sequence[Row], plan: Plan, seed: int, number: int) -> Place:
    """Store the rows as a project's corpus, draw its streams, and give each text its task.

    `number` tells the projects of a store apart, as Label Studio's ids do.
    """
    book = Codebook(slug(task.name), task.name.replace("_", " "), (task.question,))
    xml, key = to_xml(book), f"{slug(task.name)}-{seed}"
    audit, control = plan.audit(len(rows)), plan.control(len(rows))
    with store.writing() as s:
        design = {"audit": audit, "control": control, "coders": plan.blind}
        project = projects.create(s, key, book.title, seed, design)
        server = projects.server(s, SERVER)
        assisted = projects.add_ls_project(s, project.id, server.id, 2 * number + 1, LS_CREATED, "assisted")
        blind = projects.add_ls_project(s, project.id, server.id, 2 * number + 2, LS_CREATED, "audit")
        revisions.register(s, project.id, book, xml)
    units = (texts.UnitRow(str(n), fields, n) for n, (fields, _) in enumerate(rows, 1))
    kept = store.write_in_chunks(units, lambda s, part: texts.remember_units(s, project.id, part, SOURCE))
    ids = [text for part in kept for text in part]
    drawing.draw(store, project, ids, audit=audit, control=control)
    order = drawing.audit_order(store, project)
    by_text = dict(zip(ids, range(1, len(rows) + 1), strict=True))
    with store.reading() as s:
        placed = texts.placements(s, ids)
    audited = [by_text[text] for text in order]
    others = [n for text, n in by_text.items() if text not in set(order)]
    for ls_project, numbers in ((assisted, others), (blind, audited)):
        for part in chunks(numbers, TASKS):
            with store.writing() as s:
                shown = [texts.TaskRow(n, str(n), rows[n - 1][0]) for n in part]
                texts.remember_tasks(s, ls_project, shown, SOURCE)
    columns = tuple(field.column for field in book.fields)
    return Place(
        key,
        project.id,
        book,
        LabelStudioProject(assisted.ls_id, xml, columns, {n: rows[n - 1] for n in others}),
        LabelStudioProject(blind.ls_id, xml, columns, {n: rows[n - 1] for n in audited}),
        frozenset(n for text, n in by_text.items() if placed[text].role == GATE),
        frozenset(n for text, n in by_text.items() if placed[text].stream == CONTROL),
    )
