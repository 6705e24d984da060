from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from scripts import bench_evaluate
from scripts.bench import evaluate_ways, material

KEYS = {
    "vs_authors_decoding",
    "labels_texts_per_second",
    "authors_texts_per_second",
    "vs_decoding_that_stops",
    "agreement",
    "raw",
}


def test_a_taught_head_says_labels_as_scoring_finds_them(tmp_path: Path) -> None:
    texts, asked = material.texts(None, 60), evaluate_ways.question()
    engine = evaluate_ways.engine(tmp_path / "model", "tiny", "cpu", texts, None)
    before = evaluate_ways.by_decoding(engine, asked, texts[:4])
    assert before.labels == [4] * 4
    assert before.new_tokens == 20
    evaluate_ways.teach(engine, asked, texts[20:])
    scored, decoded = (way(engine, asked, texts[:20]) for way in (evaluate_ways.by_labels, evaluate_ways.by_decoding))
    assert decoded.new_tokens < 6
    assert np.mean(np.array(scored.labels) == np.array(decoded.labels)) >= 0.9
    assert max(decoded.labels) < 4


def test_a_run_gives_every_key(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(bench_evaluate, "QUICK", bench_evaluate.Size(labels=12, decoded=2, rounds=1, taught=8))
    monkeypatch.setitem(evaluate_ways.scoring_material.SHAPES, "small", evaluate_ways.scoring_material.SHAPES["tiny"])
    monkeypatch.setitem(evaluate_ways.scoring_material.HEADS, "small", 2)
    assert bench_evaluate.main(["--quick", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures.keys() == KEYS
    assert figures["vs_authors_decoding"] == pytest.approx(
        figures["labels_texts_per_second"] / figures["authors_texts_per_second"]
    )
    assert figures["raw"]["random"]["texts_compared"] == 2
    assert figures["raw"]["sizes"]["labels"] == 4


def test_a_vocabulary_file_is_taken_as_it_is(shared: Path, tmp_path: Path) -> None:
    file = shared / "tokenizer" / "llama2_tokenizer.model"
    if not file.is_file():
        pytest.skip("shared material absent")
    engine = evaluate_ways.engine(tmp_path / "model", "tiny", "cpu", [], file)
    found = evaluate_ways.sizes(engine, evaluate_ways.question(), ["a text"])
    assert found["vocabulary"] == 32000
    assert found["prompt_tokens"] > found["instruction_tokens"] > 200
