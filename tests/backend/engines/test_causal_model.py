"""LoRA adapters over one causal model: the same scores as transformers and peft give, swapped, dropped and refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.engines.adapter import INSTRUCT, LORA_CONFIG, LORA_TENSORS, MANIFEST
from backend.engines.causal import CausalEngine
from backend.engines.prompts import Ours
from backend.engines.protocol import EngineError
from backend.engines.trie import Method
from backend.engines.weights import Weights
from backend.tuners.adapter import adopt
from backend.tuners.targets import TrainingError
from labelstudio_config.codebook import Kind
from tests.backend.engines.label_sets import TASKS, asked
from tests.backend.engines.llamas import llama, tiny_tokenizer
from tests.backend.engines.loras import lora, manifest
from tests.backend.engines.plain import items_of, plain_model, plainly

pytestmark = pytest.mark.filterwarnings(
    "ignore:.is_gradient_checkpointing:FutureWarning"
)  # peft, in the tests' own use
QUESTION = asked("INTIMACY", TASKS["INTIMACY"])
ITEMS = items_of(QUESTION)


@pytest.fixture(scope="module", params=[4, 2], ids=["plain", "grouped"])
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Weights:
    return llama(tmp_path_factory.mktemp("base") / "model", tiny_tokenizer(), key_values=request.param, window=500)


@pytest.fixture
def engine(base: Weights) -> CausalEngine:
    return CausalEngine(base, device="cpu")


@pytest.mark.parametrize("method", ["label", "choice"])
def test_scores_with_an_adapter_are_those_of_peft(base: Weights, tmp_path: Path, method: Method) -> None:
    engine = CausalEngine(base, device="cpu", method=method)
    adapter = lora(engine, QUESTION, tmp_path / "adapter")
    without = engine.score(QUESTION, ITEMS).log_probabilities
    found = engine.score(QUESTION, ITEMS, adapter).log_probabilities
    expected = plainly(plain_model(base, adapter), engine, QUESTION, ITEMS, method)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.abs(found - without).max() > 0.1
    np.testing.assert_allclose(engine.score(QUESTION, ITEMS).log_probabilities, without, atol=1e-6)


def test_adapters_take_turns_and_the_least_used_is_dropped(base: Weights, tmp_path: Path) -> None:
    engine = CausalEngine(base, device="cpu", kept=2)
    adapters = [lora(engine, QUESTION, tmp_path / f"v{n}", seed=n) for n in range(3)]
    expected = [plainly(plain_model(base, one), engine, QUESTION, ITEMS, "label") for one in adapters]
    plain = engine.score(QUESTION, ITEMS).log_probabilities
    for n in (0, 1, 0, 2, 1, 0, 2, 2, 0):
        found = engine.score(QUESTION, ITEMS, adapters[n]).log_probabilities
        np.testing.assert_allclose(found, expected[n], atol=1e-4)
        assert engine.model.adapters[-1] == adapters[n].resolve()
        assert len(engine.model.adapters) <= 2
        np.testing.assert_allclose(engine.score(QUESTION, ITEMS).log_probabilities, plain, atol=1e-4)
    held = [name for name, _ in engine.model.base.named_parameters() if ".lora_A." in name]
    assert len({name.split(".")[-2] for name in held}) == 2
    assert {folder for folder, _ in engine._prefixes} == {None, adapters[0].resolve(), adapters[2].resolve()}


def test_several_labels_with_an_adapter(engine: CausalEngine, tmp_path: Path) -> None:
    several = asked("EMOTION", ("joy", "no"), Kind.MULTIPLE)
    adapter = lora(engine, several, tmp_path / "adapter")
    without = engine.score(several, ITEMS).log_probabilities
    assert np.abs(engine.score(several, ITEMS, adapter).log_probabilities - without).max() > 0.01


def test_an_adapter_of_another_base_or_vocabulary_is_refused(engine: CausalEngine, tmp_path: Path) -> None:
    def reason(folder: Path) -> str:
        with pytest.raises(EngineError) as refused:
            engine.score(QUESTION, ITEMS, folder)
        return str(refused.value)

    other = lora(engine, QUESTION, tmp_path / "base", base="other/llama", base_digest="ab" * 32)
    assert "was trained on the base 'other/llama' (" in reason(other)
    words = lora(engine, QUESTION, tmp_path / "words", vocabulary="cd" * 32)
    assert "trained with another vocabulary (cdcdcdcdcdcd)" in reason(words)
    prompts = lora(engine, QUESTION, tmp_path / "prompts", prompt="ef" * 32)
    assert "trained on other prompts" in reason(prompts)
    labels = lora(engine, QUESTION, tmp_path / "labels", labels=("a", "b"))
    assert "trained on the labels a, b" in reason(labels)
    head = lora(engine, QUESTION, tmp_path / "head", method="head")
    assert "is a 'head', which a causal model cannot use" in reason(head)
    assert "holds no adapter" in reason(tmp_path / "nothing")
    good = lora(engine, QUESTION, tmp_path / "good")
    assert engine.score(QUESTION, ITEMS, good).log_probabilities.shape == (len(ITEMS), 6)


def test_an_instruction_tuned_adapter_answers_any_question_asked_in_any_way(base: Weights, tmp_path: Path) -> None:
    engine, few, shown = CausalEngine(base, device="cpu"), ITEMS[:2], ["a - intimate", "b - not intimate"]
    any_question: dict[str, Any] = {
        "method": INSTRUCT,
        "question": "*",
        "kind": "*",
        "fields": 0,
        "labels": (),
        "prompt": "ef" * 32,
    }
    adapter = lora(engine, QUESTION, tmp_path / "adapter", **any_question)
    plain = plain_model(base, adapter)
    for question in (QUESTION, asked("FLUTE", TASKS["FLUTE"])):
        items = items_of(question)
        found = engine.score(question, items, adapter).log_probabilities
        np.testing.assert_allclose(found, plainly(plain, engine, question, items, "label"), atol=1e-4)
    found = engine.score(QUESTION, few, adapter, shown).log_probabilities
    np.testing.assert_allclose(found, plainly(plain, engine, QUESTION, few, "label", shown), atol=1e-4)
    otherwise = CausalEngine(base, device="cpu", wording=Ours(verbalised=True), shots=2)
    assert otherwise.score(QUESTION, ITEMS, adapter).log_probabilities.shape == (len(ITEMS), 6)
    for change, said in (({"base_digest": "ab" * 32}, "trained on the base"), ({"vocabulary": "cd"}, "another vocab")):
        wrong = lora(engine, QUESTION, tmp_path / said[:5], **any_question | change)
        with pytest.raises(EngineError, match=said):
            engine.score(QUESTION, ITEMS, wrong)


def test_a_damaged_or_foreign_adapter_leaves_the_model_as_it_was(engine: CausalEngine, tmp_path: Path) -> None:
    plain = engine.score(QUESTION, ITEMS).log_probabilities
    wider = llama(tmp_path / "wide", tiny_tokenizer(), hidden_size=48)
    foreign = lora(
        CausalEngine(replace(wider, digest=engine.weights.digest), device="cpu", ready=False),
        QUESTION,
        tmp_path / "foreign",
        prompt=engine.identity.prompt,
    )
    for folder in (foreign, foreign):
        with pytest.raises(EngineError, match="The adapter foreign does not fit the model"):
            engine.score(QUESTION, ITEMS, folder)
        np.testing.assert_allclose(engine.score(QUESTION, ITEMS).log_probabilities, plain, atol=1e-6)
    good = lora(engine, QUESTION, tmp_path / "good")
    learned = engine.score(QUESTION, ITEMS, good).log_probabilities
    with pytest.raises(EngineError, match="does not fit the model"):
        engine.score(QUESTION, ITEMS, foreign)
    np.testing.assert_allclose(engine.score(QUESTION, ITEMS, good).log_probabilities, learned, atol=1e-6)
    damaged = tmp_path / "damaged"
    shutil.copytree(good, damaged)
    data = bytearray((damaged / LORA_TENSORS).read_bytes())
    data[-1] ^= 1
    (damaged / LORA_TENSORS).write_bytes(data)
    with pytest.raises(EngineError, match="missing or damaged"):
        engine.score(QUESTION, ITEMS, damaged)


def test_pickles_are_not_taken(engine: CausalEngine, tmp_path: Path) -> None:
    good = lora(engine, QUESTION, tmp_path / "good")
    pickled = tmp_path / "pickled"
    pickled.mkdir()
    shutil.copyfile(good / LORA_CONFIG, pickled / LORA_CONFIG)
    (pickled / "adapter_model.bin").write_bytes(b"\x80\x04")
    with pytest.raises(TrainingError, match="pickled weights are not taken"):
        adopt(pickled, tmp_path / "adopted", manifest(engine, QUESTION))
    value = json.loads((good / MANIFEST).read_text(encoding="utf-8"))
    value["files"] = {LORA_CONFIG: value["files"][LORA_CONFIG]}
    (pickled / MANIFEST).write_text(json.dumps(value), encoding="utf-8")
    with pytest.raises(EngineError, match="is a 'lora', which a causal model cannot use"):
        engine.score(QUESTION, ITEMS, pickled)


def test_an_adapter_names_no_folder_of_the_machine(engine: CausalEngine, tmp_path: Path) -> None:
    adapter = lora(engine, QUESTION, tmp_path / "adapter")
    config = json.loads((adapter / LORA_CONFIG).read_text(encoding="utf-8"))
    assert config["base_model_name_or_path"] == engine.identity.base
    assert sorted(path.name for path in adapter.iterdir()) == sorted([LORA_CONFIG, LORA_TENSORS, MANIFEST])
    with pytest.raises(TrainingError, match="never overwritten"):
        adopt(tmp_path / "adapter-peft", adapter, manifest(engine, QUESTION))


def test_at_least_one_adapter_is_kept(base: Weights) -> None:
    with pytest.raises(EngineError, match="At least one adapter"):
        CausalEngine(base, device="cpu", kept=0, ready=False)
