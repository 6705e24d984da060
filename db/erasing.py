"""Deleting a project with all that belongs to it, so that its texts are gone from the store's files, too."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Table, delete, exists, func, select, text, tuple_, update
from sqlalchemy.orm import Session

from db import owned
from db.base import now
from db.dialect import chunks
from db.errors import ProjectBusyError
from db.models import Adapter, Calibration, Job, Lease, Prediction, Project, Release, Run, Scorer
from db.projects import HIDDEN, by_key, locked
from db.store import Store

READ, STEP = 50_000, 500  # keys read at once; rows of a transaction
PATIENCE = 10.0  # seconds that others may still read what was deleted
Report = Callable[[int, int], None]


def counts(s: Session, project_id: int) -> dict[str, int]:
    """Table -> rows of it that belong to the project."""
    found = {}
    for table in owned.tables():
        query = select(func.count()).select_from(table).where(owned.of(table, project_id))
        found[table.name] = s.scalars(query).one()
    return found


def hide(store: Store, key: str) -> int:
    """The id of the project, which nobody sees from now on. ProjectBusyError while somebody works on it."""
    with store.writing() as s:
        project = locked(s, by_key(s, key).id)
        check_free(s, project)
        s.execute(delete(Job).where(Job.project_id == project.id, Job.state == "queued"))
        project.key, project.archived_at = hidden_key(key), project.archived_at or now()
        return project.id


def hidden_key(key: str) -> str:
    return f"{HIDDEN}{uuid4().hex[:8]}-{key}"


def key_of(project: Project) -> str:
    """The key that a hidden project had, or is to have."""
    return project.key.partition("-")[2] if project.key.startswith(HIDDEN) else project.key


def check_free(s: Session, project: Project) -> None:
    """ProjectBusyError while a job of the project runs, a command works on it, or a server answers for it."""
    live = Lease.expires_at > now()
    running = exists().where(Lease.holder == Job.holder, live)
    job = s.scalar(select(Job.kind).where(Job.project_id == project.id, Job.state == "running", running).limit(1))
    named = (Lease.name.endswith(f"-{project.id}", autoescape=True), ~Lease.name.startswith("job-"), live)
    work = s.scalar(select(Lease.name).where(*named).limit(1))
    if job or work:
        raise ProjectBusyError(
            f"A job of the project '{project.key}' is running ({job or str(work).partition('-')[0]}). Wait for it to "
            "end, or stop it (a program that was killed is given up after a minute), and try again."
        )
    if project.archived_at is None and s.scalar(select(Lease.name).where(Lease.name == "worker", live)):
        raise ProjectBusyError(
            f"`socialite serve` answers for the project '{project.key}' just now. Archive it first (`socialite project "
            f"archive {project.key}`), or stop the server."
        )


def erase(store: Store, project_id: int, report: Report, *, keep_adapters: bool = False) -> None:
    """Delete a hidden project's rows, at most 1,000 a transaction; what others use stays. It can be broken off, and
    called again.
    """
    with store.reading() as s:
        total = sum(counts(s, project_id).values())
    done = 0
    for table in reversed(owned.tables()):
        if table.name == "project":
            with store.writing() as s:
                _let_adapters_go(s, project_id, keep=keep_adapters)
        while keys := _keys(store, table, project_id):
            for part in chunks(keys, STEP):
                done += _delete(store, table, part)
                report(done, max(total, done))
    with store.writing() as s:
        _drop_unused(s)


def _keys(store: Store, table: Table, project_id: int) -> Sequence[tuple[int, ...]]:
    """Primary keys of the project's rows, the newest first: a row may refer to an older one."""
    newest = [column.desc() for column in table.primary_key.columns]
    query = select(*table.primary_key.columns).where(owned.of(table, project_id)).order_by(*newest).limit(READ)
    with store.reading() as s:
        return [tuple(row) for row in s.execute(query)]


def _delete(store: Store, table: Table, keys: Sequence[tuple[int, ...]]) -> int:
    with store.writing() as s:
        if store.file:
            s.connection().exec_driver_sql("PRAGMA secure_delete=ON")
        s.execute(delete(table).where(tuple_(*table.primary_key.columns).in_(keys)))
    return len(keys)


def elsewhere(s: Session, adapter: Adapter, project_id: int) -> int | None:
    """Another project that the adapter answers, or was made in; None when there is none."""
    served = select(Release.project_id).join(Scorer, Scorer.id == Release.scorer_id)
    serving = served.where(Scorer.adapter_digest == adapter.digest, Release.project_id != project_id)
    made = select(Run.project_id).where(Run.adapter_id == adapter.id, Run.project_id != project_id)
    return s.scalar(serving.limit(1)) or s.scalar(made.limit(1))


def _let_adapters_go(s: Session, project_id: int, *, keep: bool) -> None:
    """The project's adapters go to who uses them, or to nobody where they are kept; the others go."""
    mine = select(Adapter).where(Adapter.project_id == project_id).order_by(Adapter.id.desc())
    for adapter in s.scalars(mine).all():
        user = elsewhere(s, adapter, project_id)
        if user is not None or keep:
            adapter.project_id = user
            continue
        s.execute(update(Adapter).where(Adapter.parent_id == adapter.id).values(parent_id=None))
        s.delete(adapter)
        s.flush()


def _drop_unused(s: Session) -> None:
    """Scorers that nothing was scored or released by any more, and their calibrations."""
    used = exists().where(Release.scorer_id == Scorer.id) | exists().where(Prediction.scorer_id == Scorer.id)
    unused = list(s.scalars(select(Scorer.id).where(~used)))
    s.execute(delete(Calibration).where(Calibration.scorer_id.in_(unused)))
    s.execute(delete(Scorer).where(Scorer.id.in_(unused)))


def wipe(store: Store) -> bool:
    """Write the store's file anew without what was deleted; False where others still read the old state of it."""
    if store.file is None:
        with store.outside() as connection:
            connection.execute(text("VACUUM"))
        return True
    with closing(sqlite3.connect(store.file, timeout=PATIENCE, isolation_level=None)) as connection:
        connection.execute("VACUUM")
        until = time.monotonic() + PATIENCE
        while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            if time.monotonic() > until:
                return False
            time.sleep(0.1)
    return True


def copies(store: Store) -> list[Path]:
    """Copies of the store's file that were made before its tables were upgraded: they hold what it held then."""
    if store.file is None:
        return []
    return sorted(store.file.parent.glob(f"{store.file.stem}-*-*Z{store.file.suffix}"))
