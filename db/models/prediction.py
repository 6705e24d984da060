"""Raw scores, what was shown of them, and what was sent to Label Studio."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Row


class Prediction(Row):
    """Raw log-probabilities of a text on a question: little-endian float64, one a label, in the revision's order."""

    __tablename__ = "prediction"
    __table_args__ = (UniqueConstraint("text_id", "question_id", "scorer_id"), Index(None, "scorer_id", "question_id"))

    text_id: Mapped[int] = mapped_column(ForeignKey("text.id", ondelete="CASCADE"))
    question_id: Mapped[int] = mapped_column(ForeignKey("question.id", ondelete="CASCADE"))
    scorer_id: Mapped[int] = mapped_column(ForeignKey("scorer.id"))
    log_probabilities: Mapped[bytes] = mapped_column(LargeBinary)
    cut: Mapped[int] = mapped_column(default=0)  # tokens that did not fit


class Exposure(Row):
    """A suggestion that was handed out, or pushed, and so may have been seen: the stream is the plan, this the fact.

    The channel 'found' stands for predictions that were in Label Studio already when it was connected.
    """

    __tablename__ = "exposure"

    text_id: Mapped[int] = mapped_column(ForeignKey("text.id", ondelete="CASCADE"), index=True)
    release_id: Mapped[int] = mapped_column(ForeignKey("release.id"))
    ls_task_id: Mapped[int | None] = mapped_column(ForeignKey("ls_task.id", ondelete="CASCADE"), index=True)
    channel: Mapped[str]  # predict | interactive | push | found
    coder_id: Mapped[int | None] = mapped_column(ForeignKey("coder.id"))


class Push(Row):
    """A task that a release's suggestions were sent for; what makes pushing resumable."""

    __tablename__ = "push"
    __table_args__ = (UniqueConstraint("ls_task_id", "release_id"),)

    ls_task_id: Mapped[int] = mapped_column(ForeignKey("ls_task.id", ondelete="CASCADE"))
    release_id: Mapped[int] = mapped_column(ForeignKey("release.id"), index=True)
    score: Mapped[float]
    pushed_at: Mapped[datetime | None]
