"""The events of a project that wait in the inbox, applied here and now."""

from __future__ import annotations

import logging

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from backend.corpus.inbox import NotAppliedError, apply
from backend.faults import sentence, where
from db import inbox
from db.models import Inbox
from db.store import Store, StoreBusyError

log = logging.getLogger(__name__)


def apply_waiting(store: Store, project_id: int) -> tuple[int, int]:
    """Apply what waits, oldest first, also what was given up: (events applied, events that could not be).

    A worker that does the same meanwhile does no harm.
    """
    query = select(Inbox.id).where(Inbox.project_id == project_id, Inbox.applied_at.is_(None)).order_by(Inbox.id)
    with store.reading() as s:
        waiting = list(s.scalars(query))
    results = [_applied(store, number) for number in waiting]
    return sum(results), len(results) - sum(results)


def _applied(store: Store, number: int) -> bool:
    """Whether the event is dealt with now; if not, why is noted with it."""
    try:
        with store.writing() as s:
            row = s.get_one(Inbox, number, populate_existing=True)
            if row.applied_at is None:
                apply(s, row, push=True)
    except (StoreBusyError, OperationalError):
        raise
    except Exception as fault:  # noqa: BLE001 - whatever an event does, the next one is applied
        if not isinstance(fault, NotAppliedError):
            log.error("Event %s could not be applied: %s", number, where(fault))
        with store.writing() as s:
            inbox.failed(s, number, sentence(fault))
        return False
    return True
