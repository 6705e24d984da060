"""Re-tunes the projects that have enough new labels: for cron, or any other clock.

    python3 scripts/retrain.py [--project KEY ...] [--min-new 50] [--json]

Runs `socialite retrain` for each project (or those named) of which at least --min-new texts were coded since its last
run, one after the other, with the settings of the environment (SOCIALITE_HOME and others). A line a project says what
came of it. Exit code 1 when a run failed. The last line with --json is one object: `runs[project]`, each with
`sentence`, `outcome` and `failed`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts import environment
from scripts.local.installing import SetupError

INSIDE = "SOCIALITE_SCRIPT_INSIDE"  # set where the environment's own Python runs this


def main(arguments: Sequence[str] | None = None) -> int:
    asked = parsed(arguments)
    if not os.environ.get(INSIDE):
        return _inside(arguments if arguments is not None else sys.argv[1:])
    from backend.commands.due import keys

    due = [key for key in keys(asked.min_new) if not asked.project or key in asked.project]
    runs = {key: run(key) for key in due}
    for key, came in runs.items():
        print(f"{key}: {came['sentence']}")
    if not runs:
        print(f"No project has {asked.min_new} newly coded texts; nothing was done.")
    if asked.json:
        print(json.dumps({"runs": runs}))
    return 1 if any(came["failed"] for came in runs.values()) else 0


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", action="append", default=[], metavar="KEY", help="these projects only")
    parser.add_argument("--min-new", type=int, default=50, help="texts coded since the last run (50)")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    return parser.parse_args(arguments)


def run(key: str) -> dict[str, Any]:
    """What came of one project's run."""
    command = [sys.executable, "-m", "backend.cli", "retrain", "--project", key, "--json"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, cwd=environment.CHECKOUT)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return {"sentence": lines[-1] if lines else f"It ended with code {done.returncode}.", "failed": True}
    said = json.loads(done.stdout.strip().splitlines()[-1])
    outcome = said["card"]["decision"]["outcome"] if said["card"] else None
    return {"sentence": said["sentence"], "outcome": outcome, "failed": False}


def _inside(arguments: Sequence[str]) -> int:
    """Go on with the Python of the checkout's environment, made first if need be."""
    try:
        python = environment.python_of(environment.application())
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    command = [str(python), str(Path(__file__).resolve()), *arguments]
    return subprocess.run(command, env={**os.environ, INSIDE: "1"}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
