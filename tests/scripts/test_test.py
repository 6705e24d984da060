"""Every check is run, also when one before it failed, and what a person gives pytest counts."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from scripts import test

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a script cannot stand for a program on Windows")


def python(folder: Path, *failing: str) -> Path:
    """What stands for the environment's Python: says what it was given, and fails at some modules."""
    made = folder / "python"
    program = f"import os, sys; print(*sys.argv[1:], os.environ['WHO']); sys.exit(sys.argv[2] in {failing!r})"
    made.write_text(f"#!{sys.executable}\n{program}\n", encoding="utf-8")
    made.chmod(0o755)
    return made


def test_mypy_runs_beside_and_is_told_last(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert test._check(python(tmp_path), ["--real", "-x"], {"WHO": "me"}) == 0
    assert capfd.readouterr().out.splitlines() == [
        "-- ruff check",
        "-m ruff check . me",
        "-- ruff format",
        "-m ruff format --check . me",
        "-- pytest",
        "-m pytest -n 2 --dist loadfile --no-loadscope-reorder --real -x me",
        "-- mypy",
        "-m mypy me",
    ]


@pytest.mark.parametrize("module", ["mypy", "pytest"])
def test_what_failed_is_named(module: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert test._check(python(tmp_path, module), [], {"WHO": "me"}) == 1
    said = capfd.readouterr()
    assert said.err == f"Failed: {module}.\n"
    assert "-m mypy me" in said.out and "-m pytest" in said.out
