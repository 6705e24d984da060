"""Which texts of a project go to which stream, over all times it is connected: a placement is for ever, and new texts
join.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.assist import growing, streams
from backend.assist.growing import Grown
from db import texts
from db.dialect import chunks
from db.models import Draw, Exposure, Placement, Project, Text
from db.store import Store

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Drawn:
    """What came of it, in texts: newly placed by stream, and how many of the work texts had been shown with a
    suggestion.
    """

    audit: int = 0
    control: int = 0
    work: int = 0
    exposed: int = 0


def draw(store: Store, project: Project, text_ids: Sequence[int], *, audit: int, control: int) -> Drawn:
    """Place the texts that have no stream yet. `audit` and `control` are clusters, over all draws of the project
    together.

    A text that was shown with a suggestion is work, and so is its whole cluster (`backend.assist.streams`). DrawError
    when there are too few.
    """
    ids = list(dict.fromkeys(text_ids))
    with store.reading() as s:
        placed = texts.placements(s, ids)
        fresh = [text for text in ids if text not in placed]
        if not fresh:
            return Drawn()
        tied = streams.ties(s, project.id, fresh)
    with store.writing() as s:
        had = _drawn_before(s, project)
        more = {"audit": max(0, audit - had[0]), "control": max(0, control - had[1])}
        row = s.get_one(Project, project.id)
        streams.draw(s, row, fresh, **more, seed=project.seed, tied=tied)
        row.sampling_design = row.sampling_design | {
            "audit": had[0] + more["audit"],
            "control": had[1] + more["control"],
        }
    with store.reading() as s:
        new = texts.placements(s, fresh)
        shown = _exposed(s, fresh)
    count = Counter(p.stream for p in new.values())
    return Drawn(count["audit"], count["control"], count["work"], exposed=len(shown))


def carry_on(store: Store, project: Project, *, audit: int, control: int, coders: int) -> Grown:
    """Let the audit and the control grow to so many clusters, over all draws together, and write down how many code
    each audit text. Neither ever shrinks.
    """
    with store.writing() as s:
        had = _drawn_before(s, project)
        more = {"audit": max(0, audit - had[0]), "control": max(0, control - had[1])}
        grown = growing.carry_on(s, project.id, **more)
        row = s.get_one(Project, project.id)
        row.sampling_design = row.sampling_design | {
            "audit": had[0] + grown.audit,
            "control": had[1] + grown.control,
            "coders": coders,
        }
    return grown


def drawn(store: Store, project: Project) -> tuple[int, int]:
    """Clusters in the audit and in the control, over all draws."""
    with store.reading() as s:
        return _drawn_before(s, project)


def audit_order(store: Store, project: Project) -> list[int]:
    """The project's audit texts in the order of their draws: the order in which they are to be coded."""
    query = select(Placement.text_id).join(Text, Text.id == Placement.text_id)
    mine = query.where(Text.project_id == project.id, Placement.stream == "audit")
    with store.reading() as s:
        return list(s.scalars(mine.order_by(Placement.draw_id, Placement.rank, Placement.text_id)))


def _drawn_before(s: Session, project: Project) -> tuple[int, int]:
    sums = select(func.coalesce(func.sum(Draw.audit), 0), func.coalesce(func.sum(Draw.control), 0))
    audit, control = s.execute(sums.where(Draw.project_id == project.id)).one()
    return int(audit), int(control)


def _exposed(s: Session, ids: Sequence[int]) -> set[int]:
    query = select(Exposure.text_id).distinct()
    return {text for part in chunks(ids, CHUNK) for text in s.scalars(query.where(Exposure.text_id.in_(part)))}
