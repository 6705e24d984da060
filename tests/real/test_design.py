"""A plan put into force in a live Label Studio, and what three coders are then served."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from backend.corpus.drawing import audit_order
from db import projects, texts
from tests.real.coding import Coder, fresh, posts
from tests.real.command import Command, serving, until
from tests.real.label_studio import Server

pytestmark = pytest.mark.real

KEY, SHOWN = "plan", "shown"


@pytest.fixture(scope="module")
def socialite(label_studio: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    with serving(tmp_path_factory.mktemp("design"), label_studio) as command:
        yield command


def designed(socialite: Command, *more: str) -> dict[str, Any]:
    words = ("--project", KEY, "--coders", "3", "--hours", "0.4", "--apply", "--json", *more)
    return dict(json.loads(socialite.run("design", *words)))


def ls_projects(socialite: Command) -> dict[str, int]:
    with socialite.store.reading() as s:
        return {row.role: row.ls_id for row in projects.ls_projects(s, projects.by_key(s, KEY).id)}


def tasks(owner: httpx.Client, project: int) -> list[dict[str, Any]]:
    query: dict[str, Any] = {"project": project, "fields": "all", "page_size": 200}
    return sorted(owner.get("/api/tasks", params=query).json()["tasks"], key=lambda task: task["id"])


def picture(owner: httpx.Client, project: int) -> list[tuple[int, str, int]]:
    return [(task["id"], task["data"]["text"], task["overlap"]) for task in tasks(owner, project)]


def test_a_plan_is_put_into_force_and_three_coders_are_served_in_its_order(
    socialite: Command, owner: httpx.Client, label_studio: Server
) -> None:
    corpus = posts(30)
    socialite.connect(KEY, corpus, "humor,offensive", "--audit", "4", "--coders-per-audit-text", "2", "--no-push")
    audit = ls_projects(socialite)["audit"]
    began = picture(owner, audit)
    assert [overlap for _, _, overlap in began] == [2] * 4

    done = designed(socialite, "--per-text", "3")
    applied = done["applied"]
    size = applied["audit"]
    assert applied == {
        "audit": size,
        "control": applied["control"],
        "coders": 3,
        "audit_project": audit,
        "tasks": size - 4,
    }
    assert size == done["plans"]["recommended"]["audit"] > 4
    there = owner.get(f"/api/projects/{audit}").json()
    assert (there["maximum_annotations"], there["sampling"]) == (3, "Sequential sampling")
    now = picture(owner, audit)
    assert [(number, text) for number, text, _ in now[:4]] == [(number, text) for number, text, _ in began]
    assert [overlap for _, _, overlap in now] == [3] * size, "the tasks that were there too"
    with socialite.store.reading() as s:
        project = projects.by_key(s, KEY)
    order = audit_order(socialite.store, project)
    with socialite.store.reading() as s:
        words = texts.bodies(s, order)
    assert [text for _, text, _ in now] == [words[text][0] for text in order]
    left = [task["data"]["text"] for task in tasks(owner, ls_projects(socialite)["assisted"])]
    assert sorted(left + [text for _, text, _ in now]) == sorted(corpus)

    again = designed(socialite, "--per-text", "3")
    assert again["applied"] == applied | {"tasks": 0}
    assert picture(owner, audit) == now

    coders = [Coder(label_studio.http(label_studio.coder(f"{name}@plan.example"))) for name in ("dora", "emil", "fay")]
    who: dict[int, set[int]] = defaultdict(set)
    for _ in range(size):
        for number, coder in enumerate(coders):
            task = coder.next(audit)
            assert task is not None
            assert task["predictions"] == []
            coder.submit(task, fresh(), "human")
            who[task["id"]].add(number)
    for coder in coders:
        assert [task["id"] for task in coder.served] == [number for number, _, _ in now]
        assert coder.next(audit) is None
        coder.http.close()
    assert all(people == {0, 1, 2} for people in who.values())

    assert until(lambda: socialite.status(KEY)["answers_by_role"].get("audit") == 3 * size)
    with pytest.raises(AssertionError, match="under the rule that 3 people code each text"):
        designed(socialite, "--per-text", "2")
    assert designed(socialite)["applied"]["coders"] == 3


def test_texts_that_were_shown_cannot_join(socialite: Command) -> None:
    socialite.connect(SHOWN, posts(40)[30:] + posts(10), "humor", "--audit", "3", "--coders-per-audit-text", "2")
    words = ("--project", SHOWN, "--coders", "2", "--hours", "9", "--apply", "--json")
    done = json.loads(socialite.run("design", *words))
    assert done["plans"]["recommended"]["audit"] == 10
    assert (done["applied"]["audit"], done["applied"]["tasks"]) == (3, 0)
    assert done["applied"]["control"] == done["plans"]["recommended"]["control"], "controls are shown one anyway"
