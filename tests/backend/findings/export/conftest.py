"""A project that people code, in a store that is new for each test."""

from __future__ import annotations

from tests.backend.learning.conftest import coding, settings

__all__ = ["coding", "settings"]
