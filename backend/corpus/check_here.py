"""Checks of this side: settings, store, engine, the worker, and what waits."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from backend.corpus.finding import Finding, Findings, Level
from db import counts
from db.base import now
from db.models import Lease
from db.store import Store, StoreError, open_store

if TYPE_CHECKING:
    from backend.engines.protocol import Engine
    from backend.settings import Settings

ROOM = 1 << 30  # bytes that should be free where the store lies
PATIENCE = timedelta(minutes=1)  # that an event may wait
SERVE = "Start `socialite serve`, which runs it."


def check_store(settings: Settings) -> tuple[Store | None, list[Finding]]:
    """The store, opened, and what was found; None where it cannot be used."""
    try:
        store = open_store(settings.database_url)
        with store.writing() as s:
            s.execute(select(1))
    except StoreError as error:
        return None, [Finding("store", Level.FAIL, "The store cannot be used.", str(error))]
    except (OSError, SQLAlchemyError) as error:
        cure = "Check the disk, the folder's permissions, and SOCIALITE_HOME or SOCIALITE_DATABASE_URL."
        return None, [Finding("store", Level.FAIL, f"The store cannot be opened ({type(error).__name__}).", cure)]
    found = [Finding("store", Level.OK, f"The store can be read and written: {_where(store)}.")]
    if store.file:
        found += _room(store.file)
    return store, found


def _where(store: Store) -> str:
    return str(store.file) if store.file else "a PostgreSQL database"


def _room(file: Path) -> list[Finding]:
    free = shutil.disk_usage(file.parent).free
    if free >= ROOM:
        return []
    said = f"Only {free / (1 << 20):,.0f} MiB are free on the disk of the store."
    return [Finding("disk", Level.WARN, said, "Make room: a full disk loses corrections.")]


def check_engine(settings: Settings) -> tuple[Engine | None, Finding]:
    """The engine that `serve` would use, its weights verified."""
    from backend.engines.choice import choose, resolved
    from backend.engines.protocol import EngineError

    try:
        engine = choose(settings, ready=resolved(settings)[0] == "encoder")  # others are large, or elsewhere
        identity = engine.identity
    except EngineError as error:
        return None, Finding("engine", Level.FAIL, "The engine cannot be used.", str(error))
    said = f"The engine '{identity.engine}' is there: {identity.base}, weights {identity.digest[:12]}."
    return engine, Finding("engine", Level.OK, said)


def check_access(settings: Settings) -> Finding:
    """Where `serve` listens, and who may call."""
    from backend.corpus.reach import is_loopback

    if settings.basic_user:
        return Finding("access", Level.OK, "Label Studio has to send a user and a password.")
    if is_loopback(settings.host):
        return Finding("access", Level.OK, f"The server listens on {settings.host}, which only this machine reaches.")
    cure = "Set SOCIALITE_BASIC_USER and SOCIALITE_BASIC_PASSWORD, and run `socialite connect` again."
    return Finding("access", Level.FAIL, f"The server would listen on {settings.host} without credentials.", cure)


def check_worker(store: Store, key: str | None) -> Findings:
    """Whether somebody applies the events, and whether any were given up."""
    with store.reading() as s:
        lease = s.get(Lease, "worker")
        projects = counts.status(s, key)
    alive = lease is not None and lease.expires_at > now()
    for one in projects:
        late = one.last_event_at is not None and now() - one.last_event_at > PATIENCE
        if one.inbox_failed:
            yield Finding(
                "events",
                Level.FAIL,
                f"{one.inbox_failed:,} events could not be applied.",
                f"Run `socialite sync --project {one.key}`: it reads the same from Label Studio itself.",
                one.key,
            )
        elif one.inbox_waiting and (late or not alive):
            said = f"{one.inbox_waiting:,} events wait, and {'nobody applies them' if not alive else 'are late'}."
            yield Finding("events", Level.WARN, said, SERVE, one.key)
        else:
            last = (
                f"the last came at {one.last_event_at:%Y-%m-%d %H:%M} UTC" if one.last_event_at else "none has come yet"
            )
            yield Finding("events", Level.OK, f"All events are applied; {last}.", "", one.key)
    if not alive:
        yield Finding("worker", Level.WARN, "No worker runs on this store.", SERVE)
