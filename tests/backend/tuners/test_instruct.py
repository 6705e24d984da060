"""Many tasks are learned in one model: as a LoRA, merged, or by all weights; the engine scores what was learned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend.engines.adapter import read
from backend.engines.causal import CausalEngine
from backend.tuners.instruct import Taught
from tests.backend.engines.llamas import llama, tiny_tokenizer
from tests.backend.tuners.instructed import WHOLE, engine, three, tune


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return llama(tmp_path_factory.mktemp("llama"), tiny_tokenizer(), key_values=2).folder


def right(scorer: CausalEngine, one: Taught, adapter: Path | None = None) -> float:
    """The mean log-probability of the right labels."""
    found = scorer.score(one.question, one.items, adapter).log_probabilities
    rows = [one.question.label_ids.index(next(iter(answer))) for answer in one.answers]
    return float(found[np.arange(len(one)), rows].mean())


def test_all_weights_are_trained_into_a_model_that_the_engine_takes(model: Path, tmp_path: Path) -> None:
    made = tune(model, tmp_path / "whole", WHOLE)
    before, after = engine(model), engine(tmp_path / "whole")
    assert after.weights.tokenizer == before.weights.tokenizer
    for one in three(6, 60):
        assert right(after, one) > right(before, one) + 0.1
    assert made.manifest == read(tmp_path / "whole")
    assert list(made.manifest.files) == ["model.safetensors"]
    assert "socialite" not in (tmp_path / "whole" / "config.json").read_text(encoding="utf-8")
