"""A project of made-up texts that was coded, through the events that Label Studio would have sent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from backend.corpus import event
from backend.settings import Settings
from backend.worker import Worker
from db import inbox, projects
from db.store import Store
from scripts.bench.material import LS_CREATED
from scripts.team import messages, place
from scripts.team.place import LabelStudioProject, Place
from scripts.team.plan import Plan
from tests.moods import task

PLAN = Plan(audit_share=0.5)


def project(store: Store, settings: Settings, texts: int) -> Place:
    """Half of the texts audited by two coders, the others coded by one, without suggestions; all say the truth."""
    moods = task(texts, 0)
    made = place.made(store, moods, moods.train, PLAN, seed=1, number=0)
    told(store, made.audit, blind(made, range(len(made.audit.tasks) * PLAN.blind)))
    told(store, made.assisted, coded(made, made.assisted.tasks))
    apply(store, settings)
    return made


def blind(made: Place, numbers: Iterable[int]) -> list[dict[str, Any]]:
    """The audit's events, each text by as many coders as the plan says."""
    tasks = list(made.audit.tasks)
    return [_created(made, made.audit, 1 + n, tasks[n // PLAN.blind], user=1 + n % PLAN.blind) for n in numbers]


def coded(made: Place, tasks: Iterable[int]) -> list[dict[str, Any]]:
    return [_created(made, made.assisted, 100_000 + n, n, user=1) for n in tasks]


def _created(made: Place, of: LabelStudioProject, number: int, task_id: int, user: int) -> dict[str, Any]:
    (question,) = made.codebook.questions
    result = messages.blind(made.codebook, question, of.tasks[task_id][1])
    return messages.created(of, annotation=number, task=task_id, user=user, result=result)


def told(store: Store, of: LabelStudioProject, events: Iterable[dict[str, Any]]) -> None:
    """Keep the events as the server does."""
    with store.inbox() as s:
        row = projects.ls_project(s, ls_id=of.ls_id, ls_created=LS_CREATED)
        assert row is not None
        for body in events:
            inbox.append(s, event.cut(s, row.project_id, row.id, body["action"], body))


def apply(store: Store, settings: Settings) -> None:
    worker = Worker(store, settings)
    while worker.apply_waiting():
        continue
