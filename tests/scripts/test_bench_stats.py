"""The measurement of agreement and of the report: both ways give the same alphas, and the store is what is claimed."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from backend.findings.facts import facts
from db import projects
from scripts import bench_stats
from scripts.bench import report_store

SMALL = report_store.Size(texts=120, audit=24, coders=3, control=20, answers=130)


def small(monkeypatch: pytest.MonkeyPatch) -> None:
    size = bench_stats.Size(texts=60, with_counts=5, with_ratings=2, rounds=1, store=SMALL)
    monkeypatch.setattr(bench_stats, "QUICK", size)
    monkeypatch.setattr(bench_stats, "DRAWS", 10)


def test_the_store_holds_what_its_size_says(tmp_path: Path) -> None:
    store = report_store.create(tmp_path, SMALL)
    with store.reading() as s:
        found = facts(s, projects.by_key(s, report_store.KEY))
    store.close()
    assert {key: len(scores.ids) for key, scores in found.scores.items()} == {"tone": 120, "offense": 120}
    assert Counter(found.texts.stream.tolist()) == {1: 24, 2: 20, 3: 76}
    assert len(found.answers) == 130
    assert Counter(answer.stream for answer in found.answers) == {"audit": 72, "control": 20, "work": 38}
    assert all(len(answer.values) == 2 for answer in found.answers)
    assert found.opened is not None
    for side in (found.gate, found.test):
        assert {len(votes) for votes in side.votes.values()} == {3}
        assert len(side.votes) == 24
    audit = found.texts.ids[found.texts.stream == 1]
    there, places = found.scores["tone"].at(audit)
    assert there.all()
    assert found.scores["tone"].marks[places].sum(axis=1).tolist() == [1] * 24


def test_every_text_is_rated_by_as_many_coders() -> None:
    ratings = bench_stats.rated(50)
    assert ratings.shape == (20, 50)
    assert (~np.isnan(ratings)).sum(axis=0).tolist() == [5] * 50
    assert set(np.unique(ratings[~np.isnan(ratings)])) == {0, 1, 2, 3, 4}


def test_a_run_gives_every_key(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    small(monkeypatch)
    assert bench_stats.main(["--quick", "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    figures = json.loads(lines[-1])
    assert figures.keys() == {"vs_krippendorff", "report_s", "raw"}
    assert figures["vs_krippendorff"] > 0 < figures["report_s"]
    assert figures["raw"]["levels"].keys() == {"nominal", "ordinal", "interval"}
    assert figures["raw"]["page_kb"] > 1
    assert "The package was looped over 5 resamples with counts and 2 with ratings; its time is scaled to 10." in lines


def test_alphas_that_differ_are_a_failure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    small(monkeypatch)
    monkeypatch.setattr(bench_stats, "with_counts", lambda counts, level, weights: np.zeros(len(weights)))
    monkeypatch.setattr(bench_stats, "reported", lambda _: {"report_s": 1.0, "html_s": 0.0})
    assert bench_stats.main(["--quick"]) == 1
    assert "do not give the same alphas" in capsys.readouterr().err
