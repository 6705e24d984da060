"""Bringing a store's tables up to this program's."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import DBAPIError

from db.errors import StoreError

if TYPE_CHECKING:
    from alembic.config import Config


def scripts() -> Traversable:
    """The folder of the migrations, in a checkout or an installed package."""
    return files("db") / "migrations"


def to_head(engine: Engine, file: Path | None) -> None:
    """Run the migrations that are missing, all or none. A SQLite file that holds a store is copied beside first."""
    move(engine, file, "head")


def revisions() -> list[str]:
    """The states that a store's tables have been in, the oldest first; the last is this program's."""
    from alembic.script import ScriptDirectory

    with as_file(scripts()) as folder:
        return [one.revision for one in ScriptDirectory.from_config(_config(folder)).walk_revisions()][::-1]


def move(engine: Engine, file: Path | None, target: str) -> None:
    """Upgrade to, or for 'base' undo down to, a revision."""
    from alembic import command

    where = str(file) if file else engine.url.render_as_string(hide_password=True)
    try:
        with as_file(scripts()) as folder, engine.connect() as connection, connection.begin():
            config = _config(folder, connection)
            present, wanted = _revision(connection, where), _wanted(config, target)
            if present == wanted:
                return
            _known(config, present, where)
            if present and file:
                copy_beside(file, present)
            (command.downgrade if target == "base" else command.upgrade)(config, target)
            _check_foreign_keys(connection, where)
    except DBAPIError as error:
        raise StoreError(_sentence(error, where)) from error
    finally:
        if file:
            engine.dispose()


def _config(folder: Path, connection: Connection | None = None) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _wanted(config: Config, target: str) -> str | None:
    from alembic.script import ScriptDirectory

    if target == "head":
        return ScriptDirectory.from_config(config).get_current_head()
    return None if target == "base" else target


def _revision(connection: Connection, where: str) -> str | None:
    """The migration that the store is at; None when there are no tables. A database of something else is refused."""
    from alembic.migration import MigrationContext

    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None and set(inspect(connection).get_table_names()) - {"alembic_version"}:
        raise StoreError(f"{where} holds the tables of another program. Give another file or database.")
    return revision


def _known(config: Config, revision: str | None, where: str) -> None:
    from alembic.script import ScriptDirectory

    if revision and revision not in {
        script.revision for script in ScriptDirectory.from_config(config).walk_revisions()
    }:
        raise StoreError(
            f"The store {where} was written by a newer socialite (its tables are at {revision}). "
            "Update this installation; nothing was changed."
        )


def copy_beside(file: Path, revision: str) -> Path:
    """A copy of a SQLite file, readable by its owner alone, named for the revision it is at and the time."""
    from db.filesystem import keep_private

    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    copy = file.with_name(f"{file.stem}-{revision}-{stamp}{file.suffix}")
    keep_private(copy, create=True)
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


def _check_foreign_keys(connection: Connection, where: str) -> None:
    if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise StoreError(
            f"The tables of {where} could not be upgraded: a row would lose what it belongs to. Nothing changed."
        )


def _sentence(error: DBAPIError, where: str) -> str:
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_NOTADB:
        return f"{where} is not a SQLite file. Give another file, or move this one away."
    if code == sqlite3.SQLITE_CORRUPT:
        return f"The store {where} is damaged. Put back a copy of it; `sqlite3 FILE .recover` may save what it holds."
    return f"The store {where} cannot be opened: {str(error.orig).strip()}."
