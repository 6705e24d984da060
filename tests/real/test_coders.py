"""Coders at work in a live Label Studio: what they are served, in which order, and what of it the store holds."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from db import releases, revisions
from db.models import CodebookRevision, Job
from tests.real.coding import (
    OTHER,
    QUESTIONS,
    Coder,
    arrived,
    at_once,
    changed,
    connected,
    fresh,
    in_turn,
    kept,
    live,
    posts,
    predictions,
)
from tests.real.command import PASSWORD, USER, Command, serving, until
from tests.real.label_studio import Server

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def socialite(label_studio: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    with serving(tmp_path_factory.mktemp("coders"), label_studio) as command:
        yield command


@pytest.fixture(scope="module")
def coders(label_studio: Server) -> Iterator[list[Coder]]:
    """Three accounts."""
    tokens = [label_studio.coder(f"{name}@example.org") for name in ("ada", "ben", "cleo")]
    clients = [label_studio.http(token) for token in tokens]
    yield [Coder(client) for client in clients]
    for client in clients:
        client.close()


def uncertainty(task: dict[str, Any]) -> float:
    """How sure the suggestion is, 0 to 1: the mean over the questions of P(best) - P(second), of two labels each."""
    (prediction,) = task["predictions"]
    return math.fsum(2 * region["score"] - 1 for region in prediction["result"]) / len(prediction["result"])


def test_one_coder_from_the_first_suggestion_to_the_counts(
    socialite: Command, owner: httpx.Client, coders: list[Coder]
) -> None:
    project = connected(socialite, "one", posts(20), "--audit", "5", "--control", "3")
    coder = Coder(coders[0].http)
    while task := coder.next_suggested(project.assisted):
        turn = len(coder.served) % 3
        if turn == 0:
            coder.submit(task, [], "human", was_cancelled=True)  # skipped
        else:
            result, parent = kept(task) if turn == 1 else changed(task)
            coder.submit(task, result, "kept" if turn == 1 else "changed", **parent)
    served = [task["id"] for task in coder.served]
    drawn = [project.placements[task] for task in served]
    assert [place.stream for place in drawn] == ["control"] * 3 + ["work"] * 12
    ranks = [place.rank for place in drawn[:3]]
    assert ranks == sorted(ranks, key=lambda rank: rank or 0)
    sureness = [uncertainty(task) for task in coder.served[3:]]
    assert sureness == sorted(sureness)
    assert sureness[0] < sureness[-1]
    found = arrived(socialite, project, coder.given)
    with socialite.store.reading() as s:
        names = {number: name for name, number in revisions.question_ids(s, project.id).items()}
        codes = {number: name for (_, name), number in revisions.label_ids(s, project.id).items()}
        release = releases.current(s, project.id)
    assert release is not None
    for answer, task in zip(found.values(), coder.served, strict=True):
        assert answer.release_id == (None if answer.cancelled else release.id)
        assert answer.cancelled == (not answer.values)
        origins = {names[value.question_id]: value.origin for value in answer.values}
        if answer.origin == "kept":
            assert origins == {"humor": "kept", "offensive": "kept"}
        if answer.origin == "changed":
            assert origins == {"humor": "changed", "offensive": "kept"}
            (said,) = [codes[value.label_id] for value in answer.values if names[value.question_id] == "humor"]
            (suggested,) = [
                x["value"]["choices"][0] for x in task["predictions"][0]["result"] if x["from_name"] == "humor"
            ]
            assert said == OTHER[suggested]
    gone = next(iter(coder.given))
    owner.delete(f"/api/annotations/{gone}/").raise_for_status()
    assert until(lambda: gone not in live(socialite, project))
    status = socialite.status("one")
    assert status["answers"] == {"kept": 4, "changed": 5}
    assert (status["skipped"], status["deleted"], status["coders"]) == (5, 1, 1)
    assert status["answers_by_role"] == {"assisted": 9}
    assert (status["inbox_waiting"], status["inbox_failed"]) == (0, 0)


def test_three_coders_at_once(socialite: Command, owner: httpx.Client, coders: list[Coder]) -> None:
    project = connected(
        socialite, "three", posts(30)[8:], "--audit", "7", "--control", "4", "--coders-per-audit-text", "2"
    )
    auditors, assisted = [Coder(coder.http) for coder in coders], [Coder(coder.http) for coder in coders]
    first_served: list[int] = []

    def audit(coder: Coder) -> None:
        while task := coder.next(project.audit):
            assert task["predictions"] == []
            if task["id"] not in first_served:
                first_served.append(task["id"])
            coder.submit(task, fresh(), "human")

    at_once(auditors, audit)
    order = sorted(predictions(owner, project.audit))
    ranks = [project.placements[task].rank for task in order]
    assert [project.placements[task].stream for task in order] == ["audit"] * 7
    assert ranks == sorted(ranks, key=lambda rank: rank or 0), "tasks were imported in the order of the permutation"
    assert in_turn(order, first_served, apart=2)
    who = defaultdict(set)
    for number, coder in enumerate(auditors):
        own = [task["id"] for task in coder.served]
        # Label Studio passes over a text that two others have in hand, and serves it next if it is free again
        assert in_turn(sorted(own), own, apart=2), "each coder is served in the order of the permutation"
        for task in own:
            who[task].add(number)
    assert {task: len(numbers) for task, numbers in who.items()} == dict.fromkeys(order, 2)

    served: list[int] = []

    def assist(coder: Coder) -> None:
        while task := coder.next_suggested(project.assisted):
            served.append(task["id"])
            result, parent = changed(task) if len(coder.served) % 2 else kept(task)
            coder.submit(task, result, "changed" if len(coder.served) % 2 else "kept", **parent)

    at_once(assisted, assist)
    held = predictions(owner, project.assisted)
    lowest_first = sorted(held, key=lambda task: held[task][0]["score"])
    assert sorted(served) == sorted(held), "overlap 1: every task is served once"
    assert [project.placements[task].stream for task in lowest_first] == ["control"] * 4 + ["work"] * 11
    assert in_turn(lowest_first, served, apart=2)
    given = {number: origin for coder in (*auditors, *assisted) for number, origin in coder.given.items()}
    found = arrived(socialite, project, given)
    blind = [answer for answer in found.values() if answer.ls_role == "audit"]
    per_text = defaultdict(set)
    for answer in blind:
        assert answer.release_id is None
        per_text[answer.text_id].add(answer.coder_id)
    assert [len(people) for people in per_text.values()] == [2] * 7
    status = socialite.status("three")
    assert status["answers"] == dict(Counter(given.values()))
    assert status["answers_by_role"] == {"audit": 14, "assisted": 15}
    assert status["coders"] == 3
    assert not any(predictions(owner, project.audit).values())


def retrieve(owner: httpx.Client, project: int, tasks: list[int]) -> None:
    """The Data Manager's 'Retrieve Predictions'."""
    act(owner, "retrieve_tasks_predictions", project, tasks)


def act(owner: httpx.Client, action: str, project: int, tasks: list[int]) -> None:
    body = {"selectedItems": {"all": False, "included": tasks}, "project": str(project)}
    owner.post("/api/dm/actions", params={"id": action, "project": project}, json=body).raise_for_status()


def test_suggestions_that_are_asked_for_and_the_audit_gets_none(
    socialite: Command, owner: httpx.Client, coders: list[Coder]
) -> None:
    project = connected(socialite, "asked", posts(26)[14:], "--audit", "3", "--control", "2")
    audited = owner.get("/api/tasks", params={"project": project.audit, "fields": "all"}).json()["tasks"]
    by_hand = [{"data": {"text": "A penguin walks into a bar and asks: have you seen my brother?"}}]
    by_hand += [{"data": {"text": task["data"]["text"]}} for task in audited]
    path = f"/api/projects/{project.assisted}/import?return_task_ids=true"
    new, *copies = owner.post(path, json=by_hand).raise_for_status().json()["task_ids"]
    retrieve(owner, project.assisted, [new, *copies])
    held = predictions(owner, project.assisted)
    assert {region["from_name"] for region in held[new][0]["result"]} == set(QUESTIONS)
    assert [held[copy] for copy in copies] == [[]] * 3, "a text of the audit gets none in the assisted project either"
    (backend,) = owner.get("/api/ml", params={"project": project.assisted}).json()
    whole = {
        "auth_method": "BASIC_AUTH",
        "basic_auth_user": USER,
        "basic_auth_pass": PASSWORD,
        "title": backend["title"],
    }
    whole |= {"url": backend["url"], "project": project.assisted, "is_interactive": True}
    owner.patch(f"/api/ml/{backend['id']}", json=whole).raise_for_status()
    ask = f"/api/ml/{backend['id']}/interactive-annotating"
    shown = owner.post(ask, json={"task": new, "context": {"result": []}}).raise_for_status().json()
    assert {region["from_name"] for region in shown["data"]["result"]} == set(QUESTIONS)
    for copy in copies:
        blind = owner.post(ask, json={"task": copy, "context": {"result": []}}).raise_for_status().json()
        assert not blind.get("data", {}).get("result")
    there = owner.get(f"/api/projects/{project.audit}").json()
    name = f"{project.audit}.{int(datetime.fromisoformat(there['created_at']).timestamp())}"
    asked = {"tasks": audited, "project": name, "label_config": there["label_config"], "params": {}}
    for path in (f"/ls/{project.key}/predict", "/predict"):
        results = socialite.post(path, asked)["results"]
        assert [result.get("result") for result in results] == [None] * 3
    for task in audited:
        assert owner.get(f"/api/tasks/{task['id']}").json()["predictions"] == []
    assert not any(predictions(owner, project.audit).values())
    act(owner, "predictions_to_annotations", project.assisted, [new])
    (made,) = owner.get(f"/api/tasks/{new}/annotations/").json()
    arrived(socialite, project, {made["id"]: "bulk"})
    status = socialite.status("asked")
    assert (status["answers"], status["texts"]["audit"], status["texts"]["work"]) == ({"bulk": 1}, 3, 8)


def test_a_changed_labelling_screen_is_a_new_revision_and_release(
    socialite: Command, owner: httpx.Client, coders: list[Coder]
) -> None:
    project = connected(socialite, "screen", posts(12)[4:], "--audit", "2", "--control", "1")
    before = socialite.status("screen")["release"]
    there = owner.get(f"/api/projects/{project.assisted}").json()
    choice = '<Choice value="humorous"'
    assert choice in there["label_config"]
    config = there["label_config"].replace(choice, '<Choice value="very humorous" hint="Laughed aloud."/>' + choice)
    owner.patch(f"/api/projects/{project.assisted}", json={"label_config": config}).raise_for_status()

    def in_step() -> bool:
        status, now = socialite.status("screen"), owner.get(f"/api/projects/{project.assisted}").json()
        (backend,) = owner.get("/api/ml", params={"project": project.assisted}).json()
        return status["pushed"] == 6 and now["model_version"] == backend["title"] == status["release"] != before

    assert until(in_step)
    release = socialite.status("screen")["release"]
    with socialite.store.reading() as s:
        revision = revisions.current(s, project.id)
        numbers = s.scalars(select(CodebookRevision.number).where(CodebookRevision.project_id == project.id)).all()
        assert revision is not None
        labels = [label.code for label in revisions.codebook(revision).question("humor").labels]
    assert sorted(numbers) == [1, 2]
    assert labels == ["non-humorous", "very humorous", "humorous"]
    for held in predictions(owner, project.assisted).values():
        assert [p["model_version"] for p in held].count(release) == 1
    task = Coder(coders[0].http).next(project.assisted)
    assert task is not None
    assert {p["model_version"] for p in task["predictions"]} == {release}
    assert not any(predictions(owner, project.audit).values())
    (backend,) = owner.get("/api/ml", params={"project": project.assisted}).json()
    assert release in owner.get(f"/api/ml/{backend['id']}/versions").json()["versions"]
    owner.post(f"/api/ml/{backend['id']}/train", json={}).raise_for_status()

    def trained() -> str | None:
        with socialite.store.reading() as s:
            query = select(Job.message).where(
                Job.project_id == project.id, Job.kind == "retrain", Job.state == "failed"
            )
            return s.scalar(query)

    assert (until(trained) or "").startswith("Nobody has answered yet")
