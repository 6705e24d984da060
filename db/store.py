"""The store: one SQLite file, or a PostgreSQL database, and the transactions on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session, configure_mappers

from db import sqlite, upgrade
from db.dialect import chunks
from db.errors import ProjectNotFoundError, StoreBusyError, StoreError
from db.filesystem import keep_private, network_file_system
from db.turn import Turn

__all__ = ["ProjectNotFoundError", "Store", "StoreBusyError", "StoreError", "chunks", "open_store", "sqlite_url"]

FILE = "socialite.sqlite"
ROWS = 250  # of a bulk transaction: some 5 ms of the write lock

T = TypeVar("T")
R = TypeVar("R")


def sqlite_url(home: Path) -> str:
    """The address of the embedded store in a folder."""
    return URL.create("sqlite", database=str(home / FILE)).render_as_string()


def open_store(url: str) -> Store:
    """The store at this address, made if need be, and brought up to this program's tables. StoreError says why not."""
    store = Store(url)
    try:
        store.upgrade()
    except BaseException:
        store.close()
        raise
    return store


class Store:
    """Connections to one store. Threads may share it; processes may not."""

    def __init__(self, url: str, *, create: bool = True) -> None:
        configure_mappers()  # takes time, which the first transaction would hold the write lock for
        self.url = url
        address = _address(url)
        self.file = _file(address)
        if self.file:
            _check(self.file, create)
            self._turn = Turn(self.file.with_name(f"{self.file.name}-turn"))
            self._reader, self._writer = sqlite.reader(address), sqlite.writer(address, self._turn)
            self._inbox = sqlite.inbox(address, self._turn)
        else:
            self._writer = self._inbox = _server(address)
            self._reader = self._writer.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ")

    def upgrade(self) -> None:
        """Bring the tables up to this program; a SQLite file that holds something is copied beside first."""
        upgrade.to_head(sqlite.upgrader(_address(self.url)) if self.file else self._writer, self.file)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One consistent view; nothing can be written."""
        with Session(self._reader, expire_on_commit=False, autoflush=False) as s:
            yield s

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One transaction of at most 1,000 rows: committed at the end, undone on an error.

        It holds SQLite's only write lock: nothing slow belongs inside.
        """
        with Session(self._writer, expire_on_commit=False) as s:
            s.connection()  # begins here, so that what is read inside cannot be overtaken
            began = time.perf_counter()
            yield s
            s.commit()
        if time.perf_counter() - began > sqlite.LONG:
            self._give_way()

    @contextmanager
    def inbox(self) -> Iterator[Session]:
        """As `writing`, and what is committed outlives a power cut."""
        with Session(self._inbox, expire_on_commit=False) as s:
            s.connection()
            yield s
            s.commit()

    @contextmanager
    def outside(self) -> Iterator[Connection]:
        """A connection without a transaction, for what a database does only then."""
        with self._writer.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            yield connection

    def write_in_chunks(
        self, rows: Iterable[T], write: Callable[[Session, list[T]], R], *, size: int = ROWS
    ) -> list[R]:
        """The results of `write(s, part)` for each part of the rows, each in a transaction of its own.

        Others who want to write get their turn in between.
        """
        results = []
        for part in chunks(rows, size):
            with self.writing() as s:
                results.append(write(s, part))
            self._give_way()
        return results

    def _give_way(self) -> None:
        """Who writes on and on must leave gaps to those who wait: SQLite has no queue of writers."""
        if self.file and self._turn.wanted:
            time.sleep(sqlite.GIVE_WAY)

    def kept_as(self, folder: Path) -> str:
        """How a folder is written down: by its way from an embedded store, so that both can be moved together."""
        if self.file is not None and folder.is_relative_to(self.file.parent):
            return folder.relative_to(self.file.parent).as_posix()
        return str(folder)

    def folder(self, kept: str) -> Path:
        """The folder that was written down so."""
        return self.file.parent / kept if self.file is not None else Path(kept)

    def close(self) -> None:
        for engine in (self._reader, self._inbox, self._writer):
            engine.dispose()
        if self.file:
            self._turn.close()


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError:
        raise StoreError(
            "The database address cannot be read. Give sqlite:///path/to/file or postgresql://user@host/database."
        ) from None
    if address.drivername == "postgresql":
        return address.set(drivername="postgresql+psycopg")
    if address.get_backend_name() not in ("sqlite", "postgresql"):
        raise StoreError(f"A store is SQLite or PostgreSQL, not {address.get_backend_name()}.")
    return address


def _file(address: URL) -> Path | None:
    if address.get_backend_name() != "sqlite":
        return None
    if not address.database or address.database == ":memory:" or address.database.startswith("file:"):
        raise StoreError("A SQLite store is a file: give sqlite:///path/to/file.")
    return Path(address.database)


def _check(file: Path, create: bool) -> None:
    if not create and not file.exists():
        raise StoreError(f"There is no store at {file}.")
    if kind := network_file_system(file):
        raise StoreError(
            f"{file} lies on a network share ({kind}), where SQLite loses data. "
            "Put SOCIALITE_HOME on a disk of this machine, or give a PostgreSQL address."
        )
    try:
        keep_private(file, create=create)
    except OSError as error:
        raise StoreError(f"The store {file} cannot be written: {error.strerror}.") from error


def _server(address: URL) -> Engine:
    try:
        return create_engine(address, pool_pre_ping=True, hide_parameters=True)
    except ModuleNotFoundError as error:
        raise StoreError(
            f"PostgreSQL needs the Python package '{error.name}': pip install 'psycopg[binary]'."
        ) from error
