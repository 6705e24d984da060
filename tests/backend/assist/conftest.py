"""A store with a project in it, new for each test."""

from __future__ import annotations

import pytest

from db.store import Store
from tests.backend.assist.world import World, make_world


@pytest.fixture
def world(store: Store) -> World:
    return make_world(store)
