"""Under which revision of the codebook answers were given, and which of them no longer answer the question."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.learning.meaning import Meanings, why_not_same
from db import answers, meanings, revisions
from db.answers import LiveAnswer
from db.models import CodebookRevision, Project
from labelstudio_config.codebook import Codebook, Question


class MeaningError(Exception):
    """It cannot be said that a question still means the same."""


@dataclass(frozen=True, slots=True)
class Under:
    """Live answers (not skipped) to a question that were given under a revision: how many, to how many texts, by how
    many coders. `counts`: coders saw what means the same as what they see now. `taught`: the kind is the same, so that
    a model may still learn from them.
    """

    revision: int
    answers: int
    texts: int
    coders: int
    counts: bool
    taught: bool


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody said that a question means the same under two revisions of the codebook."""

    question: str
    earlier: int
    later: int
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Recoding:
    """A question of the codebook that holds now. `audit` and `work` are texts whose answers do not count, and that
    their coders have not coded again since: of the audit they must be coded again to be measured on.
    """

    question: str
    under: tuple[Under, ...]
    audit: int
    work: int
    said: tuple[Said, ...]


def recodings(s: Session, project: Project, book: Codebook) -> tuple[Recoding, ...]:
    """One a question, in the codebook's order."""
    numbers = _numbers(s, project.id)
    live = [answer for answer in answers.live(s, project.id) if not answer.cancelled]
    holds = Meanings(s, project.id, book)
    told = said(s, project.id)
    found = []
    for question in book.questions:
        mine = [one for one in live if holds.asked(one.revision_id, question.id)]
        stale = [one for one in mine if not holds.unchanged(one.revision_id, question.id)]
        again = {(one.text_id, one.coder_id) for one in mine if holds.unchanged(one.revision_id, question.id)}
        open_ = [one for one in stale if (one.text_id, one.coder_id) not in again]
        found.append(
            Recoding(
                question=question.id,
                under=tuple(_under(mine, numbers, holds, question.id)),
                audit=len({one.text_id for one in open_ if one.stream == "audit"}),
                work=len({one.text_id for one in open_ if one.stream != "audit"}),
                said=tuple(one for one in told if one.question == question.id),
            )
        )
    return tuple(found)


def said(s: Session, project_id: int) -> tuple[Said, ...]:
    """What people say of the project's changes and have not taken back; the first one first."""
    numbers = _numbers(s, project_id)
    keys = {id_: key for key, id_ in revisions.question_ids(s, project_id).items()}
    return tuple(
        Said(
            question=keys[row.question_id],
            earlier=numbers[row.earlier_id],
            later=numbers[row.later_id],
            by=row.by,
            reason=row.reason,
            at=row.created_at,
        )
        for row in meanings.in_force(s, project_id)
    )


def say_same(
    s: Session, project: Project, question: str, earlier: int, later: int, *, unchanged: bool, by: str, reason: str
) -> None:
    """Write down that a question means the same under two revisions, by their numbers, or take it back. MeaningError
    where that cannot be, or where it says nothing.
    """
    if not by.strip() or not reason.strip():
        raise MeaningError("Say who says so, and why: the report repeats both.")
    first, second = (revisions.numbered(s, project.id, number) for number in (earlier, later))
    before, now = (_question(revisions.codebook(one), question) for one in (first, second))
    known = sorted(revisions.question_ids(s, project.id))
    if question not in known:
        raise MeaningError(f"'{project.key}' has no question '{question}'. It has: {', '.join(known)}.")
    reason_not = why_not_same(before, now)
    if reason_not:
        raise MeaningError(
            f"Nobody can say that '{question}' means the same under revisions {earlier} and {later}: {reason_not}. "
            "What was coded before has to be coded again."
        )
    id_ = revisions.question_ids(s, project.id)[question]
    meanings.say(s, project.id, id_, first.id, second.id, unchanged=unchanged, by=by.strip(), reason=reason.strip())


def _question(book: Codebook, key: str) -> Question | None:
    return next((book.standalone(q) for q in book.questions if q.id == key), None)


def _numbers(s: Session, project_id: int) -> dict[int, int]:
    """Id of each revision -> its number."""
    rows = s.execute(
        select(CodebookRevision.id, CodebookRevision.number).where(CodebookRevision.project_id == project_id)
    )
    return {row.id: row.number for row in rows}


def _under(mine: Sequence[LiveAnswer], numbers: dict[int, int], holds: Meanings, key: str) -> Iterable[Under]:
    of: dict[int, list[LiveAnswer]] = defaultdict(list)
    for one in mine:
        of[one.revision_id].append(one)
    for id_, given in sorted(of.items(), key=lambda each: numbers[each[0]]):
        yield Under(
            revision=numbers[id_],
            answers=len(given),
            texts=len({one.text_id for one in given}),
            coders=len({one.coder_id for one in given if one.coder_id is not None}),
            counts=holds.unchanged(id_, key),
            taught=holds.same_kind(id_, key),
        )
