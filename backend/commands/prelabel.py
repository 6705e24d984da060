"""`socialite prelabel` and `socialite push`: scores of the whole corpus, and suggestions of them in Label Studio."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backend import settings
from backend.commands.console import bars, say

if TYPE_CHECKING:
    from backend.settings import Settings
    from db.models import Project
    from db.store import Store
    from labelstudio_config.codebook import Question


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done: see `socialite prelabel --help`. `ticked` and `diverse` change the project when given."""

    push: bool = False
    limit: int | None = None
    only_missing: bool = False
    ticked: bool | None = None
    diverse: bool | None = None


def run(
    key: str, order: Order, api_key_env: str, scored: Mapping[str, Any], *, label_studio: str | None = None
) -> None:
    """Score what is missing, and push it where that is wanted; `scored` are settings that were given of how texts are
    scored.
    """
    from backend.assist.manner import settle
    from backend.commands.scorer import scorer
    from backend.corpus.prelabel import Wanted, check_engine, prelabel
    from backend.corpus.push import push
    from backend.corpus.servers import client_for
    from backend.engines.choice import remarks

    in_force = settings.load(**scored, label_studio_url=label_studio)
    wanted = Wanted(order.limit, order.only_missing)
    with project_in_store(in_force, key) as (store, project), ExitStack() as open_ones:
        client = None
        if order.push:  # before anything is changed, whether Label Studio can be spoken to at all
            client = client_for(store, in_force, project.id, os.environ.get(api_key_env) or None)
            open_ones.enter_context(client)
        bar = open_ones.enter_context(bars())
        in_force, engine = scorer(store, in_force, project, scored)
        check_engine(store, project, engine)
        for sentence in remarks(in_force, _questions(store, project)):
            say(sentence)
        if order.ticked is not None or order.diverse is not None:
            with store.writing() as s:
                settle(s, project.id, ticked=order.ticked, diverse=order.diverse)
        if client is None:
            done = str(prelabel(store, engine, project, bar("Scoring", "texts"), wanted))
        else:
            done = str(push(store, engine, client, project, bar("Pushing suggestions", "tasks"), wanted))
    say(done)


@contextmanager
def project_in_store(in_force: Settings, key: str) -> Iterator[tuple[Store, Project]]:
    """The store, and the project of this key."""
    from db import projects
    from db.store import open_store

    store = open_store(in_force.database_url)
    try:
        with store.reading() as s:
            project = projects.by_key(s, key)
        yield store, project
    finally:
        store.close()


def _questions(store: Store, project: Project) -> list[Question]:
    """The questions of the project's current codebook, as an engine is asked them."""
    from db import revisions

    with store.reading() as s:
        revision = revisions.current(s, project.id)
        book = revisions.codebook(revision) if revision else None
    return [book.standalone(question) for question in book.questions] if book else []
