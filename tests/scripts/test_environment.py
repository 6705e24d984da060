"""Setting up: what stands is used as it is, what was interrupted or has changed is made anew, and a failure says what
to do.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from scripts import environment
from scripts.local import installing, interpreter
from scripts.local.installing import SetupError


class Pip:
    """Notes what would be installed, without doing it; fails at a title when told so."""

    def __init__(self) -> None:
        self.titles: list[str] = []
        self.arguments: list[Sequence[str]] = []
        self.fail_at = ""

    def __call__(self, python: Path, title: str, arguments: Sequence[str], number: int, home: Path) -> None:
        assert python.exists()
        self.titles.append(title)
        self.arguments.append(arguments)
        if title == self.fail_at:
            raise KeyboardInterrupt


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Pip:
    """A checkout of its own, with real virtual environments and no downloads."""
    for name in ("constraints.txt", "labelstudio-constraints.txt", "pyproject.toml"):
        (tmp_path / name).write_text("torch==2.13.0\n", encoding="utf-8")
    monkeypatch.setattr(environment, "CHECKOUT", tmp_path)
    monkeypatch.setattr(environment, "HOME", tmp_path / ".socialite")
    monkeypatch.setattr(environment, "CONSTRAINTS", tmp_path / "constraints.txt")
    monkeypatch.setattr(environment, "LABEL_STUDIO_CONSTRAINTS", tmp_path / "labelstudio-constraints.txt")
    monkeypatch.setattr(environment, "MAKE", ("-m", "venv", "--without-pip"))  # faster
    monkeypatch.delenv(environment.LABEL_STUDIO, raising=False)
    noted = Pip()
    monkeypatch.setattr(environment, "install", noted)
    return noted


EVERYTHING = ["Preparing", "Installing torch", "Installing the other packages", "Installing socialite"]


def test_second_run_does_nothing(pip: Pip) -> None:
    venv = environment.application()
    assert pip.titles == EVERYTHING
    answer = subprocess.run([environment.python_of(venv), "-c", "print(1)"], capture_output=True, check=True)
    assert answer.stdout.strip() == b"1"
    environment.application()
    assert pip.titles == EVERYTHING


def test_interrupted_environment_is_made_anew(pip: Pip) -> None:
    pip.fail_at = "Installing the other packages"
    with pytest.raises(KeyboardInterrupt):
        environment.application()
    half = environment.HOME / "venv" / "half-unpacked"
    half.touch()
    pip.fail_at = ""
    pip.titles.clear()
    environment.application()
    assert pip.titles == EVERYTHING
    assert not half.exists()


def test_changed_constraints_make_it_anew_and_a_changed_project_does_not(pip: Pip, tmp_path: Path) -> None:
    environment.application()
    pip.titles.clear()
    (tmp_path / "constraints.txt").write_text("# why\r\n\r\ntorch==2.13.0\r\n", encoding="utf-8", newline="")
    environment.application()
    assert pip.titles == []
    (tmp_path / "pyproject.toml").write_text("version = 2\n", encoding="utf-8")
    environment.application()
    assert pip.titles == ["Installing socialite"]
    pip.titles.clear()
    (tmp_path / "constraints.txt").write_text("torch==2.13.1\n", encoding="utf-8")
    environment.application()
    assert pip.titles == EVERYTHING


def test_environment_without_its_python_is_made_anew(pip: Pip) -> None:
    venv = environment.application()
    environment.python_of(venv).unlink()
    pip.titles.clear()
    environment.application()
    assert pip.titles == EVERYTHING


def test_torch_index_is_asked_besides_pypi_and_remembered(pip: Pip) -> None:
    environment.application("https://example.org/cpu")
    assert list(pip.arguments[1])[-3:] == ["--extra-index-url", "https://example.org/cpu", "torch==2.13.0"]
    pip.titles.clear()
    environment.application()
    assert pip.titles == []
    environment.application("")
    assert pip.titles == EVERYTHING
    assert "--extra-index-url" not in pip.arguments[-3]


def test_label_studio_given_by_a_person_is_used(pip: Pip, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(environment.LABEL_STUDIO, str(tmp_path / "theirs"))
    assert environment.label_studio() == tmp_path / "theirs"
    assert pip.titles == []
    monkeypatch.delenv(environment.LABEL_STUDIO)
    assert environment.label_studio() == environment.HOME / "label-studio"
    assert pip.titles == ["Preparing Label Studio", "Installing Label Studio"]


def test_both_are_made_side_by_side(pip: Pip) -> None:
    assert environment.both() == (environment.HOME / "venv", environment.HOME / "label-studio")
    assert sorted(pip.titles) == sorted([*EVERYTHING, "Preparing Label Studio", "Installing Label Studio"])


@pytest.mark.parametrize("title", ["Installing torch", "Installing Label Studio"])
def test_what_fails_of_both_is_told_and_the_other_stands(pip: Pip, title: str) -> None:
    pip.fail_at = title
    with pytest.raises(KeyboardInterrupt):
        environment.both()
    pip.fail_at = ""
    pip.titles.clear()
    environment.both()
    again = EVERYTHING if title in EVERYTHING else ["Preparing Label Studio", "Installing Label Studio"]
    assert pip.titles == again


def test_old_python_without_another_one_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter.sys, "version_info", (3, 9, 6))
    monkeypatch.setattr(interpreter, "_find", lambda minor: None)
    with pytest.raises(SetupError, match=r"This is Python 3\.9.*3\.11 to 3\.14.*Install one"):
        interpreter.interpreter()


def test_old_python_finds_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter.sys, "version_info", (3, 9, 6))
    monkeypatch.setattr(interpreter, "_find", lambda minor: f"python3.{minor}" if minor == 12 else None)
    assert interpreter.interpreter() == "python3.12"


def test_this_python_is_used_where_it_fits() -> None:
    assert interpreter.interpreter() == sys.executable


@pytest.mark.parametrize(
    ("log", "cure"),
    [
        ("ERROR: [Errno 28] No space left on device", "make room"),
        ("NewConnectionError: Failed to establish: Temporary failure in name resolution", "check the connection"),
        ("ERROR: No matching distribution found for torch==2.13.0", "without --torch-index"),
        ("ERROR: No matching distribution found for lxml==6", "64-bit Python"),
        ("SSLError(SSLCertVerificationError)", "PIP_CERT"),
        ("something new", "Run this again"),
    ],
)
def test_failure_shows_the_end_of_the_log_and_a_cure(log: str, cure: str, tmp_path: Path) -> None:
    python = tmp_path / "fake"
    program = f"import sys; print('WARNING: chatter'); print('Collecting torch'); print({log!r}); sys.exit(1)"
    python.write_text(f"#!{sys.executable}\n{program}\n", encoding="utf-8")
    python.chmod(0o755)
    if os.name == "nt":
        pytest.skip("a script cannot stand for a program on Windows")
    with pytest.raises(SetupError) as failure:
        installing.install(python, "Installing torch", ["torch"], 1, tmp_path)
    said = str(failure.value)
    assert cure in said
    assert log in said
    assert "chatter" not in said
    assert "chatter" in (tmp_path / "logs" / "installing-torch.log").read_text(encoding="utf-8")


def test_watch_reads_what_pip_prints(tmp_path: Path) -> None:
    python = tmp_path / "bin" / "python"
    site = tmp_path / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    (site / "pip-26.dist-info").mkdir()
    watch = installing._Watch(python, 4)
    watch.read("Collecting numpy>=2 (from torch)\n")
    assert watch.measure() == (0.125, "numpy")
    watch.read("Processing C:\\wheels\\torch-2.13.0-cp311.whl\n")
    watch.read("Progress 52428800 of 209715200\n")
    assert watch.measure() == (0.25, "torch-2.13.0-cp311.whl 52 of 210 MB")
    watch.read("Installing collected packages: numpy, torch\n")
    assert watch.measure() == (0.5, "unpacking")
    (site / "numpy-2.dist-info").mkdir()
    assert watch.measure() == (0.625, "unpacking")
