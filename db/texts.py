"""Texts, the units and tasks that show them, and their streams."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.base import now
from db.content import content_hash, normalised
from db.dialect import chunks, fetch, insert_new
from db.models import LsProject, LsTask, Placement, Text, TextBody, Unit

CHUNK = 500  # of a statement


@dataclass(frozen=True, slots=True)
class TextRow:
    """A text to remember: its fields in the codebook's order, and the group it must stay with."""

    fields: tuple[str, ...]
    group_key: str | None = None


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A row of a corpus, whether or not a task shows it.

    `external_id` names it, `row` is its number, `other` its other columns.
    """

    external_id: str
    fields: tuple[str, ...]
    row: int | None = None
    other: dict[str, Any] | None = None
    group_key: str | None = None


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A Label Studio task to remember, and the row of a corpus that it shows (see `UnitRow`)."""

    task_id: int
    external_id: str
    fields: tuple[str, ...]
    row: int | None = None
    other: dict[str, Any] | None = None
    group_key: str | None = None


class Shown(NamedTuple):
    """What is asked of an `LsProject` where tasks are remembered, for who has no row of it at hand."""

    id: int
    project_id: int


def find(s: Session, project_id: int, texts: Iterable[Sequence[str]]) -> list[int | None]:
    """The ids of the texts with these fields, in order; None where the text is not known."""
    hashes = [content_hash(fields) for fields in texts]
    known = _known(s, project_id, hashes)
    return [known[h][0] if h in known else None for h in hashes]


def _known(s: Session, project_id: int, hashes: Sequence[str]) -> dict[str, tuple[int, str | None]]:
    """Content hash -> (id, group key) of the texts that are stored."""
    known: dict[str, tuple[int, str | None]] = {}
    for part in chunks(hashes, CHUNK):
        rows = fetch(s, _BY_HASH, project=project_id, hashes=part)
        known.update((content, (text_id, group)) for content, text_id, group in rows)
    return known


_BY_HASH = "SELECT content_hash, id, group_key FROM text WHERE project_id = :project AND content_hash IN [hashes]"


def remember(s: Session, project_id: int, rows: Sequence[TextRow]) -> list[int]:
    """The ids of the texts, in order; those that are new are stored. The same content is one text, in its NFC form.

    A text without a group takes the first one it is given. Keep to 1,000 rows a transaction (`Store.write_in_chunks`).
    """
    hashes = [content_hash(row.fields) for row in rows]
    known = _known(s, project_id, hashes)
    new = {h: row for h, row in zip(hashes, rows, strict=True) if h not in known}
    if new:
        texts = [{"content_hash": h, "group_key": row.group_key} for h, row in new.items()]
        insert_new(s, Text, texts, project_id=project_id)
        stored = _known(s, project_id, list(new))
        bodies = [{"text_id": stored[h][0], "fields": list(normalised(row.fields))} for h, row in new.items()]
        insert_new(s, TextBody, bodies)
        known |= stored
    groups = {known[h][0]: row.group_key for h, row in zip(hashes, rows, strict=True) if row.group_key}
    for text_id in {text_id for text_id, group in known.values() if group is None} & groups.keys():
        lacking = (Text.id == text_id, Text.group_key.is_(None))
        s.execute(update(Text).where(*lacking).values(group_key=groups[text_id]))
    return [known[h][0] for h in hashes]


def remember_units(s: Session, project_id: int, rows: Sequence[UnitRow], source: str) -> list[int]:
    """The ids of the rows' texts, in order; what is new is stored. A row that is known keeps the text it had."""
    texts = remember(s, project_id, [TextRow(row.fields, row.group_key) for row in rows])
    _units(s, project_id, source, list(zip(rows, texts, strict=True)))
    return texts


def row_texts(s: Session, project_id: int, source: str, external_ids: Sequence[str]) -> dict[str, int]:
    """External id -> text id of those of these rows of a source that are stored."""
    rows = fetch(s, _TEXT_OF_ROW, project=project_id, source=source, rows=list(dict.fromkeys(external_ids)))
    return {row[0]: row[1] for row in rows}


_TEXT_OF_ROW = """
SELECT external_id, text_id FROM unit WHERE project_id = :project AND source = :source AND external_id IN [rows]
"""


def without_task(s: Session, project_id: int) -> list[int]:
    """The texts of a corpus's rows that no task in Label Studio shows or showed, in the order of their first rows;
    erased texts are left out.
    """
    return [row[0] for row in fetch(s, _WITHOUT_TASK, project=project_id)]


_WITHOUT_TASK = """
SELECT unit.text_id, MIN(unit.id) FROM unit
JOIN text_body ON text_body.text_id = unit.text_id AND text_body.erased_at IS NULL
WHERE unit.project_id = :project AND unit.text_id NOT IN (
    SELECT shown.text_id FROM unit AS shown
    JOIN ls_task ON ls_task.unit_id = shown.id
    JOIN ls_project ON ls_project.id = ls_task.ls_project_id
    WHERE shown.project_id = :project AND ls_project.role <> 'imported'
)
GROUP BY unit.text_id ORDER BY 2
"""


def unscored(s: Session, project_id: int, scorer_id: int | None, question_ids: Sequence[int]) -> list[list[int]]:
    """The texts of a corpus's rows that lack a score on one of the questions by this scorer (None: that have no score
    by any), in three lists: the controls, in the order they were drawn, the texts for work, and those of the audit.
    """
    if scorer_id is None:
        rows = fetch(s, _NEVER_SCORED, project=project_id)
    else:
        questions = list(question_ids)
        rows = fetch(s, _UNSCORED, project=project_id, scorer=scorer_id, questions=questions, n=len(questions))
    streams: dict[str, list[int]] = {"control": [], "work": [], "audit": []}
    for text, stream in rows:
        streams[stream or "work"].append(text)
    return list(streams.values())


_NEVER_SCORED = """
SELECT unit.text_id, placement.stream FROM unit LEFT JOIN placement ON placement.text_id = unit.text_id
WHERE unit.project_id = :project
    AND NOT EXISTS (SELECT 1 FROM prediction WHERE prediction.text_id = unit.text_id)
GROUP BY unit.text_id, placement.stream, placement.rank ORDER BY placement.rank, unit.text_id
"""
_UNSCORED = """
SELECT unit.text_id, placement.stream FROM unit LEFT JOIN placement ON placement.text_id = unit.text_id
WHERE unit.project_id = :project AND (
    SELECT count(*) FROM prediction WHERE prediction.text_id = unit.text_id
        AND prediction.scorer_id = :scorer AND prediction.question_id IN [questions]
) < :n
GROUP BY unit.text_id, placement.stream, placement.rank ORDER BY placement.rank, unit.text_id
"""


def remember_tasks(
    s: Session, ls_project: LsProject | Shown, rows: Sequence[TaskRow], source: str = "label-studio"
) -> list[tuple[int, int]]:
    """(ls_task id, text id) of each task, in order; what is new is stored.

    A task whose text was edited in Label Studio keeps its unit, which then holds the new text; the new text takes the
    old one's place in the draw. Answers and exposures keep the text they were about. Keep to 250 tasks a transaction.
    """
    texts = remember(s, ls_project.project_id, [TextRow(row.fields, row.group_key) for row in rows])
    tasks = _tasks(s, ls_project.id, rows)
    new = [(row, text) for row, text in zip(rows, texts, strict=True) if row.task_id not in tasks]
    if new:
        units = _units(s, ls_project.project_id, source, new)
        shown_by = [{"unit_id": units[row.external_id], "task_id": row.task_id} for row, _ in new]
        insert_new(s, LsTask, shown_by, ls_project_id=ls_project.id)
        tasks = _tasks(s, ls_project.id, rows)
    for row, text in zip(rows, texts, strict=True):
        _, unit, shown = tasks[row.task_id]
        if shown != text:
            _edit(s, unit, shown, text)
    return [(tasks[row.task_id][0], text) for row, text in zip(rows, texts, strict=True)]


def _tasks(s: Session, ls_project_id: int, rows: Sequence[TaskRow]) -> dict[int, tuple[int, int, int]]:
    """Task id -> (ls_task id, unit id, text id) of the tasks that are stored."""
    found: dict[int, tuple[int, int, int]] = {}
    for part in chunks([row.task_id for row in rows], CHUNK):
        there = fetch(s, _BY_TASK, ls_project=ls_project_id, tasks=part)
        found.update((task, (ls_task, unit, text)) for task, ls_task, unit, text in there)
    return found


_BY_TASK = """
SELECT ls_task.task_id, ls_task.id, ls_task.unit_id, unit.text_id FROM ls_task JOIN unit ON unit.id = ls_task.unit_id
WHERE ls_task.ls_project_id = :ls_project AND ls_task.task_id IN [tasks]
"""


def _units(s: Session, project_id: int, source: str, rows: Sequence[tuple[UnitRow | TaskRow, int]]) -> dict[str, int]:
    """External id -> unit id, stored if new."""
    new = [{"text_id": text, "external_id": row.external_id, "row": row.row, "other": row.other} for row, text in rows]
    insert_new(s, Unit, new, project_id=project_id, source=source)
    found: dict[str, int] = {}
    for part in chunks([row.external_id for row, _ in rows], CHUNK):
        found.update((key, unit) for key, unit in fetch(s, _BY_ROW, project=project_id, source=source, rows=part))
    return found


_BY_ROW = """
SELECT external_id, id FROM unit WHERE project_id = :project AND source = :source AND external_id IN [rows]
"""


def _edit(s: Session, unit_id: int, old: int, new: int) -> None:
    """The unit's text was edited: the new one takes the old one's placement and cluster, unless it has its own."""
    s.execute(update(Unit).where(Unit.id == unit_id).values(text_id=new))
    there = placements(s, [old])
    if old in there:
        p = there[old]
        place(s, [PlacementRow(new, p.draw_id, p.rank, p.stream, p.role)])
    cluster = s.scalar(select(Text.cluster).where(Text.id == old))
    s.execute(update(Text).where(Text.id == new, Text.cluster.is_(None)).values(cluster=cluster))


def delete_tasks(s: Session, ls_project_id: int, task_ids: Sequence[int]) -> None:
    """These tasks are gone from Label Studio. What was answered in them is kept, but is no longer live."""
    for part in chunks(task_ids, CHUNK):
        gone = (LsTask.ls_project_id == ls_project_id, LsTask.task_id.in_(part), LsTask.deleted_at.is_(None))
        s.execute(update(LsTask).where(*gone).values(deleted_at=now()))


def bodies(s: Session, text_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Text id -> fields; erased texts are left out."""
    found: dict[int, tuple[str, ...]] = {}
    for part in chunks(text_ids, CHUNK):
        rows = s.execute(select(TextBody.text_id, TextBody.fields).where(TextBody.text_id.in_(part)))
        found.update((text_id, tuple(fields)) for text_id, fields in rows if fields is not None)
    return found


def units(s: Session, text_ids: Sequence[int]) -> dict[int, Unit]:
    """Text id -> the first row of the corpus that shows it; a text that no row shows any more is left out."""
    found: dict[int, Unit] = {}
    for part in chunks(text_ids, CHUNK):
        for unit in s.scalars(select(Unit).where(Unit.text_id.in_(part)).order_by(Unit.id)):
            found.setdefault(unit.text_id, unit)
    return found


def placements(s: Session, text_ids: Sequence[int]) -> dict[int, Placement]:
    """Text id -> placement, of the texts that have one."""
    found: dict[int, Placement] = {}
    for part in chunks(text_ids, CHUNK):
        found.update((p.text_id, p) for p in s.scalars(select(Placement).where(Placement.text_id.in_(part))))
    return found


@dataclass(frozen=True, slots=True)
class PlacementRow:
    """The stream of a text (audit | control | work), its draw, and its cluster's rank there.

    `role`: gate | test in audit.
    """

    text_id: int
    draw_id: int | None
    rank: int | None
    stream: str
    role: str | None = None


def place(s: Session, rows: Sequence[PlacementRow]) -> int:
    """Put texts in their streams, for ever: what is placed already stays. The number newly placed."""
    placed = [
        {"text_id": r.text_id, "draw_id": r.draw_id, "rank": r.rank, "stream": r.stream, "role": r.role} for r in rows
    ]
    return insert_new(s, Placement, placed, placed_at=now())


def place_as_work(s: Session, text_ids: Sequence[int]) -> int:
    """Put the texts that no draw has placed in the work stream, out of reach of later draws.

    The number newly placed.
    """
    return place(s, [PlacementRow(text_id, None, None, "work") for text_id in text_ids])
