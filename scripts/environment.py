"""The two environments of a checkout: socialite's and Label Studio's. Needs nothing but Python.

Both lie in `.socialite/`, hold exactly what `constraints.txt` and `labelstudio-constraints.txt` say, and carry a
stamp of it, written last: an environment without its stamp was interrupted and is made anew (pip keeps what it has
downloaded), one whose stamp fits is used as it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from scripts.local.installing import SetupError, install, pinned
from scripts.local.interpreter import interpreter
from scripts.local.lock import locked
from scripts.local.processes import clean_environ

CHECKOUT = Path(__file__).resolve().parents[1]
HOME = CHECKOUT / ".socialite"
CONSTRAINTS = CHECKOUT / "constraints.txt"
LABEL_STUDIO_CONSTRAINTS = CHECKOUT / "labelstudio-constraints.txt"
LABEL_STUDIO = "SOCIALITE_LABEL_STUDIO"  # names the folder of an environment that already holds Label Studio
STAMP = "socialite-stamp.json"
MAKE = ("-m", "venv")


def application(torch_index: str | None = None) -> Path:
    """Makes socialite's environment if it does not stand; the folder of it.

    `torch_index` is a package index that is asked for torch besides PyPI; None keeps what the environment was made
    with, '' is PyPI alone.
    """
    venv = HOME / "venv"
    with locked(HOME / "setup.lock", "Another script is setting up the environment; waiting for it."):
        index = _stamp(venv).get("torch_index", "") if torch_index is None else torch_index
        wanted = {"packages": _digest(CONSTRAINTS), "checkout": str(CHECKOUT), "torch_index": index}
        if not _stands(venv, wanted):
            _make(venv)
            python = python_of(venv)
            extra = ["--extra-index-url", index] if index else []
            constraints = ["-c", str(CONSTRAINTS)]
            install(python, "Preparing", [*constraints, "pip", "setuptools", "wheel"], 3, HOME)
            install(python, "Installing torch", [*constraints, *extra, pinned(CONSTRAINTS)["torch"]], 12, HOME)
            rest = ["--no-deps", "-r", str(CONSTRAINTS)]
            install(python, "Installing the other packages", rest, len(pinned(CONSTRAINTS)), HOME)
            _write_stamp(venv, wanted)
        project = {**wanted, "project": _digest(CHECKOUT / "pyproject.toml")}
        if not _stands(venv, project):
            here = ["--no-deps", "--no-build-isolation", "-e", str(CHECKOUT)]
            install(python_of(venv), "Installing socialite", here, 1, HOME)
            _write_stamp(venv, project)
    return venv


def label_studio() -> Path:
    """Makes Label Studio's environment if it does not stand; the folder of it."""
    if os.environ.get(LABEL_STUDIO):
        return Path(os.environ[LABEL_STUDIO]).absolute()
    venv = HOME / "label-studio"
    with locked(HOME / "setup-label-studio.lock", "Another script is setting up Label Studio; waiting for it."):
        wanted = {"packages": _digest(LABEL_STUDIO_CONSTRAINTS), "checkout": str(CHECKOUT)}
        if not _stands(venv, wanted):
            _make(venv)
            python = python_of(venv)
            tools = ["-c", str(LABEL_STUDIO_CONSTRAINTS), "pip", "setuptools", "wheel"]
            install(python, "Preparing Label Studio", tools, 3, HOME)
            everything = ["--no-deps", "--no-build-isolation", "-r", str(LABEL_STUDIO_CONSTRAINTS)]
            number = len(pinned(LABEL_STUDIO_CONSTRAINTS))
            install(python, "Installing Label Studio", everything, number, HOME)
            _write_stamp(venv, wanted)
    return venv


def both(torch_index: str | None = None) -> tuple[Path, Path]:
    """Socialite's and Label Studio's environment, made side by side."""
    with ThreadPoolExecutor(1) as beside:
        theirs = beside.submit(label_studio)
        return application(torch_index), theirs.result()


def python_of(venv: Path) -> Path:
    """The Python of an environment."""
    return command_of(venv, "python")


def command_of(venv: Path, name: str) -> Path:
    """A command of an environment."""
    return venv / "Scripts" / f"{name}.exe" if os.name == "nt" else venv / "bin" / name


def _digest(path: Path) -> str:
    """sha256 of a file's lines; comments, empty lines and the kind of line ends do not count."""
    lines = path.read_text(encoding="utf-8").splitlines()
    counting = "\n".join(line.rstrip() for line in lines if line.strip() and not line.startswith("#"))
    return hashlib.sha256(counting.encode()).hexdigest()


def _stamp(venv: Path) -> dict[str, str]:
    try:
        return dict(json.loads((venv / STAMP).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _write_stamp(venv: Path, content: dict[str, str]) -> None:
    unfinished = venv / f"{STAMP}.new"
    unfinished.write_text(json.dumps(content, indent=1), encoding="utf-8")
    unfinished.replace(venv / STAMP)


def _stands(venv: Path, wanted: dict[str, str]) -> bool:
    """The stamp says all that is wanted, and the Python the environment was made with is still there."""
    if not wanted.items() <= _stamp(venv).items():
        return False
    try:
        return subprocess.run([str(python_of(venv)), "-c", ""], env=clean_environ(), check=False).returncode == 0
    except OSError:
        return False


def _make(venv: Path) -> None:
    """An empty environment in `venv`; whatever was there is removed."""
    try:
        if venv.exists():
            shutil.rmtree(venv)
    except OSError as error:
        raise SetupError(
            f"{venv} is to be made anew, but could not be removed ({error.strerror}). End what still uses it, "
            "such as a demo in another window, and run this again."
        ) from None
    base = interpreter()
    print(f"Making {venv.relative_to(CHECKOUT)} with {base}. The first time takes some minutes.", file=sys.stderr)
    made = subprocess.run(
        [base, *MAKE, str(venv)], env=clean_environ(), check=False, capture_output=True, encoding="utf-8"
    )
    if made.returncode != 0:
        said = (made.stdout + made.stderr).strip()
        cure = "On Debian or Ubuntu: sudo apt-get install python3-venv. " if "ensurepip" in said else ""
        raise SetupError(f"Python could not make an environment in {venv}. {cure}It said:\n{said}")
