"""A Label Studio server on this computer: its account, its start, and its API, with nothing but Python."""

from __future__ import annotations

import json
import os
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scripts.environment import command_of
from scripts.local.processes import Child, clean_environ
from scripts.local.waiting import DIRECT

FIRST_START, LATER_START = 60.0, 10.0  # seconds it usually takes


@dataclass(frozen=True)
class Account:
    """Who owns the projects: login and API token."""

    email: str
    password: str
    token: str


def account(path: Path) -> Account:
    """The account kept in the file at `path`, which only its owner can read; a new one at the first time."""
    if not path.exists():
        made = Account("demo@socialite.example", secrets.token_urlsafe(12), secrets.token_hex(20))
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = path.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(asdict(made), file)
        unfinished.replace(path)
    return Account(**json.loads(path.read_text(encoding="utf-8")))


def start(venv: Path, data: Path, port: int, owner: Account, log: Path) -> Child:
    """Starts Label Studio of the environment `venv` on 127.0.0.1, with its data in the folder `data`.

    It may call programs on this computer (its protection against that is for servers that strangers use), tells
    nobody of its use, and accepts the owner's token. It is ready when GET /health answers.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = {
        "LABEL_STUDIO_BASE_DATA_DIR": str(data),
        "SSRF_PROTECTION_ENABLED": "false",
        "ML_BLOCK_LOCAL_IP": "false",
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "LABEL_STUDIO_USERNAME": owner.email,
        "LABEL_STUDIO_PASSWORD": owner.password,
        "LABEL_STUDIO_USER_TOKEN": owner.token,
        "COLLECT_ANALYTICS": "False",
        "LATEST_VERSION_CHECK": "False",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
    }
    ours = {k: v for k, v in clean_environ().items() if not k.startswith(("LABEL_STUDIO_", "DJANGO_", "SOCIALITE_"))}
    address = f"http://127.0.0.1:{port}"
    where = ["--port", str(port), "--internal-host", "127.0.0.1", "--host", address]
    command = [str(command_of(venv, "label-studio")), "start", "--no-browser", *where]
    return Child("Label Studio", command, ours | settings, log)


class ApiError(Exception):
    """Label Studio did not do what it was asked."""


class Api:
    """Label Studio's HTTP API."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self._token = url.rstrip("/"), token

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON answer to a request; None when it has none. ApiError names the request and the status."""
        headers = {"Authorization": f"Token {self._token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310 - loopback
        try:
            with DIRECT.open(request, timeout=120) as answer:
                said = answer.read()
        except urllib.error.HTTPError as error:
            raise ApiError(f"Label Studio answered {method} {path} with {error.code} {error.reason}.") from None
        except OSError as error:
            raise ApiError(f"Label Studio does not answer {method} {path} ({error}).") from None
        return json.loads(said) if said else None

    def projects(self) -> Iterator[dict[str, Any]]:
        """All projects, the newest first."""
        path: str | None = "/api/projects?page_size=100&ordering=-id"
        while path:
            page = self.call("GET", path)
            yield from page["results"]
            path = page["next"].removeprefix(self.url) if page.get("next") else None

    def project(self, title: str) -> dict[str, Any]:
        """The newest project with this title. ApiError when there is none."""
        for project in self.projects():
            if project["title"] == title:
                return project
        raise ApiError(f"Label Studio has no project '{title}'.")
