"""The script for cron, and the one for a cluster."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from db.store import open_store, sqlite_url
from scripts import retrain
from tests.backend.assist.world import make_world
from tests.backend.engines.questions import tiny_encoder
from tests.backend.learning.coding import Coding
from tests.backend.learning.letters import BOOK, code

SLURM = Path(__file__).resolve().parents[2] / "scripts" / "slurm_tune.sh"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two projects: one with 40 coded texts, one with none."""
    store = open_store(sqlite_url(tmp_path))
    coding = Coding(make_world(store, key="letters", codebook=BOOK), BOOK)
    make_world(store, key="empty", codebook=BOOK)
    code(coding, work=40, gate=0)
    store.close()
    monkeypatch.setenv(retrain.INSIDE, "1")
    monkeypatch.setenv("SOCIALITE_HOME", str(tmp_path))
    monkeypatch.setenv("SOCIALITE_ENGINE", "encoder")
    monkeypatch.setenv("SOCIALITE_MODEL", str(tiny_encoder(tmp_path / "bert")))
    return tmp_path


def test_projects_with_enough_new_labels_are_run(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert retrain.main(["--min-new", "30", "--json"]) == 0
    *said, last = capsys.readouterr().out.strip().splitlines()
    runs = json.loads(last)["runs"]
    assert list(runs) == ["letters"]
    assert runs["letters"]["outcome"] == "undecided" and not runs["letters"]["failed"]
    assert said[0].startswith("letters: Undecided")
    assert (home / "adapters" / "letters" / "run-1").is_dir()
    assert retrain.main(["--min-new", "30"]) == 0
    assert capsys.readouterr().out == "No project has 30 newly coded texts; nothing was done.\n"


def test_a_run_that_fails_is_said_and_is_the_exit_code(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOCIALITE_ENGINE", "keyword")
    monkeypatch.delenv("SOCIALITE_MODEL")
    assert retrain.main(["--min-new", "30"]) == 1
    assert capsys.readouterr().out.startswith("letters: The engine 'keyword' has no weights to train.")


def test_other_projects_are_left_alone(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert retrain.main(["--min-new", "30", "--project", "empty"]) == 0
    assert "nothing was done" in capsys.readouterr().out


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_the_clusters_script_tunes_what_it_is_given(tmp_path: Path) -> None:
    fake = tmp_path / "socialite"
    fake.write_text('#!/usr/bin/env bash\nprintf "%s\\n" "$HF_HUB_OFFLINE" "$@"\n', encoding="utf-8")
    fake.chmod(0o755)
    environment = {**os.environ, "SOCIALITE_COMMAND": str(fake)}
    given = ["bash", str(SLURM), "out folder", "tuned", "--rank", "4"]
    done = subprocess.run(given, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        *("1", "tune", "out folder", "-o", "tuned", "--engine", "causal", "--device", "cuda", "--rank", "4")
    ]
    few = subprocess.run(given[:3], env=environment, capture_output=True, text=True, check=False)
    assert few.returncode == 2 and "a new folder for the adapters" in few.stderr
    environment["SOCIALITE_COMMAND"] = str(tmp_path / "nothing")
    none = subprocess.run(given, env=environment, capture_output=True, text=True, check=False)
    assert none.returncode == 2 and "There is no socialite at" in none.stderr
