"""The measurement of `predict`: both sides label the same texts, and a run gives every key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.corpus.tables.reading import open_table
from scripts import bench_corpus
from scripts.bench import predicting

SMALL = bench_corpus.Size(few=100, many=400, texts=8, rounds=1)


def test_the_table_has_as_many_different_texts_as_rows(tmp_path: Path) -> None:
    predicting.write(tmp_path / "in.csv", ["one", "other"], 5)
    table = open_table(tmp_path / "in.csv")
    assert table.n == 5
    assert [row[:2] for row in table.rows()][3] == ["3", "other 3"]


def test_a_run_gives_every_key(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(bench_corpus, "QUICK", SMALL)
    monkeypatch.setattr(bench_corpus, "WARM_UP", 2)
    assert bench_corpus.main(["--quick", "--json"]) == 0
    *shown, last = capsys.readouterr().out.splitlines()
    figures = json.loads(last)
    assert figures.keys() == {"peak_ratio", "vs_engine", "raw"}
    assert 0.5 < figures["peak_ratio"] < 2
    assert figures["vs_engine"] > 0
    assert figures["raw"]["memory"]["few"] > 10_000_000
    assert any("peak memory of 400 rows over 100" in line for line in shown)


def test_a_process_that_fails_is_said(tmp_path: Path) -> None:
    with pytest.raises(bench_corpus.BenchError, match="no file"):
        bench_corpus._printed(tmp_path, "peak", str(tmp_path / "absent.csv"), str(tmp_path / "out.csv"))
