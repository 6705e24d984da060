"""A LoRA is learned from labelled texts, loaded and scored by the engine; what cannot be learned is said."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.engines.adapter import LORA_TENSORS, Manifest, digest, read
from backend.engines.causal import CausalEngine
from backend.engines.protocol import EngineError
from backend.tuners import answers
from backend.tuners.lora import BALANCE, CHECKPOINT, evened, material
from backend.tuners.targets import TrainingError
from backend.tuners.training import Options, Step
from labelstudio_config.codebook import Kind
from tests.backend.engines.llamas import llama, tiny_tokenizer
from tests.backend.engines.questions import MOODS, question
from tests.backend.tuners.lora_run import OPTIONS, engine, labelled, run

JOY = frozenset({"joy"})


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return llama(tmp_path_factory.mktemp("llama"), tiny_tokenizer(), window=900, key_values=2).folder


@pytest.fixture(scope="module")
def scorer(model: Path) -> CausalEngine:
    return engine(model)


def tensors(folder: Path) -> dict[str, Any]:
    from safetensors.numpy import load_file

    return dict(load_file(folder / LORA_TENSORS))


def same(one: Path, other: Path) -> bool:
    """Whether two adapters have the same tensors, bit for bit, and the same history."""
    a, b = tensors(one), tensors(other)
    alike = a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)
    return alike and read(one).metrics == read(other).metrics


@pytest.mark.parametrize("more", [{}, {"targets": "all", "rslora": True, "checkpointing": True, "rank": 4}])
def test_it_learns_and_the_engine_scores_what_was_learned(
    scorer: CausalEngine, tmp_path: Path, more: dict[str, Any]
) -> None:
    given, asked = labelled(30, held=0), question()
    options = replace(OPTIONS, rate=0.02, epochs=12, dropout=0.0, **more)
    manifest = run(scorer, tmp_path / "mood", given=given, options=options, snapshot="abc", parent="def")
    right = given.shares.argmax(axis=1)
    rows = np.arange(len(given))
    before = scorer.score(asked, given.items).log_probabilities
    after = scorer.score(asked, given.items, tmp_path / "mood").log_probabilities
    assert np.array_equal(scorer.score(asked, given.items).log_probabilities, before), "the base is as it was"
    assert after[rows, right].mean() > before[rows, right].mean() + 1
    assert (after.argmax(axis=1) == right).mean() > (before.argmax(axis=1) == right).mean() + 0.25
    assert (manifest.method, manifest.engine, manifest.snapshot, manifest.parent) == ("lora", "causal", "abc", "def")
    assert manifest == read(tmp_path / "mood")
    assert {name: manifest.hyperparameters[name] for name in more} == more
    assert list(tmp_path.glob("mood-work/*")) == [tmp_path / "mood-work" / CHECKPOINT]


def test_the_manifest_says_how_it_went(scorer: CausalEngine, tmp_path: Path) -> None:
    told: list[Step] = []
    manifest = run(scorer, tmp_path / "mood", report=told.append)
    found = manifest.metrics
    assert (found["texts"], found["validation_texts"], found["cut_prompts"]) == (12, 6, 0)
    assert manifest.examples == {"joy": 4, "anger": 4, "sadness": 4}
    assert len(found["losses"]) == len(found["validation_losses"]) == found["epochs"] == 5
    assert found["validation_loss"] == min(found["validation_losses"]) < found["validation_loss_before"]
    assert found["validation_losses"][found["best_epoch"] - 1] == found["validation_loss"]
    assert found["tokens"] > 5 * 12 * 20
    assert manifest.hyperparameters["balance"] == BALANCE
    assert (manifest.vocabulary, manifest.seed) == (scorer.weights.tokenizer, 0)
    stages = [step.stage for step in told]
    assert stages == ["loading the model", "validation", *(["training"] * 3 + ["validation"]) * 5]
    trained = [step for step in told if step.stage == "training"]
    assert [(step.done, step.steps) for step in trained] == [(n + 1, 15) for n in range(15)]
    assert all(step.loss and step.tokens_per_second for step in trained)


def test_the_same_seed_gives_the_same_adapter_and_another_another(scorer: CausalEngine, tmp_path: Path) -> None:
    import torch

    few = replace(OPTIONS, epochs=2)
    torch.manual_seed(1)
    run(scorer, tmp_path / "one", options=few)
    after = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(1), after), "nobody else's random numbers are used up"
    run(scorer, tmp_path / "same", options=few)
    run(scorer, tmp_path / "other", options=replace(few, seed=1))
    assert same(tmp_path / "one", tmp_path / "same")
    assert not same(tmp_path / "one", tmp_path / "other")


@pytest.fixture(scope="module")
def whole(scorer: CausalEngine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that was trained without interruption."""
    folder = tmp_path_factory.mktemp("whole") / "mood"
    run(scorer, folder)
    return folder


class Stopped(Exception):
    pass


def interrupted(scorer: CausalEngine, folder: Path, at: int, **more: Any) -> None:
    def report(step: Step) -> None:
        if (step.stage, step.done) == ("training", at):
            raise Stopped

    with pytest.raises(Stopped):
        run(scorer, folder, report=report, **more)


@pytest.mark.parametrize("at", [1, 3, 5, 15])
def test_an_interrupted_run_goes_on_to_the_same_adapter(
    scorer: CausalEngine, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr(answers, "EVERY", 2)
    interrupted(scorer, tmp_path / "mood", at)
    assert not (tmp_path / "mood").exists()
    told: list[Step] = []
    run(scorer, tmp_path / "mood", report=told.append)
    first = next(step.done for step in told if step.stage == "training")
    assert first == max(n for n in (0, *range(2, 16, 2), *range(3, 16, 3)) if n < at) + 1
    assert same(tmp_path / "mood", whole)


def test_a_killed_process_leaves_what_the_next_one_goes_on_from(
    scorer: CausalEngine, model: Path, whole: Path, tmp_path: Path, checkout: Path
) -> None:
    code = f"from tests.backend.tuners.lora_run import child; child({str(model)!r}, {str(tmp_path / 'mood')!r})"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=checkout, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        seen = []
        for line in process.stdout:
            seen.append(line.strip())
            if line.strip() == "training 8":
                process.kill()
                break
    assert seen[-1:] == ["training 8"]
    assert list(tmp_path.iterdir()) == [tmp_path / "mood-work"]
    told: list[Step] = []
    run(scorer, tmp_path / "mood", report=told.append)
    assert next(step.done for step in told if step.stage == "training") > 6, "it went on"
    assert same(tmp_path / "mood", whole)


@pytest.mark.parametrize(
    "more",
    [
        {"options": replace(OPTIONS, rate=0.02)},
        {"given": labelled(18, held=3)},
        {"snapshot": "other"},
        {"asked": question(instruction="Which mood?")},
    ],
)
def test_a_checkpoint_of_another_run_is_left_aside(scorer: CausalEngine, tmp_path: Path, more: dict[str, Any]) -> None:
    interrupted(scorer, tmp_path / "mood", 4)
    interrupted(scorer, tmp_path / "mood", 1, **more)
    assert not (tmp_path / "mood-work" / CHECKPOINT).exists()


def test_a_torn_checkpoint_is_left_aside(scorer: CausalEngine, whole: Path, tmp_path: Path) -> None:
    interrupted(scorer, tmp_path / "mood", 4)
    path = tmp_path / "mood-work" / CHECKPOINT
    path.write_bytes(path.read_bytes()[:-100])
    run(scorer, tmp_path / "mood")
    assert same(tmp_path / "mood", whole)


# -- what is learned --------------------------------------------------------------------------------------------------


def test_labels_count_more_evenly_than_they_occur() -> None:
    goal = np.eye(2)[[0] * 90 + [1] * 10]
    weights = evened(goal, np.ones(100, dtype=bool))
    assert weights.mean() == pytest.approx(1)
    assert weights[90:].sum() / weights.sum() == pytest.approx(0.25)
    held = np.arange(100) % 2 == 0
    assert evened(goal, ~held)[~held].mean() == pytest.approx(1)
    assert np.allclose(evened(np.eye(3), np.ones(3, dtype=bool)), 1)


def test_a_rare_label_weighs_more_in_its_lessons(scorer: CausalEngine) -> None:
    given = labelled(12, held=3, answers=[frozenset({"anger"})] * 2 + [JOY] * 10)
    made = material(scorer, question(), given, OPTIONS)
    (taught,), (held,) = made.taught, made.held
    assert (len(taught.lessons), len(held.lessons)) == (9, 3)
    weights = [lesson.weight for lesson in taught.lessons]
    assert weights[0] == weights[1] > weights[2] == held.lessons[0].weight
    assert np.mean(weights) == pytest.approx(1)


def test_shares_are_learned_when_asked_for(scorer: CausalEngine) -> None:
    shares = np.array([[1, 0, 0], [0.5, 0.5, 0], [0, 0, 0], [0.2, 0.2, 0.4]])
    given = labelled(4, held=0, shares=shares, answers=[JOY, JOY, frozenset({"anger"}), frozenset({"sadness"})])
    (hard,) = material(scorer, question(), given, OPTIONS).taught
    assert [lesson.shares for lesson in hard.lessons] == [(1.0,)] * 4
    (soft,) = material(scorer, question(), given, replace(OPTIONS, shares=True)).taught
    assert [lesson.shares for lesson in soft.lessons] == [(1.0,), (0.5, 0.5), (1.0,), pytest.approx((0.25, 0.25, 0.5))]
    assert soft.lessons[2].answers == hard.lessons[2].answers, "without coders the accepted label"


def test_shares_give_the_model_doubts(scorer: CausalEngine, tmp_path: Path) -> None:
    shares = np.tile([[0.6, 0.4, 0], [0, 0, 1.0]], (9, 1))
    kinds = [JOY, frozenset({"sadness"})] * 9
    given = labelled(18, held=0, shares=shares, answers=kinds)
    odds = {}
    for soft in (False, True):
        folder = tmp_path / f"mood{soft}"
        options = replace(OPTIONS, shares=soft, rate=0.02, epochs=8, targets="all")
        run(scorer, folder, given=given, options=options)
        odds[soft] = np.exp(scorer.score(question(), given.items[::2], folder).log_probabilities).mean(axis=0)
    assert odds[True][1] > 0.05 > 0.01 > odds[False][1]


def test_contradictory_labels_of_one_text_are_both_learned(scorer: CausalEngine) -> None:
    given = labelled(4, held=0, items=[("the same",)] * 4, answers=[JOY, frozenset({"anger"})] * 2)
    (taught,) = material(scorer, question(), given, OPTIONS).taught
    assert len({lesson.prompt for lesson in taught.lessons}) == 1
    assert len({lesson.answers for lesson in taught.lessons}) == 2


def test_each_label_of_multiple_choice_is_learned_for_itself(scorer: CausalEngine, tmp_path: Path) -> None:
    asked = question(Kind.MULTIPLE)
    kinds = [frozenset({"joy", "anger"}), frozenset[str](), frozenset({"anger"})] * 4
    given = labelled(12, held=3, answers=kinds)
    manifest = run(scorer, tmp_path / "mood", given=given, asked=asked, options=replace(OPTIONS, epochs=1))
    assert manifest.examples == {"joy": 3, "anger": 6, "sadness": 0}
    scores = scorer.score(asked, given.items, tmp_path / "mood").log_probabilities
    assert scores.shape == (12, 3)


# -- what cannot be learned -------------------------------------------------------------------------------------------


def refused(scorer: CausalEngine, folder: Path, **more: Any) -> str:
    with pytest.raises((TrainingError, EngineError)) as told:
        run(scorer, folder, **more)
    assert not folder.exists() and not folder.with_name(f"{folder.name}-work").exists()
    return str(told.value)


def test_labels_that_teach_nothing_are_refused(scorer: CausalEngine, tmp_path: Path) -> None:
    folder = tmp_path / "mood"
    said = refused(scorer, folder, given=labelled(6, held=0, answers=[JOY] * 6))
    assert "All 6 texts have the same answer" in said
    assert "All 1 texts" in refused(scorer, folder, given=labelled(1, held=0))
    assert "no labelled texts" in refused(scorer, folder, given=labelled(0, held=0))
    assert "no labelled texts" in refused(scorer, folder, given=labelled(6, held=6))
    only_held = [JOY] * 5 + [frozenset({"anger"})]
    assert "All 5 texts" in refused(scorer, folder, given=labelled(6, held=1, answers=only_held))
    unknown = [JOY, frozenset({"envy"})] * 3
    assert "no label 'envy'" in refused(scorer, folder, given=labelled(6, held=0, answers=unknown))
    two = [JOY, frozenset({"joy", "anger"})] * 3
    assert "takes exactly one" in refused(scorer, folder, given=labelled(6, held=0, answers=two))


def test_a_question_that_cannot_be_scored_is_refused(scorer: CausalEngine, tmp_path: Path) -> None:
    folder = tmp_path / "mood"
    assert "asks for a number" in refused(scorer, folder, asked=question(Kind.NUMBER))
    alike = tuple(replace(label, wording="same" + " " * n) for n, label in enumerate(MOODS))
    assert "same word" in refused(scorer, folder, asked=question(labels=alike))
    assert "is about 2" in refused(scorer, folder, asked=question(fields=2))


@pytest.mark.parametrize("shares", [np.eye(3), np.full((18, 3), -0.1), np.full((18, 3), np.nan)])
def test_shares_that_are_none_are_refused(scorer: CausalEngine, tmp_path: Path, shares: Any) -> None:
    options = replace(OPTIONS, shares=True)
    assert "one for each of 18 texts and 3 labels" in refused(
        scorer, tmp_path / "mood", given=labelled(shares=shares), options=options
    )


@pytest.mark.parametrize("more", [{"rank": 0}, {"epochs": 0}, {"batch": 0}, {"rate": 0.0}, {"dropout": 1.0}])
def test_options_that_make_no_sense_are_refused(scorer: CausalEngine, tmp_path: Path, more: dict[str, Any]) -> None:
    said = refused(scorer, tmp_path / "mood", options=Options(**more))
    assert "whole numbers from 1" in said


def test_an_adapter_that_is_there_is_never_touched(scorer: CausalEngine, whole: Path) -> None:
    before: Manifest = read(whole)
    known = digest(whole)
    with pytest.raises(TrainingError, match="never overwritten"):
        run(scorer, whole)
    assert (read(whole), digest(whole)) == (before, known)
