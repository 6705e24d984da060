"""What people answered: the inbox of events, answers with all their versions, and deletions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Row


class Inbox(Row):
    """An event as received (`created_at`), cut to the fields that are needed.

    `event_key` names the same event sent twice; None for events that may repeat. `project_id` is None when the event
    came to the root and belongs to no project known yet.
    """

    __tablename__ = "inbox"
    __table_args__ = (UniqueConstraint("project_id", "event_key"), Index(None, "applied_at"))

    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    kind: Mapped[str]
    event_key: Mapped[str | None]
    body: Mapped[dict[str, Any]]
    body_hash: Mapped[str]
    applied_at: Mapped[datetime | None]
    error: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)


class Coder(Row):
    """A person who codes, by Label Studio user id; reports show the pseudonym."""

    __tablename__ = "coder"
    __table_args__ = (
        UniqueConstraint("project_id", "server_id", "ls_user"),
        UniqueConstraint("project_id", "pseudonym"),
    )

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    server_id: Mapped[int] = mapped_column(ForeignKey("ls_server.id"))
    ls_user: Mapped[int]
    pseudonym: Mapped[str]


class Answer(Row):
    """One annotation in Label Studio. What it says is in its versions; that it was deleted is in `Tombstone`.

    Keyed by the Label Studio project, not by the server alone: annotation ids start again after a server's reset.
    """

    __tablename__ = "answer"
    __table_args__ = (UniqueConstraint("ls_project_id", "annotation_id"),)

    ls_project_id: Mapped[int] = mapped_column(ForeignKey("ls_project.id", ondelete="CASCADE"))
    annotation_id: Mapped[int]
    ls_task_id: Mapped[int] = mapped_column(ForeignKey("ls_task.id", ondelete="CASCADE"), index=True)
    coder_id: Mapped[int | None] = mapped_column(ForeignKey("coder.id"))
    answered_at: Mapped[datetime]  # Label Studio's created_at


class AnswerVersion(Row):
    """What an answer said from `updated_at` on. The version with the latest `updated_at` is the current one.

    `text_id` is the text that the coder saw: a task's text may be edited later.
    """

    __tablename__ = "answer_version"
    __table_args__ = (UniqueConstraint("answer_id", "updated_at"),)

    answer_id: Mapped[int] = mapped_column(ForeignKey("answer.id", ondelete="CASCADE"))
    updated_at: Mapped[datetime]
    text_id: Mapped[int] = mapped_column(ForeignKey("text.id", ondelete="CASCADE"), index=True)
    via: Mapped[str]  # webhook | sync | import
    revision_id: Mapped[int] = mapped_column(ForeignKey("codebook_revision.id"))
    phase: Mapped[str]
    origin: Mapped[str]  # human | kept | changed | bulk | imported | adjudicated
    ground_truth: Mapped[bool]
    cancelled: Mapped[bool]
    lead_time: Mapped[float | None]  # seconds
    release_id: Mapped[int | None] = mapped_column(ForeignKey("release.id"))  # of the suggestion it started from
    notes: Mapped[dict[str, Any] | None]
    problems: Mapped[list[str] | None]


class AnswerValue(Row):
    """One chosen label, or the number, of a version; several rows for multiple choice."""

    __tablename__ = "answer_value"
    __table_args__ = (UniqueConstraint("version_id", "question_id", "label_id"),)

    version_id: Mapped[int] = mapped_column(ForeignKey("answer_version.id", ondelete="CASCADE"))
    question_id: Mapped[int] = mapped_column(ForeignKey("question.id", ondelete="CASCADE"))
    label_id: Mapped[int | None] = mapped_column(ForeignKey("label.id", ondelete="CASCADE"))
    number: Mapped[float | None]
    origin: Mapped[str]  # human | kept | changed | imported


class Tombstone(Row):
    """An annotation that was deleted in Label Studio. It may arrive before the annotation itself."""

    __tablename__ = "tombstone"
    __table_args__ = (UniqueConstraint("ls_project_id", "annotation_id"),)

    ls_project_id: Mapped[int] = mapped_column(ForeignKey("ls_project.id", ondelete="CASCADE"))
    annotation_id: Mapped[int]
    via: Mapped[str]
