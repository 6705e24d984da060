"""A project that people code, in a store that is new for each test."""

from __future__ import annotations

from tests.backend.learning.conftest import coding, empty_store, settings, store

__all__ = ["coding", "empty_store", "settings", "store"]
