"""Codebook revisions; questions and labels whose ids outlive them."""

from __future__ import annotations

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Row


class CodebookRevision(Row):
    """A state of a project's codebook. `content_hash` changes with any edit, `scoring_hash` with what a model sees."""

    __tablename__ = "codebook_revision"
    __table_args__ = (UniqueConstraint("project_id", "content_hash"), UniqueConstraint("project_id", "number"))

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    number: Mapped[int]
    content_hash: Mapped[str]
    scoring_hash: Mapped[str] = mapped_column(index=True)
    xml: Mapped[str]
    yaml: Mapped[str]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("codebook_revision.id"))


class CodebookUse(Row):
    """A log.

    From `created_at` on, this revision was the project's codebook. Going back to an earlier one is a new row.
    """

    __tablename__ = "codebook_use"

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    revision_id: Mapped[int] = mapped_column(ForeignKey("codebook_revision.id", ondelete="CASCADE"))


class Question(Row):
    """A question of a project; `key` is the codebook's stable question id."""

    __tablename__ = "question"
    __table_args__ = (UniqueConstraint("project_id", "key"),)

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    key: Mapped[str]


class Label(Row):
    """A label of a question; `key` is the codebook's stable label id."""

    __tablename__ = "label"
    __table_args__ = (UniqueConstraint("question_id", "key"),)

    question_id: Mapped[int] = mapped_column(ForeignKey("question.id", ondelete="CASCADE"))
    key: Mapped[str]
