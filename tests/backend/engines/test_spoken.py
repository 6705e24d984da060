"""What a model says: the tokens that transformers' own greedy decoding gives, with and without adapter and examples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from backend.engines import examination, vllm
from backend.engines.causal import CausalEngine
from backend.engines.encoder import EncoderEngine
from backend.engines.keyword import KeywordEngine
from backend.engines.packs import ATTENTION
from backend.engines.prompts import Ours, asks, shown_lines
from backend.engines.protocol import EngineError
from backend.engines.remote import RemoteEngine
from backend.engines.spoken import LONGEST, said, spoken
from backend.engines.weights import Weights
from backend.paper.authors_rule import fault, label_table, ours, theirs
from labelstudio_config.codebook import Kind
from scripts.bench.tiny_llama import make
from tests.backend.engines.fake_vllm import FakeVllm, serving
from tests.backend.engines.label_sets import TASKS, asked
from tests.backend.engines.llamas import llama, weights
from tests.backend.engines.plain import TEXTS, items_of, plain_model
from tests.backend.engines.random_loras import lora, signed
from tests.backend.engines.vocabulary import learned_tokenizer

pytestmark = pytest.mark.filterwarnings(
    "ignore:.is_gradient_checkpointing:FutureWarning"
)  # peft reads what transformers will drop
EMOTION = asked("EMOTION", TASKS["EMOTION"])
ITEMS = items_of(EMOTION)
EXAMPLES = [shown_lines(EMOTION, Ours(), [((f"number {n}",), f"label{n % 4}")] * (n % 3)) for n in range(len(ITEMS))]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    return llama(tmp_path_factory.mktemp("model"), learned_tokenizer(), key_values=2, window=300)


@pytest.fixture(scope="module")
def engine(model: Weights) -> CausalEngine:
    return CausalEngine(model, device="cpu")


def plainly(plain: Any, engine: CausalEngine, shown: list[str]) -> list[str]:
    """The whole texts by transformers alone: a full forward for every new token."""
    (ask,) = asks(EMOTION, Ours())
    found = []
    for item, lines in zip(ITEMS, shown, strict=True):
        prompt = ask.prompt(item, tuple(lines.split("\n")) if lines else ())
        ids = engine.tokens.ids([str(prompt)])[0]
        for _ in range(LONGEST):
            with torch.inference_mode():
                ids.append(int(plain(torch.tensor([ids])).logits[0, -1].argmax()))
            if ids[-1] == engine.tokens.end:
                break
        found.append(engine.tokens.tokenizer.decode(ids, clean_up_tokenization_spaces=False))
    return found


def test_it_is_what_transformers_says(engine: CausalEngine, model: Weights, tmp_path: Path) -> None:
    adapter = signed(lora(tmp_path / "a", model.folder, seed=1), engine.identity, EMOTION, model.tokenizer)
    before = engine.score(EMOTION, ITEMS).log_probabilities
    none = [""] * len(ITEMS)
    told: list[int] = []
    plain = spoken(engine, EMOTION, ITEMS, report=told.append)
    assert plain == plainly(plain_model(model), engine, none)
    assert told == [1] * len(ITEMS)
    assert spoken(engine, EMOTION, ITEMS, shown=EXAMPLES) == plainly(plain_model(model), engine, EXAMPLES)
    learned = spoken(engine, EMOTION, ITEMS, adapter)
    assert learned == plainly(plain_model(model, adapter), engine, none)
    assert learned != plain
    np.testing.assert_allclose(engine.score(EMOTION, ITEMS).log_probabilities, before, atol=1e-5)
    assert engine.model.base.config._attn_implementation == ATTENTION


def test_the_prompts_end_is_known_whatever_the_input_says(engine: CausalEngine) -> None:
    (ask,) = asks(EMOTION, Ours())
    for item, one in zip(ITEMS, said(engine, EMOTION, ITEMS), strict=True):
        assert one.prompt == f"<s>{ask.prompt(item)}"
        assert one.whole == one.prompt + one.answer
        assert one.end == "</s>"
    breaking = said(engine, EMOTION, [(TEXTS[2],)])[0]
    assert fault(breaking.prompt, breaking.answer) == "the prompt says 'output:' before its end"


def test_a_prompt_leaves_room_for_the_answer(engine: CausalEngine, model: Weights) -> None:
    (one,) = said(engine, EMOTION, [("word " * 400,)], shown=[EXAMPLES[2]])
    ids = engine.tokens.tokenizer(one.prompt, add_special_tokens=False)["input_ids"]
    assert model.window - LONGEST - 3 <= len(ids) <= model.window - LONGEST
    assert "number 2" not in one.prompt
    assert one.prompt.count("word") > 20


def test_a_model_that_has_learned_to_says_its_label_and_stops(tmp_path: Path) -> None:
    """Trained on a few texts of two labels, it says them; both rules read what label scoring finds likeliest."""
    question = asked("mood", ("joy", "anger"))
    (ask,) = asks(question, Ours())
    texts = [(word * 2, label) for word in ("so glad ", "what fun ") for label in (0,)]
    texts += [(word * 2, 1) for word in ("how dare you ", "I am livid ")]
    prompts = [str(ask.prompt((text,))) for text, _ in texts]
    make(tmp_path, prompts + [f" {word}" for word in ask.words], seed=1, words=400, width=64, layers=1, window=256)
    engine = CausalEngine(weights(tmp_path, 256), device="cpu")
    rows = [
        [*engine.tokens.ids([prompt + ask.answer(ask.words[label])])[0], engine.tokens.end]
        for prompt, (_, label) in zip(prompts, texts, strict=True)
    ]
    trained = engine.model.base.requires_grad_(True)
    trained.set_attn_implementation("sdpa")
    optimiser = torch.optim.AdamW(trained.parameters(), lr=3e-3)
    for _ in range(40):
        loss = sum(trained(torch.tensor([row]), labels=torch.tensor([row])).loss for row in rows)
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    trained.requires_grad_(False).set_attn_implementation(ATTENTION)
    items = [(text,) for text, _ in texts]
    found, table = said(engine, question, items), label_table(ask.words)
    assert [one.answer for one in found] == [f" {ask.words[label]}</s>" for _, label in texts]
    likeliest = engine.score(question, items).log_probabilities.argmax(1).tolist()
    assert [theirs(one.whole, table) for one in found] == likeliest == [label for _, label in texts]
    assert [ours(one.answer, table) for one in found] == likeliest


@pytest.fixture
def server(model: Weights, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeVllm]:
    monkeypatch.setattr(vllm, "FIRST", 0.01)
    monkeypatch.setattr(examination, "PATIENCE", 0.2)
    with serving(FakeVllm(model, limit=301)) as fake:
        yield fake


def test_a_server_says_the_same(server: FakeVllm, engine: CausalEngine, model: Weights, tmp_path: Path) -> None:
    remote = RemoteEngine(server.url, "base", model, timeout=5.0, patience=5.0)
    adapter = signed(lora(tmp_path / "a", model.folder, seed=1), engine.identity, EMOTION, model.tokenizer)
    told: list[int] = []
    assert spoken(remote, EMOTION, ITEMS, report=told.append) == spoken(engine, EMOTION, ITEMS)
    assert sum(told) == len(ITEMS)
    both = [spoken(one, EMOTION, ITEMS, adapter, EXAMPLES) for one in (remote, engine)]
    assert both[0] == both[1]
    assert spoken(remote, EMOTION, []) == []
    server.tamper = lambda answer: answer | {"choices": [{**one, "token_ids": None} for one in answer["choices"]]}
    with pytest.raises(EngineError, match="does not say which tokens it gives"):
        spoken(remote, EMOTION, ITEMS)


def test_the_end_that_a_server_leaves_out_is_put_back(server: FakeVllm, model: Weights) -> None:
    remote = RemoteEngine(server.url, "base", model, timeout=5.0, patience=5.0)
    stopped = {"token_ids": [5], "finish_reason": "stop"}
    server.tamper = lambda answer: answer | {"choices": [{**one, **stopped} for one in answer["choices"]]}
    assert {one.answer[-4:] for one in said(remote, EMOTION, ITEMS)} == {"</s>"}
    server.tamper = lambda answer: (
        answer | {"choices": [{**one, "token_ids": [5, 2], "finish_reason": "stop"} for one in answer["choices"]]}
    )
    assert {one.answer.count("</s>") for one in said(remote, EMOTION, ITEMS)} == {1}


def test_what_cannot_be_said_is_refused(engine: CausalEngine, encoder: EncoderEngine) -> None:
    for silent in (KeywordEngine(), encoder):
        with pytest.raises(EngineError, match="says nothing, so there is nothing to decode"):
            spoken(silent, EMOTION, ITEMS)
    with pytest.raises(EngineError, match="any number of labels may be the answer"):
        spoken(engine, asked("EMOTION", ("joy", "anger"), Kind.MULTIPLE), ITEMS)
