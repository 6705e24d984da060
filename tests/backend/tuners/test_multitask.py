"""One encoder learns three questions at once; an interruption changes nothing of what comes out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.engines import devices
from backend.engines.classifier import ClassifierEngine
from backend.engines.classifier_manifest import HEADS, MANIFEST, read
from backend.engines.protocol import EngineError
from backend.engines.weights import find
from backend.tuners import multitask_training
from backend.tuners.multitask import EncoderOptions, Subject, Texts, estimate
from backend.tuners.targets import TrainingError
from backend.tuners.training import Step
from labelstudio_config.codebook import Kind, Question
from tests.backend.tuners.many_tasks import DEGREE, MOOD, QUICK, TOPICS, published_deberta, subjects, texts, trained

SHORT = replace(QUICK, epochs=2)
FEW = subjects(32)


class Stopped(Exception):
    """Somebody ended the run."""


def right(engine: ClassifierEngine, asked: Question) -> float:
    """The share of new texts whose labels the engine says exactly."""
    new = texts(asked, 30, seed=9)
    p = np.exp(engine.score(asked, new.items).log_probabilities)
    said = p > 0.5 if asked.kind is Kind.MULTIPLE else p == p.max(axis=1, keepdims=True)
    truth = np.array([[label in answer for label in asked.label_ids] for answer in new.answers])
    return float((said == truth).all(axis=1).mean())


def tensors(folder: Path) -> dict[str, Any]:
    from safetensors.numpy import load_file

    return load_file(folder / "model.safetensors") | load_file(folder / HEADS)


def test_three_questions_are_learned_by_one_encoder(tmp_path: Path) -> None:
    made = trained(tmp_path / "many")
    assert read(tmp_path / "many") == read(tmp_path / "many")
    assert json.loads((tmp_path / "many" / MANIFEST).read_text(encoding="utf-8")) == json.loads(made.text())
    engine = ClassifierEngine(tmp_path / "many", device="cpu")
    assert [right(engine, asked) for asked in (MOOD, DEGREE, TOPICS)] == pytest.approx([1.0] * 3, abs=0.1)
    assert [task.macro_f1 for task in made.tasks] == pytest.approx([1.0] * 3, abs=0.1)
    assert [(task.question, task.texts, task.validation_texts) for task in made.tasks] == [
        ("mood", 60, 12),
        ("degree", 60, 12),
        ("topics", 30, 12),
    ]
    assert made.tasks[0].examples == {"joy": 20, "anger": 20, "sadness": 20}
    assert made.metrics["losses"][0] == pytest.approx(1.0, abs=0.35)  # a guess costs 1, whatever the labels' number
    assert made.metrics["losses"][-1] < 0.3
    card = (tmp_path / "many" / "README.md").read_text(encoding="utf-8")
    for said in ("`degree` (pair)", "made of mood", "CC0", "sadness 20", "| seed | 3 |", made.base_digest[:12]):
        assert said in card
    assert sorted(path.name for path in tmp_path.iterdir()) == ["base", "many", "many-work"]


@pytest.mark.parametrize("after", [3, 15])
def test_an_interruption_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Inside the first epoch of 10 steps, and inside the second."""

    def stop(step: Step) -> None:
        if step.stage == "training" and step.done == after:
            raise Stopped

    trained(tmp_path / "whole", FEW, SHORT)
    monkeypatch.setattr(multitask_training, "EVERY", 0.0)
    with pytest.raises(Stopped):
        trained(tmp_path / "parts", FEW, SHORT, report=stop)
    assert not (tmp_path / "parts").exists()
    steps: list[Step] = []
    made = trained(tmp_path / "parts", FEW, SHORT, report=steps.append)
    assert next(step.done for step in steps if step.stage == "training") == after
    whole = tensors(tmp_path / "whole")
    for name, value in tensors(tmp_path / "parts").items():
        np.testing.assert_array_equal(value, whole[name])
    assert made.metrics == read(tmp_path / "whole").metrics | {"losses": made.metrics["losses"]}
    assert tuple(read(tmp_path / "whole").metrics["losses"]) == pytest.approx(made.metrics["losses"])


def test_a_seed_decides_all_and_other_options_start_anew(tmp_path: Path) -> None:
    one = replace(QUICK, epochs=1)
    trained(tmp_path / "first", FEW, one)
    trained(tmp_path / "again", FEW, one)
    trained(tmp_path / "other", FEW, replace(one, seed=4), work=tmp_path / "first-work")
    first, again, other = (tensors(tmp_path / name) for name in ("first", "again", "other"))
    assert all((first[name] == again[name]).all() for name in first)
    assert not (first["mood.weight"] == other["mood.weight"]).all()


def test_deberta_is_trained_as_its_makers_publish_it(tmp_path: Path) -> None:
    """SentencePiece's file alone makes the tokenizer, and the pickle is converted; the folder keeps both."""
    import sentencepiece

    base = published_deberta(tmp_path / "microsoft" / "deberta-v3-tiny")
    asked = subjects()
    made = trained(tmp_path / "many", asked, replace(QUICK, epochs=6, rate=6e-3), base=base)
    assert {"model.safetensors", "tokenizer.json", HEADS} <= set(made.files)
    assert not [name for name in made.files if name.endswith(".bin")]
    engine = ClassifierEngine(tmp_path / "many", device="cpu")
    assert [right(engine, one.question) for one in asked] == pytest.approx([1.0] * 3, abs=0.2)
    body, _ = engine._parts
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(base / "spm.model"))
    for text in ("aaa c d", "A café, ﬁne!", "two  blanks\nand 𝐛𝐨𝐥𝐝 𝐚", "漢字 ½"):
        (row,), _ = body.rows([(text,)])
        assert list(row.ids) == [1, *pieces.encode(text), 2]
    (pair,), _ = body.rows([("aaa", "d c")])
    assert list(pair.ids) == [1, *pieces.encode("aaa"), 2, *pieces.encode("d c"), 2]


def test_the_best_epoch_is_kept_and_patience_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    means = iter([0.4, 0.7, 0.6, 0.5])
    monkeypatch.setattr(multitask_training.Learner, "macro_f1", lambda *_: next(means))
    asked = [Subject(MOOD, texts(MOOD, 24), texts(MOOD, 6, seed=1))]
    made = trained(tmp_path / "many", asked, replace(QUICK, epochs=8, patience=2))
    assert (made.metrics["best_epoch"], made.metrics["epochs"], made.tasks[0].macro_f1) == (2, 4, 0.7)
    monkeypatch.undo()
    monkeypatch.setattr(multitask_training, "rate", lambda done, steps, warm: _rate(done, 24, warm))
    trained(tmp_path / "two", asked, replace(QUICK, epochs=2))
    two, kept = tensors(tmp_path / "two"), tensors(tmp_path / "many")
    assert all((two[name] == kept[name]).all() for name in two)


_rate = multitask_training.rate


def test_without_validation_texts_a_tenth_is_held_out(tmp_path: Path) -> None:
    twice = texts(MOOD, 40)
    asked = Subject(MOOD, Texts([*twice.items, *twice.items], [*twice.answers, *twice.answers]))
    made = trained(tmp_path / "many", [asked], replace(QUICK, epochs=1))
    (task,) = made.tasks
    assert (task.texts, task.validation_texts) == (72, 8)
    capped = trained(tmp_path / "less", [asked], replace(QUICK, epochs=1, cap=5)).tasks[0]
    assert (capped.texts, capped.validation_texts) == (5, 5)


@pytest.mark.parametrize(
    ("asked", "options", "said"),
    [
        ([], QUICK, "no question to learn"),
        ([*subjects()[:1], *subjects()[:1]], QUICK, "'mood' was given twice"),
        ([Subject(MOOD, Texts([("a",), ("c",)], [frozenset({"joy"})] * 2))], QUICK, "All 2 texts have the same answer"),
        ([Subject(MOOD, Texts([("a",), ("c",)], [frozenset({"fun"})] * 2))], QUICK, "no label 'fun'"),
        (subjects(), replace(QUICK, sampling=1.5), "sampling from 0 to 1"),
        (subjects(), replace(QUICK, pooling="max"), "one of: mean, first"),
        (subjects(), replace(QUICK, length=300), "reads 64 tokens"),
        (subjects(), replace(QUICK, rate=float("inf")), "run away"),
    ],
)
def test_what_cannot_be_learned_is_said(
    tmp_path: Path, asked: list[Subject], options: EncoderOptions, said: str
) -> None:
    with pytest.raises(TrainingError, match=said):
        trained(tmp_path / "many", asked, options)
    assert not (tmp_path / "many").exists()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "many").mkdir()
    with pytest.raises(TrainingError, match="never overwritten"):
        trained(tmp_path / "many")


def test_what_it_takes_is_told_before_and_learns_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = replace(QUICK, epochs=1)
    told: list[Any] = []
    trained(tmp_path / "told", FEW, one, told=told.append)
    trained(tmp_path / "quiet", FEW, one)
    told_of, quiet = tensors(tmp_path / "told"), tensors(tmp_path / "quiet")
    assert all((told_of[name] == quiet[name]).all() for name in quiet)
    base = find(str(tmp_path / "base"))
    found = estimate(base, FEW, one, report=lambda _: None, device="cpu")
    weights = sum(
        x.size for name, x in quiet.items() if "." in name and name.split(".")[0] not in ("mood", "degree", "topics")
    )
    assert (found.weights, found.steps, found.texts, found.held_bytes) == (weights, 10, 80, 16.0 * weights)
    assert found.seconds is not None
    assert found.seconds > 0
    assert told[0].sentence().startswith(f"{weights / 1e6:,.1f} million weights learn from 80 texts: about ")
    less = estimate(base, FEW, replace(one, checkpointing=True), report=lambda _: None, device="cpu")
    assert less.activation_bytes < found.activation_bytes
    monkeypatch.setattr(devices, "room", lambda device: (1000, "this computer"))
    with pytest.raises(TrainingError, match=r"takes about .* GB of memory.*--checkpointing"):
        trained(tmp_path / "never")


def test_what_is_no_encoder_is_said(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    (base / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
    (base / "model.safetensors").write_bytes(b"")
    with pytest.raises(EngineError, match="cannot be loaded by transformers"):
        trained(tmp_path / "many", base=base)
