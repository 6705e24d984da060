"""`socialite status`: how far the projects are, as a table for people or JSON for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from backend import settings

if TYPE_CHECKING:
    from db.counts import ProjectStatus


def run(key: str | None, as_json: bool) -> None:
    from db import counts
    from db.store import open_store

    store = open_store(settings.load().database_url)
    try:
        with store.reading() as s:
            found = counts.status(s, key)
    finally:
        store.close()
    if as_json:
        print(json.dumps({"projects": [_plain(one) for one in found]}, ensure_ascii=False))  # noqa: T201
        return
    if not found:
        print("There is no project yet. `socialite connect --help` says how to make one.")  # noqa: T201
    for one in found:
        print("\n".join(_table(one)) + "\n")  # noqa: T201


def _plain(one: ProjectStatus) -> dict[str, Any]:
    return asdict(one) | {"last_event_at": one.last_event_at.isoformat() if one.last_event_at else None}


def _table(one: ProjectStatus) -> list[str]:
    """Title, then one line a kind of number, in two columns."""
    lines = [
        ("phase", one.phase),
        ("suggestions by", one.release or "nothing yet"),
        ("texts", _split(sum(one.texts.values()), one.texts)),
        ("rows of the corpus", f"{one.units:,}"),
        ("tasks", _split(sum(one.tasks.values()), one.tasks)),
        ("scores stored", f"{one.predictions:,}"),
        ("suggestions pushed", f"{one.pushed:,} tasks"),
        ("answers", _split(sum(one.answers.values()), one.answers)),
        ("  where", _split(None, one.answers_by_role)),
        ("skipped, deleted", f"{one.skipped:,}, {one.deleted:,}"),
        ("coders", f"{one.coders:,}"),
        ("events waiting", f"{one.inbox_waiting:,}" + (f"; {one.inbox_failed:,} failed" if one.inbox_failed else "")),
        ("last event", f"{one.last_event_at:%Y-%m-%d %H:%M:%S} UTC" if one.last_event_at else "none"),
        ("jobs", _split(None, one.jobs)),
    ]
    head = f"{one.key} – {one.title}"
    return [head, "=" * len(head), *(f"  {name:<20}{value}" for name, value in lines)]


def _split(total: int | None, parts: dict[str, int]) -> str:
    """'120 (audit 20, work 100)'."""
    words = ", ".join(f"{name} {n:,}" for name, n in sorted(parts.items()))
    if total is None:
        return words or "none"
    return f"{total:,} ({words})" if words else f"{total:,}"
