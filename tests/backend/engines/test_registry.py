from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backend.engines.choice import choose
from backend.engines.encoder import EncoderEngine
from backend.engines.keyword import KeywordEngine
from backend.engines.protocol import EngineError
from backend.engines.registry import ENGINES, engine
from backend.settings import Settings
from tests.backend.engines.questions import tiny_encoder


def test_nothing_heavy_is_imported_before_an_engine_is_asked_for() -> None:
    code = (
        "import sys\n"
        "import backend.engines.protocol, backend.engines.registry, backend.engines.choice\n"
        "backend.engines.registry.engine('keyword')\n"
        "print([name for name in ('torch', 'transformers', 'scipy', 'sklearn', 'pydantic') if name in sys.modules])"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[3], capture_output=True, encoding="utf-8", check=True
    ).stdout
    assert out.strip() == "[]"


def test_engines_by_name(tmp_path: Path) -> None:
    assert isinstance(engine("keyword"), KeywordEngine)
    folder = str(tiny_encoder(tmp_path / "tiny"))
    for name in ("auto", "encoder"):
        found = engine(name, model=folder, device="cpu")
        assert isinstance(found, EncoderEngine)
        assert found.identity.base == folder
    with pytest.raises(EngineError, match="auto, encoder, keyword"):
        engine("oracle")
    assert set(ENGINES) == {"auto", "encoder", "keyword", "causal", "remote"}


def test_the_settings_choose(tmp_path: Path) -> None:
    assert isinstance(choose(Settings(engine="keyword")), KeywordEngine)
    with pytest.raises(EngineError, match="no model"):
        choose(Settings(engine="keyword", model="somebody/something"))
    folder = str(tiny_encoder(tmp_path / "tiny"))
    assert choose(Settings(engine="encoder", model=folder)).identity.base == folder
