"""Adjudication in a live Label Studio: what is disputed is decided blind, and the answers stay as they were."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from backend.learning.accepted import Resolved, audit_labels, work_labels
from db import answers, projects, revisions, texts
from db.answers import LiveAnswer
from tests.real.coding import OTHER, Coder, Connected, connected, fresh, otherwise, posts
from tests.real.command import Command, serving, until
from tests.real.label_studio import Server

pytestmark = pytest.mark.real
KEY = "judged"


@pytest.fixture(scope="module")
def socialite(label_studio: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    with serving(tmp_path_factory.mktemp("judged"), label_studio) as command:
        yield command


@pytest.fixture(scope="module")
def people(label_studio: Server) -> Iterator[list[Coder]]:
    """Two coders and an adjudicator."""
    tokens = [label_studio.coder(f"{name}@judged.example.org") for name in ("dora", "emil", "fay")]
    clients = [label_studio.http(token) for token in tokens]
    yield [Coder(client) for client in clients]
    for client in clients:
        client.close()


def live(socialite: Command, project: Connected) -> list[LiveAnswer]:
    with socialite.store.reading() as s:
        return answers.live(s, project.id)


def gold(socialite: Command) -> dict[tuple[str, str], tuple[str, str]]:
    """(text, question) -> (accepted label, by), of gate and test."""
    with socialite.store.reading() as s:
        project = projects.by_key(s, KEY)
        revision = revisions.current(s, project.id)
        assert revision is not None
        book = revisions.codebook(revision)
        found = [audit_labels(s, project, book, role) for role in ("gate", "test")]
        return named(socialite, *found, work_labels(s, project, book))


def named(socialite: Command, *found: Resolved) -> dict[tuple[str, str], tuple[str, str]]:
    accepted = [one for each in found for one in each.accepted]
    with socialite.store.reading() as s:
        words = texts.bodies(s, sorted({one.text_id for one in accepted}))
    return {(words[a.text_id][0], a.question): (",".join(a.labels), a.by) for a in accepted}


def listed(socialite: Command, *more: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(socialite.run("disagreements", "--project", KEY, "--json", *more))
    return found


def tasks(owner: httpx.Client, project: int) -> list[dict[str, Any]]:
    query = {"project": project, "fields": "all", "page_size": 200}
    found: list[dict[str, Any]] = owner.get("/api/tasks", params=query).raise_for_status().json()["tasks"]
    return sorted(found, key=lambda task: int(task["id"]))


def test_what_coders_disagree_on_is_decided_blind(socialite: Command, owner: httpx.Client, people: list[Coder]) -> None:
    project = connected(socialite, KEY, posts(16), "--audit", "5", "--control", "2")
    dora, emil, fay = people
    split, skipped = set[str](), ""
    for number in range(5):
        first, second = dora.next(project.audit), emil.next(project.audit)
        assert first is not None and second is not None and first["id"] == second["id"]
        dora.submit(first, fresh(), "human")
        if number == 4:
            emil.submit(second, [], "human", was_cancelled=True)
            skipped = first["data"]["text"]
        else:
            emil.submit(second, otherwise(fresh()) if number < 2 else fresh(), "human")
            split |= {first["data"]["text"]} if number < 2 else set()
    until(lambda: len(live(socialite, project)) == 10)
    originals = live(socialite, project)
    before = gold(socialite)
    assert {by for _, by in before.values()} == {"majority"}
    assert {text for text, question in before if question == "humor"} & (split | {skipped}) == set()

    # listed, and pushed once
    found = listed(socialite)
    assert found["questions"]["humor"] == {"audit": {"tie": 2, "skipped": 1}, "assisted": {}}
    assert found["questions"]["offensive"] == {"audit": {"skipped": 1}, "assisted": {}}
    assert {text["waits"] for text in found["texts"]} == {False}
    pushed = listed(socialite, "--push")["pushed"]
    assert pushed["new"] == 3
    place = pushed["ls_project"]
    again = listed(socialite, "--push")
    assert again["pushed"] == {"ls_project": place, "new": 0, "erased": 0}
    assert {text["waits"] for text in again["texts"]} == {True}

    # nobody's answers and no suggestion, in the order of a draw, for one adjudicator
    there = owner.get(f"/api/projects/{place}").raise_for_status().json()
    assert there["title"] == f"Project {KEY} (adjudication)"
    audit = owner.get(f"/api/projects/{project.audit}").raise_for_status().json()
    assert there["label_config"] == audit["label_config"]
    assert (there["sampling"], there["show_collab_predictions"]) == ("Sequential sampling", False)
    assert (there["maximum_annotations"], there["model_version"]) == (1, "")
    assert owner.get("/api/ml", params={"project": place}).json() == []
    (hook,) = owner.get("/api/webhooks/", params={"project": place}).json()
    assert hook["url"].endswith(f"/ls/{KEY}/webhook")
    made = tasks(owner, place)
    assert {task["data"]["text"] for task in made} == split | {skipped}
    for task in made:
        assert (task["annotations"], task["predictions"], task["drafts"]) == ([], [], [])
        assert set(task["data"]) == {"id", "text"}
        assert set(task["meta"]) == {"socialite"} and set(task["meta"]["socialite"]) == {"source", "id"}
        assert owner.get(f"/api/tasks/{task['id']}").json()["predictions"] == []
    socialite.run("push", "--project", KEY, "--engine", "keyword")
    assert all(task["predictions"] == [] for task in tasks(owner, place))
    findings = json.loads(socialite.run("doctor", "--project", KEY, "--json"))["findings"]
    mine = {f["check"]: f["level"] for f in findings if f"adjudication project {place}" in f["about"]}
    assert mine["blind-backend"] == mine["delivery"] == "ok" and "fail" not in mine.values(), findings

    # the adjudicator decides one and skips one; the webhook brings it
    first, second = fay.next(place), None
    assert first is not None and first["predictions"] == []
    decided = fay.submit(first, otherwise(fresh()), "adjudicated")
    second = fay.next(place)
    assert second is not None and second["id"] != first["id"]
    fay.submit(second, [], "adjudicated", was_cancelled=True)
    until(lambda: len(live(socialite, project)) == 12)
    new = [answer for answer in live(socialite, project) if answer.ls_role == "adjudication"]
    assert [(a.origin, a.release_id, a.cancelled) for a in new] == [
        ("adjudicated", None, False),
        ("adjudicated", None, True),
    ]
    assert [a for a in live(socialite, project) if a.ls_role != "adjudication"] == originals
    chosen = otherwise(fresh())[0]["value"]["choices"][0]
    text = first["data"]["text"]
    after = gold(socialite)
    assert after[text, "humor"] == (chosen, "adjudicated")
    assert {key: value for key, value in after.items() if key in before} == before, "nothing else changed"
    assert (second["data"]["text"], "humor") not in after, "what an adjudicator skips stays open"
    open_now = listed(socialite, "--push")
    assert open_now["pushed"]["new"] == 0
    status = socialite.status(KEY)
    assert status["answers_by_role"] == {"audit": 9, "adjudication": 1}
    assert (status["coders"], status["tasks"]["adjudication"]) == (2, 3)

    # another decision, one undone while the server does not hear of it, and `connect` again
    other = {"result": fresh(), "lead_time": 1.0}
    owner.patch(f"/api/annotations/{decided}/", json=other).raise_for_status()
    until(lambda: gold(socialite)[text, "humor"][0] != chosen)
    assert gold(socialite)[text, "humor"] == (OTHER[chosen], "adjudicated"), "the latest counts"
    owner.patch(f"/api/webhooks/{hook['id']}/", json={"is_active": False}).raise_for_status()
    owner.delete(f"/api/annotations/{decided}/").raise_for_status()
    assert gold(socialite)[text, "humor"][1] == "adjudicated", "nobody has told us"
    socialite.run("sync", "--project", KEY)
    assert gold(socialite) == before
    (row,) = [r for r in rows(socialite) if r.role == "adjudication"]
    assert row.ls_id == place
    socialite.run("connect", "--project", KEY, "--backend", socialite.url)
    (hook,) = owner.get("/api/webhooks/", params={"project": place}).json()
    assert hook["is_active"] is True
    assert all(task["predictions"] == [] for task in tasks(owner, place))

    # the project may go when all is decided
    owner.delete(f"/api/projects/{place}").raise_for_status()
    socialite.run("sync", "--project", KEY)
    assert gold(socialite) == before
    anew = listed(socialite, "--push")["pushed"]
    assert anew["ls_project"] != place and anew["new"] == 3


def rows(socialite: Command) -> list[Any]:
    with socialite.store.reading() as s:
        return list(projects.ls_projects(s, projects.by_key(s, KEY).id))
