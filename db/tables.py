"""Answers that tables hold. In a table that somebody made, a cell with a label is an answer of its own, to one
question; in one that we wrote, several rows are the answer that they were.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.dialect import chunks, fetch, insert_new
from db.models import Answer, AnswerValue, AnswerVersion, Coder, LsProject, LsTask, Unit
from db.projects import IMPORTED, ls_projects, of_tables

VIA = "import"
CHUNK = 200  # answers of a transaction, each of which makes four or five rows
Value = tuple[int, int | None, float | None]  # question, label, number; neither of these: left blank, or none applies


@dataclass(frozen=True, slots=True)
class TableAnswer:
    """What a table says: the row (`source`, `external_id`), who answered ('' where nobody knows), and how.

    `which` tells the answers of a coder to a row apart. Where the table does not say when, `answered_at` and
    `updated_at` are None.
    """

    source: str
    external_id: str
    coder: str
    which: str
    values: frozenset[Value]
    phase: str
    origin: str
    ground_truth: bool = False
    cancelled: bool = False
    answered_at: datetime | None = None
    updated_at: datetime | None = None
    lead_time: float | None = None

    @property
    def annotation_id(self) -> int:
        """The same for the same answer, in whatever store."""
        return stable(self.source, self.external_id, self.coder, self.which)

    @property
    def said(self) -> tuple[object, ...]:
        """What must differ for the answer to have another version."""
        return (self.values, self.phase, self.origin, self.ground_truth, self.cancelled)


@dataclass(frozen=True, slots=True)
class Change:
    """What an answer of a table adds to the store: a first version of it (`new`), or a further one."""

    answer: TableAnswer
    updated_at: datetime
    new: bool


@dataclass(frozen=True, slots=True)
class _Version:
    updated_at: datetime
    said: tuple[object, ...]


def stable(*parts: str) -> int:
    """A number of 60 bits that stands for these words."""
    digest = blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 4


def changes(s: Session, project_id: int, rows: Sequence[TableAnswer], moment: datetime) -> tuple[Change, ...]:
    """What of these answers is not in the store yet. A table that does not say when it was labelled is of `moment`.

    An answer that was given here, was exported and comes back is in the store. What is said now is said again at no
    later time; else a time before that of the current version is history, and the same time a correction.
    """
    ls_project = of_tables(s, project_id)
    known = _versions(s, ls_project, rows) if ls_project is not None else {}
    given = _given_here(s, project_id, rows)
    found = []
    for row in rows:
        if _identity(row) in given:
            continue
        versions = known.get(row.annotation_id)
        if versions is None:
            found.append(Change(row, row.updated_at or moment, True))
        elif (at := _due(row, versions, moment)) is not None:
            found.append(Change(row, at, False))
    return tuple(found)


def _identity(row: TableAnswer) -> tuple[object, ...]:
    at = row.answered_at
    return (row.source, row.external_id, row.coder, at and at.replace(microsecond=at.microsecond // 1000 * 1000))


def _given_here(s: Session, project_id: int, rows: Sequence[TableAnswer]) -> set[tuple[object, ...]]:
    """The identities of the answers to these rows that people gave in Label Studio."""
    if not any(row.answered_at for row in rows) or not ls_projects(s, project_id):
        return set()
    query = (
        select(Unit.source, Unit.external_id, Coder.pseudonym, Answer.answered_at)
        .join(LsTask, LsTask.unit_id == Unit.id)
        .join(Answer, Answer.ls_task_id == LsTask.id)
        .join(LsProject, LsProject.id == LsTask.ls_project_id)
        .outerjoin(Coder, Coder.id == Answer.coder_id)
        .where(Unit.project_id == project_id, LsProject.role != IMPORTED)
    )
    found: set[tuple[object, ...]] = set()
    for part in chunks(dict.fromkeys(row.external_id for row in rows), CHUNK):
        for source, external_id, coder, at in s.execute(query.where(Unit.external_id.in_(part))):
            found.add((source, external_id, coder or "", at.replace(microsecond=at.microsecond // 1000 * 1000)))
    return found


def _due(row: TableAnswer, versions: Sequence[_Version], moment: datetime) -> datetime | None:
    """When this further version is of; None where it is there. `versions` in the order of their times."""
    current = versions[-1]
    if current.said == row.said:
        return None
    at = row.updated_at or moment
    same = next((version for version in versions if version.updated_at == at), None)
    if same is None:
        return at
    return None if same.said == row.said else current.updated_at + timedelta(microseconds=1)


def _versions(s: Session, ls_project: LsProject, rows: Sequence[TableAnswer]) -> dict[int, list[_Version]]:
    """Annotation id -> all versions of the answer, the latest last."""
    query = (
        select(
            Answer.annotation_id,
            AnswerVersion.id,
            AnswerVersion.updated_at,
            AnswerVersion.phase,
            AnswerVersion.origin,
            AnswerVersion.ground_truth,
            AnswerVersion.cancelled,
        )
        .join(AnswerVersion, AnswerVersion.answer_id == Answer.id)
        .where(Answer.ls_project_id == ls_project.id)
        .order_by(AnswerVersion.updated_at)
    )
    ids = [row.annotation_id for row in rows]
    there = [row for part in chunks(ids, CHUNK) for row in s.execute(query.where(Answer.annotation_id.in_(part)))]
    said: dict[int, set[Value]] = defaultdict(set)
    values = select(AnswerValue.version_id, AnswerValue.question_id, AnswerValue.label_id, AnswerValue.number)
    for part in chunks([row.id for row in there], CHUNK):
        for version, question, label, number in s.execute(values.where(AnswerValue.version_id.in_(part))):
            said[version].add((question, label, number))
    found: dict[int, list[_Version]] = defaultdict(list)
    for row in there:
        what = (frozenset(said[row.id]), row.phase, row.origin, row.ground_truth, row.cancelled)
        found[row.annotation_id].append(_Version(row.updated_at, what))
    return found


def record(
    s: Session, ls_project: LsProject, made: Sequence[Change], coders: Mapping[str, int], revision_id: int
) -> None:
    """Keep these changes; their rows are stored already. `coders`: names, as the answers have them, -> ids."""
    units = _units(s, ls_project.project_id, (change.answer for change in made))
    key = [units[change.answer.source, change.answer.external_id] for change in made]
    shown = [{"unit_id": unit, "task_id": unit} for unit, _ in dict.fromkeys(key)]
    insert_new(s, LsTask, shown, ls_project_id=ls_project.id)
    tasks = _ids(s, _TASKS, ls_project.id, [unit for unit, _ in key])
    given = [
        {
            "annotation_id": change.answer.annotation_id,
            "ls_task_id": tasks[unit],
            "coder_id": coders.get(change.answer.coder),
            "answered_at": change.answer.answered_at or change.updated_at,
        }
        for change, (unit, _) in zip(made, key, strict=True)
    ]
    insert_new(s, Answer, given, ls_project_id=ls_project.id)
    answers = _ids(s, _ANSWERS, ls_project.id, [change.answer.annotation_id for change in made])
    versions = [
        {
            "answer_id": answers[change.answer.annotation_id],
            "updated_at": change.updated_at,
            "text_id": text,
            "phase": change.answer.phase,
            "origin": change.answer.origin,
            "ground_truth": change.answer.ground_truth,
            "cancelled": change.answer.cancelled,
            "lead_time": change.answer.lead_time,
        }
        for change, (_, text) in zip(made, key, strict=True)
    ]
    insert_new(s, AnswerVersion, versions, via=VIA, revision_id=revision_id)
    _values(s, made, answers)


def _values(s: Session, made: Sequence[Change], answers: Mapping[int, int]) -> None:
    ids: dict[tuple[int, datetime], int] = {}
    query = select(AnswerVersion.answer_id, AnswerVersion.updated_at, AnswerVersion.id)
    for part in chunks(answers.values(), CHUNK):
        ids.update(((a, at), n) for a, at, n in s.execute(query.where(AnswerVersion.answer_id.in_(part))))
    values = [
        {
            "version_id": ids[answers[change.answer.annotation_id], change.updated_at],
            "question_id": question,
            "label_id": label,
            "number": number,
            "origin": change.answer.origin,
        }
        for change in made
        for question, label, number in sorted(change.answer.values, key=lambda each: [part or 0 for part in each])
    ]
    insert_new(s, AnswerValue, values)


def _units(s: Session, project_id: int, rows: Iterable[TableAnswer]) -> dict[tuple[str, str], tuple[int, int]]:
    """(source, external id) -> (unit id, text id)."""
    wanted: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        wanted[row.source].append(row.external_id)
    return {
        (source, external_id): (unit, text)
        for source, ids in wanted.items()
        for external_id, unit, text in fetch(s, _ROWS, project=project_id, source=source, rows=ids)
    }


def _ids(s: Session, sql: str, ls_project_id: int, numbers: Sequence[int]) -> dict[int, int]:
    return {row[0]: row[1] for row in fetch(s, sql, ls_project=ls_project_id, numbers=list(numbers))}


_ROWS = """
SELECT external_id, id, text_id FROM unit
WHERE project_id = :project AND source = :source AND external_id IN [rows]
"""
_TASKS = "SELECT task_id, id FROM ls_task WHERE ls_project_id = :ls_project AND task_id IN [numbers]"
_ANSWERS = "SELECT annotation_id, id FROM answer WHERE ls_project_id = :ls_project AND annotation_id IN [numbers]"
