"""A backup of older tables, brought up to this program's: by the migrations, in a store for this alone."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Column, DateTime, Engine, LargeBinary, MetaData, insert, make_url

from backend.corpus.unpacked import Backup
from db import sqlite, upgrade
from db.base import Base
from db.dialect import chunks
from db.plain import plain_rows
from db.restored import Rows
from db.store import Store, open_store, sqlite_url

STEP = 500  # rows inserted at once


@contextmanager
def raised(backup: Backup) -> Iterator[Rows]:
    """The rows of a backup as this program's tables have them."""
    if backup.schema == upgrade.revisions()[-1]:
        yield backup.rows
        return
    with tempfile.TemporaryDirectory(prefix="socialite-") as folder:
        store = _scratch(Path(folder), backup)
        try:
            with store.reading() as s:
                (project,) = s.execute(Base.metadata.tables["project"].select()).all()

                def rows(table: str) -> Iterator[dict[str, Any]]:
                    return plain_rows(s, Base.metadata.tables[table], project.id)

                yield rows
        finally:
            store.close()


def _scratch(folder: Path, backup: Backup) -> Store:
    """A store with the backup in it, upgraded."""
    url = sqlite_url(folder)
    empty = Store(url)
    engine = sqlite.upgrader(make_url(url))
    try:
        upgrade.move(engine, None, backup.schema)
        _fill(engine, backup)
    finally:
        engine.dispose()
        empty.close()
    return open_store(url)


def _fill(engine: Engine, backup: Backup) -> None:
    old = MetaData()
    old.reflect(engine)
    for column in (column for table in old.sorted_tables for column in table.columns):
        if isinstance(column.type, JSON):
            column.type.none_as_null = True
    with engine.begin() as connection:
        for table in old.sorted_tables:
            for part in chunks(backup.rows(table.name), STEP):
                rows = [{name: _value(table.columns[name], value) for name, value in row.items()} for row in part]
                connection.execute(insert(table), rows)


def _value(column: Column[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(column.type, DateTime):
        return datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None)
    return base64.b64decode(value) if isinstance(column.type, LargeBinary) else value
