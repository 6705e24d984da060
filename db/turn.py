"""Whose turn it is to write: SQLite has no queue of writers, so they tell each other who waits."""

from __future__ import annotations

import mmap
import os
import struct
import threading
import time
from pathlib import Path

LASTS = 0.05  # seconds that a sign counts; who still waits renews it, and who died leaves none
_SIGN = struct.Struct("d")
_URGENT, _WAITING = 0, _SIGN.size  # places of the two signs


class Turn:
    """Two signs in a small file that all processes on a store see at once: an event waits, and somebody waits.

    They are hints and no locks: one that is seen too late, or not at all, costs milliseconds. Threads may share it.
    """

    def __init__(self, path: Path) -> None:
        size = 2 * _SIGN.size
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        try:
            if os.fstat(descriptor).st_size < size:
                os.ftruncate(descriptor, size)
            self._signs = mmap.mmap(descriptor, size)
        finally:
            os.close(descriptor)
        self._closing = threading.Lock()

    def ask(self, *, urgent: bool) -> None:
        """Say that one waits; again with every look in vain."""
        self._say(urgent, time.time())

    def take(self, *, urgent: bool) -> None:
        """Say that one waits no longer."""
        self._say(urgent, 0.0)

    @property
    def urgent(self) -> bool:
        """Whether an event waits: others then let it go first."""
        return self._asked(_URGENT)

    @property
    def wanted(self) -> bool:
        """Whether anybody waits: who writes on and on then leaves a gap."""
        return self._asked(_URGENT) or self._asked(_WAITING)

    def _say(self, urgent: bool, at: float) -> None:
        with self._closing:
            if not self._signs.closed:
                _SIGN.pack_into(self._signs, _URGENT if urgent else _WAITING, at)

    def _asked(self, place: int) -> bool:
        with self._closing:
            if self._signs.closed:
                return False
            return 0.0 <= time.time() - float(_SIGN.unpack_from(self._signs, place)[0]) < LASTS

    def close(self) -> None:
        """Give the file back. A thread that comes too late finds nobody waiting."""
        with self._closing:
            self._signs.close()
