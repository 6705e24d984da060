"""Events as Label Studio sent them, kept until they are applied."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from db.base import now
from db.dialect import insert_new
from db.models import Inbox
from db.projects import hidden

ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Event:
    """One event, cut to the needed fields.

    Equal `event_key`s in a project are one event; None is a new one each time.
    """

    project_id: int | None
    kind: str
    event_key: str | None
    body: dict[str, Any]


def append(s: Session, events: Sequence[Event]) -> int:
    """Store the events that are new; how many were."""
    rows = [
        {
            "project_id": event.project_id,
            "kind": event.kind,
            "event_key": event.event_key,
            "body": event.body,
            "body_hash": hashlib.sha256(json.dumps(event.body, sort_keys=True).encode()).hexdigest(),
        }
        for event in events
    ]
    return insert_new(s, Inbox, rows)


def pending(s: Session, limit: int) -> list[Inbox]:
    """The oldest events still to be applied, in the order of arrival; those that failed five times are left out.

    So are those of projects that are being deleted or restored.
    """
    whole = or_(Inbox.project_id.is_(None), Inbox.project_id.not_in(hidden()))
    query = select(Inbox).where(Inbox.applied_at.is_(None), Inbox.attempts < ATTEMPTS, whole)
    return list(s.scalars(query.order_by(Inbox.id).limit(limit)))


def applied(s: Session, inbox_id: int) -> None:
    """The event is dealt with; belongs in the transaction that wrote what came of it."""
    s.execute(update(Inbox).where(Inbox.id == inbox_id).values(applied_at=now(), error=None))


def failed(s: Session, inbox_id: int, error: str) -> None:
    """The event could not be applied.

    `error` says why in a sentence without texts or tokens. It will be tried again.
    """
    s.execute(update(Inbox).where(Inbox.id == inbox_id).values(error=error, attempts=Inbox.attempts + 1))
