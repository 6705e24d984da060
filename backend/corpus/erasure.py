"""Deleting a project: what would go, who has seen its texts, and its rows and files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.alone import alone
from db import erasing, projects, summaries
from db.models import Adapter, Project, Snapshot
from db.store import Store
from db.summaries import Place

if TYPE_CHECKING:
    from backend.settings import Settings

Report = Callable[[int, int], None]
LEASE = "projects"  # the right to delete or restore one
EXPORTED = "snapshot.json"  # of a folder that `snapshot export` wrote


class WholeProjectBusyError(Exception):
    """Another process deletes or restores a project of this store just now. Wait for it to end, and try again."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


@dataclass(frozen=True, slots=True)
class Seen:
    """An adapter that was tuned on the project's texts, or from one that was; `project` it is registered in, if any.

    `fate`: deleted | stays (another project uses it) | kept (as was asked for) | gone (retired before).
    """

    digest: str
    path: Path
    project: str | None
    fate: str


@dataclass
class Plan:
    """What deleting a project means: rows by table, folders, adapters that saw its texts, and what stays where."""

    key: str
    rows: dict[str, int]
    adapters: list[Seen]
    snapshots: list[str]  # hashes of what adapters were tuned on
    places: tuple[Place, ...]  # in Label Studio, where they stay
    folders: list[Path] = field(default_factory=list)
    copies: list[Path] = field(default_factory=list)  # older copies of the whole store


def plan(store: Store, settings: Settings, key: str, *, keep_adapters: bool) -> Plan:
    """What would go. Nothing is changed."""
    with store.reading() as s:
        project = projects.by_key(s, key)
        hashes = list(s.scalars(select(Snapshot.hash).where(Snapshot.project_id == project.id).order_by(Snapshot.id)))
        adapters = list(_seen(store, s, project, set(hashes), keep=keep_adapters))
        rows = erasing.counts(s, project.id)
        places = summaries.places(s).get(project.id, ())
        folders = _folders(store, settings, s, project, hashes, keep=keep_adapters)
    return Plan(key, rows, adapters, hashes, places, folders, erasing.copies(store))


def one_at_a_time(store: Store) -> AbstractContextManager[Callable[[], None]]:
    """No other process deletes or restores a project meanwhile; what is given is to be called now and then."""
    return alone(store, LEASE, WholeProjectBusyError())


def remove(store: Store, settings: Settings, key: str, report: Report, *, keep_adapters: bool = False) -> bool:
    """Delete the project, its files and its rows; False where others still read the store as it was.

    ProjectBusyError while somebody works on it. Broken off, `sweep` goes on.
    """
    with one_at_a_time(store) as check:

        def told(done: int, total: int) -> None:
            check()
            report(done, total)

        project_id = erasing.hide(store, key)
        erase_hidden(store, settings, project_id, told, keep_adapters=keep_adapters)
        return erasing.wipe(store)


def finish(store: Store, settings: Settings) -> list[str]:
    """Finish the deletions that broke off, and undo such restorations; the keys of their projects."""
    with store.reading() as s:
        if not s.scalars(projects.hidden()).first():
            return []
    with one_at_a_time(store):
        return sweep(store, settings)


def sweep(store: Store, settings: Settings) -> list[str]:
    """As `finish`, for who has the right already."""
    with store.reading() as s:
        left = list(s.scalars(select(Project).where(~projects.seen())))
    for one in left:
        erase_hidden(store, settings, one.id)
    if left:
        erasing.wipe(store)
    return [erasing.key_of(one) for one in left]


def erase_hidden(
    store: Store,
    settings: Settings,
    project_id: int,
    report: Report = lambda done, total: None,
    *,
    keep_adapters: bool = False,
) -> None:
    """Delete a hidden project's files, then its rows."""
    with store.reading() as s:
        project = s.get_one(Project, project_id)
        hashes = list(s.scalars(select(Snapshot.hash).where(Snapshot.project_id == project_id)))
        folders = _folders(store, settings, s, project, hashes, keep=keep_adapters)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    erasing.erase(store, project_id, report, keep_adapters=keep_adapters)


def _seen(store: Store, s: Session, project: Project, hashes: set[str], *, keep: bool) -> Iterator[Seen]:
    """Adapters of any project that learned from these snapshots, or from one that did."""
    keys = {row[0]: row[1] for row in s.execute(select(Project.id, Project.key))}
    known: set[int] = set()
    for adapter in s.scalars(select(Adapter).order_by(Adapter.id)):  # a parent is older than what came of it
        if not (_learned(adapter.manifest) & hashes or adapter.parent_id in known):
            continue
        known.add(adapter.id)
        mine = adapter.project_id == project.id
        user = erasing.elsewhere(s, adapter, project.id) if mine else adapter.project_id
        fate = "stays" if user is not None else "kept" if keep or not mine else "deleted"
        if adapter.retired_at is not None:
            fate = "gone"
        yield Seen(adapter.digest, store.folder(adapter.path), keys.get(user) if user else None, fate)


def _learned(manifest: dict[str, Any]) -> set[str]:
    """The hashes of the snapshots that a bundle's adapters, or an adapter, were tuned on."""
    parts = manifest.get("parts", {})
    whole = [manifest, *(part for part in parts.values() if isinstance(part, dict))]
    return {str(one["snapshot"]) for one in whole if "snapshot" in one}


def _folders(
    store: Store, settings: Settings, s: Session, project: Project, hashes: Sequence[str], *, keep: bool
) -> list[Path]:
    """The folders of the project under SOCIALITE_HOME: adapters that nobody else uses, checkpoints, exports."""
    key, home = erasing.key_of(project), settings.home
    found = []
    for adapter in s.scalars(select(Adapter).where(Adapter.project_id == project.id)):
        if not keep and adapter.retired_at is None and erasing.elsewhere(s, adapter, project.id) is None:
            found.append(store.folder(adapter.path))
    if projects.find(s, key) in (None, project):
        known = {store.folder(path) for path in s.scalars(select(Adapter.path))}
        rest = [*(home / "adapters" / key).glob("*"), home / "runs" / key]
        found += [folder for folder in rest if folder not in known]
    found += [about.parent for about in home.rglob(EXPORTED) if _exported(about) in set(hashes)]
    return [folder for folder in dict.fromkeys(found) if folder.is_dir() and folder.is_relative_to(home)]


def _exported(about: Path) -> str | None:
    """The hash of an exported snapshot; None where the file is something else."""
    try:
        return str(json.loads(about.read_text(encoding="utf-8"))["hash"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
