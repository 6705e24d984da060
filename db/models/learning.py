"""What a model was tuned on, how it ran, and what the gate said."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Row


class Snapshot(Row):
    """The frozen labels of a run; `hash` is the sha256 of its items."""

    __tablename__ = "snapshot"
    __table_args__ = (UniqueConstraint("project_id", "hash"),)

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    hash: Mapped[str]
    revision_id: Mapped[int] = mapped_column(ForeignKey("codebook_revision.id"))
    rule: Mapped[dict[str, Any]]


class SnapshotItem(Base):
    """The accepted value of a text on a question, as it was when the labels were frozen."""

    __tablename__ = "snapshot_item"

    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshot.id", ondelete="CASCADE"), primary_key=True)
    text_id: Mapped[int] = mapped_column(ForeignKey("text.id", ondelete="CASCADE"), primary_key=True, index=True)
    question_id: Mapped[int] = mapped_column(ForeignKey("question.id", ondelete="CASCADE"), primary_key=True)
    value: Mapped[dict[str, Any]]
    split: Mapped[str]  # train | validation


class Run(Row):
    """One tuning run."""

    __tablename__ = "run"

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    snapshot_id: Mapped[int | None] = mapped_column(ForeignKey("snapshot.id"))
    adapter_id: Mapped[int | None] = mapped_column(ForeignKey("adapter.id"))
    tuner: Mapped[str]
    seed: Mapped[int]
    parameters: Mapped[dict[str, Any]]
    metrics: Mapped[dict[str, Any] | None]
    state: Mapped[str]  # running | done | failed
    error: Mapped[str | None]
    finished_at: Mapped[datetime | None]


class GateDecision(Row):
    """Challenger against champion on the gate labels: difference in points of macro F1, its bounds, and the outcome."""

    __tablename__ = "gate_decision"
    __table_args__ = (UniqueConstraint("project_id", "look_number"),)

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))
    challenger_id: Mapped[int] = mapped_column(ForeignKey("release.id"))
    champion_id: Mapped[int] = mapped_column(ForeignKey("release.id"))
    look_number: Mapped[int]
    n: Mapped[int]
    delta: Mapped[float]
    lower: Mapped[float]
    upper: Mapped[float]
    outcome: Mapped[str]  # promote | keep | undecided
    details: Mapped[dict[str, Any]]


class Look(Row):
    """An opening of the test labels, under one codebook revision and one release."""

    __tablename__ = "look"

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    revision_id: Mapped[int] = mapped_column(ForeignKey("codebook_revision.id"))
    release_id: Mapped[int] = mapped_column(ForeignKey("release.id"))
    by: Mapped[str]
    reason: Mapped[str]
