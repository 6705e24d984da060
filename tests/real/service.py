"""Our own server beside a live Label Studio: the shipped application on a free port, with the keyword engine."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from sqlalchemy import select

from backend.app import create_app
from backend.corpus.label_studio import LabelStudio
from backend.corpus.site import Plan, Report, Site
from backend.engines.keyword import KeywordEngine
from backend.settings import Settings
from backend.worker import Worker
from db.models import Project
from db.store import Store, open_store


@dataclass
class Service:
    """The server's address, the store it works on, and what was said to the person at the keyboard."""

    url: str
    settings: Settings
    store: Store
    said: list[str] = field(default_factory=list)
    engine: KeywordEngine = field(default_factory=KeywordEngine)
    stop: Callable[[], None] = lambda: None

    def site(self, client: LabelStudio, key: str, title: str = "Moods", **changes: object) -> Site:
        """Everything `connect` needs, for a plan with a small audit unless told otherwise."""
        auth = (
            (self.settings.basic_user, self.settings.basic_password.get_secret_value())
            if self.settings.basic_user
            else None
        )
        wanted = {"audit": 4, "control": 3, "coders": 2, "seed": 7, "backend": self.url, "auth": auth} | changes
        plan = Plan(key=key, title=title, **wanted)  # type: ignore[arg-type]
        return Site(self.store, client, plan, self.said.append, _silent)

    def project_keys(self) -> list[str]:
        """The keys of the store's projects."""
        with self.store.reading() as s:
            return list(s.scalars(select(Project.key)))

    def apply_events(self) -> None:
        """What the worker would do now."""
        worker = Worker(self.store, self.settings)
        while worker.apply_waiting():
            continue


def _silent(_what: str, _unit: str) -> Report:
    return lambda done, total: None


@contextmanager
def serving(home: Path, **given: object) -> Iterator[Service]:
    """The server, running until the block ends."""
    settings = Settings(home=home, **given)  # type: ignore[arg-type]
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        create_app(settings, engine=KeywordEngine()), log_config=None, access_log=False, lifespan="on"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    store = open_store(settings.database_url)

    def stop() -> None:
        server.should_exit = True
        thread.join(20)

    try:
        while not server.started and thread.is_alive():
            time.sleep(0.02)
        yield Service(f"http://127.0.0.1:{listening.getsockname()[1]}", settings, store, stop=stop)
    finally:
        stop()
        store.close()
        listening.close()
