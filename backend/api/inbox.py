"""One thread that commits events to the inbox: many waiting requests, one transaction, one sync to disk."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from backend.api.errors import Unavailable
from backend.corpus import event
from backend.faults import where
from db import inbox
from db.inbox import Event
from db.store import Store, StoreBusyError, chunks

log = logging.getLogger(__name__)
TOGETHER = 200  # requests committed at once
WAITING = 5000  # requests; more than that are turned away
ROWS = 1000  # of a transaction


@dataclass(frozen=True, slots=True)
class Arrival:
    """A webhook call: its action and body, and the projects it belongs to as (project id, ls_project id or None)."""

    action: str
    body: dict[str, Any]
    places: Sequence[tuple[int, int | None]]

    def events(self, s: Session) -> list[Event]:
        return [
            e for project, ls_project in self.places for e in event.cut(s, project, ls_project, self.action, self.body)
        ]


class InboxLane:
    """`put` returns when the event is on the disk. `poke` is called after each commit."""

    def __init__(self, store: Store, poke: Callable[[], None]) -> None:
        self._store, self._poke = store, poke
        self._queue: queue.Queue[tuple[Arrival, asyncio.Future[None]] | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._run, name="inbox", daemon=True)

    def start(self) -> None:
        self._thread.start()

    async def close(self) -> None:
        """End the thread after what waits is stored."""
        await asyncio.to_thread(self._queue.put, None)
        await asyncio.to_thread(self._thread.join)

    async def put(self, arrival: Arrival) -> None:
        """Commit the event. Unavailable when that cannot be done; then nothing of it is stored for sure."""
        future = asyncio.get_running_loop().create_future()
        try:
            self._queue.put_nowait((arrival, future))
        except queue.Full:
            raise _not_stored() from None
        await asyncio.shield(future)

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batch = [first]
            while len(batch) < TOGETHER:
                try:
                    following = self._queue.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    self._queue.put(None)
                    break
                batch.append(following)
            self._store_all(batch)

    def _store_all(self, batch: list[tuple[Arrival, asyncio.Future[None]]]) -> None:
        """Store all in one transaction; where that fails, each on its own, so that one cannot fail the others."""
        try:
            self._commit([arrival for arrival, _ in batch])
        except Exception as fault:  # noqa: BLE001 - the thread must go on
            if len(batch) > 1 and not isinstance(fault, StoreBusyError):
                for one in batch:
                    self._store_all([one])
                return
            log.error("An event could not be stored: %s", where(fault))
            _settle(batch, stored=False)
            return
        _settle(batch, stored=True)
        self._poke()

    def _commit(self, arrivals: Sequence[Arrival]) -> None:
        with self._store.inbox() as s:
            events = [e for arrival in arrivals for e in arrival.events(s)]
            parts = list(chunks(events, ROWS))
            inbox.append(s, parts[0])
        for part in parts[1:]:
            with self._store.inbox() as s:
                inbox.append(s, part)


def _settle(batch: list[tuple[Arrival, asyncio.Future[None]]], *, stored: bool) -> None:
    for _, future in batch:
        future.get_loop().call_soon_threadsafe(_tell, future, stored)


def _tell(future: asyncio.Future[None], stored: bool) -> None:
    if future.done():
        return
    if stored:
        future.set_result(None)
    else:
        future.set_exception(_not_stored())


def _not_stored() -> Unavailable:
    return Unavailable(
        "The event could not be stored.",
        "Look at the server's log and at the room on the disk; `socialite sync` fetches what was missed.",
    )
