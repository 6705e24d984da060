"""What an article has to say of how its labels came about, counted."""

from __future__ import annotations

import json

from backend.findings.manifest import manifest
from backend.findings.study import Study, study
from db import releases, revisions, runs
from db.models import Snapshot
from tests.backend.findings.world import read, score
from tests.backend.learning.coding import Coding, coded

PART = {
    "method": "head",
    "base": "all-MiniLM-L6-v2",
    "base_digest": "ba" * 32,
    "snapshot": "5a" * 32,
    "seed": 3,
    "hyperparameters": {"c": 1.0},
    "examples": {"no": 30, "yes": 12},
    "versions": {"numpy": "2"},
    "created": "2026-03-01T12:00:00+00:00",
    "files": {},
}


def told(coding: Coding) -> Study:
    found = read(coding)
    with coding.store.reading() as s:
        return study(s, found)


def tune(coding: Coding) -> None:
    """A run made an adapter, it was looked at, and it answers now."""
    project = coding.world.project_id
    with coding.store.writing() as s:
        revision = revisions.current(s, project)
        assert revision is not None
        snapshot = Snapshot(project_id=project, hash="5a" * 32, revision_id=revision.id, rule={"gold": "majority"})
        s.add(snapshot)
        s.flush()
        run, _ = runs.begin(s, project, snapshot.id, tuner="encoder", seed=3, parameters={})
        made = runs.adapter(s, project, "ad" * 32, "adapters/1", {"parts": {"humor": PART}}, "")
        runs.finish(s, run.id, made.id)
        same = {"engine": "encoder", "base": "all-MiniLM-L6-v2", "base_digest": "ba" * 32, "dtype": "float32"}
        scorer = releases.scorer(
            s, **same, adapter_digest="ad" * 32, prompt_hash="p", scoring_hash=revision.scoring_hash, method="head"
        )
        before = releases.current(s, project)
        assert before is not None
        after = releases.release(s, project, scorer, revision, order_policy="margin")
        figures = {"n": 40, "delta": 0.1, "lower": 0.0, "upper": 0.2, "outcome": "promote", "details": {}}
        runs.decide(s, project, run_id=run.id, challenger_id=after.id, champion_id=before.id, **figures)
        releases.point(s, project, after, by="gate", reason="promoted")


def test_answers_are_counted_by_how_they_were_given(coding: Coding) -> None:
    gate = coding.text("first", "audit", rank=0, role="gate")
    work = coding.text("second")
    release = score(coding, {})
    coded(coding, gate, "yes", "no")
    coding.answer(gate, 3, where="assisted", humor="yes", release_id=release)
    coding.answer(gate, 4, humor="yes", origin="adjudicated")
    coding.answer(work, 1, humor="no", origin="kept", release_id=release)
    coding.answer(work, 2, humor="no", origin="changed", release_id=release)
    coding.answer(work, 3, humor="no", origin="bulk")
    coding.answer(work, 4, humor="no", origin="imported")
    coding.answer(work, 5, cancelled=True)
    coding.answer(work, 6, humor="no", phase="pilot")
    found = told(coding).coded
    assert (found.blind, found.not_blind, found.assisted, found.kept) == (2, 1, 2, 1)
    assert (found.adjudicated, found.imported, found.bulk, found.skipped) == (1, 1, 1, 1)
    assert (found.coders, found.texts) == (3, 2)


def test_the_adapter_that_answers_is_traced_to_its_labels(coding: Coding) -> None:
    score(coding, {})
    assert told(coding).adapter is None
    tune(coding)
    found = told(coding)
    assert found.taught == {"humor": 42}
    assert [one.hash for one in found.snapshots] == ["5a" * 32]
    assert (len(found.runs), len(found.decisions), found.releases, len(found.served)) == (1, 1, 2, 2)


def test_the_manifest_says_how_the_adapter_was_tuned_and_is_json(coding: Coding) -> None:
    score(coding, {})
    tune(coding)
    whole = json.loads(json.dumps(manifest(told(coding), {"humor": "no sample"}), allow_nan=False))
    assert whole["tuning"]["questions"]["humor"] == {name: value for name, value in PART.items() if name != "files"}
    assert whole["tuning"]["snapshots"][0]["rule"] == {"gold": "majority"}
    assert whole["model"]["adapter_digest"] == whole["tuning"]["adapter_digest"] == "ad" * 32
    assert whole["tried"]["looks_at_gate"] == 1
    assert whole["sample"]["questions"] == {"humor": {"missing": "no sample"}}
