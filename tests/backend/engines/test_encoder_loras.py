from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.engines import encoder_loras
from backend.engines.adapter import LORA_TENSORS, MANIFEST, TENSORS, digest
from backend.engines.encoder import EncoderEngine
from backend.engines.head import features, similar
from backend.engines.protocol import EngineError, Item
from backend.engines.zeroshot import log_probabilities
from backend.tuners.training import Options
from labelstudio_config.codebook import Kind
from tests.backend.engines.questions import MOODS, question, tiny_encoder
from tests.backend.tuners.tuned import LORA, labelled, tiny, tune

ITEMS: list[Item] = [
    ("aaa c d e f g",),
    ("kkk",),
    ("",),
    ("xyx b c d e f g h i j k l m n o p q r s t u v w x y z",),
    ("aaa b",),
]
OTHER = replace(question(labels=MOODS[:2]), id="other")
ALL = replace(LORA, targets="all", epochs=1)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("tiny") / "encoder", window=24)


@pytest.fixture(scope="module")
def adapters(base: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two LoRAs of one question, one of another question, and a head."""
    engine, folder = tiny(base), tmp_path_factory.mktemp("adapters")
    texts, few = labelled(24, held=4), replace(LORA, epochs=1, rate=1e-3)
    two = replace(texts, answers=[frozenset({MOODS[n % 2].id}) for n in range(24)])
    tune(engine, folder / "one", texts, few)
    tune(engine, folder / "two", labelled(24, held=4, seed=9), replace(ALL, seed=5, rate=1e-3))
    tune(engine, folder / "other", two, few, OTHER)
    tune(engine, folder / "head", texts, Options(encoder="head"))
    return {name: folder / name for name in ("one", "two", "other", "head")}


def plainly(base: Path, adapter: Path, items: list[Item]) -> NDArray[np.float64]:
    """Log-probabilities as transformers and peft compute them, text by text, and the head by hand."""
    import torch
    from peft import PeftModel
    from safetensors.numpy import load_file
    from transformers import AutoModel, AutoTokenizer

    model = PeftModel.from_pretrained(AutoModel.from_pretrained(base), str(adapter)).eval()
    head, tokenizer, rows = load_file(adapter / TENSORS), AutoTokenizer.from_pretrained(base), []
    for (text,) in items:
        tokens = tokenizer(text, truncation=True, max_length=24, return_tensors="pt")
        with torch.inference_mode():
            states = model(**tokens, output_hidden_states=True).hidden_states
        means = [states[layer][0].mean(0) for layer in (-1, len(states) // 2)]
        vector = torch.cat([mean / mean.norm() for mean in means]).numpy()
        rows.append(torch.tensor(vector @ head["weights"] + head["bias"]).log_softmax(0).numpy())
    return np.stack(rows)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("name", ["one", "two"])
def test_scores_are_those_of_a_plain_peft_model(base: Path, adapters: dict[str, Path], name: str) -> None:
    found = tiny(base).score(question(), ITEMS, adapters[name])
    np.testing.assert_allclose(found.log_probabilities, plainly(base, adapters[name], ITEMS), atol=5e-6)
    assert found.cut.tolist() == tiny(base).score(question(), ITEMS).cut.tolist()
    assert found.cut[3] > 0


def test_in_any_order_each_gives_what_it_gives_alone(base: Path, adapters: dict[str, Path]) -> None:
    """More of them than are kept, with none in between; embeddings are forgotten, or kept."""
    asked = {"other": OTHER}
    alone = {
        name: tiny(base).score(asked.get(name, question()), ITEMS, adapters.get(name)).log_probabilities
        for name in (*adapters, "none")
    }
    for capacity in (0, 1000):
        for kept in (1, 4):
            engine = EncoderEngine(str(base), device="cpu", capacity=capacity)
            engine.embedder.loras.kept = kept
            for name in ("none", "one", "two", "none", "one", "other", "head", "two", "none", "one", "head", "none"):
                found = engine.score(asked.get(name, question()), ITEMS, adapters.get(name)).log_probabilities
                np.testing.assert_array_equal(found, alone[name])
                assert len(engine.embedder.loras.digests) <= kept
    assert np.abs(alone["one"] - alone["two"]).max() > 1e-3


def test_embeddings_of_a_tuned_encoder_are_kept_apart_and_in_memory_only(
    base: Path, adapters: dict[str, Path], tmp_path: Path
) -> None:
    engine = EncoderEngine(str(base), device="cpu", cache=tmp_path / "cache")
    expected = tiny(base).score(question(), ITEMS).log_probabilities
    engine.score(question(), ITEMS, adapters["one"])
    again = EncoderEngine(str(base), device="cpu", cache=tmp_path / "cache")
    np.testing.assert_array_equal(again.score(question(), ITEMS).log_probabilities, expected)
    np.testing.assert_array_equal(engine.score(question(), ITEMS).log_probabilities, expected)
    counted: list[int] = []
    lora = encoder_loras.Lora(adapters["one"], digest(adapters["one"]))
    engine.embedder.embed([text for (text,) in ITEMS], counted.append, lora)
    assert counted == []  # computed once


def edited(adapter: Path, folder: Path, **changes: object) -> Path:
    shutil.copytree(adapter, folder)
    value = json.loads((folder / MANIFEST).read_text(encoding="utf-8")) | changes
    (folder / MANIFEST).write_text(json.dumps(value), encoding="utf-8")
    return folder


def test_what_does_not_belong_here_is_refused_and_the_encoder_stays_as_it_was(
    base: Path, adapters: dict[str, Path], tmp_path: Path
) -> None:
    from safetensors.numpy import load_file, save_file

    engine = tiny(base)
    plain = engine.score(question(), ITEMS).log_probabilities

    def reason(folder: Path) -> str:
        with pytest.raises(EngineError) as refused:
            engine.score(question(), ITEMS, folder)
        return str(refused.value)

    assert "answers the single question 'other'" in reason(adapters["other"])
    assert "which the encoder cannot use" in reason(edited(adapters["one"], tmp_path / "half", files={}))
    wider = tiny_encoder(tmp_path / "wider", hidden=32)
    tune(tiny(wider), tmp_path / "of-wider", labelled(24, held=4), replace(LORA, epochs=1))
    assert "was trained on the base" in reason(tmp_path / "of-wider")
    ours = {"base_digest": engine.identity.digest, "prompt": engine.identity.prompt}
    claims = edited(tmp_path / "of-wider", tmp_path / "claims", **ours)
    assert "does not fit the encoder" in reason(claims)
    lacking = edited(adapters["one"], tmp_path / "lacking")
    tensors = load_file(lacking / LORA_TENSORS)
    tensors.popitem()
    save_file(tensors, lacking / LORA_TENSORS)
    assert "missing or damaged" in reason(lacking)
    engine = EncoderEngine(str(base), device="cpu", capacity=0)  # computes anew
    engine.score(question(), ITEMS, adapters["one"])
    assert "does not fit the encoder" in reason(claims)
    np.testing.assert_array_equal(engine.score(question(), ITEMS).log_probabilities, plain)


@pytest.mark.parametrize("fields", [1, 2])
@pytest.mark.parametrize("kind", [Kind.SINGLE, Kind.MULTIPLE, Kind.ORDINAL])
def test_zero_shot_scores_are_a_head_on_embeddings(base: Path, kind: Kind, fields: int) -> None:
    engine, asked = tiny(base), question(kind, fields=fields)
    items = [tuple([text, "a reply"][:fields]) for (text,) in ITEMS]
    prior = engine.prior(asked, items)
    head = similar(engine.prototypes(asked), fields)
    found = head.scores(np.zeros_like(prior.scores), features(prior.embeddings), items)
    np.testing.assert_allclose(
        log_probabilities(prior.family, found), log_probabilities(prior.family, prior.scores), atol=1e-5
    )
