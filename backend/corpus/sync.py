"""The store against what Label Studio holds: what never arrived is recorded, what vanished is buried, and the ways
between the two are put in order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from backend.alone import alone
from backend.corpus import comparing
from backend.corpus.label_studio import GoneError, LabelStudio, created_at
from backend.corpus.label_studio_errors import LabelStudioError
from backend.corpus.mending import mend
from backend.corpus.repairs import Repairs
from backend.corpus.servers import client_for
from backend.corpus.waiting import apply_waiting
from db import jobs, projects
from db.models import LsProject, Project
from db.projects import ADJUDICATION
from db.store import Store

if TYPE_CHECKING:
    from backend.settings import Settings
    from db.models import Job

Report = Callable[[int, int], None]
Seen = dict[int, datetime]  # id of an LsProject -> when, by Label Studio's clock, a task of it had changed last
SEEN = "seen"  # where a finished job keeps it
GONE = "The {} project {} is not in Label Studio at {} any more, so it was not compared; what it held stays here."
FAILED = "{:,} events could not be applied; what they told of was compared all the same."


class SyncBusyError(Exception):
    """Somebody else compares this project with Label Studio just now (`socialite serve` does so by itself). Wait, and
    look at `socialite status`.
    """

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def run(store: Store, settings: Settings, job: Job) -> str:
    """The job 'sync' of a project."""
    assert job.project_id is not None

    def report(done: int, total: int) -> None:
        with store.writing() as s:
            jobs.progress(s, job.id, done, total)

    with store.reading() as s:
        project = s.get_one(Project, job.project_id)
    with client_for(store, settings, project.id) as client:
        return str(sync_project(store, client, project, job.id, report))


def sync_project(
    store: Store, client: LabelStudio, project: Project, job_id: int, report: Report, *, everything: bool = False
) -> Repairs:
    """Apply what waits, put the webhooks in order, and compare. SyncBusyError while another process does.

    Tasks that have not changed since the last time are passed over, unless `everything` is asked for. The job keeps how
    far this one saw.
    """
    with alone(store, f"sync-{project.id}", SyncBusyError()) as check:

        def reported(done: int, total: int) -> None:
            check()
            report(done, total)

        with store.reading() as s:
            rows = projects.ls_projects(s, project.id)
            seen = _seen(jobs.last(s, "sync", project.id))
        repairs = Repairs()
        repairs.events, failed = apply_waiting(store, project.id)
        repairs.add(mend(store, client, project.key, _there(client, rows)))
        repairs.add(sync_all(store, client, rows, reported, seen=seen, everything=everything))
        if failed:  # an answer may have come before its task
            applied, failed = apply_waiting(store, project.id)
            repairs.events += applied
        if failed:
            repairs.remarks.append(FAILED.format(failed))
        with store.writing() as s:
            jobs.note(s, job_id, {SEEN: {str(row): time.isoformat() for row, time in seen.items()}})
    return repairs


def sync_all(
    store: Store,
    client: LabelStudio,
    rows: Sequence[LsProject],
    report: Report,
    *,
    seen: Seen | None = None,
    everything: bool = False,
) -> Repairs:
    """Compare these Label Studio projects with the store, and repair the store. `seen` is brought up to date.

    One that is not in Label Studio any more is left as it is; LabelStudioError when that is true of all. An
    adjudication project that was deleted, as it may be when all is decided, is not worth a word.
    """
    seen = {} if seen is None else seen
    there = _there(client, rows)
    repairs = Repairs()
    gone = [row for row in rows if row not in there and row.role != ADJUDICATION]
    repairs.remarks += [
        GONE.format(row.role, row.ls_id, client.url) for row in gone if comparing.holds_tasks(store, row)
    ]
    if gone and not there:
        raise LabelStudioError(GONE.format(gone[-1].role, gone[-1].ls_id, client.url))
    for row in there:
        found, changed = comparing.compare(store, client, row, report, since=seen.get(row.id), everything=everything)
        repairs.add(found)
        if changed is not None:
            seen[row.id] = changed
    return repairs


def _seen(job: Job | None) -> Seen:
    held = (job.payload if job else {}).get(SEEN, {})
    return {int(row): datetime.fromisoformat(time) for row, time in held.items()}


def _there(client: LabelStudio, rows: Sequence[LsProject]) -> list[LsProject]:
    """Those that are still in Label Studio; the id of one may be another's by now."""
    return [row for row in rows if _is_there(client, row)]


def _is_there(client: LabelStudio, row: LsProject) -> bool:
    try:
        return created_at(client.project(row.ls_id)) == row.ls_created
    except GoneError:
        return False
