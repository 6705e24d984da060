"""Starts the server as a person would, but can end it hard at a chosen commit, or leave the commit out."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy.orm import Session

from backend import app
from backend.child import WorkerChild
from backend.settings import load
from db.store import Store


@dataclass(frozen=True, slots=True)
class Order:
    """On which port to serve; whether to end `at` which of the inbox's commits, just before it or just after it; with
    the worker or without; and whether to commit at all.
    """

    port: int
    die: Literal["before", "after"] | None = None
    at: int = 0
    worker: bool = False
    commit: bool = True


def end_hard() -> None:
    """As a power cut ends a process: nothing is flushed, closed or answered any more."""
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))  # on Windows SIGTERM is TerminateProcess


def tamper(order: Order) -> None:
    """Wrap the store's inbox transaction."""
    original = Store.inbox
    number = 0

    @contextmanager
    def inbox(self: Store) -> Iterator[Session]:
        nonlocal number
        number += 1
        mine = order.die if number == order.at else None
        with original(self) as s:
            yield s
            if mine == "before":
                s.flush()
                end_hard()
            if not order.commit:
                s.rollback()
        if mine == "after":
            end_hard()

    Store.inbox = inbox  # type: ignore[method-assign]


def run(order: Order, environ: Mapping[str, str]) -> None:
    """The server, with the settings that are in `environ`, in a process of its own; it says nothing."""
    os.environ.update(environ)
    with Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), 2)
    tamper(order)
    if not order.worker:
        WorkerChild.start = lambda self: None  # type: ignore[method-assign]
    app.serve(load(port=order.port, engine="keyword"))
