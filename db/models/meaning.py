"""What people said of changes of the codebook."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Row


class Meaning(Row):
    """A log. Somebody said that a question means the same under two revisions of the codebook, or, where `unchanged`
    is not set, took that back.
    """

    __tablename__ = "meaning"

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    question_id: Mapped[int] = mapped_column(ForeignKey("question.id", ondelete="CASCADE"))
    earlier_id: Mapped[int] = mapped_column(ForeignKey("codebook_revision.id", ondelete="CASCADE"))
    later_id: Mapped[int] = mapped_column(ForeignKey("codebook_revision.id", ondelete="CASCADE"))
    unchanged: Mapped[bool]
    by: Mapped[str]
    reason: Mapped[str]
