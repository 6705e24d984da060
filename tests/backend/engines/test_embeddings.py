from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.engines.embeddings import Embedder
from backend.engines.encoder import EncoderEngine
from backend.engines.packed import Packed
from backend.engines.padded import Padded, batches
from backend.engines.protocol import EngineError
from backend.engines.weights import find
from tests.backend.engines.questions import tiny_encoder

TEXTS = [
    "Short.",
    "A somewhat longer sentence about the weather in the north, where it has been raining.",
    "",
    "👍🏽 nice!!",
    "The quick brown fox. " * 90,
]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("tiny") / "encoder", window=12)


@pytest.fixture(scope="module")
def forgetful(tiny: Path) -> Embedder:
    """Computes every text anew."""
    return Embedder(find(str(tiny)), device="cpu", capacity=0)


def plainly(folder: Path, text: str, window: int) -> NDArray[np.float32]:
    """One text, no padding, no batch, no cache: mean over tokens of the last and the middle layer, each of length 1."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokens = AutoTokenizer.from_pretrained(folder)(text, truncation=True, max_length=window, return_tensors="pt")
    with torch.inference_mode():
        states = AutoModel.from_pretrained(folder)(**tokens, output_hidden_states=True).hidden_states
    means = [states[layer][0].mean(0).numpy() for layer in (-1, len(states) // 2)]
    return np.concatenate([mean / np.linalg.norm(mean) for mean in means])


def test_embeddings_equal_a_plain_computation(encoder: EncoderEngine) -> None:
    vectors, _ = encoder.embedder.embed(TEXTS)
    expected = [plainly(encoder.embedder.weights.folder, text, 256) for text in TEXTS]
    np.testing.assert_allclose(vectors, expected, atol=2e-6)
    assert vectors.shape == (len(TEXTS), 2 * encoder.embedder.width) == (len(TEXTS), 768)


def test_padded_texts_have_the_same_embeddings(encoder: EncoderEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """As any encoder but BERT on a CPU is run."""
    monkeypatch.setattr("backend.engines.packed.FAMILIES", ())
    padding = Embedder(encoder.embedder.weights, device="cpu")
    assert isinstance(padding.reader, Padded)
    assert isinstance(encoder.embedder.reader, Packed)
    texts = TEXTS * 2 + [f"{'word ' * n}end" for n in range(40)]
    one, cut = padding.embed(texts)
    other, cut_too = encoder.embedder.embed(texts)
    np.testing.assert_allclose(one, other, atol=2e-6)
    assert cut.tolist() == cut_too.tolist()


def test_padded_batches_are_of_nearly_one_length() -> None:
    lengths = [n % 37 + 1 for n in range(500)]
    made = list(batches(lengths))
    assert sorted(place for batch in made for place in batch) == list(range(500))
    for batch in made[:-1]:
        assert 8 <= len(batch) <= 32
        assert max(lengths[p] for p in batch[8:] or batch[:1]) <= 1.1 * lengths[batch[0]]


def test_order_and_company_do_not_matter(tiny: Path) -> None:
    texts = [f"{'ab ' * (n % 9)}{chr(97 + n % 26)}" for n in range(80)]
    one, _ = Embedder(find(str(tiny)), device="cpu").embed(texts)
    backwards, _ = Embedder(find(str(tiny)), device="cpu").embed(texts[::-1])
    np.testing.assert_allclose(one, backwards[::-1], atol=1e-6)
    alone, _ = Embedder(find(str(tiny)), device="cpu").embed(texts[17:18])
    np.testing.assert_allclose(one[17:18], alone, atol=1e-6)


def test_what_does_not_fit_is_counted(tiny: Path) -> None:
    embedder = Embedder(find(str(tiny)), device="cpu")
    _, cut = embedder.embed(["a b c", "a " * 10, "a " * 11, "a " * 500])  # the window of 12 holds two special tokens
    assert cut.tolist() == [0, 0, 1, 490]
    same, _ = embedder.embed(["a " * 10 + "z", "a " * 10 + "q"])
    np.testing.assert_array_equal(same[0], same[1])


def test_each_text_is_computed_once(tiny: Path) -> None:
    embedder, done = Embedder(find(str(tiny)), device="cpu", capacity=3), []
    embedder.embed(["a", "b", "a", "a"], done.append)
    assert sum(done) == 2
    embedder.embed(["b", "a"], done.append)
    assert sum(done) == 2
    vectors, _ = embedder.embed([chr(97 + n) for n in range(20)], done.append)  # more than are kept
    assert sum(done) == 20
    assert np.isfinite(vectors).all()


def test_a_folder_keeps_embeddings_between_runs(tiny: Path, tmp_path: Path) -> None:
    first, cut = Embedder(find(str(tiny)), device="cpu", folder=tmp_path).embed(["a b", "c " * 40])
    done: list[int] = []
    again, cut_again = Embedder(find(str(tiny)), device="cpu", folder=tmp_path).embed(["c " * 40, "a b"], done.append)
    assert done == []
    np.testing.assert_array_equal(first, again[::-1])
    np.testing.assert_array_equal(cut, cut_again[::-1])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.text(), st.sampled_from(["", "\x00", "\ud83d", "\u200d\ufe0f", "x" * 9999])), max_size=5))
def test_any_text_has_a_unit_vector(forgetful: Embedder, texts: list[str]) -> None:
    vectors, cut = forgetful.embed(texts)
    for half in np.split(vectors, 2, axis=1):
        np.testing.assert_allclose(np.linalg.norm(half, axis=1), np.ones(len(texts)), atol=1e-5)
    assert (cut >= 0).all()


def test_a_hundred_thousand_characters(encoder: EncoderEngine) -> None:
    vectors, cut = encoder.embedder.embed(["word " * 20_000])
    assert np.isfinite(vectors).all()
    assert cut.tolist() == [20_000 + 2 - 256]


def test_a_folder_that_transformers_cannot_read_is_refused(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "no-such-model"}', encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes((tiny / "model.safetensors").read_bytes())
    with pytest.raises(EngineError, match="cannot be loaded by transformers"):
        Embedder(find(str(tmp_path)), device="cpu").load()
