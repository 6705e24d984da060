"""The proof that the engine learns, on tasks made here: words that decide, and labels drawn by lot."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path
from typing import Any

import pytest

from scripts import proof_learns
from scripts.bench import tiny_llama
from scripts.proof_learns import QUICK, TASKS, Size, main

LABELS = {
    "humor": ("humorous", "non-humorous"),
    "complaints": ("complaint", "not complaint"),
    "flute": ("Idiom", "Metaphor", "Sarcasm", "Simile"),
}
WORDS = ("apple", "bridge", "candle", "dragon")


def write(folder: Path, *, told: bool) -> Path:
    """The three tasks; the second word of a text tells its label unless labels are drawn by lot."""
    random_ = random.Random(1)
    for task, labels in LABELS.items():
        (folder / task).mkdir(parents=True)
        for part, n in (("train", 160), ("test", 40)):
            with (folder / task / f"{part}.csv").open("w", encoding="utf-8", newline="") as stream:
                writer = csv.writer(stream)
                writer.writerow(["text", "label", "text2"][: 3 if task == "flute" else 2])
                for _ in range(n):
                    word = random_.randrange(len(labels))
                    label = labels[word if told else random_.randrange(len(labels))]
                    row = [f"the {WORDS[word]} {WORDS[word]}", label, f"a {WORDS[word]}"]
                    writer.writerow(row[: 3 if task == "flute" else 2])
    return folder


def small(monkeypatch: pytest.MonkeyPatch, *, epochs: int) -> None:
    """Little to learn, by a smaller model still."""
    real = tiny_llama.make

    def make(*given: Any, **more: Any) -> int:
        return real(*given, **more, words=800, width=64)

    monkeypatch.setattr(tiny_llama, "make", make)
    monkeypatch.setattr(proof_learns, "QUICK", Size(160, epochs, 40))


def test_words_that_decide_are_learned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    small(monkeypatch, epochs=12)
    assert main(["--data", str(write(tmp_path / "data", told=True)), "--quick", "--json"]) == 0
    out = capsys.readouterr().out
    report = json.loads(out.splitlines()[-1])
    assert report.keys() == {"macro_f1", "margin", "learned", "weights", "test_texts", "seeds", "seconds"}
    assert report["macro_f1"].keys() == set(TASKS) == set(report["test_texts"])
    assert report["learned"] is True
    assert report["margin"] >= proof_learns.MARGIN
    assert "all three were learned" in out


def test_what_cannot_be_learned_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    small(monkeypatch, epochs=2)
    assert main(["--data", str(write(tmp_path / "data", told=False)), "--quick"]) == 1
    assert "NOT all were learned" in capsys.readouterr().out


def test_a_folder_without_the_tasks_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path)]) == 2
    assert "humor, flute, complaints" in capsys.readouterr().err
    assert QUICK.texts < proof_learns.WHOLE.texts
