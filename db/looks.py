"""The openings of a project's test: who looked, when, at which release under which codebook, and why."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.dialect import fetch
from db.models import Look
from db.projects import locked


def of(s: Session, project_id: int) -> list[Look]:
    """All openings, the first one first."""
    return list(s.scalars(select(Look).where(Look.project_id == project_id).order_by(Look.id)))


def look(s: Session, project_id: int, revision_id: int, release_id: int, *, by: str, reason: str) -> Look:
    """Write down that the test is opened for this release under this codebook; every opening counts."""
    locked(s, project_id)
    made = Look(project_id=project_id, revision_id=revision_id, release_id=release_id, by=by, reason=reason)
    s.add(made)
    s.flush()
    return made


def unscored(s: Session, project_id: int, scorer_id: int) -> int:
    """How many of the project's test texts have no score of this scorer."""
    ((n,),) = fetch(s, _UNSCORED, project=project_id, scorer=scorer_id)
    return int(n)


_UNSCORED = """
SELECT COUNT(*) FROM text JOIN placement ON placement.text_id = text.id
WHERE text.project_id = :project AND placement.role = 'test' AND NOT EXISTS (
    SELECT 1 FROM prediction WHERE prediction.text_id = text.id AND prediction.scorer_id = :scorer
)
"""
