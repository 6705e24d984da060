"""One thread that takes together whatever has come, so that many requests share one transaction."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

log = logging.getLogger(__name__)
MOST = 256  # messages taken together
PAUSE = 0.001  # seconds that a group which is not large enough waits for more
CLOSING = 10.0  # seconds

M = TypeVar("M")


class Lane(Generic[M]):
    """Hands messages, in the order they came, to `handle` in groups: all that came while it was busy with the last."""

    def __init__(self, name: str, handle: Callable[[list[M]], None], enough: Callable[[], int] = lambda: 1) -> None:
        """`enough` says how many messages are worth a group now; a smaller one waits a moment for more."""
        self._handle, self._enough = handle, enough
        self._queue: SimpleQueue[M | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, message: M) -> None:
        """Have it handled; returns at once. Any thread may put."""
        self._queue.put(message)

    def close(self) -> None:
        """End when what has come is handled."""
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join(CLOSING)

    def _run(self) -> None:
        ended = False
        while not ended:
            group, ended = self._group()
            if group:
                self._handled(group)

    def _group(self) -> tuple[list[M], bool]:
        """The next group, and whether it is the last."""
        message = self._queue.get()
        if self._queue.qsize() + 1 < self._enough():
            time.sleep(PAUSE)
        group: list[M] = []
        while message is not None:
            group.append(message)
            if len(group) == MOST or self._queue.empty():
                return group, False
            message = self._queue.get()
        return group, True

    def _handled(self, group: list[M]) -> None:
        try:
            self._handle(group)
        except Exception as error:  # noqa: BLE001 - the next group is handled whatever this one does
            log.error("%d messages were not handled: %s", len(group), type(error).__name__)
