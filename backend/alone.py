"""One at a time: the right to do a named thing, kept while it is done, and free again when its holder has died."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module

from sqlalchemy.exc import SQLAlchemyError

from db import jobs
from db.models import Lease
from db.store import Store, StoreError

SECONDS = 60.0  # that a holder on another machine may be silent before its right is over


class RightLostError(Exception):
    """Another process has taken over this work, because this one was silent for too long (a computer that slept?). It
    stops here; nothing is lost.
    """

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def holder() -> str:
    """A new name for a holder: machine, process, and eight digits of its own."""
    return f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex[:8]}"


def gone(name: str) -> bool:
    """Whether the process behind a holder's name has ended; False where that cannot be known, as on another machine."""
    parts = name.split("/")
    if len(parts) != 3 or parts[0] != socket.gethostname() or not parts[1].isdigit():
        return False
    psutil = import_module("psutil")  # it has no types of its own
    try:
        return bool(psutil.Process(int(parts[1])).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False


@contextmanager
def alone(store: Store, name: str, busy: Exception) -> Iterator[Callable[[], None]]:
    """Nobody else does the named thing meanwhile; `busy` is raised when somebody does already.

    What is given is to be called now and then: RightLostError when the right was lost.
    """
    me = holder()
    if not _taken(store, name, me):
        raise busy
    ended, lost = threading.Event(), threading.Event()

    def keep() -> None:
        while not ended.wait(SECONDS / 6):
            try:
                with store.writing() as s:
                    if not jobs.renew(s, name, me, SECONDS):
                        lost.set()
                        return
            except (SQLAlchemyError, StoreError):
                continue  # the store is busy; there are five more tries

    def check() -> None:
        if lost.is_set():
            raise RightLostError

    keeper = threading.Thread(target=keep, name=f"keep-{name}", daemon=True)
    keeper.start()
    try:
        yield check
    finally:
        ended.set()
        keeper.join()
        with store.writing() as s:
            jobs.give_back(s, name, me)


def _taken(store: Store, name: str, me: str) -> bool:
    """Take the right if it is free, or its holder has died."""
    with store.writing() as s:
        if jobs.acquire(s, name, me, SECONDS):
            return True
        lease = s.get(Lease, name, populate_existing=True)
        if lease is None or not gone(lease.holder):
            return False
        jobs.give_back(s, name, lease.holder)
        return jobs.acquire(s, name, me, SECONDS)
