"""`socialite model` as a person types it; what would be downloaded is a folder made here."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from backend import cli
from backend.engines.dataset import DATASET
from backend.engines.models import RELEASED
from tests.backend.engines.hub_cache import hub_cache, published

COMMITS = {"model": "c" * 40, "dataset": "d" * 40}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache; a download of any model gives a tiny one, of the instructions one row; the folder of both."""
    source = tmp_path / "source"
    published(source / "model", pickled=1)
    (source / "dataset").mkdir()
    row = {"task_type": "EMOTION", "Model Input": "Instruction: Which?\nInput: a\nOutput:"}
    (source / "dataset" / "test.jsonl").write_text(json.dumps(row), encoding="utf-8")

    def download(repo: str, *, local_files_only: bool, allow_patterns: list[str], repo_type: str, **_: Any) -> str:
        from huggingface_hub.errors import LocalEntryNotFoundError

        there = tmp_path / "hub" / f"{repo_type}s--{repo.replace('/', '--')}" / "snapshots" / COMMITS[repo_type]
        if not local_files_only:
            part = tmp_path / "part"
            part.mkdir()
            for path in (path for pattern in allow_patterns for path in (source / repo_type).glob(pattern)):
                shutil.copy(path, part)
            hub_cache(tmp_path / "hub", repo, part, kind=repo_type, revision=COMMITS[repo_type])
            shutil.rmtree(part)
        if not there.is_dir():
            raise LocalEntryNotFoundError("not there")
        return str(there)

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    monkeypatch.setenv("SOCIALITE_CACHE", str(tmp_path / "ours"))
    return source


def socialite(*words: str) -> None:
    cli.app(["model", *words], standalone_mode=False)


def test_the_released_weights_come_with_their_licence_and_their_instructions(
    hub: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    socialite("fetch", RELEASED)
    said = capsys.readouterr().err
    assert "Llama 2 Community License" in said
    assert f"{RELEASED} is here: 0.00 billion weights" in said
    assert f"1 instructions of {DATASET} are here, revision {'d' * 12}." in said
    socialite("list")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[:2] for line in lines] == [
        [RELEASED, "c" * 12],
        [RELEASED, "converted"],
        [DATASET, "d" * 12],
    ]
    socialite("list", "--json")
    value = json.loads(capsys.readouterr().out)
    assert [one["id"] for one in value["models"]] == [RELEASED, RELEASED]
    assert value["instructions"] == "d" * 40
    socialite("remove", RELEASED)
    assert "GB are free again" in capsys.readouterr().err
    socialite("list")
    assert RELEASED not in capsys.readouterr().out.splitlines()[0]


def test_another_model_comes_alone(hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    socialite("list")
    assert f"socialite model fetch {RELEASED}" in capsys.readouterr().out
    socialite("fetch", "somebody/tiny@main", "--tokenizer-only")
    assert "--engine remote" in capsys.readouterr().err
    socialite("fetch", "somebody/tiny")
    said = capsys.readouterr().err
    assert "License" not in said
    assert DATASET not in said


def test_a_model_is_of_use_without_instructions(hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (hub / "dataset" / "test.jsonl").write_text("{", encoding="utf-8")
    socialite("fetch", RELEASED)
    said = capsys.readouterr().err
    assert f"{RELEASED} is here" in said
    assert "The authors' instructions were not read. The file test.jsonl" in said
    socialite("fetch", RELEASED)
    (hub / "dataset" / "test.jsonl").write_text(
        json.dumps({"task_type": "IRONY", "Model Input": "Instruction: Is it?\nInput: a\nOutput:"}), encoding="utf-8"
    )
    socialite("fetch", DATASET)
    assert "1 instructions" in capsys.readouterr().err
