"""A project as one file, and back: equal row by row, or not at all."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from backend.corpus import backup as backups
from backend.corpus.backup import BackupError, back_up
from backend.corpus.erasure import finish, remove
from backend.corpus.restore import restore
from backend.engines.adapter import digest
from backend.settings import Settings, load
from db import counts, inbox, jobs, owned, projects, upgrade
from db.base import Base
from db.models import Adapter, Job, Lease, Project
from db.store import Store, sqlite_url
from tests.backend.corpus.whole import Whole, dump, make_whole
from tests.db.postgres import emptied, given


def quiet(done: int, total: int) -> None:
    """Nobody looks."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(home=tmp_path, database_url=sqlite_url(tmp_path))


@pytest.fixture
def whole(store: Store, tmp_path: Path) -> Whole:
    return make_whole(store, tmp_path)


@pytest.fixture
def saved(store: Store, whole: Whole, tmp_path: Path) -> Path:
    path = tmp_path / "posts.socialite"
    back_up(store, "posts", path, quiet)
    return path


@pytest.fixture
def other(empty_store: Path, tmp_path: Path) -> Iterator[tuple[Store, Settings]]:
    """Another store, which had a project before."""
    home = tmp_path / "other"
    home.mkdir()
    shutil.copy(empty_store, home)
    store = Store(sqlite_url(home))
    make_whole(store, home, "earlier", snapshot="6" * 64)
    yield store, load(home=home, database_url=sqlite_url(home))
    store.close()


def test_something_of_every_table_is_tried(store: Store, whole: Whole) -> None:
    found = dump(store, "posts")
    assert [name for name, rows in found.items() if not rows] == []


def test_a_restored_project_equals_the_original_row_by_row(
    store: Store, other: tuple[Store, Settings], saved: Path
) -> None:
    there, settings = other
    before = dump(there, "earlier")
    found = restore(there, settings, saved, None, quiet)
    assert (found.key, found.adapters) == ("posts", 1)
    assert dump(there, "posts") == dump(store, "posts")
    assert dump(there, "earlier") == before


def test_its_adapters_are_there_and_whole(other: tuple[Store, Settings], saved: Path, whole: Whole) -> None:
    there, settings = other
    restore(there, settings, saved, None, quiet)
    with there.reading() as s:
        adapter = s.scalars(select(Adapter).where(Adapter.digest == whole.adapter.digest)).one()
    folder = there.folder(adapter.path)
    assert folder.is_relative_to(settings.home) and digest(folder) == whole.adapter.digest
    names = [sorted(path.relative_to(one).as_posix() for path in one.rglob("*")) for one in (folder, whole.folder)]
    assert names[0] == names[1]


def test_a_backup_of_a_restored_project_is_the_same_again(
    other: tuple[Store, Settings], saved: Path, tmp_path: Path
) -> None:
    there, settings = other
    restore(there, settings, saved, "again", quiet)
    back_up(there, "again", tmp_path / "second.socialite", quiet)
    with there.reading() as s:
        again = projects.by_key(s, "again")
        assert again.archived_at is None
    third = Store(sqlite_url(tmp_path / "third"))
    third.upgrade()
    restore(third, load(home=tmp_path / "third"), tmp_path / "second.socialite", None, quiet)
    assert dump(third, "again") == dump(there, "again")
    third.close()


def test_deleted_and_restored_in_the_same_store(store: Store, settings: Settings, saved: Path, whole: Whole) -> None:
    before = dump(store, "posts")
    remove(store, settings, "posts", quiet)
    assert not whole.folder.exists()
    restore(store, settings, saved, None, quiet)
    assert dump(store, "posts") == before


def test_a_backup_is_its_owner_s_alone_and_nothing_is_left_beside_it(saved: Path) -> None:
    if os.name == "posix":
        assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert [path.name for path in saved.parent.glob("*posts.socialite*")] == ["posts.socialite"]


def test_a_backup_replaces_nothing_unasked(store: Store, saved: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises(BackupError, match="exists already"):
        back_up(store, "posts", saved, quiet)
    assert saved.read_bytes() == before
    with pytest.raises(BackupError, match=r"ends in \.socialite"):
        back_up(store, "posts", saved.with_suffix(".zip"), quiet)


def test_a_key_that_is_there_is_refused(store: Store, settings: Settings, saved: Path) -> None:
    before = dump(store, "posts")
    with pytest.raises(BackupError, match="a project 'posts' already"):
        restore(store, settings, saved, None, quiet)
    with pytest.raises(BackupError, match=r"Label Studio's project 1 at http://posts\.example:8080 belongs to"):
        restore(store, settings, saved, "copy", quiet)
    with pytest.raises(BackupError, match="is no key"):
        restore(store, settings, saved, "a/b", quiet)
    assert dump(store, "posts") == before


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The backup with other files in it."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def _cut(files: dict[str, bytes]) -> None:
    files["rows/answer.jsonl"] = files["rows/answer.jsonl"][:-20]


def _lost(files: dict[str, bytes]) -> None:
    del files["rows/answer.jsonl"]


def _no_manifest(files: dict[str, bytes]) -> None:
    del files[backups.MANIFEST]


def _adapter(files: dict[str, bytes]) -> None:
    name = next(name for name in files if name.endswith(".safetensors"))
    files[name] = files[name][:-1] + b"x"


def _outside(files: dict[str, bytes]) -> None:
    about = json.loads(files[backups.MANIFEST])
    (key,) = about["adapters"]
    about["adapters"][key].append("../../evil")
    about["sha256"][f"adapters/{key}/../../evil"] = "0" * 64
    files[backups.MANIFEST] = json.dumps(about).encode()


@pytest.mark.parametrize("change", [_cut, _lost, _no_manifest, _adapter, _outside])
def test_a_damaged_file_changes_nothing(
    other: tuple[Store, Settings], saved: Path, change: Callable[[dict[str, bytes]], None]
) -> None:
    there, settings = other
    with pytest.raises(BackupError, match="is damaged"):
        restore(there, settings, rewritten(saved, change), None, quiet)
    assert visible(there) == ["earlier"] and everything(there) == {"earlier"}


def test_a_file_that_was_cut_off_or_is_none_is_refused(other: tuple[Store, Settings], saved: Path) -> None:
    there, settings = other
    saved.write_bytes(saved.read_bytes()[:-100])
    with pytest.raises(BackupError, match="is damaged"):
        restore(there, settings, saved, None, quiet)
    with pytest.raises(BackupError, match="cannot be read"):
        restore(there, settings, saved.with_name("nowhere.socialite"), None, quiet)


def test_a_newer_schema_is_refused(other: tuple[Store, Settings], saved: Path) -> None:
    def newer(files: dict[str, bytes]) -> None:
        about = json.loads(files[backups.MANIFEST]) | {"schema": "9999"}
        files[backups.MANIFEST] = json.dumps(about).encode()

    there, settings = other
    with pytest.raises(BackupError, match="written by a newer socialite"):
        restore(there, settings, rewritten(saved, newer), None, quiet)


def test_an_older_schema_is_brought_up(
    store: Store, other: tuple[Store, Settings], saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way over a store for the purpose, which the migrations run on, gives the same rows."""
    there, settings = other
    known = upgrade.revisions()
    monkeypatch.setattr(upgrade, "revisions", lambda: [*known, "this program's"])
    restore(there, settings, saved, None, quiet)
    assert dump(there, "posts") == dump(store, "posts")


def visible(store: Store) -> list[str]:
    with store.reading() as s:
        found = list(s.scalars(select(Project.key).where(projects.seen())))
        assert [one.key for one in counts.status(s)] == found
    return found


def everything(store: Store) -> set[str]:
    """The keys of all projects that have a row anywhere, hidden or not."""
    with store.reading() as s:
        return {
            s.get_one(Project, one).key
            for table in owned.tables()
            for one in s.scalars(select(Project.id))
            if s.scalar(select(func.count()).select_from(table).where(owned.of(table, one)))
        }


@pytest.mark.parametrize("after", [0, 20, 45])
def test_a_restoration_that_fails_leaves_nothing(other: tuple[Store, Settings], saved: Path, after: int) -> None:
    there, settings = other

    def full(done: int, total: int) -> None:
        if done > after:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        restore(there, settings, saved, None, full)
    assert visible(there) == ["earlier"] and everything(there) == {"earlier"}
    assert not (settings.home / "adapters" / "posts").is_dir() or not list(
        (settings.home / "adapters" / "posts").iterdir()
    )


KILLED = """
import os, sys
from pathlib import Path
from backend.corpus.restore import restore
from backend.settings import load
from db.store import open_store
home = Path(sys.argv[1])
settings = load(home=home)
def report(done, total):
    if done > int(sys.argv[3]):
        os._exit(9)
restore(open_store(settings.database_url), settings, Path(sys.argv[2]), None, report)
"""


def test_killed_in_the_middle_it_leaves_nothing_visible_and_the_next_one_works(
    store: Store, other: tuple[Store, Settings], saved: Path, checkout: Path
) -> None:
    there, settings = other
    ran = subprocess.run(
        [sys.executable, "-c", KILLED, str(settings.home), str(saved), "45"], cwd=checkout, check=False
    )
    assert ran.returncode == 9
    assert visible(there) == ["earlier"] and len(everything(there)) == 2  # it is there, but nobody sees it
    with there.writing() as s:
        waiting = [one.project_id for one in inbox.pending(s, 99)]
        job = jobs.claim(s, "worker")
        assert job is not None
        assert {s.get_one(Project, one).key for one in (*waiting, job.project_id) if one} == {"earlier"}
        s.delete(s.get_one(Lease, f"job-{job.id}"))
    assert finish(there, settings) == ["posts"]
    assert everything(there) == {"earlier"}
    restore(there, settings, saved, None, quiet)
    assert dump(there, "posts") == dump(store, "posts")


def test_what_waits_begins_when_it_is_whole(other: tuple[Store, Settings], saved: Path) -> None:
    there, settings = other
    restore(there, settings, saved, None, quiet)
    with there.reading() as s:
        assert s.scalars(select(Job.state).join(Project).where(Project.key == "posts")).all() == ["queued"]


def test_what_others_have_is_shared(store: Store, other: tuple[Store, Settings], saved: Path) -> None:
    """A scorer that both projects use is one row afterwards."""
    there, settings = other
    restore(there, settings, saved, None, quiet)
    with there.reading() as s:
        tables = Base.metadata.tables
        n = {name: s.scalars(select(func.count()).select_from(tables[name])).one() for name in ("scorer", "ls_server")}
    assert n == {"scorer": 3, "ls_server": 3}


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[tuple[Store, Settings]]:
    """An empty PostgreSQL store; its address is given as for the tests of `db`."""
    address = given()
    store = emptied(address)
    home = tmp_path / "postgres"
    home.mkdir()
    make_whole(store, home, "earlier", snapshot="6" * 64)
    yield store, load(home=home, database_url=address)
    store.close()


def test_from_sqlite_to_postgresql_and_back(
    store: Store, postgres: tuple[Store, Settings], other: tuple[Store, Settings], saved: Path, tmp_path: Path
) -> None:
    there, settings = postgres
    earlier = dump(there, "earlier")
    restore(there, settings, saved, None, quiet)
    assert dump(there, "posts") == dump(store, "posts") and dump(there, "earlier") == earlier
    back_up(there, "posts", tmp_path / "second.socialite", quiet)
    back, home = other
    restore(back, home, tmp_path / "second.socialite", None, quiet)
    assert dump(back, "posts") == dump(store, "posts")
    assert remove(there, settings, "posts", quiet)
    assert visible(there) == ["earlier"] and everything(there) == {"earlier"} and dump(there, "earlier") == earlier
