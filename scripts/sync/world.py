"""The two servers of the proof, on this computer: a Label Studio and `socialite serve`, which are ended and started
again.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from db.store import Store, open_store, sqlite_url
from scripts.bench.servers import CHECKOUT, PASSWORD, USER, environment
from scripts.environment import HOME
from scripts.local.label_studio import FIRST_START, LATER_START, Account, start
from scripts.local.processes import Child, free_port
from scripts.local.waiting import wait_until_ready

OWNER = Account("owner@example.org", "a-password-for-proofs-1", "5ec0d" * 8)
TEMPLATE = HOME / "proof-label-studio"  # data as after the first start, which takes a minute
PATIENCE = 120.0  # seconds that a server may take


class ProofError(Exception):
    """The proof could not show what it set out to; the message says why."""


def template(venv: Path) -> Path:
    """A data folder of Label Studio with its tables, its organisation and the owner; made once."""
    version = next((p.name for p in venv.glob("**/label_studio-*.dist-info")), "unknown").removesuffix(".dist-info")
    folder = TEMPLATE / version
    if not (folder / "ready").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        port = free_port()
        child = start(venv, folder, port, OWNER, TEMPLATE / "first.log")
        try:
            wait_until_ready(child, f"http://127.0.0.1:{port}/health", usual=FIRST_START)
        finally:
            child.end()
        (folder / "ready").touch()
    return folder


@dataclass
class LabelStudio:
    """A Label Studio on a copy of the template. `starts` counts how often it was started."""

    venv: Path
    home: Path
    port: int = field(default_factory=free_port)
    starts: int = 0
    child: Child | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def up(self) -> None:
        data = self.home / "data"
        if not data.exists():
            shutil.copytree(template(self.venv), data, ignore=shutil.ignore_patterns("ready"))
        self.child = start(self.venv, data, self.port, OWNER, self.home / f"label-studio-{self.starts}.log")
        wait_until_ready(self.child, f"{self.url}/health", usual=LATER_START)
        self.starts += 1

    def down(self) -> None:
        if self.child is not None:
            self.child.end()

    def http(self, token: str = OWNER.token) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Token {token}"}, timeout=300)

    def coder(self, email: str) -> tuple[int, str]:
        """Id and token of a new account, signed up through the owner's invitation."""
        with self.http() as owner:
            invitation = self.url + owner.get("/api/invite").raise_for_status().json()["invite_url"]
        with httpx.Client(base_url=self.url, follow_redirects=True, timeout=60) as http:
            http.get(invitation)
            form = {"email": email, "password": OWNER.password, "csrfmiddlewaretoken": http.cookies["csrftoken"]}
            http.post(invitation, data=form, headers={"Referer": invitation})
            token = str(http.get("/api/current-user/token").raise_for_status().json()["token"])
            return int(http.get("/api/current-user/whoami").raise_for_status().json()["id"]), token

    def export(self, project: int) -> list[dict[str, Any]]:
        """Label Studio's own JSON export of all tasks of a project."""
        query = {"exportType": "JSON", "download_all_tasks": "true"}
        with self.http() as owner:
            return list(owner.get(f"/api/projects/{project}/export", params=query).raise_for_status().json())


@dataclass
class Backend:
    """`socialite serve` with the keyword engine, which compares with Label Studio only when it is told to."""

    home: Path
    label_studio: str
    port: int = field(default_factory=free_port)
    starts: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        return environment(
            SOCIALITE_HOME=str(self.home / "store"),
            SOCIALITE_ENGINE="keyword",
            SOCIALITE_SYNC_EVERY="never",
            SOCIALITE_BASIC_USER=USER,
            SOCIALITE_BASIC_PASSWORD=PASSWORD,
            LABEL_STUDIO_URL=self.label_studio,
            LABEL_STUDIO_API_KEY=OWNER.token,
            NO_PROXY="127.0.0.1,localhost",
            no_proxy="127.0.0.1,localhost",
        )

    def up(self) -> None:
        command = [sys.executable, "-m", "backend.cli", "serve", "--port", str(self.port)]
        with (self.home / f"serve-{self.starts}.log").open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=CHECKOUT, env=self.environment, stdin=subprocess.DEVNULL, stderr=log
            )
        if not until(self._answers):
            raise ProofError(f"`socialite serve` does not answer; its log is {self.home / f'serve-{self.starts}.log'}.")
        self.starts += 1

    def _answers(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/health", auth=(USER, PASSWORD), timeout=5).is_success
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        """As `kill -9` does, which leaves it no time to end anything."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def run(self, *arguments: str) -> str:
        """A command of socialite on the same store; its standard output."""
        command = [sys.executable, "-m", "backend.cli", *arguments]
        done = subprocess.run(
            command, cwd=CHECKOUT, env=self.environment, capture_output=True, encoding="utf-8", check=False
        )
        if done.returncode:
            raise ProofError(f"`socialite {arguments[0]}` failed: {done.stderr[-1500:]}")
        return done.stdout

    def sync(self, key: str, *more: str) -> dict[str, Any]:
        """What `socialite sync --json` says."""
        return dict(json.loads(self.run("sync", "--project", key, "--json", *more).splitlines()[-1]))

    @contextmanager
    def store(self) -> Iterator[Store]:
        store = open_store(sqlite_url(self.home / "store"))
        try:
            yield store
        finally:
            store.close()


def until(true: Callable[[], bool]) -> bool:
    """Asked until it is true, or patience ends; what it said last."""
    end = time.monotonic() + PATIENCE
    while not (found := true()) and time.monotonic() < end:
        time.sleep(0.1)
    return found
