"""Suggestions for the tasks that Label Studio asks about: one for each task, in order, whatever happens.

A request goes from the event loop to the store's thread (`desk`), from there, for texts without scores, to the
inference thread (`batcher`) and back, and then to the event loop again. Neither waits for the loop.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from backend.assist.batcher import Batcher, Job
from backend.assist.catalogue import ProjectState
from backend.assist.desk import Ask, Desk, Late, Message, Scored
from backend.assist.lane import Lane
from backend.assist.request import CLOSED, NOT_STORED, Request, Suggestion, TaskIn
from backend.engines.protocol import Engine
from db.store import Store

__all__ = ["Suggester", "Suggestion", "TaskIn"]

DEADLINE = 20.0  # seconds
GRACE = 5.0  # seconds that the store may take for what is ready at the deadline

T = TypeVar("T")


class Suggester:
    """Suggestions from one store by one engine. `start` before, `close` after."""

    def __init__(
        self, store: Store, engine: Engine, *, deadline: float = DEADLINE, load: Callable[[], None] | None = None
    ) -> None:
        """`deadline`: seconds until a request gets what is ready; the rest is scored and stored nevertheless. `load`
        loads the engine's model; it is run in the background, and nothing is scored before.
        """
        self._deadline = deadline
        self._batcher = Batcher(engine, self._done, load)
        self._desk = Desk(store, engine, self._batcher.put)
        self._lane: Lane[Message] = Lane("store", self._handle, self._enough)
        self._open: set[Request] = set()
        self._closed = False

    @property
    def ready(self) -> bool:
        """Whether the engine's model is loaded."""
        return self._batcher.loaded

    def start(self) -> None:
        """Start both threads; returns at once, the engine loads meanwhile."""
        self._lane.start()
        self._batcher.start()

    def close(self) -> None:
        """End both threads; who still waits is told that the service is ending."""
        self._closed = True
        self._batcher.close()
        self._lane.close()
        for request in list(self._open):
            _call(request.loop, request.abandon, CLOSED)

    async def suggest(self, state: ProjectState, tasks: Sequence[TaskIn], channel: str) -> list[Suggestion]:
        """One suggestion for each task, in order. `channel`, 'predict' or 'interactive', is noted with what is handed
        out.

        A text of the audit, or a task of the audit's Label Studio project, gets none. A text that is not known is
        remembered, and is work from then on. Never raises for what is wrong with a task, the engine or the store: the
        reason is in the suggestion.
        """
        if not tasks:
            return []
        if self._closed:
            return [CLOSED] * len(tasks)
        loop = asyncio.get_running_loop()
        request = Request(state, tasks, channel, loop)
        self._open.add(request)
        timer = loop.call_later(self._deadline, self._late, request)
        self._lane.put(Ask(request))
        try:
            return await request.future
        finally:
            timer.cancel()
            self._open.discard(request)

    def _enough(self) -> int:
        """Most of the requests that do not wait for the engine: while one's answer travels, the others may share a
        transaction.
        """
        return (3 * (len(self._open) - self._desk.scoring)) // 4

    def _late(self, request: Request) -> None:
        self._lane.put(Late(request))
        request.loop.call_later(GRACE, request.abandon, NOT_STORED)

    def _done(self, jobs: Sequence[Job]) -> None:
        self._lane.put(Scored(jobs))

    def _handle(self, messages: Sequence[Message]) -> None:
        """In the store's thread: what came together, then the answers to their loops."""
        done, rest = self._desk.handle(messages)
        for ask in rest:
            self._lane.put(ask)
        by_loop: dict[asyncio.AbstractEventLoop, list[Request]] = defaultdict(list)
        for request in done:
            by_loop[request.loop].append(request)
        for loop, requests in by_loop.items():
            _call(loop, _resolve, requests)


def _resolve(requests: Sequence[Request]) -> None:
    for request in requests:
        request.resolve()


def _call(loop: asyncio.AbstractEventLoop, act: Callable[[T], None], argument: T) -> None:
    """Run it in the loop; a loop that has ended waits for nothing any more."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(act, argument)
