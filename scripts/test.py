"""Sets up the environment and runs every check: ruff, mypy, pytest.

    python3 scripts/test.py [--real] [--torch-index URL] [what pytest is given ...]

--real adds the tests against a live Label Studio and a live Chromium. In CI (CI=true) one of them that is skipped has
failed.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts import environment
from scripts.local.installing import SetupError
from scripts.local.processes import clean_environ

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")
NO_BROWSER = (
    "The real tests drive Chromium through chromedriver, and {} was not found on the PATH. On Debian or Ubuntu: "
    "sudo apt-get install chromium chromium-driver. Elsewhere: install Chromium (or Chrome) and the chromedriver of "
    "the same version. Or leave --real away."
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--real", action="store_true", help="add the tests against a live Label Studio and browser")
    parser.add_argument("--torch-index", metavar="URL", help="package index to take torch's build from; see README.md")
    arguments, rest = parser.parse_known_args()
    try:
        if arguments.real:
            _need_browser()
        venv = environment.application(arguments.torch_index)
        environ = clean_environ()
        if arguments.real:
            environ[environment.LABEL_STUDIO] = str(environment.label_studio())
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    return _check(environment.python_of(venv), [*(["--real"] if arguments.real else []), *rest], environ)


def _check(python: Path, for_pytest: list[str], environ: dict[str, str]) -> int:
    """Runs every check, each also when one before it failed; 0 when all passed."""
    commands = {
        "ruff check": ["ruff", "check", "."],
        "ruff format": ["ruff", "format", "--check", "."],
        "mypy": ["mypy"],
        "pytest": ["pytest", *for_pytest],
    }
    failed = []
    for name, command in commands.items():
        print(f"-- {name}", flush=True)
        code = subprocess.run(
            [str(python), "-m", *command], cwd=environment.CHECKOUT, env=environ, check=False
        ).returncode
        if code != 0:
            failed.append(name)
    if failed:
        print(f"Failed: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def _need_browser() -> None:
    if not any(shutil.which(name) for name in CHROMIUM):
        raise SetupError(NO_BROWSER.format("Chromium"))
    if not shutil.which("chromedriver"):
        raise SetupError(NO_BROWSER.format("chromedriver"))


if __name__ == "__main__":
    sys.exit(main())
