"""The causal engine against the plainest way: a whole forward for each text and label, by transformers' own code."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from backend.engines.causal import CausalEngine
from backend.engines.packs import attend_plainly, run, run_prefix
from backend.engines.prompts import Ours, applies, asks
from backend.engines.protocol import EngineError, Family
from backend.engines.trie import Method
from backend.engines.weights import Weights
from labelstudio_config.codebook import Control, Field, Kind, Question
from tests.backend.engines.label_sets import HARD, TASKS, asked
from tests.backend.engines.llamas import LLAMA2, llama, real_tokenizer, tiny_tokenizer
from tests.backend.engines.plain import TEXTS, items_of, plain_model, plainly


@pytest.fixture(scope="module", params=[4, 2], ids=["plain", "grouped"])
def real(request: pytest.FixtureRequest, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Weights:
    """A tiny Llama with the real vocabulary, without and with grouped-query attention."""
    if not (shared / LLAMA2).is_file():
        pytest.skip("shared material absent")
    folder = tmp_path_factory.mktemp("real")
    tokenizer = real_tokenizer(shared, folder / "vocabulary")
    return llama(folder / "model", tokenizer, key_values=request.param, hidden_size=16)


@pytest.fixture(scope="module", params=[4, 1], ids=["plain", "grouped"])
def tiny(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Weights:
    return llama(tmp_path_factory.mktemp("tiny") / "model", tiny_tokenizer(), key_values=request.param, window=500)


@pytest.mark.parametrize("method", ["label", "choice"])
def test_all_tasks_with_the_real_vocabulary(real: Weights, method: Method) -> None:
    engine, model = CausalEngine(real, device="cpu", method=method), plain_model(real)
    for task, words in (TASKS | HARD).items():
        question = asked(task, words)
        items = items_of(question)
        scores = engine.score(question, items)
        assert scores.family is Family.CATEGORICAL
        expected = plainly(model, engine, question, items, method)
        np.testing.assert_allclose(scores.log_probabilities, expected, atol=1e-4, err_msg=task)
        assert np.ptp(expected, axis=0).max() > 0.1, f"{task}: the texts make no difference"


@pytest.mark.parametrize("method", ["label", "choice"])
@pytest.mark.parametrize("name", ["INTIMACY", "AGREEDISAGREE", "prefixes"])
def test_a_vocabulary_of_letters(tiny: Weights, method: Method, name: str) -> None:
    engine, question = CausalEngine(tiny, device="cpu", method=method), asked(name, (TASKS | HARD)[name])
    found = engine.score(question, items_of(question)).log_probabilities
    expected = plainly(plain_model(tiny), engine, question, items_of(question), method)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1)


def test_one_text_and_many_in_any_order(tiny: Weights) -> None:
    engine, question = CausalEngine(tiny, device="cpu"), asked("INTIMACY", TASKS["INTIMACY"])
    rng = np.random.default_rng(2)
    texts = ["".join(rng.choice(list("abc de.\n"), size=rng.integers(0, 60))) for _ in range(500)]
    found = engine.score(question, items_of(question, texts)).log_probabilities
    some = rng.choice(500, size=12, replace=False)
    expected = plainly(plain_model(tiny), engine, question, items_of(question, [texts[n] for n in some]), "label")
    np.testing.assert_allclose(found[some], expected, atol=1e-4)
    order = rng.permutation(500)
    shuffled = engine.score(question, items_of(question, [texts[n] for n in order])).log_probabilities
    np.testing.assert_allclose(shuffled, found[order], atol=1e-4)
    for n in some[:3]:
        alone = engine.score(question, items_of(question, [texts[n]])).log_probabilities
        np.testing.assert_allclose(alone[0], found[n], atol=1e-4)
    nothing = engine.score(question, [])
    assert nothing.log_probabilities.shape == (0, 6)


def test_slices_change_nothing(tiny: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, question = CausalEngine(tiny, device="cpu"), asked("EMOTION", TASKS["EMOTION"])
    items = items_of(question, [*TEXTS, *reversed(TEXTS)])
    whole = engine.score(question, items).log_probabilities
    monkeypatch.setattr("backend.engines.causal.SLICE", 5)
    np.testing.assert_allclose(engine.score(question, items).log_probabilities, whole, atol=1e-4)


def test_labels_of_several_are_each_yes_or_no(tiny: Weights) -> None:
    engine = CausalEngine(tiny, device="cpu")
    question = asked("EMOTION", TASKS["EMOTION"], Kind.MULTIPLE)
    scores = engine.score(question, items_of(question))
    assert scores.family is Family.BERNOULLI
    for column, label in enumerate(question.labels):
        one = applies(question, label)
        expected = plainly(plain_model(tiny), engine, one, items_of(question), "label")
        np.testing.assert_allclose(scores.log_probabilities[:, column], expected[:, 0], atol=1e-4)


def test_ordered_labels_keep_their_order(tiny: Weights) -> None:
    engine, question = CausalEngine(tiny, device="cpu"), asked("OPTIMISM", TASKS["OPTIMISM"], Kind.ORDINAL)
    scores = engine.score(question, items_of(question))
    assert scores.family is Family.ORDINAL
    expected = plainly(plain_model(tiny), engine, question, items_of(question), "label")
    np.testing.assert_allclose(scores.log_probabilities, expected, atol=1e-4)


def test_examples_are_shown_to_the_model(tiny: Weights) -> None:
    question = asked("EMOTION", ("joy", "no"), examples=2)
    none, two = (CausalEngine(tiny, device="cpu", shots=n) for n in (0, 2))
    assert none.identity.prompt != two.identity.prompt
    difference = none.score(question, [("x",)]).log_probabilities - two.score(question, [("x",)]).log_probabilities
    assert np.abs(difference).max() > 1e-3
    (ask,) = asks(question, Ours(), 2)
    assert two.frames(question)[0].ask == ask


def test_what_is_cut_is_counted_and_what_is_left_is_scored(tmp_path: Path) -> None:
    weights = llama(tmp_path / "model", tiny_tokenizer(), window=270)
    engine, question = CausalEngine(weights, device="cpu"), asked("EMOTION", TASKS["EMOTION"])
    wide = CausalEngine(replace(weights, window=500), device="cpu")
    assert wide.identity.prompt != engine.identity.prompt
    long, short = "abc. " * 50, "abc."
    scores = engine.score(question, [(long,), (short,)])
    assert scores.cut[1] == 0
    (ask,) = asks(question, Ours())
    left = len(engine.tokens.encode(ask, engine.frames(question)[0].seams, [(long,)]).ids[0])
    assert left + 9 == engine.window  # '▁' and the letters of "optimism"
    assert scores.cut[0] == len(wide.tokens.ids([str(ask.prompt((long,)))])[0]) - left
    head = next(n for n in range(len(long)) if len(wide.tokens.ids([str(ask.prompt((long[: n + 1],)))])[0]) > left)
    same = wide.score(question, [(long[:head],)]).log_probabilities
    np.testing.assert_allclose(scores.log_probabilities[0], same[0], atol=1e-4)
    several = engine.score(asked("EMOTION", ("joy", "no"), Kind.MULTIPLE), [(long,)])
    assert several.cut[0] > 0


@pytest.mark.parametrize(
    "told", ["CUDA out of memory. Tried to allocate", "DefaultCPUAllocator: can't allocate memory"]
)
def test_when_memory_runs_out_packs_become_smaller(tiny: Weights, monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    engine, question = CausalEngine(tiny, device="cpu", budget=4000), asked("EMOTION", TASKS["EMOTION"])
    items = items_of(question, [f"text number {n}" for n in range(60)])
    expected = CausalEngine(tiny, device="cpu").score(question, items).log_probabilities
    sizes: list[int] = []

    def limited(model: Any, pack: Any, trie: Any) -> Any:
        sizes.append(pack.tokens.shape[1])
        if sizes[-1] > 300:
            raise RuntimeError(told)
        return run(model, pack, trie)

    monkeypatch.setattr("backend.engines.causal.run", limited)
    found = engine.score(question, items).log_probabilities
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert max(sizes) > 300
    assert 150 < engine.budget <= 300
    before = len(sizes)
    engine.score(question, items)
    assert max(sizes[before:]) <= 300


def test_a_text_that_does_not_fit_alone_is_refused(tiny: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    engine, question = CausalEngine(tiny, device="cpu"), asked("EMOTION", TASKS["EMOTION"])
    monkeypatch.setattr("backend.engines.causal.run", full)
    with pytest.raises(EngineError, match=r"A text of \d+ tokens does not fit into the memory of 'cpu' even alone"):
        engine.score(question, items_of(question))
    monkeypatch.undo()
    monkeypatch.setattr("backend.engines.causal.run_prefix", full)
    with pytest.raises(EngineError, match="does not fit into the memory"):
        CausalEngine(tiny, device="cpu").score(question, items_of(question))


def test_other_faults_are_not_taken_for_memory(tiny: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("size mismatch")

    engine, question = CausalEngine(tiny, device="cpu"), asked("EMOTION", TASKS["EMOTION"])
    monkeypatch.setattr("backend.engines.causal.run", broken)
    with pytest.raises(RuntimeError, match="size mismatch"):
        engine.score(question, items_of(question))


def test_the_prefix_is_run_once_for_a_question(tiny: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []

    def counted(model: Any, ids: Sequence[int]) -> Any:
        runs.append(len(ids))
        return run_prefix(model, ids)

    monkeypatch.setattr("backend.engines.causal.run_prefix", counted)
    engine, question = CausalEngine(tiny, device="cpu"), asked("EMOTION", TASKS["EMOTION"])
    for _ in range(3):
        engine.score(question, items_of(question))
    assert len(runs) == 1
    assert runs[0] > 100


def test_a_text_that_merges_with_the_template_shortens_the_prefix(tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer(merges=[("▁", "Q"), (":", "▁Q")])
    weights = llama(tmp_path / "model", tokenizer)
    engine, question = CausalEngine(weights, device="cpu"), asked("EMOTION", ("joy", "no"))
    items = [("Quite so",), ("no",)]
    expected = plainly(plain_model(weights), engine, question, items, "label")
    np.testing.assert_allclose(engine.score(question, items).log_probabilities, expected, atol=1e-4)


@pytest.mark.parametrize("family", ["mistral", "qwen2", "qwen3", "gemma", "granite"])
def test_other_families_of_models(tmp_path: Path, family: str) -> None:
    more = {"sliding_window": 480} if family == "mistral" else {}
    weights = llama(tmp_path / "model", tiny_tokenizer(), key_values=2, family=family, window=500, **more)
    engine, question = CausalEngine(weights, device="cpu"), asked("INTIMACY", TASKS["INTIMACY"])
    assert engine.window == more.get("sliding_window", 500)
    scores = engine.score(question, items_of(question))
    assert not scores.cut.any()
    expected = plainly(plain_model(weights), engine, question, items_of(question), "label")
    np.testing.assert_allclose(scores.log_probabilities, expected, atol=1e-4)


def test_the_plain_attention_of_other_devices_is_the_same(tiny: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, question = CausalEngine(tiny, device="cpu"), asked("INTIMACY", TASKS["INTIMACY"])
    expected = engine.score(question, items_of(question)).log_probabilities
    monkeypatch.setattr("backend.engines.packs._attend", attend_plainly)
    found = CausalEngine(tiny, device="cpu").score(question, items_of(question)).log_probabilities
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_sixteen_bits_are_close(tiny: Weights) -> None:
    question = asked("EMOTION", TASKS["EMOTION"])
    full, half = (CausalEngine(tiny, device="cpu", dtype=dtype) for dtype in ("auto", "bfloat16"))
    assert (full.identity.dtype, half.identity.dtype) == ("float32", "bfloat16")
    p, q = (np.exp(engine.score(question, items_of(question)).log_probabilities) for engine in (full, half))
    assert np.abs(p - q).max() < 0.2


def test_the_identity_says_what_scores_depend_on(tiny: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.engines.causal_model.loaded", lambda *_: pytest.fail("loaded"))
    engine = CausalEngine(tiny, device="cpu", ready=False)
    assert (engine.identity.engine, engine.identity.base) == ("causal", tiny.base)
    assert engine.identity.digest == tiny.digest
    assert engine.identity.method == "label"
    other = CausalEngine(tiny, device="cpu", ready=False, wording=Ours(verbalised=True), method="choice").identity
    assert (other.prompt != engine.identity.prompt, other.method) == (True, "choice")


def test_what_cannot_be_had_is_refused_with_the_reason(tiny: Weights, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="pip install bitsandbytes"):
        CausalEngine(tiny, device="cpu", four_bit=True)
    with pytest.raises(EngineError, match="no scoring method 'guess'"):
        CausalEngine(tiny, method="guess")  # type: ignore[arg-type]
    with pytest.raises(EngineError, match="no dtype 'int8'"):
        CausalEngine(tiny, device="cpu", dtype="int8")
    with pytest.raises(EngineError, match="examples shown is 0 or more"):
        CausalEngine(tiny, shots=-1)
    with pytest.raises(EngineError, match="no labels"):
        CausalEngine(tiny, device="cpu").score(number(), [("a",)])
    with pytest.raises(EngineError, match="Two labels have the same word"):
        twice = replace(asked("EMOTION", ("joy", "no")), verbalisers=(("label0", "no"),))
        CausalEngine(tiny, device="cpu", wording=Ours(verbalised=True)).score(twice, [("a",)])
    broken = tmp_path / "broken"
    shutil.copytree(tiny.folder, broken)
    (broken / "model.safetensors").unlink()
    with pytest.raises(EngineError, match="cannot be loaded by transformers"):
        CausalEngine(replace(tiny, folder=broken), device="cpu")
    (broken / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
    with pytest.raises(EngineError, match="of the type 'bert', which cannot be scored here"):
        CausalEngine(replace(tiny, folder=broken), device="cpu")


def number() -> Question:
    return Question("n", "n", Kind.NUMBER, Control.NUMBER, (Field("text", "text"),))
