"""Whether an answer that was given under an older codebook still answers the question."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import revisions
from db.models import CodebookRevision
from labelstudio_config.codebook import Codebook, Question


def same(old: Question, new: Question) -> bool:
    """Coders see the same: what is asked of which fields, and every label with its code, wording and hint.

    Both as `Codebook.standalone` gives them. Any change counts, since only a person can say that it changes nothing.
    """
    return _seen(old) == _seen(new)


def _seen(question: Question) -> object:
    return (
        question.kind,
        question.control,
        question.wording,
        question.instruction,
        [(f.title or f.name, f.markup) for f in question.fields],
        [
            (label.id, label.code, label.wording, label.definition, label.include, label.exclude)
            for label in question.labels
        ],
        (question.minimum, question.maximum, question.step),
    )


class Meanings:
    """A project's codebook through its revisions, as seen from the codebook that holds now."""

    def __init__(self, s: Session, project_id: int, book: Codebook) -> None:
        rows = s.scalars(select(CodebookRevision).where(CodebookRevision.project_id == project_id))
        self._revisions: Mapping[int, CodebookRevision] = {row.id: row for row in rows}
        self._now = book
        self._book = cache(lambda revision_id: revisions.codebook(self._revisions[revision_id]))
        self.unchanged = cache(self._unchanged)
        self.same_kind = cache(self._same_kind)

    def _unchanged(self, revision_id: int, key: str) -> bool:
        """What coders see of the question is the same under that revision and now."""
        old = self._question(revision_id, key)
        return old is not None and same(old, self._now.standalone(self._now.question(key)))

    def _same_kind(self, revision_id: int, key: str) -> bool:
        """The question was asked under that revision, and is of the same kind now."""
        old = self._question(revision_id, key)
        return old is not None and old.kind == self._now.question(key).kind

    def _question(self, revision_id: int, key: str) -> Question | None:
        book: Codebook = self._book(revision_id)
        return next((book.standalone(q) for q in book.questions if q.id == key), None)
