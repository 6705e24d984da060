from __future__ import annotations

import pytest

from backend.engines.encoder import EncoderEngine


@pytest.fixture(scope="session")
def encoder() -> EncoderEngine:
    """The embedded default, loaded once."""
    return EncoderEngine(device="cpu")
