"""How far the audit has come: the part of the random order that is complete, and so a random sample itself.

Coders skip, stop, and are of unequal speed. What is counted is not what they happened to finish but every text up to
the first that is not finished: a text's chance to be among them does not depend on what it says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.models import Draw, LsProject, LsTask, Placement, Text, Unit


@dataclass(frozen=True, slots=True)
class Place:
    """Where a drawn text is: `at` is (number of the draw, rank in it), which tied texts share.

    `tasks`: those of the Label Studio project it is coded in that show it, and `deleted` those that did.
    """

    text_id: int
    at: tuple[int, int]
    tasks: int
    deleted: int


def places(s: Session, project_id: int, role: str | None, stream: str = "audit") -> list[Place]:
    """The audit texts of a role in the order in which they are to be coded; or those of another stream, which have no
    role and are shown in the assisted project, in the order in which they were drawn.
    """
    where = "audit" if stream == "audit" else "assisted"
    tasks = (
        select(Unit.text_id, func.count(LsTask.id).label("all"), func.count(LsTask.deleted_at).label("deleted"))
        .join(LsTask, LsTask.unit_id == Unit.id)
        .join(LsProject, LsProject.id == LsTask.ls_project_id)
        .where(LsProject.project_id == project_id, LsProject.role == where)
        .group_by(Unit.text_id)
        .subquery()
    )
    query = (
        select(Placement.text_id, Draw.number, Placement.rank, tasks.c.all, tasks.c.deleted)
        .join(Text, Text.id == Placement.text_id)
        .outerjoin(Draw, Draw.id == Placement.draw_id)
        .outerjoin(tasks, tasks.c.text_id == Placement.text_id)
        .where(Text.project_id == project_id, Placement.stream == stream, Placement.role == role)
    )
    found = [
        Place(text_id, (number or 0, rank or 0), (there or 0) - (deleted or 0), deleted or 0)
        for text_id, number, rank, there, deleted in s.execute(query)
    ]
    return sorted(found, key=lambda place: (place.at, place.text_id))


def reached(order: Iterable[Place], attempted: Collection[int]) -> set[int]:
    """The texts of the completed part.

    A rank is complete when all its texts that have a task were attempted. Where every task of a rank was deleted, none
    of it can be coded any more: it is passed over, and is nonresponse. A rank that never had a task ends the part.
    """
    done: set[int] = set()
    for _, group in groupby(order, key=lambda place: place.at):
        tied = list(group)
        shown = [place.text_id for place in tied if place.tasks]
        withdrawn = not shown and any(place.deleted for place in tied)
        if not withdrawn and not (shown and all(text in attempted for text in shown)):
            break
        done |= {place.text_id for place in tied}
    return done
