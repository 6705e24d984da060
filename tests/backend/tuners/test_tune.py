"""Each engine has its tuner, or says why there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from backend.engines.keyword import KeywordEngine
from backend.engines.protocol import Engine, Identity
from backend.engines.remote import RemoteEngine
from backend.tuners.targets import TrainingError
from backend.tuners.training import Options
from backend.tuners.tune import tune
from tests.backend.engines.questions import question
from tests.backend.tuners.lora_run import labelled


class Server(RemoteEngine):
    def __init__(self) -> None:
        self._identity = Identity("remote", "llama", "d", "p", "bfloat16", "label")


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        (KeywordEngine(), "The engine 'keyword' has no weights to train. Choose one that has: encoder or causal."),
        (Server(), "The weights of 'llama' are on a server.*snapshot export.*adapters register"),
    ],
)
def test_an_engine_without_weights_here_is_refused(engine: Any, said: str, tmp_path: Path) -> None:
    rest: dict[str, Any] = {"work": tmp_path / "work", "snapshot": "", "parent": None, "report": lambda _: None}
    with pytest.raises(TrainingError, match=said):
        tune(cast(Engine, engine), question(), labelled(), tmp_path / "mood", Options(), **rest)
    assert list(tmp_path.iterdir()) == []
