"""A project with rows in every table, adapters on the disk, and what is in a store of it, whatever the ids are."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.learning import registry
from db import answers, inbox, jobs, owned, predictions, projects, releases, revisions, runs, snapshots, texts
from db.base import Base, now
from db.inbox import Event
from db.models import (
    Adapter,
    Calibration,
    CodebookRevision,
    Draw,
    Exposure,
    Look,
    LsProject,
    LsTask,
    Meaning,
    Push,
    Text,
    Unit,
)
from db.plain import plain_rows
from db.snapshots import ItemRow
from db.store import Store
from db.texts import PlacementRow, TextRow
from tests.backend.engines.bundles import bundle
from tests.db.world import World, codebook, make_world

SECRET = "the webhook's secret"
SNAPSHOT = "5" * 64


@dataclass(frozen=True)
class Whole:
    """The project, its world, and its adapter's row and folder."""

    world: World
    adapter: Adapter
    folder: Path

    @property
    def key(self) -> str:
        return self.world.project.key


def make_whole(store: Store, home: Path, key: str = "posts", texts_of: int = 3, snapshot: str = SNAPSHOT) -> Whole:
    """A project that was coded, tuned, judged and opened, with something in every table."""
    world = make_world(store, key)
    project, humor = world.project.id, world.questions["humor"]
    with store.writing() as s:
        rows = [TextRow((f"{key}: secret word number {n} of a text",), f"group {n % 2}") for n in range(texts_of)]
        ids = texts.remember(s, project, rows)
        for one in s.scalars(select(Text).where(Text.project_id == project)):
            one.cluster = max(ids)  # ids without a foreign key, of a later row too
        draw = Draw(project_id=project, number=1, seed=4, population=texts_of, audit=1, control=1)
        s.add(draw)
        s.flush()
        texts.place(s, [PlacementRow(ids[0], draw.id, 0, "audit", "gate"), PlacementRow(ids[1], draw.id, 1, "control")])
        predictions.store(s, world.scorer.id, [(i, q, np.array([-0.5, -1 / 3]), 2) for i in ids for q in (humor,)])
        s.get_one(LsProject, world.assisted.id).secret_hash = sha256(SECRET.encode()).hexdigest()
        coder = answers.coder(s, project, world.assisted.server_id, 5)
        for number in range(3):
            answers.record(s, world.fact(number, 1, coder_id=coder.id))
            answers.record(s, world.fact(number, 2, coder_id=coder.id, label="no", lead_time=1.25, notes={"why": "é"}))
        answers.bury(s, world.assisted.id, [2, 77], "webhook")
        s.add(Exposure(text_id=world.text, release_id=world.release.id, ls_task_id=world.task, channel="push"))
        s.add(Push(ls_task_id=world.task, release_id=world.release.id, score=0.25, pushed_at=now()))
        for number in range(3):
            register_again(s, project, number)
        first, *_, last = s.scalars(select(CodebookRevision.id).where(CodebookRevision.project_id == project))
        judged = {"question_id": humor, "earlier_id": first, "later_id": last, "unchanged": True}
        s.add(Meaning(project_id=project, by="A. Person", reason="Only a typo.", **judged))
        of_tables = projects.add_of_tables(s, project)
        for unit in s.scalars(select(Unit.id).where(Unit.project_id == project)).all():
            s.add(LsTask(unit_id=unit, ls_project_id=of_tables.id, task_id=unit))
        said = {"ls_project": world.assisted.id, "revision": world.release.revision_id, "ids": [1]}
        inbox.append(s, [Event(project, "TASKS_DELETED", f"TASKS_DELETED/{world.assisted.id}/abc", said)])
        inbox.append(s, [Event(project, "OTHER", None, {"action": "X"})])
        jobs.enqueue(s, "push", project, {"n": 1})
    with store.writing() as s:
        found = snapshots.remember(s, project, snapshot, world.release.revision_id, {"rule": "majority"})
        snapshots.add(s, found.id, [ItemRow(ids[2], humor, {"labels": ["yes"]}, "train")])
        run, _ = runs.begin(s, project, found.id, tuner="loop", seed=1, parameters={"a": 1})
    folder = bundle(home / "adapters" / key, "humor", name=f"run-{run.id}", snapshot=snapshot, seed=len(key))
    for part in (home / "adapters" / key).glob(f"run-{run.id}-*"):
        shutil.rmtree(part)
    with store.writing() as s:
        adapter = registry.remember(s, store, project, folder, "")
        scored = {name: getattr(world.scorer, name) for name in SCORED} | {"adapter_digest": adapter.digest}
        scorer = releases.scorer(s, **scored)
        read = Calibration(scorer_id=scorer.id, version=1, parameters={"humor": {"temperature": 1.5}})
        s.add(read)
        s.flush()
        revision = revisions.current(s, project)
        assert revision is not None
        release = releases.release(s, project, scorer, revision, calibration=read, order_policy="margin")
        releases.point(s, project, release, by="gate", reason="better")
        runs.note(s, run.id, card={"run": run.id, "sentence": "It is better."})
        runs.finish(s, run.id, adapter.id)
        sizes = {
            "n": 9,
            "delta": 0.1,
            "lower": -0.5,
            "upper": 0.7,
            "outcome": "promote",
            "details": {"sentence": "Yes."},
        }
        runs.decide(s, project, run_id=run.id, challenger_id=release.id, champion_id=world.release.id, **sizes)
        s.add(Look(project_id=project, revision_id=revision.id, release_id=release.id, by="A. Person", reason="Done."))
    return Whole(world, adapter, folder)


def register_again(s: Session, project: int, number: int) -> None:
    """Another revision of the codebook, and back to the first: each has the last as its parent."""
    book = codebook(labels=("no", "yes", f"maybe-{number}"))
    revisions.register(s, project, book, f"<View>{number}</View>")
    revisions.register(s, project, codebook(), "<View/>")


SCORED = ("engine", "base", "base_digest", "prompt_hash", "scoring_hash", "dtype", "method")


def dump(store: Store, key: str) -> dict[str, list[dict[str, Any]]]:
    """All rows of a project, and those they refer to, with places in a table instead of ids, and without its key."""
    with store.reading() as s:
        project = projects.by_key(s, key)
        named = [*owned.tables(), *owned.shared()]
        tables = {table.name: list(plain_rows(s, table, project.id)) for table in named}
    tables["ls_server"].sort(key=lambda row: str(row["url"]))
    numbered = {name: rows for name, rows in tables.items() if rows and "id" in rows[0]}
    places = {name: {row["id"]: at for at, row in enumerate(rows)} for name, rows in numbered.items()}
    return {name: [_placed(name, row, places) for row in rows] for name, rows in tables.items()}


def _placed(name: str, row: Mapping[str, Any], places: Mapping[str, Mapping[int, int]]) -> dict[str, Any]:
    table = Base.metadata.tables[name]
    found = {
        column: _place(places, owned.target(table.columns[column]), value)
        for column, value in row.items()
        if (name, column) not in IGNORED
    }
    if name == "inbox" and "ls_project" in row["body"]:
        old = row["body"]["ls_project"]
        place = places["ls_project"][old]
        revision = places["codebook_revision"][row["body"]["revision"]]
        found["body"] = row["body"] | {"ls_project": place, "revision": revision}
        found["event_key"] = row["event_key"].replace(f"/{old}/", f"/{place}/")
    if name == "ls_project" and row["role"] == projects.IMPORTED:
        assert row["ls_id"] == row["project_id"]
        found["ls_id"] = None
    if name == "ls_task" and row["task_id"] == row["unit_id"]:
        found["task_id"] = None  # of what stands for tables
    if name == "run":
        card = row["metrics"]["card"]
        found["metrics"] = row["metrics"] | {"card": card | {"run": places["run"][card["run"]]}}
    return found


def _place(places: Mapping[str, Mapping[int, int]], table: str | None, value: Any) -> Any:
    return value if table is None or value is None else places[table][value]


IGNORED = {(table, "id") for table in Base.metadata.tables} | {
    ("project", "key"),
    ("adapter", "path"),
    ("ls_server", "created_at"),  # of what this store had already
    ("scorer", "created_at"),
    ("calibration", "created_at"),
}
