"""The right to do a named thing: one at a time, and free again when its holder died."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from backend import alone as rights
from backend.alone import alone
from db import jobs
from db.models import Lease
from db.store import Store, open_store, sqlite_url


class BusyError(Exception):
    """Somebody is at it."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(sqlite_url(tmp_path))) as opened:
        yield opened


def test_one_at_a_time_and_free_afterwards(store: Store) -> None:
    with alone(store, "thing", BusyError()) as check:
        check()
        with pytest.raises(BusyError), alone(store, "thing", BusyError()):
            pass
        with alone(store, "other", BusyError()):
            pass
    with store.reading() as s:
        assert s.get(Lease, "thing") is None


def test_an_error_inside_gives_it_back(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), alone(store, "thing", BusyError()):
        raise ZeroDivisionError
    with alone(store, "thing", BusyError()):
        pass


def test_who_died_holds_nothing(store: Store) -> None:
    code = "from backend.alone import holder; print(holder())"
    dead = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert rights.gone(dead)
    with store.writing() as s:
        assert jobs.acquire(s, "thing", dead, 1000)
    with alone(store, "thing", BusyError()):
        pass


def test_of_another_machine_nothing_is_known(store: Store) -> None:
    assert not rights.gone("elsewhere.example/1/abc")
    assert not rights.gone("a name of another kind")
    assert not rights.gone(rights.holder())


def test_who_lost_the_right_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rights, "SECONDS", 0.3)
    with alone(store, "thing", BusyError()) as check:
        with store.writing() as s:
            s.delete(s.get_one(Lease, "thing"))
        with pytest.raises(rights.RightLostError):
            for _ in range(500):
                check()
                subprocess.run([sys.executable, "-c", ""], check=True)
