"""Deleting a project: what goes, what stays, who is named, and that no word of a text is left in the store's files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, func, select

from backend.corpus import erasure
from backend.learning import registry
from backend.settings import Settings, load
from db import erasing, inbox, jobs, owned, projects, releases, revisions, texts
from db.base import Base
from db.errors import ProjectBusyError
from db.inbox import Event
from db.models import Adapter, Inbox, Project, Scorer
from db.store import ProjectNotFoundError, Store, sqlite_url
from db.texts import TextRow
from tests.backend.corpus.whole import SNAPSHOT, Whole, dump, make_whole


def quiet(done: int, total: int) -> None:
    """Nobody looks."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(home=tmp_path, database_url=sqlite_url(tmp_path))


@pytest.fixture
def whole(store: Store, tmp_path: Path) -> Whole:
    make_whole(store, tmp_path, "other", snapshot="6" * 64)
    return make_whole(store, tmp_path)


def left(store: Store) -> dict[str, int]:
    """Rows by table."""
    with store.reading() as s:
        tables = Base.metadata.tables.values()
        return {t.name: s.scalars(select(func.count()).select_from(t)).one() for t in tables if t.name != "lease"}


def test_everything_of_it_goes_and_nothing_of_another(store: Store, settings: Settings, whole: Whole) -> None:
    other, both = dump(store, "other"), left(store)
    assert erasure.remove(store, settings, "posts", quiet)
    assert dump(store, "other") == other
    mine = {table.name for table in owned.tables()}
    assert {name: n for name, n in left(store).items() if name in mine} == {
        name: n // 2 for name, n in both.items() if name in mine
    }
    now_left = left(store)
    assert (now_left["adapter"], now_left["calibration"]) == (1, 1)
    assert now_left["scorer"] == both["scorer"] - 1  # the zero-shot one is the other's, too
    with pytest.raises(ProjectNotFoundError, match="There are: other"), store.reading() as s:
        projects.by_key(s, "posts")


def files_of(store: Store) -> Iterator[bytes]:
    assert store.file is not None
    for path in store.file.parent.glob(f"{store.file.name}*"):
        yield path.read_bytes()


@pytest.mark.parametrize("keeper", [False, True], ids=["alone", "while another reads"])
def test_no_word_of_a_text_is_left_in_the_files(store: Store, settings: Settings, whole: Whole, keeper: bool) -> None:
    """Neither in the store nor in its journal, whatever was written, changed and deleted before."""
    with store.writing() as s:
        said = {"ls_project": whole.world.assisted.id, "task": {"data": {"text": "posts: secret word of an event"}}}
        inbox.append(s, [Event(whole.world.project.id, "OTHER", None, said)])
    with store.writing() as s:
        for row in s.scalars(select(Inbox).where(Inbox.kind == "OTHER")):
            row.body = {}
        texts.remember(s, whole.world.project.id, [TextRow((f"posts: secret word {n} " * 300,)) for n in range(200)])
    assert any(b"posts: secret word" in data for data in files_of(store))
    beside = Store(settings.database_url)
    if keeper:
        with beside.reading() as s:
            s.scalars(select(Project)).all()
    assert erasure.remove(store, settings, "posts", quiet)
    assert not any(b"posts: secret word" in data for data in files_of(store))
    assert any(b"other: secret word" in data for data in files_of(store))
    beside.close()


def test_it_says_so_where_another_program_holds_on_to_the_old_state(
    store: Store, settings: Settings, whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "PATIENCE", 0.2)
    beside = Store(settings.database_url)
    with beside.reading() as s:
        s.scalars(select(Project)).all()
        assert not erasure.remove(store, settings, "posts", quiet)
    beside.close()


def test_its_files_go_and_no_other_s(store: Store, settings: Settings, whole: Whole, tmp_path: Path) -> None:
    for folder in ("runs/posts/3", "adapters/posts/.run-9.part", "runs/other/1", "anywhere/export", "theirs"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "file").write_text("x", encoding="utf-8")
    (tmp_path / "anywhere/export/snapshot.json").write_text(json.dumps({"hash": SNAPSHOT}), encoding="utf-8")
    (tmp_path / "theirs/snapshot.json").write_text(json.dumps({"hash": "6" * 64}), encoding="utf-8")
    plan = erasure.plan(store, settings, "posts", keep_adapters=False)
    gone = {"adapters/posts/.run-9.part", f"adapters/posts/{whole.folder.name}", "runs/posts", "anywhere/export"}
    assert {path.relative_to(tmp_path).as_posix() for path in plan.folders} == gone
    assert all((tmp_path / name).is_dir() for name in gone)
    erasure.remove(store, settings, "posts", quiet)
    assert not any((tmp_path / name).exists() for name in gone)
    assert (tmp_path / "runs/other/1/file").is_file() and (tmp_path / "theirs/file").is_file()
    assert len(list((tmp_path / "adapters/other").iterdir())) == 1


def test_adapters_that_saw_its_texts_are_named(store: Store, settings: Settings, whole: Whole, tmp_path: Path) -> None:
    """Its own, one that was tuned on its labels for another project, and what was tuned from one of these."""
    with store.writing() as s:
        (other,) = s.scalars(select(Project.id).where(Project.key == "other"))
        made = {"format": 1, "parts": {"humor": {"snapshot": SNAPSHOT}}}
        lent = Adapter(project_id=other, digest="a" * 64, path="adapters/other/lent", manifest=made)
        s.add(lent)
        s.flush()
        later = Adapter(project_id=other, digest="b" * 64, path="x", manifest={"parts": {}}, parent_id=lent.id)
        s.add(later)
    plan = erasure.plan(store, settings, "posts", keep_adapters=False)
    assert [(one.digest, one.path, one.project, one.fate) for one in plan.adapters] == [
        (whole.adapter.digest, whole.folder, None, "deleted"),
        ("a" * 64, tmp_path / "adapters/other/lent", "other", "stays"),
        ("b" * 64, tmp_path / "x", "other", "stays"),
    ]
    assert plan.snapshots == [SNAPSHOT]
    assert [(one.number, one.role) for one in plan.places] == [(1, "assisted"), (2, "audit")]


def test_an_adapter_that_another_project_uses_stays_and_is_that_one_s(
    store: Store, settings: Settings, whole: Whole
) -> None:
    with store.writing() as s:
        other = projects.by_key(s, "other").id
        revision = revisions.current(s, other)
        scorer = s.scalars(select(Scorer).where(Scorer.adapter_digest == whole.adapter.digest)).one()
        assert revision is not None
        releases.release(s, other, scorer, revision, order_policy="margin")
    (mine,) = erasure.plan(store, settings, "posts", keep_adapters=False).adapters
    assert (mine.project, mine.fate) == ("other", "stays")
    erasure.remove(store, settings, "posts", quiet)
    assert whole.folder.is_dir()
    with store.reading() as s:
        kept = s.scalars(select(Adapter).where(Adapter.digest == whole.adapter.digest)).one()
        assert kept.project_id == other
        assert s.scalar(select(Scorer.id).where(Scorer.adapter_digest == kept.digest)) == scorer.id


def test_adapters_can_be_kept(store: Store, settings: Settings, whole: Whole) -> None:
    erasure.remove(store, settings, "posts", quiet, keep_adapters=True)
    assert whole.folder.is_dir()
    with store.reading() as s:
        assert s.scalars(select(Adapter.project_id).where(Adapter.digest == whole.adapter.digest)).one() is None
        assert registry.active_digest(s, projects.by_key(s, "other").id) is not None


def test_it_is_refused_while_somebody_works_on_it(store: Store, settings: Settings, whole: Whole) -> None:
    project, before = whole.world.project.id, dump(store, "posts")
    with store.writing() as s:
        jobs.acquire(s, f"push-{project}", "them", 60)
    with pytest.raises(ProjectBusyError, match=r"A job of the project 'posts' is running \(push\)"):
        erasure.remove(store, settings, "posts", quiet)
    with store.writing() as s:
        jobs.give_back(s, f"push-{project}", "them")
        jobs.acquire(s, f"job-{project}", "them", 60)  # the job of that number is another project's
        jobs.acquire(s, "worker", "server", 60)
    with pytest.raises(ProjectBusyError, match="Archive it first"):
        erasure.remove(store, settings, "posts", quiet)
    assert dump(store, "posts") == before
    with store.writing() as s:
        while (job := jobs.claim(s, "server")) is not None and job.project_id != project:
            jobs.finish(s, job.id)
        projects.archive(s, project)
    with pytest.raises(ProjectBusyError, match=r"is running \(push\)"):
        erasure.remove(store, settings, "posts", quiet)
    with store.writing() as s:
        assert job is not None
        jobs.finish(s, job.id)
    assert erasure.remove(store, settings, "posts", quiet)


def test_no_transaction_is_longer_than_a_thousand_rows(store: Store, settings: Settings, whole: Whole) -> None:
    store.write_in_chunks(
        [TextRow((f"text {n}",)) for n in range(2500)], lambda s, part: texts.remember(s, whole.world.project.id, part)
    )
    changed: list[int] = []
    counted = [0]

    def executed(_c: object, cursor: object, *_: object) -> None:
        counted[0] += max(0, getattr(cursor, "rowcount", 0))

    def committed(_: object) -> None:
        changed.append(counted[0])
        counted[0] = 0

    event.listen(store._writer, "after_cursor_execute", executed)
    event.listen(store._writer, "commit", committed)
    erasure.remove(store, settings, "posts", quiet)
    assert max(changed) <= 1000 and sum(changed) > 5000


KILLED = """
import os, sys
from pathlib import Path
from backend.corpus.erasure import remove
from backend.settings import load
from db.store import open_store
settings = load(home=Path(sys.argv[1]))
def report(done, total):
    if done > 20:
        os._exit(9)
remove(open_store(settings.database_url), settings, "posts", report)
"""


def test_killed_in_the_middle_nobody_sees_it_and_it_can_be_finished(
    store: Store, settings: Settings, whole: Whole, checkout: Path
) -> None:
    other = dump(store, "other")
    words = [sys.executable, "-c", KILLED, str(settings.home)]
    assert subprocess.run(words, cwd=checkout, check=False).returncode == 9
    with store.reading() as s:
        assert s.scalars(select(Project.key).where(projects.seen())).all() == ["other"]
        assert s.scalars(select(func.count(Project.id))).one() == 2
    assert erasure.finish(store, settings) == ["posts"]
    assert erasure.finish(store, settings) == []
    assert dump(store, "other") == other and left(store)["project"] == 1
    assert not any(b"posts: secret word" in data for data in files_of(store))


def test_older_copies_of_the_store_are_named(store: Store, settings: Settings, whole: Whole) -> None:
    assert store.file is not None
    copy = store.file.with_name("socialite-0001-20260101T000000000000Z.sqlite")
    shutil.copy(store.file, copy)
    assert erasure.plan(store, settings, "posts", keep_adapters=False).copies == [copy]
