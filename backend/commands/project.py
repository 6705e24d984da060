"""`socialite project`: a project as a whole, put away, deleted, written to one file, and put back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend import settings
from backend.commands.console import bars, say

if TYPE_CHECKING:
    from backend.corpus.erasure import Plan
    from backend.settings import Settings
    from db.store import Store


@contextmanager
def _at() -> Iterator[tuple[Store, Settings]]:
    """The store, and the settings in force."""
    from db.store import open_store

    in_force = settings.load()
    store = open_store(in_force.database_url)
    try:
        yield store, in_force
    finally:
        store.close()


def listed(archived: bool, as_json: bool) -> None:
    """The projects, one a line."""
    from db import summaries

    with _at() as (store, _), store.reading() as s:
        found = summaries.projects(s, archived=archived)
    if as_json:
        rows = [asdict(one) | {"archived_at": _moment(one.archived_at)} for one in found]
        print(json.dumps({"projects": rows}, ensure_ascii=False))  # noqa: T201
        return
    if not found:
        say("There is no project yet. `socialite connect --help` says how to make one.")
    for one in found:
        away = f"  archived {one.archived_at:%Y-%m-%d}" if one.archived_at else ""
        places = "; ".join(f"{place.role} {place.number} at {place.url}" for place in one.places)
        print(f"{one.key} – {one.title}: {one.texts:,} texts, {one.answers:,} answers{away}")  # noqa: T201
        print(f"  Label Studio: {places or 'not connected'}")  # noqa: T201


def archive(key: str) -> None:
    """No suggestions and no jobs from now on."""
    from db import projects

    with _at() as (store, _), store.writing() as s:
        projects.archive(s, projects.by_key(s, key).id)
    say(
        f"'{key}' is archived: its coders see no new suggestions, and nothing is pushed, compared or tuned. What they "
        f"code is still kept. `socialite project unarchive {key}` takes it up again."
    )


def unarchive(key: str) -> None:
    """As before, and caught up with Label Studio."""
    from db import jobs, projects

    with _at() as (store, _), store.writing() as s:
        project = projects.by_key(s, key)
        projects.unarchive(s, project.id)
        connected = projects.ls_projects(s, project.id)
        if connected:
            jobs.enqueue(s, "sync", project.id)
    caught_up = " `socialite serve` compares it with Label Studio first." if connected else ""
    say(f"'{key}' is in use again.{caught_up}")


def delete(key: str, *, yes: bool, keep_adapters: bool, as_json: bool) -> None:
    """Say what goes and what stays; with `yes`, do it."""
    from backend.corpus import erasure

    with _at() as (store, in_force), bars() as bar:
        if key in erasure.finish(store, in_force):
            say(f"The deletion or restoration of '{key}' that broke off is finished: nothing of it is left.")
            return
        plan = erasure.plan(store, in_force, key, keep_adapters=keep_adapters)
        if as_json:
            print(json.dumps(_plain(plan) | {"deleted": yes}, ensure_ascii=False))  # noqa: T201
        else:
            print("\n".join(_told(plan, done=yes)))  # noqa: T201
        if not yes:
            say(f"Nothing was deleted. `socialite project delete {key} --yes` does it, for ever; back it up first?")
            return
        whole = erasure.remove(store, in_force, key, bar("Deleting", "rows"), keep_adapters=keep_adapters)
    say(f"'{key}' is deleted.")
    if not whole:
        say(
            "Another program still reads the store, so its journal (the file ending in -wal) may hold texts until that "
            "ends. Stop it once, for instance `socialite serve`."
        )


def backup(key: str, output: Path, *, overwrite: bool) -> None:
    """Write the project to one file."""
    from backend.corpus.backup import back_up

    with _at() as (store, _), bars() as bar:
        written = back_up(store, key, output, bar("Backing up", "tables"), overwrite=overwrite)
    for remark in written.remarks:
        say(remark)
    n = written.rows
    say(
        f"{output} holds '{key}': {n['text']:,} texts, {n['answer']:,} answers, {written.adapters:,} adapters "
        f"({output.stat().st_size / 1e6:,.1f} MB). It holds the texts as they are: keep it as safe as they must be."
    )


def restore(file: Path, key: str | None) -> None:
    """Put a project back."""
    from backend.corpus.restore import restore as run

    with _at() as (store, in_force), bars() as bar:
        found = run(store, in_force, file, key, bar("Restoring", "rows"))
    places = f" Label Studio: {', '.join(found.places)}; `socialite doctor` checks the connection." * bool(found.places)
    say(f"'{found.key}' is there again: {found.rows:,} rows, {found.adapters:,} adapters.{places}")


def _told(plan: Plan, *, done: bool) -> list[str]:
    """What a person reads before, or instead of, a deletion."""
    will = "goes" if done else "would go"
    n = plan.rows
    lines = [
        f"Of '{plan.key}' {will}: {n['text']:,} texts, {n['unit']:,} rows of the corpus, {n['answer']:,} answers "
        f"({n['answer_version']:,} versions), {n['prediction']:,} scores, {n['release']:,} releases, "
        f"{n['coder']:,} coders; {sum(n.values()):,} rows in all.",
        *(f"  folder {folder}" for folder in plan.folders),
    ]
    if plan.adapters:
        lines.append("Adapters that saw its texts; copies of them elsewhere have the same digest:")
    for one in plan.adapters:
        where = f", used by '{one.project}'" if one.project and one.fate == "stays" else ""
        lines.append(f"  {one.fate:<8}{one.digest}  {one.path}{where}")
    if plan.snapshots:
        lines.append("Whatever else was tuned on its exported labels names one of these in its manifest ('snapshot'):")
        lines += [f"  {one}" for one in plan.snapshots]
    if plan.copies:
        lines.append("Copies of the store from before upgrades stay, and hold what it held then; delete them yourself:")
        lines += [f"  {path}" for path in plan.copies]
    for place in plan.places:
        lines.append(
            f"The {place.role} project {place.number} stays in Label Studio, with its texts and answers: delete it at "
            f"{place.url}/projects/{place.number}/settings/danger-zone (Settings > Danger Zone > Delete Project)."
        )
    return lines


def _plain(plan: Plan) -> dict[str, Any]:
    whole = asdict(plan)
    whole["adapters"] = [asdict(one) | {"path": str(one.path)} for one in plan.adapters]
    return whole | {"folders": [str(one) for one in plan.folders], "copies": [str(one) for one in plan.copies]}


def _moment(at: Any) -> str | None:
    return at.isoformat() if at else None
