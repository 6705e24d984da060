"""What a server is asked beyond a bare question: examples of each item's own, and one adapter for many questions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.engines import examination, vllm
from backend.engines.adapter import INSTRUCT
from backend.engines.causal import CausalEngine
from backend.engines.prompts import Ours, shown_lines
from backend.engines.remote import RemoteEngine
from backend.engines.weights import Weights
from labelstudio_config.codebook import Kind, Question
from tests.backend.engines.fake_vllm import FakeVllm, serving
from tests.backend.engines.label_sets import TASKS, asked
from tests.backend.engines.llamas import llama
from tests.backend.engines.plain import items_of
from tests.backend.engines.random_loras import lora, signed
from tests.backend.engines.vocabulary import learned_tokenizer

pytestmark = pytest.mark.filterwarnings(
    "ignore:`is_gradient_checkpointing`:FutureWarning"
)  # peft reads what transformers will drop
EMOTION = asked("EMOTION", TASKS["EMOTION"])


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    return llama(tmp_path_factory.mktemp("served"), learned_tokenizer(), window=300)


@pytest.fixture
def fake(weights: Weights, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeVllm]:
    monkeypatch.setattr(vllm, "FIRST", 0.01)
    monkeypatch.setattr(examination, "PATIENCE", 0.2)
    with serving(FakeVllm(weights, limit=301)) as server:
        yield server


@pytest.fixture
def remote(fake: FakeVllm, weights: Weights) -> RemoteEngine:
    return RemoteEngine(fake.url, "base", weights, timeout=5.0, patience=5.0)


def own(question: Question, n: int, each: int = 3) -> list[str]:
    """Examples for n items: none, one, two, ..., and so many that they do not fit into the window."""
    examples = [((f"example {k}",), question.label_ids[k % len(question.labels)]) for k in range(60)]
    return [shown_lines(question, Ours(), examples[: 60 if item == n - 1 else item % each]) for item in range(n)]


@pytest.mark.parametrize("kind", [Kind.SINGLE, Kind.MULTIPLE])
def test_examples_give_the_scores_of_the_causal_engine(remote: RemoteEngine, weights: Weights, kind: Kind) -> None:
    question = asked("EMOTION", TASKS["EMOTION"][:3], kind)
    local, items = CausalEngine(weights, device="cpu"), items_of(question)
    for shown in (own(question, len(items)), [own(question, 3)[1]] * len(items)):
        here, there = local.score(question, items, shown=shown), remote.score(question, items, shown=shown)
        np.testing.assert_allclose(np.exp(there.log_probabilities), np.exp(here.log_probabilities), atol=1e-5)
        np.testing.assert_array_equal(there.cut, here.cut)
    assert remote.score(question, items, shown=own(question, len(items))).cut[-1] > 0


def test_one_adapter_answers_many_questions(remote: RemoteEngine, weights: Weights, tmp_path: Path) -> None:
    local = CausalEngine(weights, device="cpu")
    told: dict[str, Any] = {"method": INSTRUCT, "question": "*", "kind": "*", "fields": 0, "labels": [], "prompt": ""}
    folder = signed(lora(tmp_path / "any", weights.folder, seed=3), remote.identity, EMOTION, weights.tokenizer, **told)
    for question in (EMOTION, asked("FLUTE", TASKS["FLUTE"])):
        items = items_of(question)
        here, there = local.score(question, items, folder), remote.score(question, items, folder)
        np.testing.assert_allclose(np.exp(there.log_probabilities), np.exp(here.log_probabilities), atol=1e-5)
        assert np.abs(there.log_probabilities - remote.score(question, items).log_probabilities).max() > 0.01
