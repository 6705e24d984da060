"""The rules of the suite itself: real tests are left out without --real, fail when skipped in CI, and skips are
counted.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
from __future__ import annotations

import os
import pytest


@pytest.mark.real
def test_real():
    pytest.skip("no server")


def test_other():
    pytest.skip("no server")


@pytest.mark.skipif(True, reason="not today")
def test_never():
    pass


def test_environment(shared):
    assert shared.name == "material"
    assert "SOCIALITE_TOKEN" not in os.environ
    assert "socialite-home" in os.environ["SOCIALITE_HOME"]
"""


@pytest.fixture
def suite(tmp_path: Path, checkout: Path) -> Path:
    """A small suite under this one's conftest.py and settings."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "material").mkdir()
    shutil.copy(checkout / "pyproject.toml", tmp_path)
    shutil.copy(checkout / "tests" / "conftest.py", tmp_path / "tests")
    (tmp_path / "tests" / "test_some.py").write_text(TESTS, encoding="utf-8")
    return tmp_path


def run(suite: Path, *arguments: str, **environ: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    given = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run(
        command,
        cwd=suite,
        env=given | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return done.returncode, done.stdout


def test_real_tests_are_left_out_and_skips_are_told_by_reason(suite: Path) -> None:
    code, said = run(suite, CI="true", SOCIALITE_SHARED=str(suite / "material"), SOCIALITE_TOKEN="secret")
    assert code == 0, said
    assert "1 passed, 2 skipped, 1 deselected" in said
    assert "skipped, by reason" in said
    assert "    1  no server" in said
    assert "    1  not today" in said


def test_a_skipped_real_test_fails_in_ci(suite: Path) -> None:
    code, said = run(suite, "--real", CI="true", SOCIALITE_SHARED=str(suite / "material"))
    assert code == 1
    assert "A real test may not be skipped in CI. It was, with the reason: no server" in said
    assert "1 failed, 1 passed, 2 skipped" in said


def test_a_skipped_real_test_is_a_skip_elsewhere(suite: Path) -> None:
    code, said = run(suite, "--real", SOCIALITE_SHARED=str(suite / "material"))
    assert code == 0
    assert "    2  no server" in said


def test_absent_material_is_a_reason(suite: Path) -> None:
    code, said = run(suite, SOCIALITE_SHARED=str(suite / "nowhere"))
    assert code == 0
    assert "    1  shared material absent" in said


def test_two_processes_keep_the_rules_and_one_of_them_has_what_is_killed(suite: Path) -> None:
    (suite / "tests" / "kill").mkdir()
    for name in ("one", "two", "three"):
        (suite / "tests" / "kill" / f"test_{name}.py").write_text("def test_it():\n    pass\n", encoding="utf-8")
    apart = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", "--verbose", "--verbose")
    code, said = run(suite, "--real", *apart, CI="true", SOCIALITE_SHARED=str(suite / "material"))
    assert code == 1
    assert "A real test may not be skipped in CI. It was, with the reason: no server" in said
    assert "    1  not today" in said
    assert "1 failed, 4 passed, 2 skipped" in said
    killed = re.findall(r"^\[gw(\d)\] .* tests/kill/", said, re.M)
    others = re.findall(r"^\[gw(\d)\] .* tests/test_some", said, re.M)
    assert len(killed) == 3 and set(killed).isdisjoint(others), said
