"""A project from its backup: whole or not at all, with other ids than it had."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import IntegrityError

from backend.corpus.backup import BackupError
from backend.corpus.erasure import erase_hidden, one_at_a_time, sweep
from backend.corpus.older import raised
from backend.corpus.unpacked import Backup, damaged, opened
from backend.engines import bundle
from backend.engines.adapter import digest, read
from backend.engines.protocol import EngineError
from db import projects
from db.models import Adapter
from db.restored import Restoring, Rows, taken
from db.store import Store

if TYPE_CHECKING:
    from backend.settings import Settings

Report = Callable[[int, int], None]
KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass
class Restored:
    """What is there again: the project's key, rows, adapters with files, and where Label Studio has it."""

    key: str
    rows: int = 0
    adapters: int = 0
    places: list[str] = field(default_factory=list)


def restore(store: Store, settings: Settings, path: Path, key: str | None, report: Report) -> Restored:
    """Put the project of a backup into the store, under its own key or another. BackupError says why not; then, and
    when this is broken off, the store is as it was.
    """
    with opened(path) as backup:
        name = key or backup.key
        if not KEY.fullmatch(name):
            raise BackupError(f"'{name}' is no key: letters, digits, '-' and '_', beginning with a letter or digit.")
        with one_at_a_time(store) as check, raised(backup) as rows:
            sweep(store, settings)
            _check_free(store, rows, name)
            return _restore(store, settings, backup, Restoring(store, rows, name), report, check)


def _check_free(store: Store, rows: Rows, key: str) -> None:
    with store.reading() as s:
        if projects.find(s, key) is not None:
            raise BackupError(
                f"There is a project '{key}' already. Restore under another key (--as), or delete that one first."
            )
        for url, number, other in taken(s, rows):
            raise BackupError(
                f"Label Studio's project {number} at {url} belongs to the project '{other}' of this store already, and "
                f"its answers cannot go to two. Delete '{other}' first, or restore into another store (SOCIALITE_HOME)."
            )


def _restore(
    store: Store,
    settings: Settings,
    backup: Backup,
    making: Restoring,
    report: Report,
    check: Callable[[], None],
) -> Restored:
    project_id = making.begin()
    total = sum(backup.counts.values())

    def told(done: int) -> None:
        check()
        report(done, total)

    try:
        making.fill(told)
        put = sum(_put_adapter(store, settings, backup, making, one) for one, n in backup.adapters.items() if n)
        making.show()
    except BaseException as error:
        with suppress(Exception):
            erase_hidden(store, settings, project_id)
        if isinstance(error, (ValueError, KeyError, TypeError)):
            raise damaged(backup.path) from error
        if isinstance(error, IntegrityError):
            raise BackupError(f"A project '{making.key}' was made meanwhile. Restore under another key.") from error
        raise
    places = [f"{row['role']} {row['ls_id']}" for row in making.rows("ls_project") if row["role"] != projects.IMPORTED]
    return Restored(making.key, total, put, places)


def _put_adapter(store: Store, settings: Settings, backup: Backup, making: Restoring, name: str) -> bool:
    """Write an adapter's files, unless this store has them; whether it did."""
    row_id = making.new_adapters.get(name)
    if row_id is None:
        return False
    folder = settings.home / "adapters" / making.key / f"restored-{name[:16]}"
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)  # of a restore that was broken off
    part.mkdir(mode=0o700, parents=True)
    backup.extract(name, part)
    try:
        whole = digest(part) == name
        for place in bundle.parts(part).values() if bundle.is_bundle(part) else [part]:
            read(place)
    except EngineError as error:
        raise damaged(backup.path) from error
    if not whole:
        raise damaged(backup.path)
    part.rename(folder)
    with store.writing() as s:
        s.get_one(Adapter, row_id).path = store.kept_as(folder)
    return True
