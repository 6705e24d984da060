"""What the store is asked and told for many tasks at once. Each function belongs to one transaction of the caller's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy.orm import Session

from backend.assist.asked import Values
from backend.assist.entry import Entry, Item, TaskKey
from db import predictions
from db.dialect import chunks, fetch
from db.predictions import ExposureRow
from db.projects import ASSISTED
from db.texts import Shown, TaskRow, TextRow, place_as_work, placements, remember, remember_tasks

AUDIT, WORK = "audit", "work"
CHUNK = 500

Roles = dict[int, tuple[int, str]]  # our LsProject row -> the project it serves, and in which role

_ROLES = "SELECT id, project_id, role FROM ls_project WHERE id IN [ids]"
_TASKS = """
SELECT ls_task.task_id, ls_task.id, unit.text_id FROM ls_task JOIN unit ON unit.id = ls_task.unit_id
WHERE ls_task.ls_project_id = :ls_project AND ls_task.task_id IN [tasks]
"""


@dataclass(slots=True, eq=False)
class Piece:
    """A text that is to be remembered, its new scores, and the tasks that show it; it is stored as a whole or not at
    all.

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
    """Where an item is now (None: its Label Studio project is coded blind), and whether it was noted as handed out."""

    place: Place | None
    exposed: bool


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

    A record for each item of the pieces, in order. An item is handed out when somebody waits for it, it has a
    suggestion, its text is none of the audit's, and the Label Studio project that asks is not coded blind, as the audit
    and the adjudication are. Of an item whose project is, nothing is remembered.
    """
    items = [item for piece in pieces for item in piece.items]
    found = _roles(s, {item.asking for item in items if item.asking is not None})
    blind = {item for item in items if item.asking in found and found[item.asking][1] != ASSISTED}
    places = _remembered(s, [item for item in items if item not in blind], found)
    _store(s, pieces, {item.entry: place.text_id for item, place in places.items()})
    recorded, rows = [], []
    for piece in pieces:
        for item in piece.items:
            place = places.get(item)
            exposed = place is not None and place.stream != AUDIT and not piece.problem and item.open
            if place is not None and exposed:
                request = item.request
                rows.append(ExposureRow(place.text_id, request.state.release_id, place.ls_task_id, request.channel))
            recorded.append(Recorded(place, exposed))
    predictions.expose(s, rows)
    return recorded


def _store(s: Session, pieces: Sequence[Piece], text_ids: Mapping[Entry, int]) -> None:
    rows: dict[int, list[tuple[int, int, Values, int]]] = defaultdict(list)
    for piece in pieces:
        text_id = text_ids.get(piece.entry)
        if text_id is not None:
            rows[piece.entry.key[0]] += [(text_id, question, values, cut) for question, values, cut in piece.rows]
    for scorer_id, group in rows.items():
        predictions.store(s, scorer_id, group)


def _remembered(s: Session, items: Sequence[Item], found: Roles) -> dict[Item, Place]:
    """Where each item is, after texts and tasks that were new are stored and what no draw has placed is work."""
    tasks: dict[int, list[Item]] = defaultdict(list)
    texts: dict[int, list[Item]] = defaultdict(list)
    ids: dict[Item, tuple[int | None, int]] = {}
    for item in items:
        project_id = item.request.state.project_id
        if item.task is not None and item.ls_task_id is None and found.get(item.task[0], (None,))[0] == project_id:
            tasks[item.task[0]].append(item)
        elif item.entry.text_id is None:
            texts[project_id].append(item)
        else:
            ids[item] = (item.ls_task_id, item.entry.text_id)
    for ls_project_id, group in tasks.items():
        rows = [TaskRow(item.task[1], f"{ls_project_id}/{item.task[1]}", item.fields) for item in group if item.task]
        ls_project = Shown(ls_project_id, found[ls_project_id][0])
        ids.update(zip(group, remember_tasks(s, ls_project, rows), strict=True))
    for project_id, group in texts.items():
        text_ids = remember(s, project_id, [TextRow(item.fields) for item in group])
        ids.update({item: (None, text_id) for item, text_id in zip(group, text_ids, strict=True)})
    placed = _placed(s, {ids[item][1] for item in items if item.entry.stream is None})
    return {
        item: Place(*ids[item], *placed.get(text_id, (item.entry.stream or WORK, item.entry.rank)))
        for item, (_, text_id) in ids.items()
    }


def _roles(s: Session, ls_project_ids: Collection[int]) -> Roles:
    """Those of our LsProject rows that there are."""
    rows = fetch(s, _ROLES, ids=list(ls_project_ids)) if ls_project_ids else []
    return {key: (project, role) for key, project, role in rows}


def _placed(s: Session, text_ids: Collection[int]) -> dict[int, tuple[str, int | None]]:
    """Stream and rank of each text, after those that had none were placed as work."""
    ids = list(text_ids)
    if place_as_work(s, ids) == len(ids):
        return dict.fromkeys(ids, (WORK, None))
    return {text_id: (placement.stream, placement.rank) for text_id, placement in placements(s, ids).items()}
