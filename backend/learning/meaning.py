"""Whether an answer that was given under an older codebook still answers the question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import meanings, revisions
from db.models import CodebookRevision, Meaning
from labelstudio_config.codebook import Codebook, Question


def same(old: Question, new: Question) -> bool:
    """Coders see the same: what is asked of which fields, and every label with its code, wording, definition and rules.

    Both as `Codebook.standalone` gives them. Any change counts, since only a person can say that it changes nothing.
    """
    return _seen(old) == _seen(new)


def why_not_same(old: Question | None, new: Question | None) -> str:
    """Why nobody can say that a question means the same in both: answers to the one cannot be answers to the other.
    '' where a person can.
    """
    if old is None or new is None:
        return "it is not asked in both"
    if old.kind is not new.kind:
        return f"it is of kind '{old.kind}' in one and '{new.kind}' in the other"
    apart = set(old.label_ids) ^ set(new.label_ids)
    if apart:
        return f"coders could not choose from the same labels: {', '.join(sorted(apart))} is not in both"
    return ""


def _seen(question: Question) -> object:
    return (
        question.kind,
        question.control,
        question.wording,
        question.instruction,
        tuple((f.title or f.name, f.markup) for f in question.fields),
        tuple((x.id, x.code, x.wording, x.definition, x.include, x.exclude) for x in question.labels),
        (question.minimum, question.maximum, question.step),
    )


class Meanings:
    """A project's codebook through its revisions, as seen from the codebook that holds now.

    What people said of changes counts: see `db.meanings`. Two changes that each leave the meaning as it was leave it so
    together.
    """

    def __init__(self, s: Session, project_id: int, book: Codebook) -> None:
        rows = s.scalars(select(CodebookRevision).where(CodebookRevision.project_id == project_id))
        self._revisions: Mapping[int, CodebookRevision] = {row.id: row for row in rows}
        self._now = book
        self._book = cache(lambda revision_id: revisions.codebook(self._revisions[revision_id]))
        self._said = meanings.in_force(s, project_id)
        self._ids = revisions.question_ids(s, project_id) if self._said else {}
        self._meaning_as_now = cache(self._seen_as_now)
        self.asked = cache(lambda revision_id, key: self._question(revision_id, key) is not None)
        self.unchanged = cache(self._unchanged)
        self.same_kind = cache(self._same_kind)

    def _unchanged(self, revision_id: int, key: str) -> bool:
        """What coders see of the question means the same under that revision and now."""
        old = self._question(revision_id, key)
        return old is not None and _seen(old) in self._meaning_as_now(key)

    def _same_kind(self, revision_id: int, key: str) -> bool:
        """The question was asked under that revision, and is of the same kind now."""
        old = self._question(revision_id, key)
        return old is not None and old.kind == self._now.question(key).kind

    def _seen_as_now(self, key: str) -> set[object]:
        """All that coders saw of the question that means what they see now."""
        now = self._now.standalone(self._now.question(key))
        pairs = [(old, new) for said in self._of(key) if (old := self._there(said.earlier_id, key, now)) is not None
                 and (new := self._there(said.later_id, key, now)) is not None]  # fmt: skip
        reached = {_seen(now)}
        while more := {x for pair in pairs if reached & set(pair) for x in pair} - reached:
            reached |= more
        return reached

    def _of(self, key: str) -> Iterable[Meaning]:
        return (said for said in self._said if said.question_id == self._ids.get(key))

    def _there(self, revision_id: int, key: str, now: Question) -> object | None:
        """What coders saw of the question under the revision; None where no answer to that could answer it now."""
        old = self._question(revision_id, key)
        return _seen(old) if old is not None and not why_not_same(old, now) else None

    def _question(self, revision_id: int, key: str) -> Question | None:
        book: Codebook = self._book(revision_id)
        return next((book.standalone(q) for q in book.questions if q.id == key), None)
