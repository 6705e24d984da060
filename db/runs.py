"""Tuning runs, what the gate said of them, and the adapters they made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.base import now
from db.models import Adapter, GateDecision, Pointer, Release, Run, Scorer
from db.projects import locked

RUNNING, DONE, FAILED = "running", "done", "failed"


def begin(
    s: Session, project_id: int, snapshot_id: int | None, *, tuner: str, seed: int, parameters: dict[str, Any]
) -> tuple[Run, bool]:
    """A run of these labels in this way, and whether one that broke off goes on: it has the same labels and parameters.

    Nobody else may be running one. Others that broke off have failed.
    """
    same: Run | None = None
    for run in s.scalars(select(Run).where(Run.project_id == project_id, Run.state == RUNNING).order_by(Run.id)):
        if (run.snapshot_id, run.tuner, run.seed, run.parameters) == (snapshot_id, tuner, seed, parameters):
            same = run
        else:
            fail(s, run.id, "It broke off, and there were other labels or settings when the next one began.")
    if same is not None:
        return same, True
    run = Run(
        project_id=project_id,
        snapshot_id=snapshot_id,
        tuner=tuner,
        seed=seed,
        parameters=parameters,
        state=RUNNING,
    )
    s.add(run)
    s.flush()
    return run, False


def note(s: Session, run_id: int, **metrics: Any) -> None:
    """Add to what is known of a run."""
    run = s.get_one(Run, run_id)
    run.metrics = {**(run.metrics or {}), **metrics}


def finish(s: Session, run_id: int, adapter_id: int | None) -> None:
    run = s.get_one(Run, run_id)
    run.state, run.adapter_id, run.finished_at = DONE, adapter_id, now()
    run.metrics = {name: value for name, value in (run.metrics or {}).items() if name != "progress"}


def fail(s: Session, run_id: int, sentence: str) -> None:
    """The run did not work, for this reason; no text or token in it."""
    run = s.get_one(Run, run_id)
    run.state, run.error, run.finished_at = FAILED, sentence, now()


def last(s: Session, project_id: int, state: str = DONE) -> Run | None:
    """The project's newest run in this state."""
    query = select(Run).where(Run.project_id == project_id, Run.state == state)
    return s.scalar(query.order_by(Run.id.desc()).limit(1))


def looks(s: Session, project_id: int) -> int:
    """How often the gate labels were looked at."""
    return s.scalars(select(func.count(GateDecision.id)).where(GateDecision.project_id == project_id)).one()


def decide(s: Session, project_id: int, **decision: Any) -> GateDecision:
    """Keep a decision of the gate (the columns of `GateDecision`) under the next look number."""
    locked(s, project_id)
    made = GateDecision(project_id=project_id, look_number=looks(s, project_id) + 1, **decision)
    s.add(made)
    s.flush()
    return made


def adapter(s: Session, project_id: int, digest: str, path: str, manifest: dict[str, Any], parent: str) -> Adapter:
    """The project's adapter with this digest, remembered if new; `parent` is the digest it replaces, or ''."""
    found = s.scalar(select(Adapter).where(Adapter.digest == digest))
    if found is None:
        parent_id = s.scalar(select(Adapter.id).where(Adapter.digest == parent)) if parent else None
        found = Adapter(project_id=project_id, digest=digest, path=path, manifest=manifest, parent_id=parent_id)
        s.add(found)
        s.flush()
    return found


def adapters(s: Session, project_id: int) -> list[Adapter]:
    """The project's adapters, newest first."""
    return list(s.scalars(select(Adapter).where(Adapter.project_id == project_id).order_by(Adapter.id.desc())))


def retire(adapters: Sequence[Adapter]) -> None:
    """These are not to be used again."""
    for one in adapters:
        one.retired_at = now()


def pointed(s: Session, project_id: int) -> list[tuple[Pointer, Release, Scorer]]:
    """The log of which release was current, newest first."""
    query = (
        select(Pointer, Release, Scorer)
        .join(Release, Release.id == Pointer.release_id)
        .join(Scorer, Scorer.id == Release.scorer_id)
    )
    rows = s.execute(query.where(Pointer.project_id == project_id).order_by(Pointer.id.desc()))
    return [(row[0], row[1], row[2]) for row in rows]
