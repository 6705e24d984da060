"""The cards that a project's runs have kept."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from backend.learning.card import Card, CardError, from_plain
from db.models import GateDecision, Pointer, Project, Run

KEY = "card"  # of `Run.metrics`


@dataclass(frozen=True, slots=True)
class Kept:
    """A run's card; `served` says that its challenger was the project's release at some time, whoever decided that."""

    card: Card
    served: bool


def kept(s: Session, project: Project) -> list[Kept]:
    """The cards of all finished runs, the oldest first. CardError where one cannot be read."""
    pointed = exists().where(
        GateDecision.run_id == Run.id,
        Pointer.project_id == Run.project_id,
        Pointer.release_id == GateDecision.challenger_id,
    )
    query = select(Run.metrics, pointed).where(Run.project_id == project.id, Run.state == "done").order_by(Run.id)
    rows = s.execute(query).all()
    return [Kept(from_plain(metrics[KEY]), served) for metrics, served in rows if metrics and KEY in metrics]


def card_of(s: Session, project: Project, run_id: int | None = None) -> Card:
    """The card of a run, or of the last run that has one; CardError says why there is none, and what there is."""
    query = select(Run.id, Run.state, Run.metrics).where(Run.project_id == project.id).order_by(Run.id.desc())
    runs = {found: (state, (metrics or {}).get(KEY)) for found, state, metrics in s.execute(query)}
    having = {found: card for found, (_, card) in runs.items() if card}
    if run_id is None and having:
        run_id = max(having)
    if run_id in having:
        return from_plain(having[run_id])
    there = f" Runs with a card: {', '.join(map(str, sorted(having)))}." if having else ""
    if run_id is None:
        raise CardError(
            f"No run of '{project.key}' has finished yet, so there is no card. "
            f"`socialite retrain --project {project.key}` starts one."
        )
    if run_id not in runs:
        raise CardError(f"'{project.key}' has no run {run_id}.{there}")
    raise CardError(f"Run {run_id} of '{project.key}' has no card: it is {runs[run_id][0]}.{there}")
