"""The adjudication project: made once, blind, with what coders saw of a text and nothing of what they said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select, update

from backend.corpus import adjudicate, wiring
from backend.corpus.label_studio import LabelStudio
from backend.corpus.label_studio_errors import LabelStudioError
from backend.corpus.site import ConnectError, Plan, Site
from backend.corpus.sync import sync_all
from db import projects, texts
from db.base import now
from db.models import LsProject, LsTask, Project, TextBody, Unit
from db.store import Store, open_store, sqlite_url
from db.texts import UnitRow
from labelstudio_config.xml import to_xml
from tests.backend.assist.world import BOOK, make_world
from tests.backend.corpus.fake_label_studio import COUNTED, FakeLabelStudio

SERVER = "http://posts.example:8080"
OURS = "http://ours.example:9090"
XML = to_xml(BOOK)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(sqlite_url(tmp_path))
    make_world(opened)
    yield opened
    opened.close()


@pytest.fixture
def fake() -> FakeLabelStudio:
    return FakeLabelStudio(SERVER)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def site(store: Store, fake: FakeLabelStudio, said: list[str]) -> Site:
    plan = Plan("posts", "Posts of a long and winding title, which is cut somewhere", OURS, None, audit=0, control=0)
    return Site(store, cast(LabelStudio, fake), plan, said.append, lambda what, unit: lambda done, total: None)


def project_of(store: Store) -> Project:
    with store.reading() as s:
        return projects.by_key(s, "posts")


def rows_of(store: Store, role: str) -> list[LsProject]:
    with store.reading() as s:
        return [row for row in projects.ls_projects(s, project_of(store).id) if row.role == role]


def remembered(store: Store, *bodies: str, other: dict[str, Any] | None = None) -> list[int]:
    """Texts of a table, one row each, with a column that nobody is to see."""
    rows = [UnitRow(f"r-{body}", (body,), other={"gold": "yes"} | (other or {})) for body in bodies]
    with store.writing() as s:
        return texts.remember_units(s, project_of(store).id, rows, "posts.csv")


def pushed(site: Site, *streams: list[int], xml: str = XML) -> adjudicate.Adjudication:
    return adjudicate.push(site, project_of(site.store), BOOK, xml, streams)


def test_a_project_is_made_blind_and_its_tasks_hold_what_coders_saw(
    site: Site, store: Store, fake: FakeLabelStudio
) -> None:
    ids = remembered(store, *"abcdef")
    done = pushed(site, ids[:4], ids[4:])
    (row,) = rows_of(store, "adjudication")
    there = fake.project(row.ls_id)
    assert done == adjudicate.Adjudication(row.ls_id, 6, 0)
    assert there["title"].endswith(" (adjudication)") and len(there["title"]) <= 50
    assert there["label_config"] == XML.strip()
    assert {name: there[name] for name in wiring.ADJUDICATION} == wiring.ADJUDICATION
    assert there["maximum_annotations"] == 1 and not there["show_collab_predictions"]
    (hook,) = fake.webhooks(row.ls_id)
    assert hook["url"] == f"{OURS}/ls/posts/webhook" and hook["is_active"] and wiring.fits(hook, row.secret_hash)
    made = [task for _, page in fake.tasks(row.ls_id) for task in page]
    assert all(task.keys() - COUNTED.keys() == {"id", "data", "meta"} for task in made), "nobody's answer"
    assert all(set(task["data"]) == {"id", "text"} for task in made), "no other column of the table"
    assert all(task["meta"] == {"socialite": {"source": "posts.csv", "id": task["data"]["id"]}} for task in made)
    order = [task["data"]["text"] for task in made]
    assert set(order[:4]) == set("abcd") and set(order[4:]) == {"e", "f"}, "the first list goes first"
    assert order[:4] != list("abcd"), "in an order that says nothing"
    with store.reading() as s:
        shown = s.execute(select(Unit.text_id, LsTask.task_id).join(LsTask).where(LsTask.ls_project_id == row.id)).all()
    assert {text for text, _ in shown} == set(ids) and {task for _, task in shown} == {task["id"] for task in made}


def test_pushed_again_only_what_is_new_is_added(site: Site, store: Store, fake: FakeLabelStudio) -> None:
    ids = remembered(store, *"abcd")
    first = pushed(site, ids[:2])
    assert pushed(site, ids[:2]) == replace(first, new=0)
    assert pushed(site, ids) == replace(first, new=2)
    assert [len(tasks) for tasks in fake.tasks_of.values()] == [4] and len(fake.hooks) == 1
    assert len(rows_of(store, "adjudication")) == 1


def test_where_nothing_is_open_no_project_is_made(site: Site, fake: FakeLabelStudio) -> None:
    assert pushed(site, [], []) == adjudicate.Adjudication(None)
    assert fake.held == {}


def test_a_project_with_a_backend_gets_no_texts(site: Site, store: Store, fake: FakeLabelStudio) -> None:
    ids = remembered(store, *"ab")
    done = pushed(site, ids[:1])
    fake.ml.append({"id": 1, "project": done.ls_id, "title": "theirs", "url": "http://elsewhere"})
    with pytest.raises(LabelStudioError, match="The adjudication project"):
        pushed(site, ids)
    with pytest.raises(LabelStudioError, match="has an ML backend"):
        adjudicate.wire(site, project_of(store))
    assert [len(tasks) for tasks in fake.tasks_of.values()] == [1]


def test_the_screen_follows_the_codebook(site: Site, store: Store, fake: FakeLabelStudio) -> None:
    ids = remembered(store, "a")
    done = pushed(site, ids)
    changed = XML.replace("</View>", "<!-- once more --></View>")
    pushed(site, ids, xml=changed)
    assert fake.project(done.ls_id or 0)["label_config"] == changed.strip()


def test_an_erased_text_is_not_shown(site: Site, store: Store) -> None:
    ids = remembered(store, *"ab")
    with store.writing() as s:
        s.execute(update(TextBody).where(TextBody.text_id == ids[0]).values(fields=None, erased_at=now()))
    done = pushed(site, ids)
    assert (done.new, done.erased) == (1, 1)


def test_a_screens_other_columns_come_from_the_table_or_the_task_that_was_there(
    site: Site, store: Store, fake: FakeLabelStudio
) -> None:
    xml = XML.replace("</View>", '<Header value="$author"/></View>')
    ours = remembered(store, "a", other={"author": "Ada"})
    adopted = fake.create_project(title="Theirs", label_config=xml)
    with store.writing() as s:
        project, server = projects.by_key(s, "posts"), projects.server(s, SERVER)
        row = projects.add_ls_project(s, project.id, server.id, adopted["id"], 1, "assisted")
        (task,) = fake.import_tasks(adopted["id"], [{"data": {"text": "b", "author": "Bea", "label": "yes"}}])
        found = texts.remember_tasks(s, row, [texts.TaskRow(task, f"1/{task}", ("b",))])
    pushed(site, ours, [text for _, text in found], xml=xml)
    (place,) = rows_of(store, "adjudication")
    made = [task["data"] for _, page in fake.tasks(place.ls_id) for task in page]
    assert made == [
        {"id": "r-a", "text": "a", "author": "Ada"},
        {"id": f"1/{task}", "text": "b", "author": "Bea"},
    ]


def test_a_project_that_was_deleted_is_made_anew_and_no_sync_fails_for_it(
    site: Site, store: Store, fake: FakeLabelStudio
) -> None:
    ids = remembered(store, *"ab")
    first = pushed(site, ids)
    del fake.held[first.ls_id or 0]
    rows = rows_of(store, "adjudication")
    assert str(sync_all(store, site.client, rows, lambda done, total: None)) == "Nothing was missing."
    with store.reading() as s:
        assert not any(s.scalars(select(LsTask.deleted_at))), "what was decided there stays"
    second = pushed(site, ids[:1])
    assert second.ls_id != first.ls_id and second.new == 1


def test_the_address_is_the_one_that_connect_told(site: Site, store: Store, fake: FakeLabelStudio) -> None:
    project = project_of(store)
    with pytest.raises(ConnectError, match="Run `socialite connect --project posts` again"):
        adjudicate.address(site.client, store, project)
    (assisted,) = rows_of(store, "assisted")
    fake.create_webhook(assisted.ls_id, f"{OURS}/ls/others/webhook", {})
    fake.create_webhook(assisted.ls_id, f"{OURS}/ls/posts/webhook", {})
    assert adjudicate.address(site.client, store, project) == OURS
