"""`socialite sync`: work that the server's worker does by itself, done here with a progress bar."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from backend import settings
from backend.commands.console import bars, say
from backend.commands.prelabel import project_in_store

if TYPE_CHECKING:
    from backend.corpus.label_studio import LabelStudio
    from backend.settings import Settings
    from db.models import Project
    from db.store import Store


def sync(key: str, api_key_env: str) -> None:
    """Compare and repair."""
    from backend.corpus.sync import sync_all
    from db import projects

    with _at(settings.load(), key, api_key_env) as (store, client, project), bars() as bar:
        with store.reading() as s:
            rows = projects.ls_projects(s, project.id)
        repairs = sync_all(store, client, rows, bar("Comparing", "tasks"))
    say(str(repairs))


@contextmanager
def _at(in_force: Settings, key: str, api_key_env: str) -> Iterator[tuple[Store, LabelStudio, Project]]:
    """The store, Label Studio, and the project of this key."""
    from backend.corpus.servers import client_for

    with (
        project_in_store(in_force, key) as (store, project),
        client_for(store, in_force, project.id, os.environ.get(api_key_env) or None) as client,
    ):
        yield store, client, project
