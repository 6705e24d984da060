"""What Label Studio's export, our store and the exported table say of each answer, read apart from the code that is
proven, and where they differ.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from db import answers, projects, revisions
from db.models import Coder, LsTask, Unit
from db.store import Store

Json = dict[str, Any]
Labels = tuple[tuple[str, tuple[str, ...]], ...]  # question -> labels, in order of their names
Line = tuple[str, str, str, str, bool, datetime]  # id, question, coder, label, skipped, updated_at


@dataclass(frozen=True, slots=True)
class Said:
    """An answer: Label Studio's ids of its task and of who gave it, and what it says."""

    task: int
    coder: int | None
    labels: Labels
    cancelled: bool
    ground_truth: bool
    updated_at: datetime


def exported(tasks: Iterable[Json]) -> dict[int, Said]:
    """Annotation id -> answer, of Label Studio's JSON export of all tasks."""
    return {one["id"]: _said(task["id"], one) for task in tasks for one in task["annotations"]}


def _said(task: int, one: Json) -> Said:
    labels: dict[str, tuple[str, ...]] = {}
    for region in [] if one["was_cancelled"] else one["result"]:
        labels[region["from_name"]] = tuple(sorted(region["value"]["choices"]))
    who = one["completed_by"]
    return Said(
        task,
        who["id"] if isinstance(who, dict) else who,
        tuple(sorted(labels.items())),
        one["was_cancelled"],
        one["ground_truth"],
        datetime.fromisoformat(one["updated_at"]),
    )


def stored(store: Store, key: str) -> dict[int, Said]:
    """The same, of the store's live answers."""
    with store.reading() as s:
        project = projects.by_key(s, key)
        live = answers.live(s, project.id)
        names = {number: name for name, number in revisions.question_ids(s, project.id).items()}
        revision = revisions.current(s, project.id)
        assert revision is not None
        book = revisions.codebook(revision)
        coded = {(one.id, label.id): label.code for one in book.questions for label in one.labels}
        codes = {number: coded[name] for name, number in revisions.label_ids(s, project.id).items()}
        people = {row[0]: row[1] for row in s.execute(select(Coder.id, Coder.ls_user))}
        tasks = {row[0]: row[1] for row in s.execute(select(LsTask.id, LsTask.task_id))}
    found: dict[int, Said] = {}
    for one in live:
        labels: dict[str, list[str]] = {}
        for value in one.values:
            if value.label_id is not None:
                labels.setdefault(names[value.question_id], []).append(codes[value.label_id])
        found[one.annotation_id] = Said(
            tasks[one.ls_task_id],
            people[one.coder_id] if one.coder_id is not None else None,
            tuple(sorted((name, tuple(sorted(some))) for name, some in labels.items())),
            one.cancelled,
            one.ground_truth,
            one.updated_at,
        )
    return found


def differences(theirs: Mapping[int, Said], ours: Mapping[int, Said]) -> list[str]:
    """A sentence for each answer that only one of them has, and for each part of an answer that is not the same."""
    lines = [f"Annotation {number} is in Label Studio, and not in the store." for number in theirs.keys() - ours.keys()]
    lines += [
        f"Annotation {number} is in the store, and not in Label Studio." for number in ours.keys() - theirs.keys()
    ]
    for number in sorted(theirs.keys() & ours.keys()):
        for field in fields(Said):
            there, here = getattr(theirs[number], field.name), getattr(ours[number], field.name)
            if there != here:
                lines.append(f"Annotation {number}: {field.name} is {there} in Label Studio, and {here} in the store.")
    return sorted(lines)


def expected_lines(store: Store, key: str, questions: Iterable[str]) -> Counter[Line]:
    """The lines that a long table of the project must have, by the store: one for each answer and question."""
    with store.reading() as s:
        project = projects.by_key(s, key)
        query = select(LsTask.task_id, Unit.external_id).join(Unit, Unit.id == LsTask.unit_id)
        rows = {row[0]: row[1] for row in s.execute(query.where(Unit.project_id == project.id))}
        query = select(Coder.ls_user, Coder.pseudonym).where(Coder.project_id == project.id)
        people = {row[0]: row[1] for row in s.execute(query)}
    lines: Counter[Line] = Counter()
    for said in stored(store, key).values():
        who = people[said.coder] if said.coder is not None else ""
        labels = dict(said.labels)
        for question in questions:
            (label,) = labels.get(question, ("",))
            lines[rows[said.task], question, who, label, said.cancelled, said.updated_at] += 1
    return lines


def table_lines(path: Path) -> Counter[Line]:
    """The lines of an exported table that say something."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["question"]]
    return Counter(
        (
            row["id"],
            row["question"],
            row["coder"],
            row["label"],
            row["skipped"].lower() in ("true", "1"),
            datetime.fromisoformat(row["updated_at"]),
        )
        for row in rows
    )
