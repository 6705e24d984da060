"""A store that is new for each test: a copy of an empty file, or the database that SOCIALITE_TEST_STORE names."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.store import Store, open_store, sqlite_url
from tests.db import postgres

GIVEN = os.environ.get("SOCIALITE_TEST_STORE")  # the address of an empty PostgreSQL database


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite store with the tables in it, to be copied."""
    home = tmp_path_factory.mktemp("store")
    open_store(sqlite_url(home)).close()
    return home / "socialite.sqlite"


@pytest.fixture
def store(empty_store: Path, tmp_path: Path) -> Iterator[Store]:
    shutil.copy(empty_store, tmp_path / empty_store.name)
    store = postgres.emptied(postgres.of_this_process(GIVEN)) if GIVEN else Store(sqlite_url(tmp_path))
    yield store
    store.close()
