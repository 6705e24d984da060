from __future__ import annotations

import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from db import filesystem, projects, sqlite
from db.base import now
from db.models import Lease, LsTask, Project
from db.store import Store, StoreBusyError, StoreError, open_store, sqlite_url
from db.turn import Turn
from db.upgrade import scripts

posix = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")


def pragma(s: Session, name: str) -> object:
    return s.execute(text(f"PRAGMA {name}")).scalar()


def count(store: Store) -> int:
    with store.reading() as s:
        return s.scalars(select(func.count(Project.id))).one()


def add(s: Session, key: str) -> Project:
    return projects.create(s, key, key, 1, {})


def test_every_connection_has_the_settings(lite: Store) -> None:
    with lite.reading() as s:
        assert (pragma(s, "journal_mode"), pragma(s, "foreign_keys"), pragma(s, "query_only")) == ("wal", 1, 1)
        assert pragma(s, "busy_timeout") == 30_000
    with lite.writing() as s:
        assert (pragma(s, "journal_mode"), pragma(s, "foreign_keys"), pragma(s, "synchronous")) == ("wal", 1, 1)
    with lite.inbox() as s:
        assert (pragma(s, "journal_mode"), pragma(s, "foreign_keys"), pragma(s, "synchronous")) == ("wal", 1, 2)


def test_what_is_written_is_read_and_an_error_undoes_all_of_it(store: Store) -> None:
    with store.writing() as s:
        project = add(s, "a")
    assert project.key == "a"  # readable after the session
    with store.inbox() as s:
        add(s, "b")
    with pytest.raises(ZeroDivisionError), store.writing() as s:
        add(s, "c")
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError), store.inbox() as s:
        add(s, "d")
        raise ZeroDivisionError
    assert count(store) == 2


def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(SQLAlchemyError, match=r"read-?only"), store.reading() as s:
        add(s, "a")
    assert count(store) == 0


def test_a_reader_sees_one_state_while_another_writes(lite: Store) -> None:
    with lite.reading() as reader:
        assert reader.scalars(select(func.count(Project.id))).one() == 0
        with lite.writing() as s:
            add(s, "a")
        assert reader.scalars(select(func.count(Project.id))).one() == 0
    assert count(lite) == 1


def test_a_writer_holds_the_lock_from_its_beginning(lite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(str(lite.file), timeout=0)) as other, lite.writing():
        locked = pytest.raises(sqlite3.OperationalError, match="locked")
        with locked:
            other.execute("BEGIN IMMEDIATE")
    with closing(sqlite3.connect(str(lite.file), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(sqlite.wait_and_begin, "__defaults__", (0.05,))
        with pytest.raises(StoreBusyError, match="Another process"), lite.inbox():
            pass
        other.execute("COMMIT")
    with lite.inbox() as s:
        add(s, "a")


def test_foreign_keys_are_enforced_and_cascade(store: Store) -> None:
    with pytest.raises(IntegrityError), store.writing() as s:
        s.add(LsTask(unit_id=999, ls_project_id=999, task_id=1))


def test_threads_share_a_store(store: Store) -> None:
    def write(worker: int) -> None:
        for i in range(10):
            with store.writing() as s:
                add(s, f"{worker}-{i}")

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(store) == 40


def test_chunks_are_transactions_of_their_own(store: Store) -> None:
    def write(s: Session, keys: list[str]) -> int:
        for key in keys:
            add(s, key)
        return len(keys)

    assert store.write_in_chunks("abcde", write, size=2) == [2, 2, 1]
    with pytest.raises(IntegrityError):
        store.write_in_chunks("xyzab", write, size=2)
    assert count(store) == 7


def turn_of(store: Store) -> Turn:
    assert store.file
    return Turn(store.file.with_name(f"{store.file.name}-turn"))


def test_a_bulk_writer_leaves_gaps_to_those_who_wait(lite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        with closing(sqlite3.connect(str(lite.file), timeout=0, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # the lock is free
        pauses.append(seconds)

    monkeypatch.setattr("db.store.time.sleep", sleep)
    lite.write_in_chunks("ab", lambda s, part: add(s, part[0]), size=1)
    assert pauses == [], "nobody waits"
    with closing(turn_of(lite)) as turn:

        def add_while_somebody_waits(s: Session, part: list[str]) -> None:
            add(s, part[0])
            turn.ask(urgent=False)

        lite.write_in_chunks("cdef", add_while_somebody_waits, size=1)
    assert len(pauses) >= 4
    assert min(pauses) >= 2 * sqlite.STEP


def test_an_event_goes_first(lite: Store) -> None:
    """Of those who wait for a lock, who has an event gets it, however long the others have waited."""
    order: list[str] = []

    def write(name: str, transaction: Callable[[], AbstractContextManager[Session]]) -> threading.Thread:
        def run() -> None:
            with transaction() as s:
                add(s, name)
                order.append(name)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def seen(look: Callable[[], bool]) -> None:
        while not look():
            time.sleep(0.001)

    with closing(turn_of(lite)) as turn:
        with lite.writing():
            threads = [write(f"writer-{i}", lite.writing) for i in range(4)]
            seen(lambda: turn.wanted)
            threads.append(write("event", lite.inbox))
            seen(lambda: turn.urgent)
        for thread in threads:
            thread.join()
    assert order[0] == "event"
    assert len(order) == 5


def test_a_writer_gets_its_turn_while_another_writes_on_and_on(lite: Store) -> None:
    began, ended = threading.Event(), threading.Event()
    at_entry: list[int] = []

    def write(s: Session, part: list[int]) -> None:
        for i in part:
            s.add(Lease(name=str(i), holder="bulk", acquired_at=time, expires_at=time))
        began.set()

    time = now()

    def bulk() -> None:
        lite.write_in_chunks(range(20_000), write)
        ended.set()

    thread = threading.Thread(target=bulk)
    thread.start()
    began.wait()
    for i in range(5):
        with lite.inbox() as s:
            add(s, str(i))
        at_entry.append(ended.is_set())
    thread.join()
    assert at_entry == [False] * 5


def test_a_folder_name_may_hold_anything(tmp_path: Path) -> None:
    home = tmp_path / "Données & 100% #1"
    store = open_store(sqlite_url(home))
    assert store.file == home / "socialite.sqlite"
    assert store.file.exists()
    store.close()


@posix
def test_no_other_user_can_read_any_file_of_the_store(lite: Store) -> None:
    with lite.writing() as s:
        add(s, "a")
    assert lite.file
    modes = {file.name.removeprefix("socialite"): file.stat().st_mode & 0o777 for file in lite.file.parent.iterdir()}
    assert modes == dict.fromkeys((".sqlite", ".sqlite-wal", ".sqlite-shm", ".sqlite-turn"), 0o600)


def test_a_network_share_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.store.network_file_system", lambda path: "nfs4")
    with pytest.raises(StoreError, match=r"network share \(nfs4\).*disk of this machine"):
        open_store(sqlite_url(tmp_path))
    assert list(tmp_path.iterdir()) == []
    assert "nfs4" in filesystem.NETWORK


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("sqlite://", "is a file"),
        ("sqlite:///:memory:", "is a file"),
        ("mysql://localhost/x", "SQLite or PostgreSQL, not mysql"),
        ("nonsense", "cannot be read"),
    ],
)
def test_an_address_that_is_no_store_is_refused(url: str, sentence: str) -> None:
    with pytest.raises(StoreError, match=sentence):
        Store(url)


def test_a_missing_file_is_not_made_unasked(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no store at"):
        Store(sqlite_url(tmp_path), create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_kind_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "socialite.sqlite"
    file.write_bytes(b"humor,offense\n" * 100)
    with pytest.raises(StoreError, match="is not a SQLite file"):
        open_store(sqlite_url(tmp_path))
    assert file.read_bytes() == b"humor,offense\n" * 100


def test_a_damaged_store_is_told(tmp_path: Path) -> None:
    open_store(sqlite_url(tmp_path)).close()
    file = tmp_path / "socialite.sqlite"
    whole = file.read_bytes()
    file.write_bytes(whole[:100] + b"\xff" * (len(whole) - 100))
    with pytest.raises(StoreError, match="is damaged"):
        open_store(sqlite_url(tmp_path))


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "socialite.sqlite")) as other:
        other.execute("CREATE TABLE songs (name)")
    with pytest.raises(StoreError, match="another program"):
        open_store(sqlite_url(tmp_path))
    with closing(sqlite3.connect(tmp_path / "socialite.sqlite")) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("songs",)]


def test_a_store_newer_than_the_program_is_refused_and_left_alone(store: Store) -> None:
    with store.writing() as s:
        add(s, "a")
        s.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"newer socialite.*at 9999.*nothing was changed"):
        store.upgrade()
    assert count(store) == 1
    with store.writing() as s:
        newest = max(entry.name for entry in (scripts() / "versions").iterdir() if entry.name.endswith(".py"))
        s.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": newest[:4]})


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the folder /proc cannot be written")
def test_a_place_that_cannot_be_written_is_told() -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        open_store("sqlite:////proc/nowhere/socialite.sqlite")


def test_postgresql_without_its_driver_or_server_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"pip install 'psycopg\[binary\]'"):
        Store("postgresql://ada:secret@127.0.0.1:1/x")


def test_folders_beside_an_embedded_store_move_with_it(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    with closing(open_store(sqlite_url(tmp_path / "one"))) as store:
        kept, elsewhere = store.kept_as(tmp_path / "one" / "adapters" / "a"), store.kept_as(tmp_path / "b")
        assert store.folder(kept) == tmp_path / "one" / "adapters" / "a"
    (tmp_path / "one").rename(tmp_path / "two")
    with closing(open_store(sqlite_url(tmp_path / "two"))) as store:
        assert store.folder(kept) == tmp_path / "two" / "adapters" / "a"
        assert store.folder(elsewhere) == tmp_path / "b"
