"""A live Label Studio for the tests, started once a session on a copy of a data folder that is made once."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from backend.corpus.label_studio import LabelStudio
from scripts.local.lock import locked

CHECKOUT = Path(__file__).resolve().parent.parent.parent
TEMPLATE = CHECKOUT / ".socialite" / "test-label-studio"  # data as after the first start, which takes a minute
OWNER, PASSWORD = "owner@example.org", "a-password-for-tests-1"
TOKEN = "5ec0de5ec0de5ec0de5ec0de5ec0de5ec0de5ec0"  # of the owner, on these servers only
PATIENCE = 300.0  # seconds for a first start on a busy machine
OPEN = {"SSRF_PROTECTION_ENABLED": "false", "ML_BLOCK_LOCAL_IP": "false"}  # may call this machine


def executable() -> Path:
    """Label Studio's command; the test skips where it is not installed."""
    given = os.environ.get("SOCIALITE_LABEL_STUDIO")
    folder = Path(given) if given else CHECKOUT / ".socialite" / "label-studio"  # given: an environment, or the command
    for place in (folder / "bin" / "label-studio", folder / "Scripts" / "label-studio.exe", folder):
        if place.is_file():
            return place
    pytest.skip("Label Studio absent")


@dataclass(frozen=True, slots=True)
class Server:
    """A running Label Studio. `token` is the owner's legacy token, `personal` the personal access token."""

    url: str
    token: str
    personal: str
    process: subprocess.Popen[bytes]
    folder: Path

    def client(self, token: str | None = None) -> LabelStudio:
        return LabelStudio(self.url, token or self.token)

    def http(self, token: str | None = None) -> httpx.Client:
        """A plain client, for what this program never asks for; with a legacy token."""
        headers = {"Authorization": f"Token {token or self.token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60)

    def coder(self, email: str) -> str:
        """The legacy token of a new account, signed up through the owner's invitation."""
        with self.client() as client:
            invitation = client.invite_url()
        with httpx.Client(base_url=self.url, follow_redirects=True, timeout=60) as http:
            http.get(invitation)
            form = {"email": email, "password": PASSWORD, "csrfmiddlewaretoken": http.cookies["csrftoken"]}
            http.post(invitation, data=form, headers={"Referer": invitation})
            return str(http.get("/api/current-user/token").raise_for_status().json()["token"])


@pytest.fixture(scope="session")
def label_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that may call this machine and takes both kinds of tokens."""
    with started(tmp_path_factory.mktemp("label-studio"), OPEN) as server:
        yield server


@pytest.fixture(scope="session")
def strict_label_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server as it comes: it may not call this machine, and takes personal access tokens only."""
    with started(tmp_path_factory.mktemp("strict-label-studio"), {}) as server:
        with server.http() as http:
            only = {"api_tokens_enabled": True, "legacy_api_tokens_enabled": False}
            http.post("/api/jwt/settings", json=only).raise_for_status()
        yield server


@contextmanager
def started(folder: Path, environment: dict[str, str]) -> Iterator[Server]:
    """A server on a fresh copy of the template."""
    command = executable()
    data = folder / "data"
    shutil.copytree(template(command), data, ignore=shutil.ignore_patterns("ready"))
    port = _free_port()
    process = _start(command, data, port, environment)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(process, url, data)
        with httpx.Client(base_url=url, headers={"Authorization": f"Token {TOKEN}"}, timeout=60) as http:
            personal = str(http.post("/api/token/").raise_for_status().json()["token"])
        yield Server(url, TOKEN, personal, process, folder)
    finally:
        _stop(process)


def template(command: Path) -> Path:
    """A data folder with the tables, the organisation and the owner, made if need be, by one process at a time."""
    version = next((p.name for p in command.resolve().parent.parent.glob("**/label_studio-*.dist-info")), "unknown")
    folder = TEMPLATE / version.removesuffix(".dist-info")
    with locked(TEMPLATE / "lock", "Another process makes the first data of Label Studio; waiting for it."):
        if not (folder / "ready").is_file():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            port = _free_port()
            process = _start(command, folder, port, OPEN)
            try:
                _wait(process, f"http://127.0.0.1:{port}", folder)
            finally:
                _stop(process)
            (folder / "ready").touch()
    return folder


def _start(command: Path, data: Path, port: int, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LABEL_STUDIO_", "SSRF_", "ML_BLOCK"))}
    settings = {
        "LABEL_STUDIO_BASE_DATA_DIR": str(data),
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "LABEL_STUDIO_USERNAME": OWNER,
        "LABEL_STUDIO_PASSWORD": PASSWORD,
        "LABEL_STUDIO_USER_TOKEN": TOKEN,
        "COLLECT_ANALYTICS": "False",
        "LATEST_VERSION_CHECK": "False",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
    }
    address = f"http://127.0.0.1:{port}"
    order = [
        str(command),
        "start",
        "--no-browser",
        "--port",
        str(port),
        "--internal-host",
        "127.0.0.1",
        "--host",
        address,
    ]
    with (data / "server.log").open("wb") as log:
        return subprocess.Popen(order, env={**kept, **settings, **environment}, stdout=log, stderr=log)


def _wait(process: subprocess.Popen[bytes], url: str, data: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            if httpx.get(f"{url}/health", timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.3)
    tail = (data / "server.log").read_text(encoding="utf-8", errors="replace")[-2000:]
    raise RuntimeError(f"Label Studio did not start:\n{tail}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])
