"""Texts, the rows and tasks they come in, and the stream each was drawn into."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Row


class Text(Row):
    """A distinct text, or pair, of a project. `content_hash` is the sha256 of the NFC-normalised fields.

    `group_key` ties texts that must stay together because a person said so. `cluster` is the id of the text that
    stands for all that are tied, by group or as near-duplicates: one cluster has one stream.
    """

    __tablename__ = "text"
    __table_args__ = (UniqueConstraint("project_id", "content_hash"),)

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    content_hash: Mapped[str]
    group_key: Mapped[str | None] = mapped_column(index=True)
    cluster: Mapped[int | None] = mapped_column(index=True)


class TextBody(Base):
    """The words of a text, one string a field; erasable without touching what was concluded from them."""

    __tablename__ = "text_body"

    text_id: Mapped[int] = mapped_column(ForeignKey("text.id", ondelete="CASCADE"), primary_key=True)
    fields: Mapped[list[str] | None]
    erased_at: Mapped[datetime | None]


class Unit(Row):
    """A row of a corpus. Two rows may share a text. `source` is a file's name, or 'label-studio'."""

    __tablename__ = "unit"
    __table_args__ = (UniqueConstraint("project_id", "source", "external_id"),)

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    text_id: Mapped[int] = mapped_column(ForeignKey("text.id", ondelete="CASCADE"), index=True)
    source: Mapped[str]
    external_id: Mapped[str]
    row: Mapped[int | None]
    other: Mapped[dict[str, Any] | None]  # the row's other columns


class LsTask(Row):
    """A Label Studio task that shows a unit."""

    __tablename__ = "ls_task"
    __table_args__ = (UniqueConstraint("ls_project_id", "task_id"),)

    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id", ondelete="CASCADE"), index=True)
    ls_project_id: Mapped[int] = mapped_column(ForeignKey("ls_project.id", ondelete="CASCADE"))
    task_id: Mapped[int]
    deleted_at: Mapped[datetime | None]


class Draw(Row):
    """A random permutation of the clusters that were eligible at one time: a completed prefix has probability n/N.

    Carried on later, `audit` and `control` count the stretches of both times.
    """

    __tablename__ = "draw"
    __table_args__ = (UniqueConstraint("project_id", "number"),)

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    number: Mapped[int]
    seed: Mapped[int]
    population: Mapped[int]  # clusters permuted
    audit: Mapped[int]  # clusters in the audit prefix
    control: Mapped[int]  # clusters in the control stretch behind it


class Placement(Base):
    """The stream of a text. It changes only from work to audit or control, where a draw is carried on from the rank it
    had come to. No draw and no rank: the text was shown before a draw could include it.
    """

    __tablename__ = "placement"

    text_id: Mapped[int] = mapped_column(ForeignKey("text.id", ondelete="CASCADE"), primary_key=True)
    draw_id: Mapped[int | None] = mapped_column(ForeignKey("draw.id", ondelete="CASCADE"), index=True)
    rank: Mapped[int | None]  # 0-based rank of the text's cluster in the permutation
    stream: Mapped[str]  # audit | control | work
    role: Mapped[str | None]  # gate | test, for audit texts
    placed_at: Mapped[datetime]
