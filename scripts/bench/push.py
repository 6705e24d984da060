"""Suggestions for a whole corpus, scored and pushed to a real Label Studio: `push_1500_s`."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.bench import servers, stored
from scripts.bench.servers import BenchError, Server
from scripts.local.label_studio import Account, Api, start
from scripts.local.waiting import StartError, wait_until_ready

SUGGESTIONS = 1500
OWNER = Account("bench@example.org", "a-password-for-benchmarks", "be2c4" * 8)


def push(home: Path, posts: Sequence[str]) -> dict[str, Any]:
    """Seconds that `socialite push` takes for tasks that have no score yet: from the command to its end, loading
    included.

    The encoder scores four questions on each text; Label Studio then holds one suggestion for each task, which is
    checked.
    """
    venv = environment()
    with (
        label_studio(venv, home / "label-studio", home / "label-studio.log") as url,
        servers.socialite(home, "encoder") as server,
    ):
        said = _connect(home, url, server, posts)
        started = time.perf_counter()
        _socialite(home, url, server, "push", "--project", stored.KEY)
        seconds = time.perf_counter() - started
        held = _held(url)
    if held != len(posts):
        raise BenchError(f"Label Studio holds {held} suggestions instead of {len(posts)}. It said:\n{said}")
    return {"push_1500_s": seconds, "suggestions": held, "questions": len(stored.QUESTIONS)}


def environment() -> Path:
    """The environment that Label Studio is installed in; BenchError where there is none."""
    given = os.environ.get("SOCIALITE_LABEL_STUDIO")
    folder = Path(given) if given else servers.CHECKOUT / ".socialite" / "label-studio"
    folder = folder.parent.parent if folder.is_file() else folder  # the command was given
    if not any(place.is_file() for place in (folder / "bin/label-studio", folder / "Scripts/label-studio.exe")):
        raise BenchError(
            "Label Studio is not installed: python3 scripts/demo.py does that, or name its environment in "
            "SOCIALITE_LABEL_STUDIO."
        )
    return folder


@contextmanager
def label_studio(venv: Path, data: Path, log: Path) -> Iterator[str]:
    """A Label Studio with its data in a folder, new or not, from when it answers until the end of the block; its
    address.
    """
    port = servers.free_port()
    url = f"http://{servers.HOST}:{port}"
    child = start(venv, data, port, OWNER, log)
    try:
        wait_until_ready(child, f"{url}/health", usual=60)
        yield url
    except StartError as error:
        raise BenchError(str(error)) from error
    finally:
        child.end()


def _connect(home: Path, url: str, server: Server, posts: Sequence[str]) -> str:
    table = home / "posts.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["text"], *([post] for post in posts)])
    what = ["--project", stored.KEY, "--codebook", ",".join(stored.QUESTIONS), "--texts", str(table), "--no-push"]
    return _socialite(home, url, server, "connect", *what, "--backend", f"http://{servers.HOST}:{server.port}")


def _socialite(home: Path, url: str, server: Server, *arguments: str) -> str:
    env = servers.socialite_environment(home) | {"SOCIALITE_ENGINE": "encoder"}
    env |= {"LABEL_STUDIO_URL": url, "LABEL_STUDIO_API_KEY": OWNER.token}
    command = [sys.executable, "-m", "backend.cli", *arguments]
    done = subprocess.run(
        command, cwd=servers.CHECKOUT, env=env, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    if done.returncode:
        raise BenchError(f"socialite {arguments[0]} failed: {done.stderr[-500:]}")
    return done.stderr


def _held(url: str) -> int:
    """Suggestions that Label Studio holds."""
    (project,) = Api(url, OWNER.token).call("GET", "/api/projects")["results"]
    return int(project["total_predictions_number"])
