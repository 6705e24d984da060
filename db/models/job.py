"""Work to be done outside a request, and who is doing it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Row


class Job(Row):
    """A queued, running or finished piece of work: 'push', 'retrain', 'sync' ...

    A running job whose `holder` has no lease any more has crashed.
    """

    __tablename__ = "job"
    __table_args__ = (Index(None, "state", "id"),)

    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(default="queued")  # queued | running | done | failed
    payload: Mapped[dict[str, Any]]
    progress: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]
    message: Mapped[str | None]
    holder: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class Lease(Base):
    """The right to do one named thing, until it expires or is given back."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    acquired_at: Mapped[datetime]
    expires_at: Mapped[datetime]
