"""SQLite as the store needs it: settings, transactions that begin as asked, and waiting for the writer in front."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL

from db.errors import StoreBusyError
from db.turn import Turn

WAIT = 30.0  # seconds a writer waits for the one in front
STEP = 0.001  # seconds between two looks; SQLite's own waiting sleeps up to 0.1 s and so is overtaken for ever
GIVE_WAY = 0.003  # seconds that a bulk writer leaves to others who wait, between two transactions: three looks
LONG = 0.008  # seconds; from here on a transaction counts as bulk

Begin = Callable[[sqlite3.Connection], None]


def reader(url: URL) -> Engine:
    """Connections that cannot write; each transaction sees one state of the store."""
    return _engine(url, _begin, ["PRAGMA query_only=ON"])


def writer(url: URL, turn: Turn) -> Engine:
    """Connections whose transactions hold the write lock from the start. A power cut may undo the last ones, whole."""
    settings = ["PRAGMA synchronous=NORMAL", "PRAGMA busy_timeout=0"]
    return _engine(url, partial(wait_and_begin, turn=turn), settings)


def inbox(url: URL, turn: Turn) -> Engine:
    """As `writer`, but it goes before other writers, and what is committed is on the disk.

    Checkpoints are left to the others as long as that can be.
    """
    settings = ["PRAGMA synchronous=FULL", "PRAGMA wal_autocheckpoint=20000", "PRAGMA busy_timeout=0"]
    return _engine(url, partial(wait_and_begin, turn=turn, urgent=True), settings)


def upgrader(url: URL) -> Engine:
    """As `writer`, without foreign keys, so that a table may be rebuilt."""
    return _engine(url, wait_and_begin, ["PRAGMA foreign_keys=OFF", "PRAGMA busy_timeout=0"])


def _engine(url: URL, begin: Begin, settings: list[str]) -> Engine:
    engine = create_engine(url, connect_args={"isolation_level": None, "timeout": WAIT}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _record: object) -> None:
        for setting in ("PRAGMA journal_mode=WAL", "PRAGMA foreign_keys=ON", "PRAGMA temp_store=MEMORY", *settings):
            connection.execute(setting).close()

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        raw: Any = connection.connection.dbapi_connection
        begin(raw)

    return engine


def _begin(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN")


def wait_and_begin(
    connection: sqlite3.Connection, wait: float = WAIT, *, turn: Turn | None = None, urgent: bool = False
) -> None:
    """Take the write lock, looking every millisecond; StoreBusyError after `wait` seconds.

    Who is not `urgent` lets those go first who are.
    """
    deadline = time.monotonic() + wait
    while not ((urgent or turn is None or not turn.urgent) and _begun(connection)):
        if time.monotonic() > deadline:
            raise StoreBusyError
        if turn is not None:
            turn.ask(urgent=urgent)
        time.sleep(STEP)
    if turn is not None:
        turn.take(urgent=urgent)


def _begun(connection: sqlite3.Connection) -> bool:
    """Whether the write lock could be had."""
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True
