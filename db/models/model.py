"""Adapters, scorers, calibrations, releases, and the log of which release was current."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Row


class Adapter(Row):
    """A tuned adapter's directory; the files are never overwritten."""

    __tablename__ = "adapter"

    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"))
    digest: Mapped[str] = mapped_column(unique=True)
    path: Mapped[str]
    manifest: Mapped[dict[str, Any]]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("adapter.id"))
    retired_at: Mapped[datetime | None]


class Scorer(Row):
    """Everything that determines raw log-probabilities. `adapter_digest` is '' for the zero-shot scorer."""

    __tablename__ = "scorer"
    __table_args__ = (
        UniqueConstraint(
            "engine",
            "base_digest",
            "adapter_digest",
            "prompt_hash",
            "scoring_hash",
            "dtype",
            "method",
            name="uq_scorer_identity",
        ),
    )

    engine: Mapped[str]
    base: Mapped[str]  # the model's name, for people
    base_digest: Mapped[str]
    adapter_digest: Mapped[str] = mapped_column(default="")
    prompt_hash: Mapped[str]
    scoring_hash: Mapped[str]
    dtype: Mapped[str]
    method: Mapped[str]


class Calibration(Row):
    """How a scorer's raw log-probabilities are read, by question key. Applied on read, never stored in predictions."""

    __tablename__ = "calibration"
    __table_args__ = (UniqueConstraint("scorer_id", "version"),)

    scorer_id: Mapped[int] = mapped_column(ForeignKey("scorer.id"))
    version: Mapped[int]
    parameters: Mapped[dict[str, Any]]


class Release(Row):
    """What is served: scorer + calibration + order policy. `name` is the `model_version` that Label Studio sees."""

    __tablename__ = "release"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    name: Mapped[str]
    scorer_id: Mapped[int] = mapped_column(ForeignKey("scorer.id"))
    calibration_id: Mapped[int | None] = mapped_column(ForeignKey("calibration.id"))
    revision_id: Mapped[int] = mapped_column(ForeignKey("codebook_revision.id"))
    order_policy: Mapped[str]


class Pointer(Row):
    """A log: from `created_at` on, this release was the project's current one. Rollback is a new row."""

    __tablename__ = "pointer"

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    release_id: Mapped[int] = mapped_column(ForeignKey("release.id"))
    by: Mapped[str]
    reason: Mapped[str]
