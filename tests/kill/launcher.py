"""Starts the server as a person would, but can end it hard at a chosen commit, or leave the commit out.

Reads one line of JSON from standard input when everything is imported: {"port": n, "die": null | "before" | "after",
"at": n, "worker": bool, "commit": bool}. The settings come from the environment.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.orm import Session

from backend import app
from backend.child import WorkerChild
from backend.settings import load
from db.store import Store


def end_hard() -> None:
    """As a power cut ends a process: nothing is flushed, closed or answered any more."""
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))  # on Windows SIGTERM is TerminateProcess


def tamper(order: dict[str, Any]) -> None:
    """Wrap the store's inbox transaction."""
    original = Store.inbox
    number = 0

    @contextmanager
    def inbox(self: Store) -> Iterator[Session]:
        nonlocal number
        number += 1
        mine = order["die"] if number == order["at"] else None
        with original(self) as s:
            yield s
            if mine == "before":
                s.flush()
                end_hard()
            if not order["commit"]:
                s.rollback()
        if mine == "after":
            end_hard()

    Store.inbox = inbox  # type: ignore[method-assign]


def main() -> None:
    order = json.loads(sys.stdin.readline())
    tamper(order)
    if not order["worker"]:
        WorkerChild.start = lambda self: None  # type: ignore[method-assign]
    app.serve(load(port=order["port"], engine="keyword"))


if __name__ == "__main__":
    main()
