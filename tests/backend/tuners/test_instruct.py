"""Many tasks are learned in one model: as a LoRA, merged, or by all weights; the engine scores what was learned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.engines.adapter import LORA_TENSORS, read
from backend.engines.causal import CausalEngine
from backend.tuners import answers
from backend.tuners.instruct import CHECKPOINT, Made, Taught, material
from backend.tuners.presets import PRESETS, recipe
from backend.tuners.targets import TrainingError
from backend.tuners.training import Step
from tests.backend.engines.llamas import llama, tiny_tokenizer
from tests.backend.tuners.instructed import MOOD, POLITE, SMALL, TOPICS, UNSEEN, WHOLE, engine, taught, three, tune


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return llama(tmp_path_factory.mktemp("llama"), tiny_tokenizer(), key_values=2).folder


@pytest.fixture(scope="module")
def adapter(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return tune(model, tmp_path_factory.mktemp("made") / "adapter")


def right(scorer: CausalEngine, one: Taught, adapter: Path | None = None) -> float:
    """The mean log-probability of the right labels."""
    found = scorer.score(one.question, one.items, adapter).log_probabilities
    rows = [one.question.label_ids.index(next(iter(answer))) for answer in one.answers]
    return float(found[np.arange(len(one)), rows].mean())


def same(one: Path, other: Path, name: str = LORA_TENSORS) -> bool:
    return (one / name).read_bytes() == (other / name).read_bytes()


def test_all_weights_are_trained_into_a_model_that_the_engine_takes(model: Path, tmp_path: Path) -> None:
    made = tune(model, tmp_path / "whole", WHOLE)
    before, after = engine(model), engine(tmp_path / "whole")
    assert after.weights.tokenizer == before.weights.tokenizer
    for one in three(6, 60):
        assert right(after, one) > right(before, one) + 0.1
    assert made.manifest == read(tmp_path / "whole")
    assert list(made.manifest.files) == ["model.safetensors"]
    assert "socialite" not in (tmp_path / "whole" / "config.json").read_text(encoding="utf-8")


def test_one_adapter_answers_trained_and_untrained_questions(model: Path, adapter: Made) -> None:
    scorer = engine(model)
    for one in three(6, 60):
        assert right(scorer, one, adapter.folder) > right(scorer, one) + 0.1
    other = taught(UNSEEN, 4)
    plain, tuned = (scorer.score(UNSEEN, other.items, where).log_probabilities for where in (None, adapter.folder))
    assert tuned.shape == plain.shape == (4, 2) and not np.allclose(tuned, plain)
    assert np.allclose(np.exp(tuned).sum(axis=1), 1)


def test_a_merged_model_scores_as_base_and_adapter_do(model: Path, adapter: Made, tmp_path: Path) -> None:
    tune(model, tmp_path / "merged", merge=True)
    base, merged = engine(model), engine(tmp_path / "merged")
    for one in [*three(5, 80), taught(UNSEEN, 4)]:
        with_it = base.score(one.question, one.items, adapter.folder).log_probabilities
        assert merged.score(one.question, one.items).log_probabilities == pytest.approx(with_it, abs=1e-5)


def test_the_manifest_says_what_was_learned_and_how_it_went(adapter: Made) -> None:
    manifest, learned = adapter.manifest, adapter.learned
    found = manifest.metrics
    assert (manifest.method, manifest.question, manifest.labels) == ("instruct", "*", ())
    assert manifest == read(adapter.folder)
    assert found["tasks"] == ["mood", "polite", "topics"]
    assert found["held_out_tasks"] == ["unseen"]
    assert manifest.examples == {"mood": 12, "polite": 12, "topics": 12}
    assert found["data"][1]["labels"] == {"yes": 6, "no": 6}
    assert (found["texts"], found["validation_texts"]) == (36, 12)
    assert set(found["losses_of_tasks"]) == {"mood", "polite", "topics", "unseen"}
    assert all(len(row) == 4 for row in found["losses_of_tasks"].values()), "before training, and after each epoch"
    assert found["validation_losses"] == learned.held and found["best_epoch"] == learned.best
    assert manifest.hyperparameters["preset"] == "packed" and manifest.hyperparameters["rate"] == 0.02


@pytest.mark.parametrize("at", [3, 9])
def test_an_interrupted_run_comes_to_the_same_adapter(
    model: Path, adapter: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr(answers, "EVERY", 2)
    told: list[Step] = []

    def stop(step: Step) -> None:
        if (step.stage, step.done) == ("training", at):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune(model, tmp_path / "made", report=stop)
    assert not (tmp_path / "made").exists()
    assert (tmp_path / "made-work" / CHECKPOINT).exists()
    again = tune(model, tmp_path / "made", report=told.append)
    assert next(step.done for step in told if step.stage == "training") > 1
    assert same(tmp_path / "made", adapter.folder)
    assert again.learned == adapter.learned


def test_the_authors_preset_draws_steps_over_all_tasks_and_averages_over_tokens(model: Path) -> None:
    made = material(engine(model), three(), three(4, 30), [], PRESETS["authors"])
    lessons = [lesson for course in made.taught for lesson in course.lessons]
    assert [lesson.weight for lesson in lessons] == [1 / len(lesson.answers[0]) for lesson in lessons]
    assert len({lesson.weight for lesson in lessons}) > 2
    plan = PRESETS["authors"].plan()
    assert (plan.batch, plan.together, plan.rate, plan.warm_up, plan.epochs) == (128, 1, 1e-4, 0.1, 5)


def test_the_window_of_the_recipe_cuts_long_texts(model: Path) -> None:
    long = replace(taught(MOOD, 3), items=(("aaa " * 90,), ("zzz",), ("!!!",)))
    whole = material(engine(model), [long], [], [], SMALL).taught[0]
    longest = max(len(whole.prefix) + len(lesson) for lesson in whole.lessons)
    cut = material(engine(model), [long], [], [], replace(SMALL, window=longest - 50)).taught[0]
    assert (whole.cut, cut.cut) == (0, 1)
    assert max(len(cut.prefix) + len(lesson) for lesson in cut.lessons) <= longest - 49


def test_held_out_tasks_may_decide_on_the_best_epoch(model: Path) -> None:
    used = replace(SMALL, best_by="tasks")
    made = material(engine(model), three(), three(4, 30), [taught(UNSEEN, 4)], used)
    assert made.owners == ("unseen", "mood", "polite", "topics", "topics")
    assert len(made.held) == 1 and len(made.watched) == 4
    with pytest.raises(TrainingError, match="No task is held out"):
        material(engine(model), three(), three(4, 30), [], used)


def test_what_cannot_be_is_said(model: Path, adapter: Made, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="exists already"):
        tune(model, adapter.folder)
    with pytest.raises(TrainingError, match=r"no preset 'mine'\. Choose one of: authors, packed"):
        recipe("mine")
    with pytest.raises(TrainingError, match="weights is one of: lora, all"):
        recipe("packed", weights="some")
    with pytest.raises(TrainingError, match="balance"):
        recipe("packed", balance=2.0)
    with pytest.raises(TrainingError, match="no task to learn"):
        material(engine(model), [], [], [], SMALL)
    alike = taught(POLITE, 1)
    with pytest.raises(TrainingError, match="same answer"):
        material(engine(model), [alike, taught(TOPICS)], [], [], SMALL)
