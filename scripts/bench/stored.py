"""A store with one project in it, as `socialite connect` leaves one, without a Label Studio."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from db import projects, revisions, texts
from db.store import Store, chunks, open_store, sqlite_url
from labelstudio_config.codebook import Codebook, joined
from labelstudio_config.library import load
from labelstudio_config.xml import to_xml
from scripts.bench.material import LS_CREATED, LS_ID

KEY = "bench"
QUESTIONS = ("humor", "offensive", "emotion", "hyperbole")
SECRET = "the-benchmark's-webhook-secret"


@dataclass(frozen=True, slots=True)
class Stored:
    """The project as the benchmark needs to know it."""

    url: str
    codebook: Codebook
    config: str
    project_id: int
    ls_project_id: int


def codebook() -> Codebook:
    """Four questions on each post, those of the demonstration."""
    return joined(KEY, "Posts: humor, offense, emotion, trust", [load(key) for key in QUESTIONS])


def create(home: Path) -> Stored:
    """A new store in `home` with the project, its assisted Label Studio project and its codebook's first revision."""
    book = codebook()
    config = to_xml(book)
    url = sqlite_url(home)
    store = open_store(url)
    try:
        with store.writing() as s:
            project = projects.create(s, KEY, book.title, 1, {"audit": 0, "control": 0, "coders": 1})
            server = projects.server(s, "http://127.0.0.1:8080")
            ls_project = projects.add_ls_project(s, project.id, server.id, LS_ID, LS_CREATED, "assisted")
            ls_project.secret_hash = hashlib.sha256(SECRET.encode()).hexdigest()
            revisions.register(s, project.id, book, config)
            return Stored(url, book, config, project.id, ls_project.id)
    finally:
        store.close()


def remember(stored: Stored, bodies: Sequence[str]) -> list[int]:
    """Store texts as tasks 1, 2, ... of the assisted project, all of them work; gives the ids of the texts."""
    store = Store(stored.url)
    ids: list[int] = []
    try:
        for part in chunks(list(enumerate(bodies, 1)), 500):
            with store.writing() as s:
                ls_project = projects.ls_projects(s, stored.project_id)[0]
                rows = [texts.TaskRow(number, str(number), (body,), number, None, None) for number, body in part]
                found = [text_id for _, text_id in texts.remember_tasks(s, ls_project, rows)]
                texts.place_as_work(s, found)
                ids += found
    finally:
        store.close()
    return ids
