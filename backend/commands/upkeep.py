"""`socialite push` and `socialite sync`: the work that the server's worker does by itself, done here with a progress
bar.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from backend import settings
from backend.commands.console import bars, say

if TYPE_CHECKING:
    from backend.corpus.label_studio import LabelStudio
    from backend.settings import Settings
    from db.models import Project
    from db.store import Store
    from labelstudio_config.codebook import Question


def push(key: str, api_key_env: str, scored: Mapping[str, Any], *, label_studio: str | None = None) -> None:
    """Score what is missing and push it; `scored` are settings that were given of how texts are scored."""
    from backend.commands.scorer import scorer
    from backend.corpus.push import check_engine
    from backend.corpus.push import push as work
    from backend.engines.choice import remarks

    in_force = settings.load(**scored, label_studio_url=label_studio)
    with _at(in_force, key, api_key_env) as (store, client, project), bars() as bar:
        in_force, engine = scorer(store, in_force, project, scored)
        check_engine(store, project, engine)
        for sentence in remarks(in_force, _questions(store, project)):
            say(sentence)
        pushed = work(store, engine, client, project, bar("Pushing suggestions", "tasks"))
    say(str(pushed))


def _questions(store: Store, project: Project) -> list[Question]:
    """The questions of the project's current codebook, as an engine is asked them."""
    from db import revisions

    with store.reading() as s:
        revision = revisions.current(s, project.id)
        book = revisions.codebook(revision) if revision else None
    return [book.standalone(question) for question in book.questions] if book else []


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
    from db import projects
    from db.store import open_store

    store = open_store(in_force.database_url)
    try:
        with store.reading() as s:
            project = projects.by_key(s, key)
        with client_for(store, in_force, project.id, os.environ.get(api_key_env) or None) as client:
            yield store, client, project
    finally:
        store.close()
