"""`socialite status`: how far the projects are, as a table for people or JSON for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from backend import settings
from backend.reports.progress import task

if TYPE_CHECKING:
    from db.counts import ProjectStatus


def run(key: str | None, as_json: bool, archived: bool = False) -> None:
    from db import counts
    from db.store import open_store

    store = open_store(settings.load().database_url)
    try:
        with store.reading() as s:
            found = counts.status(s, key, archived=archived)
    finally:
        store.close()
    if as_json:
        print(json.dumps({"projects": list(map(asdict, found))}, ensure_ascii=False, default=_moment))  # noqa: T201
        return
    if not found:
        print("There is no project yet. `socialite connect --help` says how to make one.")  # noqa: T201
    for one in found:
        print("\n".join(_table(one)) + "\n")  # noqa: T201


def _moment(at: datetime) -> str:
    return at.isoformat()


def _table(one: ProjectStatus) -> list[str]:
    """Title, then one line a kind of number, in two columns."""
    lines = [
        ("phase", one.phase),
        ("suggestions by", f"{one.release}, since {_time(one.release_since)}" if one.release else "nothing yet"),
        *([("archived", _time(one.archived_at))] if one.archived_at else []),
        ("texts", _split(sum(one.texts.values()), one.texts)),
        ("  of them coded", _split(sum(one.coded.values()), one.coded)),
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
        ("last sync", f"{_time(last.at)}: {last.said}" if (last := one.work.last_sync) else "none yet"),
        ("jobs", _split(None, one.jobs)),
        *(("  running", task(job)) for job in one.work.now if job.state == "running"),
        *((f"  {job.kind} failed", f"{_time(job.at)}: {job.said}") for job in one.work.failed),
        ("tuning", _training(one.training)),
        ("last run", _last_run(one.last_run)),
    ]
    head = f"{one.key} – {one.title}"
    return [head, "=" * len(head), *(f"  {name:<20}{value}" for name, value in lines)]


def _time(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "unknown"


def _training(now: dict[str, Any] | None) -> str:
    """'run 3, emotion: LoRA: 12 of 40 steps, loss 0.53, 900 tokens/s, 2 min left'."""
    if now is None:
        return "not now"
    if now["broken_off"]:
        return f"run {now['run']} broke off; the next goes on where it was"
    parts = []
    if now.get("steps"):
        parts.append(f"{now['stage']}: {now['done']:,} of {now['steps']:,} steps")
    if now.get("loss") is not None:
        parts.append(f"loss {now['loss']:.3g}")
    if now.get("tokens_per_second"):
        parts.append(f"{now['tokens_per_second']:,.0f} tokens/s")
    if now.get("seconds_left") is not None:
        parts.append(f"{max(1, round(now['seconds_left'] / 60))} min left")
    return f"run {now['run']}, {', '.join(parts) or 'about to begin'}"


def _last_run(run: dict[str, Any] | None) -> str:
    if run is None:
        return "none yet"
    return f"run {run['run']}, {run['outcome'] or run['state']}: {run['sentence'] or ''}"


def _split(total: int | None, parts: dict[str, int]) -> str:
    """'120 (audit 20, work 100)'."""
    words = ", ".join(f"{name} {n:,}" for name, n in sorted(parts.items()))
    if total is None:
        return words or "none"
    return f"{total:,} ({words})" if words else f"{total:,}"
