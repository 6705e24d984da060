"""A store of each kind with the tables in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.store import Store, open_store, sqlite_url
from tests.db import postgres
from tests.db.world import World, make_world


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite store with the tables in it, to be copied."""
    home = tmp_path_factory.mktemp("store")
    open_store(sqlite_url(home)).close()
    return home / "socialite.sqlite"


@pytest.fixture
def lite(empty: Path, tmp_path: Path) -> Iterator[Store]:
    """For what only SQLite does."""
    shutil.copy(empty, tmp_path)
    store = Store(sqlite_url(tmp_path), create=False)
    yield store
    store.close()


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "sqlite":
        yield request.getfixturevalue("lite")
        return
    store = postgres.emptied(postgres.given())
    yield store
    store.close()


@pytest.fixture
def world(store: Store) -> World:
    return make_world(store)
