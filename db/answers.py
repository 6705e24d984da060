"""Answers with all their versions, coders, and what is live."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from itertools import count
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, select, update
from sqlalchemy.orm import Session, aliased

from db.dialect import insert_new
from db.models import (
    Answer,
    AnswerValue,
    AnswerVersion,
    Coder,
    LsProject,
    LsTask,
    Placement,
    Tombstone,
    Unit,
)
from db.projects import IMPORTED, locked


@dataclass(frozen=True, slots=True)
class ValueFact:
    """One label chosen, or one number given; neither, in an answer of a table: the question was asked, and left blank,
    or none of its labels applies. `origin`: human | kept | changed | imported.
    """

    question_id: int
    label_id: int | None
    number: float | None
    origin: str


@dataclass(frozen=True, slots=True)
class AnswerFact:
    """One version of an annotation, as a webhook or a sync saw it: see `Answer` and `AnswerVersion` for its parts."""

    ls_project_id: int
    annotation_id: int
    ls_task_id: int
    coder_id: int | None
    answered_at: datetime
    updated_at: datetime
    via: str
    revision_id: int
    phase: str
    origin: str
    ground_truth: bool = False
    cancelled: bool = False
    lead_time: float | None = None
    release_id: int | None = None
    notes: dict[str, Any] | None = None
    problems: list[str] | None = None
    values: tuple[ValueFact, ...] = ()


def record(s: Session, fact: AnswerFact) -> bool:
    """Keep this version of an answer; False when it is there already. The order in which versions come is no matter."""
    answer = {name: getattr(fact, name) for name in _ANSWER}
    insert_new(s, Answer, [answer])
    key = (Answer.ls_project_id == fact.ls_project_id, Answer.annotation_id == fact.annotation_id)
    answer_id, coder_id = s.execute(select(Answer.id, Answer.coder_id).where(*key)).one()
    if coder_id is None and fact.coder_id is not None:
        s.execute(update(Answer).where(Answer.id == answer_id).values(coder_id=fact.coder_id))
    shown = select(Unit.text_id).join(LsTask, LsTask.unit_id == Unit.id).where(LsTask.id == fact.ls_task_id)
    version = {name: getattr(fact, name) for name in _VERSION}
    if not insert_new(s, AnswerVersion, [version], answer_id=answer_id, text_id=s.scalars(shown).one()):
        return False
    own = (AnswerVersion.answer_id == answer_id, AnswerVersion.updated_at == fact.updated_at)
    version_id = s.scalars(select(AnswerVersion.id).where(*own)).one()
    insert_new(s, AnswerValue, [asdict(value) for value in fact.values], version_id=version_id)
    return True


def correct(s: Session, fact: AnswerFact) -> bool:
    """Have a stored version say what Label Studio says of it now, where it changes that without a new version: marking
    one answer of a task as the ground truth takes the mark from the others. False when it says so already.
    """
    own = select(Answer.id).where(
        Answer.ls_project_id == fact.ls_project_id, Answer.annotation_id == fact.annotation_id
    )
    other = (
        AnswerVersion.answer_id.in_(own),
        AnswerVersion.updated_at == fact.updated_at,
        AnswerVersion.ground_truth != fact.ground_truth,
    )
    changed = update(AnswerVersion).where(*other).values(ground_truth=fact.ground_truth).returning(AnswerVersion.id)
    return s.execute(changed).first() is not None


def move(s: Session, fact: AnswerFact) -> None:
    """The answer belongs to another task now: Label Studio moves answers when it removes duplicates of a text."""
    own = (Answer.ls_project_id == fact.ls_project_id, Answer.annotation_id == fact.annotation_id)
    s.execute(update(Answer).where(*own).values(ls_task_id=fact.ls_task_id))


_ANSWER = ("ls_project_id", "annotation_id", "ls_task_id", "coder_id", "answered_at")
_VERSION = tuple(f.name for f in fields(AnswerFact) if f.name not in (*_ANSWER, "values"))


def bury(s: Session, ls_project_id: int, annotation_ids: Sequence[int], via: str) -> int:
    """These annotations were deleted in Label Studio, whether or not they are known yet. The number newly buried."""
    rows = [{"annotation_id": annotation_id} for annotation_id in annotation_ids]
    return insert_new(s, Tombstone, rows, ls_project_id=ls_project_id, via=via)


def coder(s: Session, project_id: int, server_id: int, ls_user: int, wanted: str | None = None) -> Coder:
    """The coder with this Label Studio user id; a new one gets the pseudonym that is `wanted`, if it is free, else the
    next free one (coder-1, coder-2, ...).
    """
    query = select(Coder).filter_by(project_id=project_id, server_id=server_id, ls_user=ls_user)
    found = s.scalar(query)
    if found is None:
        locked(s, project_id)
        taken = set(s.scalars(select(Coder.pseudonym).where(Coder.project_id == project_id)))
        free = (name for n in count(len(taken) + 1) if (name := f"coder-{n}") not in taken)
        pseudonym = wanted if wanted is not None and wanted not in taken else next(free)
        found = Coder(project_id=project_id, server_id=server_id, ls_user=ls_user, pseudonym=pseudonym)
        s.add(found)
        s.flush()
    return found


@dataclass(frozen=True, slots=True)
class LiveAnswer:
    """The current version of an answer that is not deleted.

    `ls_role` is where it was given (assisted | audit | adjudication; imported: in a table). `stream` and `role` are the
    text's, or None. `problems` say what of the annotation could not be read.
    """

    answer_id: int
    version_id: int
    annotation_id: int
    ls_project_id: int
    ls_role: str
    ls_task_id: int
    unit_id: int
    text_id: int
    coder_id: int | None
    answered_at: datetime
    updated_at: datetime
    via: str
    revision_id: int
    phase: str
    origin: str
    ground_truth: bool
    cancelled: bool
    lead_time: float | None
    release_id: int | None
    stream: str | None
    role: str | None
    problems: list[str] | None = None
    values: tuple[ValueFact, ...] = ()

    @property
    def imported(self) -> bool:
        """It came from a table, or into Label Studio by an import: nobody knows what its coder had been shown."""
        return self.ls_role == IMPORTED or self.origin == "imported"


def live_versions(project_id: int) -> Select[*tuple[Any, ...]]:
    """The query for a project's live answers: the columns of `LiveAnswer` but the values."""
    later = aliased(AnswerVersion)
    return (
        select(
            Answer.id.label("answer_id"),
            AnswerVersion.id.label("version_id"),
            Answer.annotation_id,
            Answer.ls_project_id,
            LsProject.role.label("ls_role"),
            Answer.ls_task_id,
            LsTask.unit_id,
            AnswerVersion.text_id,
            Answer.coder_id,
            Answer.answered_at,
            AnswerVersion.updated_at,
            AnswerVersion.via,
            AnswerVersion.revision_id,
            AnswerVersion.phase,
            AnswerVersion.origin,
            AnswerVersion.ground_truth,
            AnswerVersion.cancelled,
            AnswerVersion.lead_time,
            AnswerVersion.release_id,
            Placement.stream,
            Placement.role,
            AnswerVersion.problems,
        )
        .join(AnswerVersion, AnswerVersion.answer_id == Answer.id)
        .join(LsProject, LsProject.id == Answer.ls_project_id)
        .join(LsTask, LsTask.id == Answer.ls_task_id)
        .outerjoin(Placement, Placement.text_id == AnswerVersion.text_id)
        .where(
            LsProject.project_id == project_id,
            LsTask.deleted_at.is_(None),
            ~exists().where(later.answer_id == Answer.id, later.updated_at > AnswerVersion.updated_at),
            ~exists().where(
                Tombstone.ls_project_id == Answer.ls_project_id, Tombstone.annotation_id == Answer.annotation_id
            ),
        )
        .order_by(Answer.id)
    )


def live(s: Session, project_id: int, *only: ColumnElement[bool]) -> list[LiveAnswer]:
    """The current version of every answer that was not deleted, skips included, with what it says. `only`: conditions
    on what `live_versions` reads, for some of them.
    """
    versions = live_versions(project_id).where(*only)
    inner = versions.order_by(None).subquery()
    values: dict[int, list[ValueFact]] = defaultdict(list)
    query = select(
        AnswerValue.version_id, AnswerValue.question_id, AnswerValue.label_id, AnswerValue.number, AnswerValue.origin
    ).join(inner, inner.c.version_id == AnswerValue.version_id)
    for version, question, label, number, origin in s.execute(query.order_by(AnswerValue.id)):
        values[version].append(ValueFact(question, label, number, origin))
    return [LiveAnswer(**row, values=tuple(values[row["version_id"]])) for row in s.execute(versions).mappings()]
