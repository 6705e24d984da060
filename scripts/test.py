"""Sets up the environment and runs every check: ruff, mypy, pytest.

    python3 scripts/test.py [--real] [--torch-index URL] [what pytest is given ...]

--real adds the tests against a live Label Studio and a live Chromium. In CI (CI=true) one of them that is skipped has
failed.

Two processes run the tests, each a file at a time; `-n 0` has one do it, as a debugger (--pdb) needs.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryFile

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts import environment
from scripts.local.installing import SetupError
from scripts.local.processes import clean_environ

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")
TOGETHER = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")  # what a person gives pytest overrides it
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
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
        environ = ONE_THREAD | clean_environ()
        if arguments.real:
            venv, label_studio = environment.both(arguments.torch_index)
            environ[environment.LABEL_STUDIO] = str(label_studio)
        else:
            venv = environment.application(arguments.torch_index)
        return _check(environment.python_of(venv), [*(["--real"] if arguments.real else []), *rest], environ)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130


def _check(python: Path, for_pytest: list[str], environ: dict[str, str]) -> int:
    """Runs every check, each also when one before it failed; 0 when all passed. mypy runs beside pytest."""

    def run(*command: str, out: int | None = None) -> subprocess.CompletedProcess[str]:
        order = [str(python), "-m", *command]
        return subprocess.run(
            order, cwd=environment.CHECKOUT, env=environ, check=False, stdout=out, stderr=out and subprocess.STDOUT
        )

    commands = {
        "ruff check": ("ruff", "check", "."),
        "ruff format": ("ruff", "format", "--check", "."),
        "pytest": ("pytest", *TOGETHER, *for_pytest),
    }
    failed = []
    with ThreadPoolExecutor(1) as beside, TemporaryFile("w+", encoding="utf-8") as said:
        types = beside.submit(run, "mypy", out=said.fileno())
        for name, command in commands.items():
            print(f"-- {name}", flush=True)
            if run(*command).returncode != 0:
                failed.append(name)
        print("-- mypy", flush=True)
        if types.result().returncode != 0:
            failed.append("mypy")
        said.seek(0)
        print(said.read(), end="", flush=True)
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
