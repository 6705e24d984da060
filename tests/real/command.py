"""The command `socialite` as a person runs it: the server with its worker, and single commands on the same store."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from typer.testing import CliRunner

from backend.cli import app
from db.store import Store, open_store, sqlite_url
from tests.real.label_studio import CHECKOUT, Server

USER, PASSWORD = "label-studio", "a-backend-password"
PATIENCE = 60.0  # seconds
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Command:
    """A running `socialite serve`, and what other commands on the same store need."""

    url: str
    home: Path
    environment: dict[str, str]
    store: Store

    def run(self, *arguments: str) -> str:
        """One command, as this process can do it, too; its standard output. AssertionError with what it said when it
        fails.
        """
        with pytest.MonkeyPatch.context() as patch:
            for name in set(os.environ) - self.environment.keys():
                patch.delenv(name)
            for name, value in self.environment.items():
                patch.setenv(name, value)
            patch.chdir(CHECKOUT)
            done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, done.stderr or repr(done.exception)
        return done.stdout

    def connect(self, key: str, texts: Sequence[str], codebook: str, *more: str) -> None:
        """`socialite connect` with a table of these texts; the title is the key."""
        table = self.home / f"{key}.csv"
        lines = ['"' + text.replace('"', '""') + '"' for text in texts]
        table.write_text("\n".join(["text", *lines, ""]), encoding="utf-8")
        what = ["--project", key, "--title", f"Project {key}", "--codebook", codebook, "--texts", str(table)]
        self.run("connect", *what, "--backend", self.url, "--seed", "7", *more)

    def status(self, key: str) -> dict[str, Any]:
        """What `socialite status --json` says of a project."""
        (project,) = json.loads(self.run("status", "--project", key, "--json"))["projects"]
        return dict(project)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """A request to the server with Label Studio's credentials; the JSON of its answer."""
        answer = httpx.post(self.url + path, json=body, auth=(USER, PASSWORD), timeout=60)
        return answer.raise_for_status().json()


def until(ask: Callable[[], T]) -> T:
    """What `ask` says at last: asked until it is true, or patience ends."""
    end = time.monotonic() + PATIENCE
    while not (found := ask()) and time.monotonic() < end:
        time.sleep(0.2)
    return found


@contextmanager
def serving(home: Path, label_studio: Server, engine: str = "keyword") -> Iterator[Command]:
    """`socialite serve` with credentials set, until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SOCIALITE_", "LABEL_STUDIO_"))}
    environment = {
        **kept,
        "SOCIALITE_HOME": str(home),
        "SOCIALITE_ENGINE": engine,
        "SOCIALITE_BASIC_USER": USER,
        "SOCIALITE_BASIC_PASSWORD": PASSWORD,
        "LABEL_STUDIO_URL": label_studio.url,
        "LABEL_STUDIO_API_KEY": label_studio.token,
        "PYTHONUTF8": "1",
    }
    command = [sys.executable, "-m", "backend.cli", "serve", "--port", str(port)]
    with (home / "serve.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdin=subprocess.DEVNULL, stderr=log)
    store = None
    try:
        url = f"http://127.0.0.1:{port}"
        assert until(lambda: process.poll() is not None or _up(url)), "the server does not answer"
        assert process.poll() is None, (home / "serve.log").read_text(encoding="utf-8")
        store = open_store(sqlite_url(home))
        yield Command(url, home, environment, store)
    finally:
        if store is not None:
            store.close()
        process.terminate()
        process.wait(30)


def _up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", auth=(USER, PASSWORD), timeout=2).is_success
    except httpx.HTTPError:
        return False
