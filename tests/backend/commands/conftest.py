"""A project that people code, in the store that commands open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from db.store import open_store, sqlite_url
from tests.backend.assist.world import make_world
from tests.backend.learning.coding import Coding


@pytest.fixture
def posts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Coding]:
    """The project 'posts', without texts."""
    url = sqlite_url(tmp_path)
    monkeypatch.setenv("SOCIALITE_DATABASE_URL", url)
    store = open_store(url)
    yield Coding(make_world(store))
    store.close()
