"""The proof of the paper's comparison: the whole way on small made-up tasks, and what its figures come to."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path
from typing import Any

import pytest

from labelstudio_config.library import load
from scripts import proof_paper
from scripts.paper.course import SEEN, UNSEEN, Size
from scripts.paper.summary import summary, table

FOLDERS = {"arousal": "emobank_arousal", "offensive-olid": "offensive_olid"}
WORDS = ("apple", "bridge", "candle", "dragon", "engine", "forest")


def write(folder: Path) -> Path:
    """All thirteen tasks, a word of each text telling its label."""
    drawn = random.Random(1)
    for task in (*SEEN, *UNSEEN):
        question = load(task.removesuffix("-olid")).questions[0]
        pair = len(question.fields) == 2
        (folder / FOLDERS.get(task, task)).mkdir(parents=True)
        for part, n in (("train", 48), ("test", 12)):
            path = folder / FOLDERS.get(task, task) / f"{part}.csv"
            with path.open("w", encoding="utf-8", newline="") as stream:
                rows = csv.writer(stream)
                rows.writerow(["text", "label", "text2"][: 2 + pair])
                for number in range(n):
                    place = number % len(question.labels)
                    said = " ".join(f"{drawn.randrange(10**6):x}" for _ in range(4))
                    rows.writerow([f"{WORDS[place]} {said}", question.labels[place].code, f"on {said}"][: 2 + pair])
    return folder


def test_the_whole_way(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof_paper, "QUICK", Size(None, 10, 30, 1, 20, 1, "0,1", 32))
    ended = proof_paper.main(
        ["--data", str(write(tmp_path / "data")), "--quick", "--json", "--keep", str(tmp_path / "kept")]
    )
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report.keys() == {
        *("macro_f1", "spread", "margin", "learned", "reaches_tfidf", "unseen", "seeds", "seconds"),
    }
    assert ended == 0
    assert set(report["macro_f1"]) == {*SEEN, *UNSEEN}
    for task in SEEN:
        assert set(report["macro_f1"][task]) == {
            *("majority", "tfidf", "untuned/0", "untuned/1", "tuned/0", "tuned/1", "encoder"),
        }
        assert report["macro_f1"][task]["tfidf"] > report["macro_f1"][task]["majority"]
    assert all("encoder" not in report["macro_f1"][task] for task in UNSEEN)
    card = (tmp_path / "kept" / "seed-0" / "tuned" / "README.md").read_text(encoding="utf-8")
    assert "complaints" in card


def rows(tuned: float) -> list[dict[str, Any]]:
    figures = {"majority": 0.3, "tfidf": 0.5, "untuned": 0.2, "tuned": tuned}
    return [
        {"task": task, "system": name, "shots": "0" if "tuned" in name else "", "macro_f1": str(value + seed / 100)}
        for seed in range(2)
        for task in (*SEEN, *UNSEEN)
        for name, value in figures.items()
    ]


def test_what_counts_as_learned() -> None:
    good, bad = summary(rows(0.46)), summary(rows(0.44))
    assert (good["learned"], good["margin"]) == (True, 0.16)
    assert (bad["learned"], bad["margin"]) == (False, 0.14)
    assert good["reaches_tfidf"] == []
    assert summary(rows(0.5))["reaches_tfidf"] == list(SEEN)
    assert good["macro_f1"]["humor"]["majority"] == 0.305
    assert good["spread"]["humor"]["majority"] == 0.0071
    assert good["unseen"] == {"margin": 0.16, "above_untuned": list(UNSEEN)}
    lines = table(good | {"seeds": 2, "seconds": 1.0}).splitlines()
    assert lines[0] == "| task | majority | tfidf | untuned/0 | tuned/0 |"
    assert "| humor | 30.5 ± 0.7 | 50.5 ± 0.7 | 20.5 ± 0.7 | 46.5 ± 0.7 |" in lines
    assert "NOT learned" in table(bad | {"seeds": 2, "seconds": 1.0})


@pytest.mark.parametrize(("tuned", "code"), [(0.46, 0), (0.44, 1)])
def test_what_was_not_learned_is_a_failure(
    tuned: float, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof_paper, "walked", lambda data, place, size, seed: rows(tuned))
    assert proof_paper.main(["--data", str(tmp_path), "--seeds", "2"]) == code
