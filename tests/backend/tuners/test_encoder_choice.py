from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.engines.encoder import EncoderEngine, Prior
from backend.engines.protocol import Family
from backend.tuners import encoder_choice
from backend.tuners.encoder_choice import Texts, _judged, held_out, paired
from backend.tuners.encoder_lessons import Lessons
from backend.tuners.training import Step
from backend.tuners.validation import tied
from tests.backend.tuners.tuned import LORA, labelled, tiny, tune

AUTO = replace(LORA, encoder="auto", epochs=2)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> EncoderEngine:
    return tiny(tmp_path_factory.mktemp("tiny") / "encoder")


def texts(labels: np.ndarray[Any, Any], clusters: np.ndarray[Any, Any], held: np.ndarray[Any, Any]) -> Texts:
    """Texts of which only the labels matter."""
    n = len(labels)
    goal, items = np.eye(3)[labels], [(str(row),) for row in range(n)]
    prior = Prior(Family.CATEGORICAL, np.zeros((n, 3)), [np.zeros((n, 4), dtype=np.float32)], np.zeros(n, dtype=int))
    taught = Lessons(Family.CATEGORICAL, [[[1]]] * n, goal, np.ones((n, 3)), held)
    return Texts(items, goal, tied(items, clusters), prior, taught)


def test_both_ways_are_tried_and_what_came_of_it_is_written_down(
    engine: EncoderEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder_choice, "FEW", 40)
    steps: list[Step] = []
    made = tune(engine, tmp_path / "mood", options=AUTO, report=steps.append)
    told = made.metrics["tuner"]
    assert {step.stage for step in steps if step.loss} >= {f"trial {k} of 5" for k in range(1, 6)}
    assert told["texts"] == 48
    assert told["gain"] == pytest.approx(told["log_loss"]["head"] - told["log_loss"]["lora"], abs=2e-4)
    assert told["macro_f1"].keys() == {"head", "lora"}
    assert told["chosen"] == ("lora" if made.method == "encoder-lora" else "head")
    assert "On 48 labelled texts held out" in told["why"]


@pytest.mark.parametrize("pays", [True, False])
def test_the_verdict_is_what_is_trained_and_stands_when_the_run_goes_on(
    engine: EncoderEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pays: bool
) -> None:
    monkeypatch.setattr(encoder_choice, "FEW", 40)
    monkeypatch.setattr(encoder_choice, "paired", lambda *_: (1.0 if pays else 0.01, 0.1))
    monkeypatch.setattr(encoder_choice, "CLEARLY", 100.0)
    made = tune(engine, tmp_path / "one", options=AUTO)
    assert made.method == ("encoder-lora" if pays else "head")
    monkeypatch.setattr(encoder_choice, "LONGEST", 0)  # what is known needs no second trial
    again = tune(engine, tmp_path / "two", options=AUTO, work=tmp_path / "one-work")
    assert (again.files, again.metrics) == (made.files, made.metrics)


def test_a_lora_that_takes_too_long_here_is_left_out_with_the_reason(
    engine: EncoderEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder_choice, "FEW", 40)
    monkeypatch.setattr(encoder_choice, "forecast", lambda *_: 3600.0)
    made = tune(engine, tmp_path / "mood", options=AUTO)
    assert made.method == "head"
    assert made.metrics["tuner"]["why"] == "A LoRA on the encoder would take about 5 h 0 min here, more than 20 min."
    assert made.metrics["tuner"]["forecast_seconds"] == 18000
    monkeypatch.undo()
    assert 0 < encoder_choice.forecast(engine, *measured(engine)) < 60


def measured(engine: EncoderEngine) -> tuple[Any, ...]:
    """What a forecast is made of."""
    from backend.tuners.encoder_lessons import lessons
    from tests.backend.engines.questions import question

    rows = labelled()
    prior = engine.prior(question(), rows.items)
    taught = lessons(engine, prior, rows.items, rows.shares, rows.held)
    items = list(rows.items)
    return question(), Texts(items, rows.shares, tied(items), prior, taught), AUTO


def test_labels_that_only_the_held_part_has_leave_nothing_to_try(
    engine: EncoderEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder_choice, "FEW", 40)
    rows = labelled()
    joy = frozenset({"joy"})
    answers = [answer if held else joy for answer, held in zip(rows.answers, rows.held, strict=True)]
    made = tune(engine, tmp_path / "mood", replace(rows, answers=answers), AUTO)
    assert made.method == "head"
    assert "Nearly all texts have the same labels" in made.metrics["tuner"]["why"]


@given(rows=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 20)), min_size=6, max_size=80), seed=st.integers(0, 5))
def test_no_cluster_is_parted_by_the_trial(rows: list[tuple[int, int]], seed: int) -> None:
    labels, clusters = (np.array(column) for column in zip(*rows, strict=True))
    whole = np.arange(len(rows))
    tests = held_out(texts(labels, clusters, np.zeros(len(rows), dtype=bool)), seed)
    for test in tests:
        assert not set(clusters[test]) & set(clusters[np.setdiff1d(whole, test)])
    assert len(np.concatenate(tests)) == len(set(np.concatenate(tests))) if tests else True


def test_the_more_texts_the_fewer_parts_are_held_out() -> None:
    labels = np.arange(1200) % 3
    none = np.zeros(1200, dtype=bool)
    counts = [len(held_out(texts(labels[:n], np.arange(n), none[:n]), 0)) for n in (210, 320, 500, 900, 1200)]
    assert counts == [5, 4, 2, 2, 1]


def test_a_gain_within_its_noise_is_none() -> None:
    labels = np.arange(300) % 3
    random = np.random.default_rng(0)
    asked = texts(labels, np.arange(300), np.zeros(300, dtype=bool))
    head = 1.5 * np.eye(3)[labels] + random.normal(size=(300, 3))
    better = head + np.eye(3)[labels]
    alike = head + random.normal(size=(300, 3), scale=0.05)
    rows = np.arange(300)
    assert _judged(asked, rows, head, better, {}).lora
    assert not _judged(asked, rows, head, alike, {}).lora
    assert not _judged(asked, rows, better, head, {}).lora
    told = _judged(asked, rows, head, better, {"forecast_seconds": 9}).plain()
    assert "it pays" in told["why"]
    assert told["forecast_seconds"] == 9
    assert told["macro_f1_standard_error"] < 0.05


def test_a_lora_that_is_more_often_wrong_is_not_taken_for_its_log_loss() -> None:
    """A head that is nearly always right and a few times wrong beyond measure; a LoRA that is never sure."""
    labels = np.arange(300) % 3
    right = np.eye(3)[labels]
    asked = texts(labels, np.arange(300), np.zeros(300, dtype=bool))
    few, many = np.arange(300)[:, None] % 20 == 0, np.arange(300)[:, None] % 4 == 0
    head = np.where(few, -30 * right, 5 * right)
    lora = np.where(many, -0.1 * right, 2 * right)
    found = _judged(asked, np.arange(300), head, lora, {})
    assert found.figures["gain"] > found.figures["standard_error"]
    assert not found.lora


def test_the_standard_error_counts_tied_texts_once() -> None:
    differences = np.random.default_rng(0).normal(size=50)
    mean, noise = paired(differences, np.arange(50))
    assert mean == pytest.approx(differences.mean())
    assert noise == pytest.approx(differences.std(ddof=1) / np.sqrt(50))
    twice = paired(np.repeat(differences, 2), np.repeat(np.arange(50), 2))
    assert twice == pytest.approx((mean, noise))
    assert paired(differences, np.zeros(50, dtype=int))[1] == np.inf
