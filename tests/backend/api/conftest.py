"""The application as Label Studio meets it: over HTTP, with the keyword engine and a store of its own."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from backend.app import create_app
from backend.engines.keyword import KeywordEngine
from backend.settings import Settings, load
from backend.worker import Worker
from db import projects, revisions
from db.models import Inbox
from db.store import Store, sqlite_url
from labelstudio_config.xml import from_xml
from tests.payloads import CONFIG

USER, PASSWORD = "ml", "pass"
BASIC = {"Authorization": "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}
SECRET = "the webhook's secret"
IDENTITY = (7, 1795384072)


@dataclass
class Site:
    """A running application, its store, and a worker that applies events when asked."""

    client: TestClient
    store: Store
    settings: Settings
    pokes: list[int]

    def work(self) -> None:
        """Apply everything that waits."""
        worker = Worker(self.store, self.settings)
        while worker.apply_waiting():
            continue

    def inbox(self) -> list[Inbox]:
        with self.store.reading() as s:
            return list(s.scalars(select(Inbox).order_by(Inbox.id)))

    def connect(
        self,
        key: str = "tones",
        *,
        secret: str | None = None,
        role: str = "assisted",
        identity: tuple[int, int] = IDENTITY,
    ) -> int:
        """A project as `socialite connect` leaves it; the id of its Label Studio project's row."""
        with self.store.writing() as s:
            project = projects.find(s, key) or projects.create(s, key, key, 1, {"audit": 0, "control": 0, "coders": 1})
            if revisions.current(s, project.id) is None:
                revisions.register(s, project.id, from_xml(CONFIG, key=key), CONFIG)
            server = projects.server(s, "http://127.0.0.1:8080")
            row = projects.add_ls_project(s, project.id, server.id, *identity, role)
            row.secret_hash = sha256(secret.encode()).hexdigest() if secret else None
            return row.id


Opener = Callable[..., Site]


@pytest.fixture
def open_site(tmp_path: Path, empty_store: Path) -> Iterator[Opener]:
    """Start an application: `open_site(client="10.0.0.3", host="our.example.org", token=...)`; settings by name."""
    with ExitStack() as running:
        number = 0

        def start(*, client: str = "127.0.0.1", host: str = "127.0.0.1:9090", **given: Any) -> Site:
            nonlocal number
            number += 1
            home = tmp_path / str(number)
            home.mkdir()
            shutil.copy(empty_store, home)
            settings = load(home=home, database_url=sqlite_url(home), engine="keyword", **given)
            pokes: list[int] = []
            app = create_app(settings, engine=KeywordEngine(), poke=lambda: pokes.append(1))
            asker = TestClient(app, base_url=f"http://{host}", client=(client, 50000), raise_server_exceptions=False)
            running.enter_context(asker)
            store = Store(settings.database_url)
            running.callback(store.close)
            return Site(asker, store, settings, pokes)

        yield start


@pytest.fixture
def site(open_site: Opener) -> Site:
    """The application as `socialite serve` runs it without any settings."""
    return open_site()
