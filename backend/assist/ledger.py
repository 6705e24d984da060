"""What the store is asked and told for many tasks at once. Each function belongs to one transaction of the caller's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy.orm import Session

from backend.assist.asked import Values
from backend.assist.entry import Entry, Item, TaskKey
from db import predictions
from db.dialect import chunks, fetch
from db.models import LsProject
from db.predictions import ExposureRow
from db.texts import TaskRow, TextRow, place_as_work, placements, remember, remember_tasks

AUDIT, WORK = "audit", "work"
CHUNK = 500

_ROLES = "SELECT id, project_id, role FROM ls_project WHERE id IN [ids]"
_TASKS = """
SELECT ls_task.task_id, ls_task.id, unit.text_id FROM ls_task JOIN unit ON unit.id = ls_task.unit_id
WHERE ls_task.ls_project_id = :ls_project AND ls_task.task_id IN [tasks]
"""


@dataclass(slots=True, eq=False)
class Piece:
    """A text that is to be remembered, its new scores, and the tasks that show it; it is stored as a whole or not at all.

    `rows` hold question id, log-probabilities [K] and tokens cut off; `problem` says why nothing is suggested.
    """

    entry: Entry
    items: list[Item]
    rows: list[tuple[int, Values, int]]
    problem: str = ""

    def size(self) -> int:
        """At most so many new rows."""
        return 6 * len(self.items) + len(self.rows)


class Place(NamedTuple):
    """Where a task's text is in the store."""

    ls_task_id: int | None
    text_id: int
    stream: str
    rank: int | None


class Recorded(NamedTuple):
    """Where an item is now, whether the audit keeps its suggestion back, and whether that was noted as handed out."""

    place: Place
    blind: bool
    exposed: bool


def roles(s: Session, ls_project_ids: Collection[int | None]) -> dict[int, tuple[int, str]]:
    """The project that each of our LsProject rows serves, and in which role; those that are not known are left out."""
    ids = [key for key in ls_project_ids if key is not None]
    return {key: (project, role) for key, project, role in fetch(s, _ROLES, ids=ids)} if ids else {}


def find_texts(s: Session, items: Iterable[Item]) -> None:
    """Fill in what the store knows of the items' texts: id, stream, rank, scores."""
    same: dict[tuple[int, int], dict[Entry, Item]] = defaultdict(dict)
    for item in items:
        same[item.entry.key[:2]][item.entry] = item
    for (scorer_id, project_id), group in same.items():
        questions = list({one.question_id for entry in group for one in entry.wanted})
        found = predictions.recall(s, project_id, scorer_id, questions, [item.fields for item in group.values()])
        for entry, known in zip(group, found, strict=True):
            entry.text_id, entry.stream, entry.rank = known.text_id, known.stream, known.rank
            entry.scores.update(known.scores)


def find_tasks(s: Session, keys: Collection[TaskKey]) -> dict[TaskKey, tuple[int, int]]:
    """(ls_task id, text id) of the tasks that are known."""
    found: dict[TaskKey, tuple[int, int]] = {}
    by_project: dict[int, list[int]] = defaultdict(list)
    for ls_project_id, task_id in keys:
        by_project[ls_project_id].append(task_id)
    for ls_project_id, task_ids in by_project.items():
        for part in chunks(task_ids, CHUNK):
            rows = fetch(s, _TASKS, ls_project=ls_project_id, tasks=part)
            found.update({(ls_project_id, task): (ls_task, text) for task, ls_task, text in rows})
    return found


def record(s: Session, pieces: Sequence[Piece]) -> list[Recorded]:
    """Remember what is new, place what is not placed, store the scores, and note what is handed out now.

    A record for each item of the pieces, in order. An item is handed out when somebody waits for it, it has a suggestion,
    and neither its text nor the Label Studio project that asks belongs to the audit.
    """
    pairs = [(piece, item) for piece in pieces for item in piece.items]
    places = _remembered(s, [item for _, item in pairs])
    text_ids = {item.entry: place.text_id for (_, item), place in zip(pairs, places, strict=True)}
    _store(s, pieces, text_ids)
    found = roles(s, {item.request.tasks[item.place].ls_project_id for _, item in pairs})
    audits = {key for key, (_, role) in found.items() if role == AUDIT}
    recorded, rows = [], []
    for (piece, item), place in zip(pairs, places, strict=True):
        blind = place.stream == AUDIT or item.request.tasks[item.place].ls_project_id in audits
        exposed = not blind and not piece.problem and item.open
        if exposed:
            request = item.request
            rows.append(ExposureRow(place.text_id, request.state.release_id, place.ls_task_id, request.channel))
        recorded.append(Recorded(place, blind, exposed))
    predictions.expose(s, rows)
    return recorded


def _store(s: Session, pieces: Sequence[Piece], text_ids: dict[Entry, int]) -> None:
    rows: dict[int, list[tuple[int, int, Values, int]]] = defaultdict(list)
    for piece in pieces:
        if piece.rows:
            text_id = text_ids[piece.entry]
            rows[piece.entry.key[0]] += [(text_id, question, values, cut) for question, values, cut in piece.rows]
    for scorer_id, group in rows.items():
        predictions.store(s, scorer_id, group)


def _remembered(s: Session, items: Sequence[Item]) -> list[Place]:
    """Where each item is, in order, after texts and tasks that were new are stored and what no draw has placed is work."""
    tasks: dict[int, list[Item]] = defaultdict(list)
    texts: dict[int, list[Item]] = defaultdict(list)
    ids: dict[Item, tuple[int | None, int]] = {}
    for item in items:
        if item.task is not None and item.ls_task_id is None:
            tasks[item.task[0]].append(item)
        elif item.entry.text_id is None:
            texts[item.request.state.project_id].append(item)
        else:
            ids[item] = (item.ls_task_id, item.entry.text_id)
    for ls_project_id, group in tasks.items():
        rows = [TaskRow(item.task[1], f"{ls_project_id}/{item.task[1]}", item.fields) for item in group if item.task]
        ls_project = LsProject(id=ls_project_id, project_id=group[0].request.state.project_id)
        ids.update(zip(group, remember_tasks(s, ls_project, rows), strict=True))
    for project_id, group in texts.items():
        text_ids = remember(s, project_id, [TextRow(item.fields) for item in group])
        ids.update({item: (item.ls_task_id, text_id) for item, text_id in zip(group, text_ids, strict=True)})
    placed = _placed(s, {ids[item][1] for item in items if item.entry.stream is None})
    return [
        Place(*ids[item], *placed.get(ids[item][1], (item.entry.stream or WORK, item.entry.rank))) for item in items
    ]


def _placed(s: Session, text_ids: Collection[int]) -> dict[int, tuple[str, int | None]]:
    """Stream and rank of each text, after those that had none were placed as work."""
    ids = list(text_ids)
    if place_as_work(s, ids) == len(ids):
        return dict.fromkeys(ids, (WORK, None))
    return {text_id: (placement.stream, placement.rank) for text_id, placement in placements(s, ids).items()}
