"""`socialite card`: what a run learned from, how well it fits, and what was decided."""

from __future__ import annotations

import json

from backend import settings


def run(key: str, run_id: int | None, as_json: bool) -> None:
    """The card of a run, or of the last one that has one."""
    from backend.learning.cards import card_of
    from backend.reports.card import text
    from db import projects
    from db.store import open_store

    store = open_store(settings.load().database_url)
    try:
        with store.reading() as s:
            card = card_of(s, projects.by_key(s, key), run_id)
    finally:
        store.close()
    print(json.dumps(card.plain(), ensure_ascii=False) if as_json else text(card).rstrip())  # noqa: T201
