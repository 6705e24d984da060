from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.engines.adapter import MANIFEST, TENSORS, Manifest, digest
from backend.engines.encoder import EncoderEngine
from backend.engines.keyword import KeywordEngine
from backend.engines.protocol import EngineError, Family, Item
from backend.tuners.head import train
from labelstudio_config.codebook import Kind
from labelstudio_config.library import load
from tests.backend.engines.questions import CROSS, DOWN, GLAD, MOODS, question, tiny_encoder

ITEMS: list[Item] = [(GLAD,), (CROSS,), (DOWN,), ("What fun we had, I loved it!",), ("Shut up, you liar!",)]
ANSWERS = [frozenset({label}) for label in ("joy", "anger", "sadness", "joy", "anger")]


@pytest.fixture(scope="module")
def adapter(encoder: EncoderEngine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapters") / "mood@v1"
    train(encoder, question(), ITEMS, ANSWERS, folder)
    return folder


def test_definitions_and_examples_suggest_without_labels(encoder: EncoderEngine) -> None:
    scores = encoder.score(question(), [(GLAD,), (CROSS,), (DOWN,)])
    assert [MOODS[k].id for k in scores.log_probabilities.argmax(axis=1)] == ["joy", "anger", "sadness"]
    assert scores.family is Family.CATEGORICAL
    assert scores.log_probabilities.dtype == np.float64
    book = load("emotion").questions[0]
    assert book.label_ids[int(encoder.score(book, [(CROSS,)]).log_probabilities.argmax())] == "anger"


def test_the_words_that_other_weights_say_for_labels_change_nothing(encoder: EncoderEngine) -> None:
    (spoken,) = load("biased-implication").questions
    assert spoken.verbalisers
    plain, items = replace(spoken, verbalisers=()), [(GLAD,), (spoken.labels[1].examples[0],)]
    for engine in (encoder, KeywordEngine()):
        with_words, without = (engine.score(q, items).log_probabilities for q in (spoken, plain))
        np.testing.assert_array_equal(with_words, without)
        assert with_words[1].argmax() == spoken.label_ids.index("biased")


@settings(max_examples=40, deadline=None)
@given(text=st.one_of(st.text(max_size=200), st.sampled_from(["", "\x00", "🥲" * 40, "\udfff", "z" * 100_000])))
@pytest.mark.parametrize("kind", [Kind.SINGLE, Kind.MULTIPLE, Kind.ORDINAL])
def test_any_text_has_a_distribution(encoder: EncoderEngine, kind: Kind, text: str) -> None:
    scores = encoder.score(question(kind, fields=2), [(text, "A reply.")])
    p = np.exp(scores.log_probabilities)
    assert ((p > 0) & (p < 1)).all()
    if kind is not Kind.MULTIPLE:
        assert p.sum() == pytest.approx(1)


def test_tokens_cut_from_both_texts_are_counted(encoder: EncoderEngine) -> None:
    long = "word " * 300
    scores = encoder.score(question(fields=2), [(long, long), ("short", long), ("short", "short")])
    assert scores.cut.tolist() == [92, 46, 0]
    assert encoder.score(question(), []).log_probabilities.shape == (0, 3)


def test_a_text_that_is_not_english_gets_a_warning_that_does_not_quote_it(encoder: EncoderEngine) -> None:
    french = "Je n'ai jamais vu un service aussi mauvais, personne ne répond au téléphone."
    nothing, warned, pair = encoder.warnings([(GLAD,), (french,), (GLAD, french)])
    assert nothing is None
    assert warned == pair
    assert "not English" in str(warned)
    assert "'fr'" in str(warned)
    assert "service" not in str(warned)


def test_another_encoder_is_one_setting(encoder: EncoderEngine, adapter: Path, tmp_path: Path) -> None:
    other = EncoderEngine(str(tiny_encoder(tmp_path / "tiny")), device="cpu")
    assert other.score(question(), ITEMS).log_probabilities.shape == (5, 3)
    assert other.warnings([("Сегодня опять отменили поезд, никто ничего не объяснил.",)]) == [None]
    assert other.identity.digest != encoder.identity.digest
    with pytest.raises(EngineError, match="was trained on the base 'sentence-transformers/all-MiniLM-L6-v2'"):
        other.score(question(), ITEMS, adapter)


def test_an_adapter_changes_scores_and_reads_back_the_same(
    encoder: EncoderEngine, adapter: Path, tmp_path: Path
) -> None:
    plain = encoder.score(question(), ITEMS).log_probabilities
    learned = encoder.score(question(), ITEMS, adapter).log_probabilities
    assert np.abs(plain - learned).max() > 0.01
    copy = tmp_path / "copy"
    shutil.copytree(adapter, copy)
    np.testing.assert_array_equal(learned, encoder.score(question(), ITEMS, copy).log_probabilities)
    assert digest(copy) == digest(adapter)


def test_an_adapter_of_another_question_is_refused(encoder: EncoderEngine, adapter: Path) -> None:
    with pytest.raises(EngineError, match="trained on the labels joy, anger, sadness; the codebook now has joy, anger"):
        encoder.score(question(labels=MOODS[:2]), [("a",)], adapter)
    with pytest.raises(EngineError, match="answers the single question 'mood', not the ordinal question"):
        encoder.score(question(Kind.ORDINAL), [("a",)], adapter)
    with pytest.raises(EngineError, match="not the single question 'other'"):
        encoder.score(replace(question(), id="other"), [("a",)], adapter)
    with pytest.raises(EngineError, match="trained on 1 texts an item"):
        encoder.score(question(fields=2), [("a", "b")], adapter)
    with pytest.raises(EngineError, match="no labels"):
        encoder.score(question(Kind.NUMBER), [("a",)])


def edited(adapter: Path, folder: Path, **changes: object) -> Path:
    """A copy of the adapter with another manifest."""
    shutil.copytree(adapter, folder)
    value = json.loads((folder / MANIFEST).read_text(encoding="utf-8")) | changes
    (folder / MANIFEST).write_text(json.dumps(value), encoding="utf-8")
    return folder


def test_a_damaged_adapter_is_refused_with_the_reason(encoder: EncoderEngine, adapter: Path, tmp_path: Path) -> None:
    def reason(folder: Path) -> str:
        with pytest.raises(EngineError) as refused:
            encoder.score(question(), [("a",)], folder)
        return str(refused.value)

    assert "holds no adapter" in reason(tmp_path / "nothing")
    assert "has format 99" in reason(edited(adapter, tmp_path / "newer", format=99))
    assert "another version of socialite" in reason(edited(adapter, tmp_path / "recipe", prompt="0" * 64))
    assert "is a 'lora'" in reason(edited(adapter, tmp_path / "lora", method="lora"))
    broken = edited(adapter, tmp_path / "broken")
    (broken / MANIFEST).write_text("{", encoding="utf-8")
    assert "cannot be read" in reason(broken)
    flipped = edited(adapter, tmp_path / "flipped")
    data = bytearray((flipped / TENSORS).read_bytes())
    data[-1] ^= 1
    (flipped / TENSORS).write_bytes(data)
    assert "missing or damaged" in reason(flipped)
    unreadable = edited(adapter, tmp_path / "unreadable", files={})
    assert "which the encoder cannot use" in reason(unreadable)


def test_the_manifest_says_where_the_adapter_comes_from(encoder: EncoderEngine, adapter: Path) -> None:
    value = json.loads((adapter / MANIFEST).read_text(encoding="utf-8"))
    assert set(value) == set(Manifest.__dataclass_fields__)
    assert value["base_digest"] == encoder.identity.digest
    assert value["labels"] == ["joy", "anger", "sadness"]
    assert value["examples"] == {"joy": 2, "anger": 2, "sadness": 1}
    assert {"torch", "transformers", "numpy", "python"} <= set(value["versions"])
    assert value["created"].endswith("+00:00")


def test_many_adapters_are_used_in_turn(encoder: EncoderEngine, adapter: Path, tmp_path: Path) -> None:
    expected = encoder.score(question(), ITEMS, adapter).log_probabilities
    for n in range(20):
        copy = edited(adapter, tmp_path / str(n), seed=n)
        np.testing.assert_array_equal(expected, encoder.score(question(), ITEMS, copy).log_probabilities)
    np.testing.assert_array_equal(expected, encoder.score(question(), ITEMS, adapter).log_probabilities)


def test_a_server_can_know_the_engine_before_the_model_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[object] = []
    unpacked = SimpleNamespace(config=SimpleNamespace(_attn_implementation="sdpa"))

    def load(weights: object, _: str) -> tuple[None, SimpleNamespace]:
        loads.append(weights)
        return None, unpacked

    monkeypatch.setattr("backend.engines.embeddings._load", load)
    waiting = EncoderEngine(ready=False)
    assert waiting.identity.digest and not loads
    waiting.load()
    waiting.load()
    assert len(loads) == 1
