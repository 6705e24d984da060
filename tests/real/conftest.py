"""Fixtures of the tests against live servers."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from backend.corpus.label_studio import LabelStudio
from tests.real.label_studio import Server, label_studio, strict_label_studio

__all__ = ["label_studio", "owner", "strict_label_studio"]


@pytest.fixture(scope="module")
def owner(label_studio: Server) -> Iterator[httpx.Client]:
    """Whoever set Label Studio up."""
    with label_studio.http() as http:
        yield http


@pytest.fixture
def client(label_studio: Server) -> Iterator[LabelStudio]:
    """The product's own client, as the owner."""
    with label_studio.client() as connected:
        yield connected
