from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from db import counts, texts, upgrade
from db.base import Base
from db.store import Store, StoreError, open_store, sqlite_url
from tests.db.world import World, make_world

NEXT = """
from alembic import op
import sqlalchemy as sa

revision, down_revision = "0003", "0002"

def upgrade():
    with op.batch_alter_table("project") as table:
        table.add_column(sa.Column("note", sa.String(), nullable=False, server_default="none"))
    {last}

def downgrade():
    with op.batch_alter_table("project") as table:
        table.drop_column("note")
"""


def tables(store: Store) -> set[str]:
    with store.reading() as s:
        return set(inspect(s.connection()).get_table_names())


@pytest.fixture
def migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the migrations that the store uses from here on, to add to."""
    folder = tmp_path / "100% migrations"
    shutil.copytree(str(files("db") / "migrations"), folder)
    monkeypatch.setattr(upgrade, "scripts", lambda: folder)
    return folder / "versions"


def test_the_migrations_make_what_the_models_say(store: Store) -> None:
    with store.reading() as s:
        options = {"compare_type": True, "compare_server_default": True}
        assert compare_metadata(MigrationContext.configure(s.connection(), opts=options), Base.metadata) == []
        inspector = inspect(s.connection())
        names = {key["name"] for table in Base.metadata.tables for key in inspector.get_unique_constraints(table)}
        keys = {key["name"] for table in Base.metadata.tables for key in inspector.get_foreign_keys(table)}
    assert names == {
        c.name for t in Base.metadata.tables.values() for c in t.constraints if c.__visit_name__ == "unique_constraint"
    }
    assert keys == {fk.constraint.name for t in Base.metadata.tables.values() for fk in t.foreign_keys if fk.constraint}


def test_deletions_cascade_as_the_models_say(store: Store) -> None:
    with store.reading() as s:
        for name, table in Base.metadata.tables.items():
            there = {k["name"]: k["options"].get("ondelete") for k in inspect(s.connection()).get_foreign_keys(name)}
            assert there == {fk.constraint.name: fk.ondelete for fk in table.foreign_keys if fk.constraint}


def test_downgrading_leaves_nothing_and_upgrading_again_works(store: Store) -> None:
    make_world(store)
    engine, file = store._writer, store.file
    upgrade.move(engine, file, "base")
    assert tables(store) == {"alembic_version"}
    store.upgrade()
    assert tables(store) == set(Base.metadata.tables) | {"alembic_version"}
    make_world(store)


def test_a_store_with_data_is_as_it_was_when_opened_again(tmp_path: Path) -> None:
    first = open_store(sqlite_url(tmp_path))
    world = make_world(first)
    with first.reading() as s:
        before = counts.status(s), texts.bodies(s, [world.text])
    first.close()
    second = open_store(sqlite_url(tmp_path))
    with second.reading() as s:
        assert (counts.status(s), texts.bodies(s, [world.text])) == before
    second.close()
    assert [file.name for file in tmp_path.glob("*-000?-*")] == []


def test_an_upgrade_keeps_the_rows_and_a_copy_of_the_old_file(tmp_path: Path, migrations: Path) -> None:
    store = open_store(sqlite_url(tmp_path / "home"))
    world = make_world(store)
    (migrations / "0003_note.py").write_text(NEXT.format(last=""), encoding="utf-8")
    store.upgrade()
    with store.reading() as s:
        assert s.execute(text("SELECT key, note FROM project")).all() == [("posts", "none")]
        assert texts.bodies(s, [world.text]) == {world.text: ("Why did the chicken?",)}
    store.close()
    (copy,) = (tmp_path / "home").glob("socialite-0002-*.sqlite")
    with closing(sqlite3.connect(copy)) as old:
        assert old.execute("SELECT version_num FROM alembic_version").fetchall() == [("0002",)]
        assert old.execute("SELECT key FROM project").fetchall() == [("posts",)]
    if os.name == "posix":
        assert copy.stat().st_mode & 0o777 == 0o600


def test_a_store_of_the_first_tables_gets_those_that_came_later(tmp_path: Path) -> None:
    store = open_store(sqlite_url(tmp_path))
    world = make_world(store)
    with store.writing() as s:
        s.execute(text("DROP TABLE meaning"))
        s.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    store.upgrade()
    assert tables(store) == set(Base.metadata.tables) | {"alembic_version"}
    with store.reading() as s:
        assert texts.bodies(s, [world.text]) == {world.text: ("Why did the chicken?",)}
    store.close()


@pytest.mark.parametrize("last", ["raise RuntimeError('half way')", "op.execute('DELETE FROM codebook_revision')"])
def test_an_upgrade_that_fails_changes_nothing(tmp_path: Path, migrations: Path, last: str) -> None:
    store = open_store(sqlite_url(tmp_path / "home"))
    make_world(store)
    (migrations / "0003_note.py").write_text(NEXT.format(last=last), encoding="utf-8")
    with pytest.raises((RuntimeError, StoreError)):
        store.upgrade()
    with store.reading() as s:
        assert s.execute(text("SELECT version_num FROM alembic_version")).scalar() == "0002"
        assert "note" not in {column["name"] for column in inspect(s.connection()).get_columns("project")}
        assert s.execute(text("SELECT count(*) FROM codebook_revision")).scalar() == 1
    store.close()


def test_deleting_a_project_deletes_all_that_is_its_own(world: World) -> None:
    kept = {"alembic_version", "ls_server", "scorer"}
    with world.store.writing() as s:
        s.execute(text("DELETE FROM project"))
    with world.store.reading() as s:
        left = {name for name in tables(world.store) if s.execute(text(f'SELECT count(*) FROM "{name}"')).scalar()}
    assert left == kept
