"""`socialite adapters`: what the project's suggestions were tuned to, and which of it answers."""

from __future__ import annotations

import getpass
import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend import settings
from backend.commands.console import say, stages
from backend.commands.retrain import at, show

if TYPE_CHECKING:
    from backend.learning.registry import Entry


def listed(key: str, as_json: bool) -> None:
    """All adapters of the project, newest first."""
    from backend.learning import registry
    from db import projects
    from db.store import open_store

    with closing(open_store(settings.load().database_url)) as store, store.reading() as s:
        found = registry.listed(s, projects.by_key(s, key))
    if as_json:
        rows = [asdict(one) | {"created_at": one.created_at.isoformat() if one.created_at else None} for one in found]
        print(json.dumps({"adapters": rows}, ensure_ascii=False))  # noqa: T201
        return
    print("\n".join(_table(found)))  # noqa: T201


def activate(key: str, number: int, reason: str, scored: Mapping[str, Any]) -> None:
    """Have this adapter answer, whatever the gate said."""
    from backend.learning import registry

    with at(key, scored, ready=False) as (store, _, project, engine):
        release = registry.activate(store, engine, project, number, by=_person(), reason=reason or "Chosen by hand.")
    say(f"{release} answers now. Its suggestions are pushed by `socialite serve`, or now by `socialite push`.")


def rollback(key: str, scored: Mapping[str, Any]) -> None:
    """Have the adapter answer that answered before."""
    from backend.learning import registry

    with at(key, scored, ready=False) as (store, _, project, engine):
        release = registry.rollback(store, engine, project, by=_person())
    say(f"{release} answers again. Its suggestions are pushed by `socialite serve`, or now by `socialite push`.")


def retire(key: str, number: int) -> None:
    """Delete an adapter's files; its numbers stay in the store."""
    from backend.learning import registry
    from db import projects
    from db.store import open_store

    with closing(open_store(settings.load().database_url)) as store:
        with store.reading() as s:
            project = projects.by_key(s, key)
        freed = registry.retire(store, project, number)
    say(f"Adapter {number} is retired; {freed / 1e6:,.1f} MB are free again.")


def register(key: str, folder: Path, scored: Mapping[str, Any], as_json: bool) -> None:
    """Take in what was tuned elsewhere, and let the gate decide."""
    from backend.learning import retrain

    with at(key, scored) as (store, in_force, project, engine), stages() as report:
        ran = retrain.register(store, in_force, engine, project.key, folder, report)
    show(ran, as_json=as_json)


def _person() -> str:
    """Who is at the keyboard, for the log."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "a person"


def _table(found: list[Entry]) -> list[str]:
    rows = [("", "date (UTC)", "labelled texts", "gate: difference [90 %], n", "decision", "state")]
    for one in found:
        texts = ", ".join(f"{question} {n:,}" for question, n in one.texts.items()) or "zero-shot"
        judged = one.outcome is not None and one.delta is not None
        gate = f"{one.delta:+.3f} [{one.lower:+.3f}, {one.upper:+.3f}], {one.n}" if judged else ""
        date = f"{one.created_at:%Y-%m-%d %H:%M}" if one.created_at else ""
        rows.append((str(one.number), date, texts, gate, one.outcome or "", one.state))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
