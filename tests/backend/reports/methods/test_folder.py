"""The folder: all files there, with hashes that hold, and nothing of anybody else touched."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend.cli import app
from backend.reports.methods import folder
from backend.reports.methods.folder import FolderError
from tests.backend.findings.analysed import analysed
from tests.backend.findings.world import read
from tests.backend.learning.coding import Coding
from tests.backend.reports.methods.conftest import known

Write = Callable[[Coding], Path]
FILES = {"analysis.R", "analysis.do", "codebook.yaml", "data-dictionary.csv", "guide-llm.md", "methods.md", "table.csv"}


def test_the_manifest_has_the_hash_of_every_file(opened: Coding, written: Write) -> None:
    place = written(opened)
    told = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
    assert {path.name for path in place.iterdir()} == FILES | {"manifest.json"}
    assert told["files"] == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(place.iterdir())
        if path.name != "manifest.json"
    }


def test_the_manifest_says_what_was_used(opened: Coding, written: Write) -> None:
    told = json.loads((written(opened) / "manifest.json").read_text(encoding="utf-8"))
    facts = read(opened)
    assert facts.release is not None and facts.scorer is not None
    assert told["project"] | {"created": ""} == {
        "key": "posts",
        "title": "Posts",
        "phase": "production",
        "seed": 7,
        "sampling_design": {"audit": 1, "control": 1, "coders": 2},
        "gold_rule": "majority",
        "created": "",
    }
    assert told["model"]["release"] == facts.release.name
    assert told["model"]["prompt_hash"] == facts.scorer.prompt_hash
    assert told["codebook"]["content_hash"] == facts.revision.content_hash
    assert told["sample"]["role"] == "test"
    assert told["sample"]["questions"]["humor"]["drawn"] == 28
    assert told["sample"]["questions"]["humor"]["of"] == 130
    assert [draw["population"] for draw in told["draws"]] == [90, 40]
    assert told["tried"] == {
        "runs": 0, "releases": 1, "releases_served": 1, "looks_at_gate": 0, "openings_of_test": 1,
    }  # fmt: skip
    assert told["openings"][0]["this_release_and_codebook"]
    assert told["tuning"] is None
    assert told["program"]["libraries"]["numpy"]


def test_every_column_of_the_table_is_in_the_dictionary(opened: Coding, written: Write) -> None:
    place = written(opened)
    with (place / "table.csv").open(encoding="utf-8", newline="") as file:
        names = next(csv.reader(file))
    with (place / "data-dictionary.csv").open(encoding="utf-8", newline="") as file:
        described = list(csv.DictReader(file))
    assert [one["variable"] for one in described if one["variable"]] == names
    assert all(one["meaning"] for one in described)
    assert [one["meaning"] for one in described if one["type"] == "left out"] == [
        "column 'note' of the corpus is not in the table: it has cells of over 100 characters"
    ]


def test_no_file_holds_a_text(opened: Coding, written: Write) -> None:
    for path in written(opened).iterdir():
        assert "never drawn" not in path.read_text(encoding="utf-8").replace("or never drawn", "")
        assert "text 1 0 0" not in path.read_text(encoding="utf-8")


def test_a_folder_of_somebody_else_is_left_alone(coding: Coding, tmp_path: Path) -> None:
    about, table, found = known(coding)
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "table.csv").write_text("mine", encoding="utf-8")
    for overwrite, why in ((False, "exists already"), (True, "not written by this command")):
        with pytest.raises(FolderError, match=why):
            folder.write(tmp_path / "there", about, table, found, overwrite=overwrite)
    with pytest.raises(FolderError, match="is a file"):
        folder.write(tmp_path / "there" / "table.csv", about, table, found, overwrite=True)
    assert (tmp_path / "there" / "table.csv").read_text(encoding="utf-8") == "mine"
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []


def test_the_command_writes_the_folder_once_and_again_only_if_told(
    coding: Coding, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    analysed(coding, opened=False)
    monkeypatch.setenv("SOCIALITE_DATABASE_URL", coding.store.url)
    arguments = ["methods", "--project", "posts", "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "The test is not open" in done.stderr and "'note' is left out" in done.stderr
    assert isinstance(CliRunner().invoke(app, arguments).exception, FolderError)
    assert CliRunner().invoke(app, [*arguments, "--overwrite"]).exit_code == 0
