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


def sync(key: str, api_key_env: str, everything: bool, as_json: bool) -> None:
    """Compare and repair; what was done is kept as a job that has ended, as the server's own comparisons are."""
    import json

    from backend.alone import holder
    from backend.corpus.sync import sync_project
    from backend.faults import sentence
    from db import jobs

    with _at(settings.load(), key, api_key_env) as (store, client, project), bars() as bar:
        with store.writing() as s:
            job = jobs.begin(s, "sync", project.id, holder())
        show = bar("Comparing", "tasks")

        def report(done: int, total: int) -> None:
            with store.writing() as s:
                jobs.progress(s, job, done, total)
            show(done, total)

        try:
            repairs = sync_project(store, client, project, job, report, everything=everything)
        except BaseException as fault:
            with store.writing() as s:
                jobs.fail(s, job, sentence(fault))
            raise
        with store.writing() as s:
            jobs.finish(s, job, str(repairs))
    if as_json:
        print(json.dumps({"project": key, **repairs.plain()}, ensure_ascii=False))  # noqa: T201
    else:
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
