"""Webhooks put in order: those of ours that are lost, bared, doubled or left behind; and nobody else's."""

from __future__ import annotations

from typing import Any, cast

import pytest

from backend.corpus import wiring
from backend.corpus.label_studio import LabelStudio
from backend.corpus.mending import mend
from backend.corpus.repairs import Repairs
from backend.corpus.wiring import Line
from db import projects
from db.models import LsProject
from db.store import Store
from tests.backend.corpus.fake_label_studio import FakeLabelStudio

URL = "http://ours.example:9090/ls/tones"


@pytest.fixture
def fake() -> FakeLabelStudio:
    return FakeLabelStudio()


@pytest.fixture
def rows(store: Store, fake: FakeLabelStudio) -> list[LsProject]:
    """An assisted and an audit project, connected."""
    with store.writing() as s:
        project = projects.create(s, "tones", "Tones", 1, {"audit": 0, "control": 0, "coders": 1})
        server = projects.server(s, fake.url)
        found = [
            projects.add_ls_project(s, project.id, server.id, fake.create_project(title=role)["id"], 1, role)
            for role in ("assisted", "audit")
        ]
    for row in found:
        wiring.connect_webhook(store, cast(LabelStudio, fake), Line(row, URL, None))
    assisted = found[0].ls_id
    fake.ml.append({"id": 1, "project": assisted, "url": URL, "title": "keyword-1"})
    fake.held[assisted]["model_version"] = "keyword-1"
    return read(store)


def read(store: Store) -> list[LsProject]:
    with store.reading() as s:
        return projects.ls_projects(s, projects.by_key(s, "tones").id)


def mended(store: Store, fake: FakeLabelStudio) -> Repairs:
    return mend(store, cast(LabelStudio, fake), "tones", read(store))


def hook(fake: FakeLabelStudio, project: int, url: str = f"{URL}/webhook", **more: Any) -> dict[str, Any]:
    return fake.create_webhook(project, url, {}) | more


def test_what_is_in_order_is_left_alone(store: Store, fake: FakeLabelStudio, rows: list[LsProject]) -> None:
    before, hooks = len(fake.calls), fake.webhooks()
    assert mended(store, fake) == Repairs()
    assert (fake.calls[before:], fake.webhooks()) == ([], hooks)


@pytest.mark.parametrize("changed", [{"headers": {}}, {"send_payload": False}, {"is_active": False}])
def test_a_webhook_that_tells_too_little_is_put_in_order(
    store: Store, fake: FakeLabelStudio, rows: list[LsProject], changed: dict[str, Any]
) -> None:
    fake.patch_webhook(fake.webhooks(rows[0].ls_id)[0]["id"], **changed)
    assert mended(store, fake) == Repairs(mended=1)
    for row in read(store):
        (one,) = fake.webhooks(row.ls_id)
        assert wiring.fits(one, row.secret_hash)


def test_lost_and_doubled_ones_and_nobody_elses(store: Store, fake: FakeLabelStudio, rows: list[LsProject]) -> None:
    assisted, audit = (row.ls_id for row in rows)
    fake.delete_webhook(fake.webhooks(audit)[0]["id"])
    hook(fake, assisted)
    theirs = [hook(fake, assisted, "http://theirs.example/webhook")["id"]]
    theirs += [hook(fake, assisted, "http://theirs.example:9090/ls/tones/webhook")["id"]]
    theirs += [hook(fake, audit, "http://ours.example:9090/other")["id"]]
    assert mended(store, fake) == Repairs(made=1, doubled=1)
    assert {one["id"] for one in fake.webhooks()} >= set(theirs)
    assert len(fake.webhooks()) == 2 + len(theirs)
    for row in read(store):
        assert any(wiring.fits(one, row.secret_hash) for one in fake.webhooks(row.ls_id))


def test_a_removed_backends_webhook_goes_and_stays_away(
    store: Store, fake: FakeLabelStudio, rows: list[LsProject]
) -> None:
    assisted, audit = (row.ls_id for row in rows)
    fake.ml.clear()
    fake.held[assisted]["model_version"] = ""
    theirs = hook(fake, assisted, "http://theirs.example/ls/tones/webhook")["id"]
    for left in (1, 0):
        found = mended(store, fake)
        assert (found.left, found.made, found.shown) == (left, 0, 0)
        assert "Run `socialite connect --project tones`" in str(found)
    assert [one["id"] for one in fake.webhooks(assisted)] == [theirs]
    assert len(fake.webhooks(audit)) == 1, "the audit's answers still arrive"


def test_a_project_that_shows_what_was_pushed_needs_no_backend(
    store: Store, fake: FakeLabelStudio, rows: list[LsProject]
) -> None:
    fake.ml.clear()
    fake.patch_webhook(fake.webhooks(rows[0].ls_id)[0]["id"], headers={})
    assert mended(store, fake) == Repairs(mended=1)
    assert wiring.fits(fake.webhooks(rows[0].ls_id)[0], read(store)[0].secret_hash)


def test_one_left_in_a_project_that_is_none_of_ours(store: Store, fake: FakeLabelStudio, rows: list[LsProject]) -> None:
    left, connected = (fake.create_project(title=name)["id"] for name in ("left", "by hand"))
    hook(fake, left)
    kept = [hook(fake, left, "http://theirs.example/webhook")["id"], hook(fake, connected)["id"]]
    fake.ml.append({"id": 2, "project": connected, "url": URL, "title": "keyword-1"})
    assert mended(store, fake) == Repairs(left=1)
    assert [one["id"] for one in fake.webhooks() if one["project"] in (left, connected)] == kept


def test_suggestions_are_shown_again(store: Store, fake: FakeLabelStudio, rows: list[LsProject]) -> None:
    fake.held[rows[0].ls_id]["model_version"] = ""
    assert mended(store, fake) == Repairs(shown=1)
    assert fake.held[rows[0].ls_id]["model_version"] == "keyword-1"
    fake.held[rows[0].ls_id]["model_version"] = "what a person chose"
    assert mended(store, fake) == Repairs()


def test_without_an_address_it_says_so(store: Store, fake: FakeLabelStudio, rows: list[LsProject]) -> None:
    fake.ml.clear()
    fake.hooks.clear()
    fake.held[rows[0].ls_id]["model_version"] = ""
    said = str(mended(store, fake))
    assert "audit project" in said
    assert "does not know our address" in said
    assert fake.hooks == []
