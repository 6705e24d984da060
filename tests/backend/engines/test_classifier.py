"""A trained encoder scores what it was trained on, as transformers computes it, and says why it does not score more."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.engines.choice import choose, resolved
from backend.engines.classifier import ClassifierEngine
from backend.engines.classifier_manifest import HEADS, MANIFEST, is_classifier
from backend.engines.protocol import Engine, EngineError, Family
from backend.settings import Settings
from backend.tuners.targets import TrainingError
from backend.tuners.training import Options
from backend.tuners.tune import tune
from labelstudio_config.codebook import Kind, Label, Question
from tests.backend.engines.questions import question, tiny_encoder
from tests.backend.tuners.lora_run import labelled
from tests.backend.tuners.many_tasks import DEGREE, MOOD, QUICK, TOPICS, trained

ITEMS = [("aaa c d",), ("kkk " + "e " * 80,), ("",), ("x\ud83d y",)]
PAIRS = [("aaa c", "d xxx"), ("c " * 70, "e " * 3), ("", "aaa")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("classifier") / "many"
    trained(made, options=replace(QUICK, epochs=1, length=32))
    return made


@pytest.fixture(scope="module")
def engine(folder: Path) -> ClassifierEngine:
    return ClassifierEngine(folder, device="cpu")


def plain(folder: Path, asked: Question, item: tuple[str, ...], *, first: bool = False) -> Any:
    """The scores of one item by transformers alone, with no batch and no padding."""
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    heads = load_file(folder / HEADS)
    texts = [text.encode("utf-8", "replace").decode() for text in item]
    given = tokenizer(*texts, truncation=True, max_length=32, return_tensors="pt")
    with torch.no_grad():
        states = model(**given).last_hidden_state[0]
        pooled = states[0] if first else states.mean(dim=0)
        scores = heads[f"{asked.id}.weight"] @ pooled + heads[f"{asked.id}.bias"]
        found = torch.nn.functional.logsigmoid(scores) if asked is TOPICS else torch.log_softmax(scores, dim=0)
    return found.numpy()


@pytest.mark.parametrize(
    ("asked", "items", "family"),
    [(MOOD, ITEMS, Family.CATEGORICAL), (DEGREE, PAIRS, Family.ORDINAL), (TOPICS, ITEMS, Family.BERNOULLI)],
)
def test_scores_are_those_of_transformers(
    engine: ClassifierEngine, folder: Path, asked: Question, items: list[Any], family: Family
) -> None:
    found = engine.score(asked, items)
    assert found.family is family
    np.testing.assert_allclose(found.log_probabilities, [plain(folder, asked, item) for item in items], atol=2e-6)
    assert found.cut.tolist() == ([0, 53, 0, 0] if len(items) == 4 else [0, 44, 0])
    assert engine.warnings(items) == [None] * len(items)
    assert engine.score(asked, []).log_probabilities.shape == (0, len(asked.labels))


def test_the_first_token_may_stand_for_the_text(tmp_path: Path) -> None:
    trained(tmp_path / "first", options=replace(QUICK, epochs=1, length=32, pooling="first"))
    found = ClassifierEngine(tmp_path / "first", device="cpu").score(MOOD, ITEMS).log_probabilities
    wanted = [plain(tmp_path / "first", MOOD, item, first=True) for item in ITEMS]
    np.testing.assert_allclose(found, wanted, atol=2e-6)


def test_labels_are_known_by_their_ids_in_any_order(engine: ClassifierEngine) -> None:
    turned = replace(MOOD, labels=MOOD.labels[::-1])
    scores = engine.score(MOOD, ITEMS).log_probabilities
    np.testing.assert_allclose(engine.score(turned, ITEMS).log_probabilities, scores[:, ::-1], atol=1e-12)


@pytest.mark.parametrize("name", ["encoder", "auto"])
def test_the_settings_lead_to_it(engine: ClassifierEngine, folder: Path, name: str) -> None:
    settings = Settings(engine=name, model=str(folder), device="cpu")
    assert resolved(settings) == ("encoder", "")
    found = choose(settings, ready=False)
    assert isinstance(found, ClassifierEngine)
    assert found.identity == engine.identity
    assert (found.identity.engine, found.identity.base) == ("encoder", str(folder))
    np.testing.assert_array_equal(
        found.score(MOOD, ITEMS).log_probabilities, engine.score(MOOD, ITEMS).log_probabilities
    )


def test_another_folder_is_another_scorer(engine: ClassifierEngine, tmp_path: Path) -> None:
    trained(tmp_path / "other", options=replace(QUICK, epochs=1, length=31))
    other = ClassifierEngine(tmp_path / "other", device="cpu", ready=False).identity
    assert (other.digest, other.prompt) != (engine.identity.digest, engine.identity.prompt)
    assert not is_classifier(str(tiny_encoder(tmp_path / "plain")))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (replace(MOOD, id="tone"), "not trained on the question 'tone'; it answers: mood, degree, topics"),
        (question(Kind.ORDINAL), "'mood' as a single question about 1 text.*this one is ordinal and about 1"),
        (question(fields=2), "as a single question about 1 text.*is single and about 2"),
        (
            replace(MOOD, labels=(*MOOD.labels, Label("fear", "fear", "fear"))),
            "with the labels joy, anger, sadness; .*fear",
        ),
        (question(Kind.NUMBER), "asks for a number"),
    ],
)
def test_what_it_was_not_trained_on_is_refused(engine: ClassifierEngine, asked: Question, said: str) -> None:
    with pytest.raises(EngineError, match=said):
        engine.score(asked, [("a",) * len(asked.fields)])
    assert engine.why_not(asked) is not None
    assert engine.why_not(MOOD) is None


def test_adapters_and_examples_are_refused(engine: ClassifierEngine, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="takes no adapters"):
        engine.score(MOOD, ITEMS, folder)
    with pytest.raises(EngineError, match="reads no examples"):
        engine.score(MOOD, ITEMS, shown=[""] * len(ITEMS))
    as_engine: Engine = engine
    rest: dict[str, Any] = {"work": tmp_path / "work", "snapshot": "", "parent": None, "report": lambda _: None}
    with pytest.raises(TrainingError, match=r"takes no adapters\. Train it anew"):
        tune(as_engine, MOOD, labelled(), tmp_path / "mood", Options(), **rest)


@pytest.mark.parametrize("name", ["model.safetensors", HEADS, "tokenizer.json", "config.json"])
def test_a_damaged_folder_is_told(folder: Path, tmp_path: Path, name: str) -> None:
    damaged = tmp_path / "many"
    shutil.copytree(folder, damaged)
    data = bytearray((damaged / name).read_bytes())
    data[len(data) // 2] ^= 1
    (damaged / name).write_bytes(data)
    with pytest.raises(EngineError, match=f"The file {name} of the encoder many is missing or damaged"):
        choose(Settings(engine="encoder", model=str(damaged)), ready=False)
    (damaged / name).unlink()
    with pytest.raises(EngineError, match=f"The file {name} of the encoder many is missing or damaged"):
        ClassifierEngine(damaged, ready=False)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"format": 2}, "has format 2"), ({"tasks": [{}]}, "cannot be read"), ({"pooling": "max"}, "none that this")],
)
def test_a_manifest_of_another_making_is_told(folder: Path, tmp_path: Path, change: dict[str, Any], said: str) -> None:
    shutil.copytree(folder, tmp_path / "many")
    about = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    (tmp_path / "many" / MANIFEST).write_text(json.dumps(about | change), encoding="utf-8")
    with pytest.raises(EngineError, match=said):
        ClassifierEngine(tmp_path / "many", ready=False)
