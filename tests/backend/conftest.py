"""A store that is new for each test: an empty one, copied."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.store import Store, open_store, sqlite_url


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite store with the tables in it, to be copied."""
    home = tmp_path_factory.mktemp("store")
    open_store(sqlite_url(home)).close()
    return home / "socialite.sqlite"


@pytest.fixture
def store(empty_store: Path, tmp_path: Path) -> Iterator[Store]:
    shutil.copy(empty_store, tmp_path / empty_store.name)
    store = Store(sqlite_url(tmp_path))
    yield store
    store.close()
