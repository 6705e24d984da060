"""A corpus pushed to a real Label Studio, pushed again through a kill, and fetched by Label Studio itself."""

from __future__ import annotations

import csv
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from scripts.bench import servers, stored
from scripts.bench.push import OWNER, environment, label_studio
from scripts.bench.servers import BenchError, Server
from scripts.local.label_studio import Api

PATIENCE = 600.0  # seconds


def measured(home: Path, posts: Sequence[str], n: int) -> dict[str, Any]:
    """The figures of the first n texts; Label Studio fetches the suggestions of the others by itself. BenchError when
    one is missing, or there twice.
    """
    with _prepared(home) as url, servers.socialite(home, "keyword") as server:
        bench = _Bench(home, url, server)
        bench.connect(posts[:n])
        push_s = bench.pushed("--tick")
        bench.check(n)
        killed_after = bench.killed("--no-tick", n // 2)
        resumed_s = bench.pushed()
        bench.check(n)
        retrieve_s = bench.retrieve(posts[n:])
    retrieved = len(posts) - n
    return {
        "texts": n,
        "push_s": push_s,
        "per_thousand_s": 1000 * push_s / n,
        "killed_after": killed_after,
        "resumed_s": resumed_s,
        "retrieved": retrieved,
        "retrieve_s": retrieve_s,
        "vs_retrieve": (retrieve_s / retrieved) / (push_s / n),
        "questions": len(stored.QUESTIONS),
    }


class _Bench:
    """The project in both servers."""

    def __init__(self, home: Path, url: str, server: Server) -> None:
        self.home, self.server = home, server
        self.api = Api(url, OWNER.token)
        self.env = servers.socialite_environment(home) | {"SOCIALITE_ENGINE": "keyword"}
        self.env |= {"LABEL_STUDIO_URL": url, "LABEL_STUDIO_API_KEY": OWNER.token}
        self.project = 0

    def connect(self, posts: Sequence[str]) -> None:
        table = self.home / "posts.csv"
        with table.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["text"], *([post] for post in posts)])
        what = ["--project", stored.KEY, "--codebook", ",".join(stored.QUESTIONS), "--texts", str(table), "--no-push"]
        self._run("connect", *what, "--backend", f"http://{servers.HOST}:{self.server.port}")
        (there,) = self.api.call("GET", "/api/projects")["results"]
        self.project = int(there["id"])

    def pushed(self, *how: str) -> float:
        """Seconds of one `prelabel --push`, from the command to its end."""
        started = time.perf_counter()
        self._run("prelabel", "--project", stored.KEY, "--push", *how)
        return time.perf_counter() - started

    def killed(self, how: str, at: int) -> int:
        """Suggestions of the new release that Label Studio holds after a push was killed at about so many."""
        words = ["prelabel", "--project", stored.KEY, "--push", how]
        before = self._total()
        child = subprocess.Popen(self._command(*words), cwd=servers.CHECKOUT, env=self.env, stderr=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE
        while self._total() - before < at and child.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        child.kill()
        child.wait()
        return self._total() - before

    def check(self, n: int) -> None:
        """Each task holds one suggestion of the release that is shown."""
        shown = self.api.call("GET", f"/api/projects/{self.project}")["model_version"]
        with self._read() as db:
            query = "SELECT count(*), count(DISTINCT task_id) FROM prediction WHERE model_version = ?"
            rows, tasks = db.execute(query, (shown,)).fetchone()
        if (rows, tasks) != (n, n):
            raise BenchError(f"Label Studio holds {rows} suggestions of {shown} in {tasks} tasks instead of {n}.")

    def retrieve(self, posts: Sequence[str]) -> float:
        """Seconds that Label Studio takes to fetch the suggestions of new tasks by itself."""
        path = f"/api/projects/{self.project}/import?return_task_ids=true"
        ids = self.api.call("POST", path, [{"data": {"text": post}} for post in posts])["task_ids"]
        body = {"selectedItems": {"all": False, "included": ids}, "project": str(self.project)}
        before, started = self._total(), time.perf_counter()
        self.api.call("POST", f"/api/dm/actions?id=retrieve_tasks_predictions&project={self.project}", body)
        seconds = time.perf_counter() - started
        if self._total() - before != len(ids):
            raise BenchError(f"Label Studio fetched {self._total() - before} suggestions instead of {len(ids)}.")
        return seconds

    def _total(self) -> int:
        with self._read() as db:
            return int(db.execute("SELECT count(*) FROM prediction").fetchone()[0])

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        file = self.home / "label-studio" / "label_studio.sqlite3"
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=60)) as db:
            yield db

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "backend.cli", *words]

    def _run(self, *words: str) -> None:
        done = subprocess.run(
            self._command(*words),
            cwd=servers.CHECKOUT,
            env=self.env,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode:
            raise BenchError(f"socialite {words[0]} failed: {done.stderr[-500:]}")


@contextmanager
def _prepared(home: Path) -> Iterator[str]:
    """A Label Studio with nothing in it, from when it answers until the end of the block; its address."""
    venv = environment()
    shutil.copytree(_first_data(venv, home), home / "label-studio")
    with label_studio(venv, home / "label-studio", home / "label-studio.log") as url:
        yield url


def _first_data(venv: Path, home: Path) -> Path:
    """The data folder of a Label Studio with nothing but its tables and its owner, made once for a checkout, which
    takes a minute.
    """
    made = servers.CHECKOUT / ".socialite" / "bench-label-studio" / _version(venv)
    if not (made / "ready").is_file():
        shutil.rmtree(made, ignore_errors=True)
        with label_studio(venv, made, home / "first-start.log"):
            pass
        (made / "ready").touch()
    return made


def _version(venv: Path) -> str:
    found = next(venv.glob("**/label_studio-*.dist-info"), None)
    return found.name.removesuffix(".dist-info") if found is not None else "unknown"
