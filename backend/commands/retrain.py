"""`socialite retrain`: one run of the loop, with a progress bar and its card."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from backend import settings
from backend.commands.console import say, stages
from backend.commands.scorer import scorer

if TYPE_CHECKING:
    from backend.engines.protocol import Engine
    from backend.learning.retrain import Ran
    from backend.settings import Settings
    from db.models import Project
    from db.store import Store


def run(key: str, wishes: Mapping[str, Any], scored: Mapping[str, Any], *, force: bool, as_json: bool) -> None:
    """Re-tune the project's adapters; `wishes` are parts of `Options`."""
    from backend.learning.retrain import retrain
    from backend.tuners.training import Options

    with at(key, scored) as (store, in_force, project, engine), stages() as report:
        given: dict[str, Any] = {"shares": in_force.train_on_shares, "encoder": in_force.encoder_tuner}
        given |= {name: x for name, x in wishes.items() if x is not None}
        ran = retrain(store, in_force, engine, project.key, Options(**given), report, force=force)
    show(ran, as_json=as_json)


def show(ran: Ran, *, as_json: bool) -> None:
    """The card on standard output, and what came of it."""
    from backend.reports.card import text

    if as_json:
        card = ran.card.plain() if ran.card else None
        print(json.dumps({"sentence": ran.sentence, "card": card}, ensure_ascii=False))  # noqa: T201
        return
    if ran.card is not None:
        print(text(ran.card))  # noqa: T201
    else:
        say(ran.sentence)


@contextmanager
def at(key: str, scored: Mapping[str, Any], *, ready: bool = True) -> Iterator[tuple[Store, Settings, Project, Engine]]:
    """The store, the settings, the project of this key, and the engine that scores it."""
    from contextlib import closing

    from db import projects
    from db.store import open_store

    in_force = settings.load(**scored)
    with closing(open_store(in_force.database_url)) as store:
        with store.reading() as s:
            project = projects.by_key(s, key)
        in_force, engine = scorer(store, in_force, project, scored, ready=ready)
        yield store, in_force, project, engine
