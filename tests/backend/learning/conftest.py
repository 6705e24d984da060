"""A store with a project in it, new for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.engines.encoder import EncoderEngine
from backend.settings import Settings, load
from db.store import Store, sqlite_url
from tests.backend.assist.world import make_world
from tests.backend.engines.questions import tiny_encoder
from tests.backend.learning.coding import Coding
from tests.backend.learning.letters import BOOK


@pytest.fixture
def coding(store: Store) -> Coding:
    return Coding(make_world(store))


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> EncoderEngine:
    """A real encoder that is small, of random weights."""
    return EncoderEngine(str(tiny_encoder(tmp_path_factory.mktemp("bert") / "model")), device="cpu")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(home=tmp_path, database_url=sqlite_url(tmp_path), engine="encoder")


@pytest.fixture
def letters(store: Store) -> Coding:
    """A project whose texts are letters, with an audit of one coder a text."""
    coding = Coding(make_world(store, codebook=BOOK), BOOK)
    coding.change(sampling_design={"audit": 100, "control": 0, "coders": 1})
    return coding
