"""The texts without an accepted value, as who has them adjudicated needs to know them: by name, not by answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.learning.disputed import disputed
from db import texts
from db.models import LsProject, LsTask, Project, Unit
from db.projects import ADJUDICATION
from labelstudio_config.codebook import Codebook

AUDIT, ASSISTED = "audit", "assisted"


@dataclass(frozen=True, slots=True)
class Dispute:
    """A text that has no accepted value on a question, and why; `external_id` of the row of `source` that shows it.

    `stream`: audit (coded blind) or assisted (by two or more). `waits`: it has a task in the adjudication project.
    """

    text_id: int
    source: str
    external_id: str
    stream: str
    question: str
    reason: str
    waits: bool


def disputes(s: Session, project: Project, book: Codebook) -> tuple[Dispute, ...]:
    """All of a project, the audit's first, by text and question. RuleError."""
    found = disputed(s, project, book)
    rows = texts.units(s, [one.text_id for one in found])
    waiting = _waiting(s, project.id)
    return tuple(
        Dispute(
            text_id=one.text_id,
            source=rows[one.text_id].source,
            external_id=rows[one.text_id].external_id,
            stream=AUDIT if one.stream == AUDIT else ASSISTED,
            question=question,
            reason=reason,
            waits=one.text_id in waiting,
        )
        for one in found
        if one.text_id in rows
        for question, reason in one.reasons.items()
    )


def counted(found: Iterable[Dispute]) -> Mapping[tuple[str, str], Counter[str]]:
    """(question, stream) -> reason -> texts."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    for one in found:
        counts.setdefault((one.question, one.stream), Counter())[one.reason] += 1
    return counts


def streams(found: Iterable[Dispute]) -> tuple[list[int], list[int]]:
    """The texts to be adjudicated, each once: of the audit, and assisted ones."""
    found = list(found)
    audit, assisted = ({one.text_id for one in found if one.stream == stream} for stream in (AUDIT, ASSISTED))
    return sorted(audit), sorted(assisted)


def _waiting(s: Session, project_id: int) -> set[int]:
    query = (
        select(Unit.text_id)
        .join(LsTask, LsTask.unit_id == Unit.id)
        .join(LsProject, LsProject.id == LsTask.ls_project_id)
    )
    mine = (LsProject.project_id == project_id, LsProject.role == ADJUDICATION, LsTask.deleted_at.is_(None))
    return set(s.scalars(query.where(*mine)))
