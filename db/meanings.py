"""That a question means the same under two revisions of the codebook, as people say: who, when and why."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Meaning
from db.projects import locked


def say(
    s: Session,
    project_id: int,
    question_id: int,
    earlier_id: int,
    later_id: int,
    *,
    unchanged: bool = True,
    by: str,
    reason: str,
) -> Meaning:
    """Write down that the question means the same under both revisions, or that this is taken back."""
    locked(s, project_id)
    made = Meaning(
        project_id=project_id,
        question_id=question_id,
        earlier_id=earlier_id,
        later_id=later_id,
        unchanged=unchanged,
        by=by,
        reason=reason,
    )
    s.add(made)
    s.flush()
    return made


def in_force(s: Session, project_id: int) -> list[Meaning]:
    """What was said last of each question and pair of revisions, unless it was taken back; the first one first."""
    rows = s.scalars(select(Meaning).where(Meaning.project_id == project_id).order_by(Meaning.id))
    last: dict[tuple[int, frozenset[int]], Meaning] = {}
    for row in rows:
        last[row.question_id, frozenset((row.earlier_id, row.later_id))] = row
    return sorted((row for row in last.values() if row.unchanged), key=lambda row: row.id)
