"""What stands for answers of tables is met by nobody who speaks to Label Studio; a project may have nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import select

from backend.api.directory import Directory
from backend.corpus import adjudicate, connect, doctor
from backend.corpus.label_studio import LabelStudio
from backend.corpus.label_studio_errors import LabelStudioError
from backend.corpus.servers import client_for
from backend.corpus.site import ConnectError, Plan, Site, codebook_of
from backend.corpus.sync import sync_all
from backend.corpus.tasks import shown
from backend.settings import Settings
from backend.worker import Worker
from db import counts, projects, texts
from db.models import Job, LsProject, LsTask, Placement, Text, Unit
from db.store import Store
from tests.backend.corpus.fake_label_studio import FakeLabelStudio
from tests.backend.corpus.taking import Taking, table, taking

WORDS = ["joy", "fear", "rain", "music", "anger", "votes", "trains", "money", "bread", "sleep"]
ROWS = [(f"r{n}", f"{WORDS[n]} beats {WORDS[n - 3]}", "yes", "secret") for n in range(10)]


@pytest.fixture
def posts(store: Store, tmp_path: Path) -> Taking:
    found = taking(store)
    found.take(table(tmp_path / "t.csv", "id,text,mood,city", ROWS), id="id", label="mood")
    return found


@pytest.fixture
def fake() -> FakeLabelStudio:
    return FakeLabelStudio()


def site(posts: Taking, fake: FakeLabelStudio, said: list[str], **wanted: int) -> Site:
    plan = Plan("posts", "posts", "http://ours.example:9090", None, **({"audit": 3, "control": 2} | wanted))
    return Site(posts.store, cast(LabelStudio, fake), plan, said.append, lambda what, unit: lambda done, total: None)


def test_it_is_there_and_no_project_of_label_studio(posts: Taking) -> None:
    with posts.store.reading() as s:
        row = projects.of_tables(s, posts.project.id)
        assert row is not None and (row.role, row.ls_created, row.ls_id) == ("imported", 0, posts.project.id)
        assert projects.ls_projects(s, posts.project.id) == []
        assert projects.ls_project(s, ls_id=row.ls_id, ls_created=0) is None
        tasks = s.execute(select(LsTask.task_id, LsTask.unit_id)).all()
    assert len(tasks) == len(ROWS) and all(task == unit for task, unit in tasks)


def test_the_server_does_not_take_it_for_a_place(posts: Taking) -> None:
    directory = Directory(posts.store)
    assert asyncio.run(directory.find((posts.project.id, 0))) is None
    assert directory.keys == {"posts": posts.project.id} and directory.all() == []


def test_no_sync_is_queued_and_none_can_be_run(posts: Taking, tmp_path: Path, fake: FakeLabelStudio) -> None:
    settings = Settings(home=tmp_path, label_studio_api_key="token")
    Worker(posts.store, settings).compare_all()
    with posts.store.reading() as s:
        assert s.scalars(select(Job)).all() == []
        assert (
            sync_all(posts.store, cast(LabelStudio, fake), projects.ls_projects(s, posts.project.id), print).tasks == 0
        )
    with pytest.raises(LabelStudioError, match="not connected to Label Studio yet"):
        client_for(posts.store, settings, posts.project.id)
    with pytest.raises(ConnectError, match="does not know where"):
        adjudicate.address(cast(LabelStudio, fake), posts.store, posts.project)


def test_status_counts_answers_of_tables_and_no_tasks(posts: Taking) -> None:
    with posts.store.reading() as s:
        (found,) = counts.status(s, "posts")
    assert (found.texts, found.units, found.tasks) == ({"unplaced": 10}, 10, {})
    assert (found.answers, found.answers_by_role, found.coders) == ({"imported": 10}, {"imported": 10}, 1)


def test_doctor_notes_that_nobody_can_code_yet(posts: Taking, tmp_path: Path) -> None:
    found = list(doctor.examine(Settings(home=tmp_path), "posts", None))
    (note,) = [finding for finding in found if finding.check == "connected"]
    assert note.level == "note" and "socialite connect" in note.cure
    assert not [finding for finding in found if finding.check == "token"]


def test_stored_texts_are_drawn_and_each_gets_its_task_once(
    posts: Taking, fake: FakeLabelStudio, tmp_path: Path
) -> None:
    said: list[str] = []
    here = site(posts, fake, said)
    rows = made(posts, fake)

    def bring() -> None:
        new = connect.stored_texts(here, posts.project)
        known = codebook_of(posts.store, posts.project)
        assert known is not None
        connect.import_by_stream(here, posts.project, rows["assisted"], rows["audit"], new, known)

    bring()
    assert "Drawn at random: 3 texts for the audit, 2 as controls; 5 are for work." in said
    blind, seen = (fake.tasks_of[rows[role].ls_id] for role in ("audit", "assisted"))
    assert (len(blind), len(seen)) == (3, 7)
    assert all(task["data"].keys() == {"id", "text"} for task in blind + seen)  # no label, and no other column
    assert [task["meta"]["socialite"]["source"] for task in blind] == ["t.csv"] * 3
    with posts.store.reading() as s:
        order = s.scalars(select(Text.id).join(Placement).where(Placement.stream == "audit").order_by(Placement.rank))
        ids = dict(s.execute(select(Unit.text_id, Unit.external_id)).all())
        assert [ids[text] for text in order] == [task["data"]["id"] for task in blind]
    bring()
    assert [call for call in fake.calls if call.startswith("import")] == [
        f"import into {rows['assisted'].ls_id}", f"import into {rows['audit'].ls_id}"
    ]  # fmt: skip
    posts.take(table(tmp_path / "more.csv", "text", [("a text that is new",), (ROWS[0][1],)]))
    bring()
    assert [task["data"]["text"] for task in fake.tasks_of[rows["assisted"].ls_id]][7:] == ["a text that is new"]
    with posts.store.reading() as s:
        assert texts.without_task(s, posts.project.id) == []
    assert len(shown(posts.store, rows["assisted"])) == 8


def made(posts: Taking, fake: FakeLabelStudio) -> dict[str, LsProject]:
    """Both projects in Label Studio."""
    found = {}
    with posts.store.writing() as s:
        server = projects.server(s, fake.url)
        for role in ("assisted", "audit"):
            there = fake.create_project(title=role)
            found[role] = projects.add_ls_project(s, posts.project.id, server.id, there["id"], 1000, role)
    return found
