"""The measurement of training: the two ways are given the same, and compute the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts import bench_training
from scripts.bench import scoring_material
from scripts.bench.training_ways import IGNORED, Ran, Trainings, _padded, _rows

KEYS = {"vs_trainer", "loss_difference", "examples_per_second", "head_seconds", "raw"}


@pytest.fixture(scope="module")
def ways() -> Trainings:
    return Trainings("tiny", batch=4, steps=2)


def test_both_ways_are_given_the_same_examples(ways: Trainings) -> None:
    order = ways._order(2)
    assert sorted(map(repr, order[0].lessons)) in [sorted(map(repr, course.lessons)) for course in ways.taught]
    assert {len(batch.prefix) for batch in order} == {scoring_material.INSTRUCTION}
    rows = _rows(order[0])
    for row, lesson in zip(rows, order[0].lessons, strict=True):
        assert row["input_ids"] == [*order[0].prefix, *lesson.prompt, *lesson.answers[0]]
        assert [label for label in row["labels"] if label != IGNORED] == list(lesson.answers[0])
    made = _padded(rows)
    assert made["input_ids"].shape == made["attention_mask"].shape == made["labels"].shape
    assert made["attention_mask"].sum(dim=1).tolist() == [len(row["input_ids"]) for row in rows]


def test_both_ways_have_the_same_first_loss_every_time(ways: Trainings) -> None:
    first = [ways.ours(1), ways.trainer(1), ways.ours(1), ways.trainer(1)]
    assert [one.loss for one in first] == pytest.approx([first[0].loss] * 4, abs=1e-4)
    assert 7 < first[0].loss < 12
    assert all(one.rate > 0 for one in first)


def small(monkeypatch: pytest.MonkeyPatch) -> None:
    size = bench_training.Size(batch=2, steps=1, rounds=1, fits=1, texts=40)
    monkeypatch.setattr(bench_training, "QUICK", size)
    for table in (scoring_material.SHAPES, scoring_material.HEADS):
        monkeypatch.setitem(table, "small", table["tiny"])


def test_a_run_gives_every_key(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    small(monkeypatch)
    assert bench_training.main(["--quick", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures.keys() == KEYS
    assert figures["vs_trainer"] > 0 < figures["head_seconds"]
    assert figures["loss_difference"] < bench_training.CLOSE
    assert figures["examples_per_second"].keys() == {"ours", "trainer"}


def test_losses_that_differ_are_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    small(monkeypatch)
    monkeypatch.setattr(Trainings, "trainer", lambda *_: Ran(1.0, 3.0))
    monkeypatch.setattr(bench_training, "heads", lambda *_: {"head_seconds": 1.0})
    assert bench_training.main(["--quick"]) == 1
    assert "do not compute the same loss" in capsys.readouterr().err
