from __future__ import annotations

import json
import statistics
from pathlib import Path

import pytest

from scripts import bench_scoring
from scripts.bench import scoring_material, scoring_memory, scoring_ways
from scripts.bench.scoring_ways import Amount, Ways
from scripts.bench.servers import BenchError

KEYS = {"vs_generate", "vs_batched_generate", "vs_full_forward", "floor_share", "peak_ratio", "raw"}


@pytest.fixture
def ways(tmp_path: Path) -> Ways:
    engine = scoring_material.engine(tmp_path / "model", "tiny", "cpu")
    return Ways(engine, scoring_material.question(8))


def test_the_workload_is_the_one_that_is_said(ways: Ways) -> None:
    posts = scoring_material.texts(512)
    assert posts == scoring_material.texts(512)
    assert len(ways.frame.seams.prefix) == 117
    assert statistics.mean(len(post.split()) for post in posts) == pytest.approx(39, abs=1)
    lengths = {len(answer) - 1 for answer in ways.frame.seams.answers}
    assert (min(lengths), max(lengths), len(ways.frame.trie.tokens)) == (2, 6, 15)
    four = Ways(ways.engine, scoring_material.question(4))
    assert {len(answer) - 1 for answer in four.frame.seams.answers} == {1, 2}


def test_the_model_has_the_weights_that_are_said() -> None:
    shape = scoring_material.SHAPES["small"]
    width, inner, layers = (shape[name] for name in ("hidden_size", "intermediate_size", "num_hidden_layers"))
    assert layers * (4 * width**2 + 3 * width * inner + 2 * width) == pytest.approx(12.7e6, rel=0.01)


def test_the_floor_counts_tokens_that_must_be_run(ways: Ways) -> None:
    weights = 4 * 32 * 32 + 3 * 32 * 64 + 2 * 32
    assert ways.weights() == weights
    tokens = (10 + 1 + 15) + (20 + 1 + 15)  # text, "Output:", trie
    posts = [" ".join(["w50"] * n) for n in (10, 20)]
    assert ways.floor(posts, 1e9) == pytest.approx(2 * 1e9 / (2 * weights * tokens))


def test_the_rivals_leave_the_engine_as_it_was(ways: Ways) -> None:
    posts = scoring_material.texts(20)
    before = ways.engine.score(ways.question, [(post,) for post in posts]).log_probabilities
    for rival in (ways.generate, ways.batched, ways.sorted, ways.full):
        rival(posts[:2])
    after = ways.engine.score(ways.question, [(post,) for post in posts]).log_probabilities
    assert abs(before - after).max() < 1e-5


def test_a_run_gives_every_key(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    size = bench_scoring.Size(Amount(engine=24, one_by_one=1, batched=2, full=1), rounds=1, many=50)
    monkeypatch.setattr(bench_scoring, "QUICK", size)
    monkeypatch.setattr(scoring_ways, "MATRICES", ((64, 64, 64),))
    for table in (scoring_material.SHAPES, scoring_material.HEADS):
        monkeypatch.setitem(table, "small", table["tiny"])
    assert bench_scoring.main(["--quick", "--json"]) == 0
    told = capsys.readouterr()
    figures = json.loads(told.out.splitlines()[-1])
    assert figures.keys() == KEYS
    assert all(figures[key] > 0 for key in KEYS - {"raw"})
    assert {"4 labels", "8 labels", "memory"} <= figures["raw"].keys()
    assert "--quick: peak memory of 50 texts" in told.err


def test_a_process_that_fails_measures_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring_memory.sys, "executable", "false")
    with pytest.raises(BenchError, match="The process that scores 3 texts failed"):
        scoring_memory.ratio(3, 30)
