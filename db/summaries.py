"""The projects of a store at a glance: a line each, in a handful of queries however many there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from db.models import Answer, LsProject, LsServer, Project, Text, Tombstone
from db.projects import IMPORTED, seen


@dataclass(frozen=True, slots=True)
class Place:
    """A project in Label Studio: the server's address, its number there, and its role."""

    url: str
    number: int
    role: str


@dataclass(frozen=True, slots=True)
class Summary:
    """A project: its texts, its answers that were not deleted, and where Label Studio has it."""

    key: str
    title: str
    archived_at: datetime | None
    texts: int
    answers: int
    places: tuple[Place, ...]


def projects(s: Session, *, archived: bool = False) -> list[Summary]:
    """All projects, those put away only where asked for."""
    wanted = select(Project).where(seen()).order_by(Project.key)
    counted = s.execute(select(Text.project_id, func.count(Text.id)).group_by(Text.project_id))
    texts = {row[0]: row[1] for row in counted}
    dead = exists().where(
        Tombstone.ls_project_id == Answer.ls_project_id, Tombstone.annotation_id == Answer.annotation_id
    )
    given = select(LsProject.project_id, func.count(Answer.id)).join(LsProject, LsProject.id == Answer.ls_project_id)
    answers = {row[0]: row[1] for row in s.execute(given.where(~dead).group_by(LsProject.project_id))}
    known = places(s)
    return [
        Summary(
            one.key,
            one.title,
            one.archived_at,
            texts.get(one.id, 0),
            answers.get(one.id, 0),
            known.get(one.id, ()),
        )
        for one in s.scalars(wanted if archived else wanted.where(Project.archived_at.is_(None)))
    ]


def places(s: Session) -> dict[int, tuple[Place, ...]]:
    """Project id -> its projects in Label Studio, the oldest first."""
    query = select(LsProject, LsServer.url).join(LsServer, LsServer.id == LsProject.server_id)
    found: dict[int, tuple[Place, ...]] = {}
    for row, url in s.execute(query.where(LsProject.role != IMPORTED).order_by(LsProject.id)):
        found[row.project_id] = (*found.get(row.project_id, ()), Place(url, row.ls_id, row.role))
    return found
