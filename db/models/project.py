"""Projects, and the Label Studio projects that serve them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Row


class LsServer(Row):
    """A Label Studio server, by its normalised URL."""

    __tablename__ = "ls_server"

    url: Mapped[str] = mapped_column(unique=True)


class Project(Row):
    """One coding project: a codebook, a corpus, and the Label Studio projects that serve it, one of each role."""

    __tablename__ = "project"

    key: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    seed: Mapped[int]
    sampling_design: Mapped[dict[str, Any]]  # {"audit": n, "control": n, "coders": k}
    gold_rule: Mapped[str] = mapped_column(default="majority")
    phase: Mapped[str] = mapped_column(default="production")  # training | pilot | production
    archived_at: Mapped[datetime | None]


class LsProject(Row):
    """A project on a Label Studio server.

    Label Studio uses ids again after a reset, so the time it gave the project (`ls_created`, Unix seconds) belongs to
    the key. `secret_hash` is the sha256 of the header secret that its webhook sends; the secret itself is only in
    Label Studio.
    """

    __tablename__ = "ls_project"
    __table_args__ = (UniqueConstraint("server_id", "ls_id", "ls_created"),)

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    server_id: Mapped[int] = mapped_column(ForeignKey("ls_server.id"))
    ls_id: Mapped[int] = mapped_column(index=True)
    ls_created: Mapped[int]
    role: Mapped[str]  # assisted | audit | adjudication | imported (in no Label Studio: see db.projects)
    secret_hash: Mapped[str | None]
    backend_id: Mapped[int | None]  # Label Studio's id of the ML backend row
    webhook_id: Mapped[int | None]
