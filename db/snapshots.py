"""Frozen labels, and what must be known of a project's texts to keep the audit out of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.dialect import fetch, insert_new
from db.models import Question, Snapshot, SnapshotItem, Text


@dataclass(frozen=True, slots=True)
class Known:
    """A text of a project, and its stream if it has one."""

    id: int
    content_hash: str
    stream: str | None


def known(s: Session, project_id: int) -> list[Known]:
    """All texts of a project."""
    return [Known(*row) for row in fetch(s, _KNOWN, project=project_id)]


_KNOWN = """
SELECT text.id, text.content_hash, placement.stream
FROM text LEFT JOIN placement ON placement.text_id = text.id WHERE text.project_id = :project
"""


@dataclass(frozen=True, slots=True)
class ItemRow:
    """A text's accepted value on a question: see `SnapshotItem`."""

    text_id: int
    question_id: int
    value: dict[str, Any]
    split: str


def remember(s: Session, project_id: int, hash_: str, revision_id: int, rule: dict[str, Any]) -> Snapshot:
    """The snapshot with this hash, made if there is none; its items are added with `add`."""
    insert_new(s, Snapshot, [{"hash": hash_, "revision_id": revision_id, "rule": rule}], project_id=project_id)
    return s.scalars(select(Snapshot).filter_by(project_id=project_id, hash=hash_)).one()


def add(s: Session, snapshot_id: int, rows: Sequence[ItemRow]) -> int:
    """Items of a snapshot, those that are there already left as they are; the number added.

    For more than 1,000 rows: `store.write_in_chunks(rows, lambda s, part: snapshots.add(s, snapshot_id, part))`.
    """
    return insert_new(s, SnapshotItem, [asdict(row) for row in rows], snapshot_id=snapshot_id)


@dataclass(frozen=True, slots=True)
class Kept:
    """An item as it is stored, with the content hash of its text and the key of its question."""

    text_id: int
    content_hash: str
    question: str
    value: dict[str, Any]
    split: str


def items(s: Session, snapshot_id: int) -> list[Kept]:
    """The items of a snapshot, in no order."""
    query = (
        select(SnapshotItem.text_id, Text.content_hash, Question.key, SnapshotItem.value, SnapshotItem.split)
        .join(Text, Text.id == SnapshotItem.text_id)
        .join(Question, Question.id == SnapshotItem.question_id)
    )
    return [Kept(*row) for row in s.execute(query.where(SnapshotItem.snapshot_id == snapshot_id))]
