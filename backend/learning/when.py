"""When `serve` re-tunes by itself: after so long, if enough was coded since the last run."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import distinct, func, select
from sqlalchemy.orm import Session

from db.base import now
from db.models import Answer, AnswerVersion, LsProject, Placement, Project, Run


def due(s: Session, every: float, least: int) -> list[int]:
    """The ids of projects whose last run began at least `every` seconds ago, or that had none, with at least `least`
    texts of the work stream coded since.
    """
    found = []
    for project in s.scalars(select(Project).where(Project.archived_at.is_(None)).order_by(Project.id)):
        last = s.scalar(select(func.max(Run.created_at)).where(Run.project_id == project.id))
        if last is not None and last > now() - timedelta(seconds=every):
            continue
        coded = (
            select(func.count(distinct(AnswerVersion.text_id)))
            .join(Answer, Answer.id == AnswerVersion.answer_id)
            .join(LsProject, LsProject.id == Answer.ls_project_id)
            .join(Placement, Placement.text_id == AnswerVersion.text_id)
            .where(
                LsProject.project_id == project.id,
                Placement.stream == "work",
                AnswerVersion.cancelled.is_(False),
                AnswerVersion.origin != "bulk",
            )
        )
        if last is not None:
            coded = coded.where(AnswerVersion.created_at > last)
        if s.scalars(coded).one() >= least:
            found.append(project.id)
    return found
