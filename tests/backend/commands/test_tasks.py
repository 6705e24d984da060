from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from backend import cli
from labelstudio_config.errors import CodebookError
from labelstudio_config.tasks import FAMILIES, published


def answer(*words: str) -> str:
    done = CliRunner().invoke(cli.app, ["tasks", *words], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def listed(*words: str) -> list[dict[str, Any]]:
    found = json.loads(answer("--json", *words))
    assert isinstance(found, list)
    return found


def test_programs_get_an_object_a_task() -> None:
    found = {one["task"]: one for one in listed()}
    assert len(found) == 26
    assert found["FLUTE"] == {
        "task": "FLUTE",
        "codebook": "flute",
        "socket": None,
        "family": "humor",
        "tuning": "seen",
        "kind": "single",
        "fields": ["premise", "hypothesis"],
        "labels": ["idiom", "metaphor", "sarcasm", "simile"],
        "dataset": "FLUTE, the kind of figure",
        "paper": "Chakrabarty et al. 2022, FLUTE: Figurative Language Understanding through Textual Explanations",
        "licence": "None is stated (data); the wording here is socialite's own.",
        "not_measured": found["FLUTE"]["not_measured"],
    }
    intimacy = found["INTIMACY"]
    assert (intimacy["kind"], intimacy["socket"], intimacy["fields"]) == ("ordinal", "questionintimacy", ["text"])
    assert (intimacy["labels"][0], intimacy["labels"][-1]) == ("not intimate at all", "very intimate")
    assert {one["family"] for one in found.values()} == set(FAMILIES)
    assert [one["tuning"] for one in found.values()].count("seen") == 20
    assert all(one[key] for one in found.values() for key in one if key != "socket")


def test_people_get_a_table_by_family() -> None:
    lines = answer().splitlines()
    assert [line for line in lines if line in FAMILIES] == list(FAMILIES)
    rows = [line.split() for line in lines if line and line not in FAMILIES]
    assert rows[0] == ["codebook", "task", "tuning", "kind", "texts", "labels"]
    assert [(row[0], row[1]) for row in rows[1:]] == [(book.key, book.provenance.task) for book in published()]
    assert "not hyperbole | hyperbole" in answer()
    assert "negative < neutral < positive" in answer()
    assert all(line == line.rstrip() for line in lines)


def test_one_family() -> None:
    assert [one["codebook"] for one in listed("--family", "trust")] == ["hyperbole", "subjective-bias"]
    assert answer("--family", "Trustworthiness").count("\n") == 5
    with pytest.raises(CodebookError, match="no family of tasks 'moods'"):
        answer("--family", "moods")


def test_nothing_heavy_is_loaded(checkout: Path) -> None:
    code = (
        "import sys\nfrom backend.cli import app\n"
        "try: app(['tasks'])\nexcept SystemExit as end: assert not end.code\n"
        "heavy = ('torch', 'transformers', 'numpy', 'sqlalchemy', 'label_studio_sdk', 'httpx')\n"
        "print('LOADED', *[name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=checkout, capture_output=True, encoding="utf-8", check=False
    )
    assert done.stdout.splitlines()[-1] == "LOADED", done.stderr
