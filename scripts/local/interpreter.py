"""Which Python the environments are made with."""

from __future__ import annotations

import shutil
import subprocess
import sys

from scripts.local.installing import SetupError

OLDEST, NEWEST = (3, 11), (3, 14)  # what the pinned packages are built for


def interpreter() -> str:
    """The Python that runs this if the pinned packages exist for it, else another one of this machine."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return sys.executable
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        found = _find(minor)
        if found:
            return found
    raise SetupError(
        f"This is Python {_text(sys.version_info[:2])}; socialite's packages are pinned for Python {_text(OLDEST)} to "
        f"{_text(NEWEST)}, and none of these was found on this machine. Install one beside it (python.org, or your "
        "system's packages) and run this again."
    )


def _text(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _find(minor: int) -> str | None:
    launcher = shutil.which("py") if sys.platform == "win32" else None
    command = [launcher, f"-3.{minor}"] if launcher else [shutil.which(f"python3.{minor}") or ""]
    if not command[0]:
        return None
    asked = [*command, "-c", "import sys; print(sys.executable)"]
    try:
        answer = subprocess.run(asked, check=False, capture_output=True, encoding="utf-8")
    except OSError:
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
