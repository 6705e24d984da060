from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.engines.adapter import LORA_CONFIG, LORA_TENSORS, TENSORS, read
from backend.engines.encoder import EncoderEngine
from backend.engines.protocol import EngineError
from backend.tuners.targets import TrainingError
from backend.tuners.training import Options, Step
from labelstudio_config.codebook import Kind
from tests.backend.engines.questions import MOODS, question
from tests.backend.tuners.tuned import LORA, labelled, tiny, tune

NEW = [("aaa c d",), ("kkk e f",), ("xyy g h i",), ("",)]
FILES = {LORA_CONFIG, LORA_TENSORS, TENSORS}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> EncoderEngine:
    return tiny(tmp_path_factory.mktemp("tiny") / "encoder")


class Stopped(Exception):
    """Somebody ended the run."""


@pytest.mark.parametrize(("kind", "fields"), [(Kind.SINGLE, 1), (Kind.MULTIPLE, 1), (Kind.ORDINAL, 2)])
def test_what_is_trained_is_what_another_process_scores(
    engine: EncoderEngine, tmp_path: Path, kind: Kind, fields: int
) -> None:
    """The labels that the words stand for are learned, and the folder alone tells them."""
    asked, texts = question(kind, fields=fields), labelled(72, fields=fields, kind=kind)
    options = replace(LORA, epochs=6, rate=6e-4, patience=6)
    made = tune(engine, tmp_path / "mood", texts, options, asked, parent="f" * 64)
    assert read(tmp_path / "mood") == made
    assert (made.method, made.engine, made.parent, made.snapshot) == ("encoder-lora", "encoder", "f" * 64, "abc")
    assert made.files.keys() == FILES == {path.name for path in (tmp_path / "mood").iterdir()} - {"manifest.json"}
    for name, expected in made.files.items():
        assert hashlib.sha256((tmp_path / "mood" / name).read_bytes()).hexdigest() == expected
    fresh = tiny(engine.embedder.weights.folder)
    scores = fresh.score(asked, texts.items, tmp_path / "mood")
    truth = texts.shares > 0
    guess = (
        scores.log_probabilities > math.log(0.5)
        if kind is Kind.MULTIPLE
        else np.eye(3)[scores.log_probabilities.argmax(axis=1)]
    )
    assert (guess == truth).mean() > 0.85
    assert made.metrics["loss"][-1] < made.metrics["loss"][0]
    again = engine.score(asked, texts.items, tmp_path / "mood").log_probabilities
    np.testing.assert_array_equal(scores.log_probabilities, again)


def test_the_training_says_how_far_it_is(engine: EncoderEngine, tmp_path: Path) -> None:
    steps: list[Step] = []
    made = tune(engine, tmp_path / "mood", report=steps.append)
    of_lora = [step for step in steps if step.stage == "LoRA"]
    assert [step.done for step in of_lora] == list(range(1, of_lora[-1].steps + 1))
    assert all(step.loss and step.tokens_per_second for step in of_lora)
    assert len(made.metrics["held_loss"]) == LORA.epochs
    assert made.metrics["epoch"] == 1 + int(np.argmin(made.metrics["held_loss"]))


def test_an_interrupted_training_goes_on_to_the_same_adapter(engine: EncoderEngine, tmp_path: Path) -> None:
    """Stopped in the middle of each epoch in turn, and once more after the last."""
    whole = tune(engine, tmp_path / "whole")
    per_epoch = 14  # 40 texts in batches of 3

    def stop_at(step: int) -> None:
        def stop(report: Step) -> None:
            if report.stage == "LoRA" and report.done == step:
                raise Stopped

        with pytest.raises(Stopped):
            tune(engine, tmp_path / "parts", report=stop)

    for epoch in range(LORA.epochs):
        stop_at(epoch * per_epoch + 5)
        assert not (tmp_path / "parts").exists()
    steps: list[Step] = []
    parts = tune(engine, tmp_path / "parts", report=steps.append)
    assert parts.files == whole.files
    assert parts.metrics == whole.metrics
    assert {step.done for step in steps if step.stage == "LoRA"} == set(range(2 * per_epoch + 1, 3 * per_epoch + 1))
    again: list[Step] = []
    packed_up = tune(engine, tmp_path / "again", work=tmp_path / "parts-work", report=again.append)
    assert packed_up.files == whole.files
    assert not [step for step in again if step.stage == "LoRA"]


def test_what_is_kept_of_another_training_or_is_damaged_is_not_gone_on_with(
    engine: EncoderEngine, tmp_path: Path
) -> None:
    expected = tune(engine, tmp_path / "a", options=replace(LORA, seed=4))
    tune(engine, tmp_path / "b")
    other = tune(engine, tmp_path / "c", options=replace(LORA, seed=4), work=tmp_path / "b-work")
    assert other.files == expected.files
    (tmp_path / "b-work" / "LoRA.pt").write_bytes(b"half of a fi")
    assert tune(engine, tmp_path / "d", options=replace(LORA, seed=4), work=tmp_path / "b-work").files == expected.files


def test_a_worse_held_part_ends_the_training_and_the_best_epoch_is_kept(engine: EncoderEngine, tmp_path: Path) -> None:
    """The held texts have other labels than those learned from, so that learning only makes them worse."""
    texts = labelled()
    turned = [texts.answers[n - 1] if held else texts.answers[n] for n, held in enumerate(texts.held)]
    options = replace(LORA, epochs=9, rate=1e-3, patience=2)
    made = tune(engine, tmp_path / "mood", replace(texts, answers=turned), options)
    assert len(made.metrics["held_loss"]) < 9
    assert made.metrics["epoch"] <= len(made.metrics["held_loss"]) - 2
    without = tune(engine, tmp_path / "all", replace(texts, held=np.zeros(48, dtype=bool)), LORA)
    assert (without.metrics["epoch"], without.metrics["held_loss"]) == (3, [])


def test_few_labels_get_a_head_and_the_reason_is_written_down(engine: EncoderEngine, tmp_path: Path) -> None:
    made = tune(engine, tmp_path / "mood", options=Options(encoder="auto"))
    assert made.method == "head"
    assert made.files.keys() == {TENSORS}
    assert made.metrics["tuner"]["chosen"] == "head"
    assert "48 labelled texts are too few" in made.metrics["tuner"]["why"]
    asked_for = tune(engine, tmp_path / "head", options=Options(encoder="head"))
    assert asked_for.files == made.files
    assert "tuner" not in asked_for.metrics
    json.dumps(made.metrics, allow_nan=False)


def test_shares_of_the_coders_are_learned_where_they_are_asked_for(engine: EncoderEngine, tmp_path: Path) -> None:
    """In every text that is called 'joy', half of the coders saw sadness."""
    texts = labelled()
    split = np.where(texts.shares[:, :1] > 0, [[0.5, 0.0, 0.5]], texts.shares)
    for name in ("head", "lora"):
        options = replace(LORA, encoder=name, epochs=8, patience=8)
        plain = tune(engine, tmp_path / name, texts, options)
        whole = tune(engine, tmp_path / f"{name}-whole", texts, replace(options, shares=True))
        assert whole.files == plain.files  # where all coders agree, shares are the labels
        soft = tune(engine, tmp_path / f"{name}-soft", replace(texts, shares=split), replace(options, shares=True))
        assert soft.hyperparameters["shares"] is True
        p, q = (
            np.exp(engine.score(question(), [("aaa c d",)], tmp_path / folder).log_probabilities[0])
            for folder in (name, f"{name}-soft")
        )
        assert q[2] > p[2] + 0.05
        assert q[0] < p[0] - 0.05


def test_what_cannot_be_learned_is_said(engine: EncoderEngine, tmp_path: Path) -> None:
    texts = labelled()

    def reason(options: Options = LORA, folder: str = "mood", **changes: Any) -> str:
        with pytest.raises(TrainingError) as refused:
            tune(engine, tmp_path / folder, replace(texts, **changes), options)
        return str(refused.value)

    joy = frozenset({"joy"})
    assert "All 48 texts have the same answer" in reason(answers=[joy] * 48)
    rest = [answer if held else joy for answer, held in zip(texts.answers, texts.held, strict=True)]
    assert "validation part only" in reason(answers=rest)
    assert "validation part only" in reason(held=np.ones(48, dtype=bool))
    assert "has no label 'hope'" in reason(answers=[frozenset({"hope"}), *texts.answers[1:]])
    soft = replace(LORA, shares=True)
    for wrong in (texts.shares[:3], texts.shares * np.nan, texts.shares * 2):
        assert "must be numbers from 0 to 1" in reason(soft, shares=wrong)
        assert "must be numbers from 0 to 1" in reason(replace(soft, encoder="head"), shares=wrong)
    (tmp_path / "taken").mkdir()
    assert "never overwritten" in reason(folder="taken")
    with pytest.raises(EngineError, match="no labels to score"):
        tune(engine, tmp_path / "mood", texts, LORA, question(Kind.NUMBER))
    assert not (tmp_path / "mood").exists()


def test_all_linear_layers_and_checkpointing_are_options(engine: EncoderEngine, tmp_path: Path) -> None:
    wide = tune(engine, tmp_path / "wide", options=replace(LORA, targets="all", rslora=True, epochs=1))
    assert "dense" in (tmp_path / "wide" / LORA_CONFIG).read_text(encoding="utf-8")
    assert wide.hyperparameters["rslora"] is True
    engine.score(question(), NEW, tmp_path / "wide")
    plain = replace(LORA, epochs=1)
    kept = tune(engine, tmp_path / "kept", options=plain)
    less = tune(engine, tmp_path / "less", options=replace(plain, checkpointing=True))
    assert less.metrics["loss"] == pytest.approx(kept.metrics["loss"], abs=1e-3)


def test_a_label_on_which_all_agree_keeps_near_its_zero_shot_scores(engine: EncoderEngine, tmp_path: Path) -> None:
    texts = labelled(kind=Kind.MULTIPLE)
    never = [answer - {"sadness"} for answer in texts.answers]
    asked = question(Kind.MULTIPLE)
    options = replace(LORA, epochs=10, patience=10)
    tune(engine, tmp_path / "mood", replace(texts, answers=never), options, asked)
    plain = np.exp(engine.score(asked, texts.items).log_probabilities)
    found = np.exp(engine.score(asked, texts.items, tmp_path / "mood").log_probabilities)
    moved = np.abs(found - plain).mean(axis=0)
    assert moved[2] < 0.1 < moved[:2].min()
    assert [label.id for label in MOODS][2] == "sadness"
