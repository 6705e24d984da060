"""A corpus pre-labelled into a live Label Studio: shown without a running server, gone on with after a kill, and served
in order to several coders at once.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from db import projects
from db.models import LsTask, Placement, Project, Push, Unit
from db.store import Store, open_store, sqlite_url
from tests.real.coding import Coder, at_once, connected, in_turn, kept, posts, predictions
from tests.real.command import Command, serving
from tests.real.label_studio import CHECKOUT, Server

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def coders(label_studio: Server) -> Iterator[list[Coder]]:
    """Three accounts."""
    tokens = [label_studio.coder(f"{name}.prelabel@example.org") for name in ("ada", "ben", "cleo")]
    clients = [label_studio.http(token) for token in tokens]
    yield [Coder(client) for client in clients]
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def socialite(label_studio: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    with serving(tmp_path_factory.mktemp("prelabel"), label_studio) as command:
        yield command


def placed(store: Store, key: str) -> dict[int, Placement]:
    """Label Studio's task id -> placement."""
    with store.reading() as s:
        query = select(LsTask.task_id, Placement).join(Unit, Unit.id == LsTask.unit_id)
        drawn = query.join(Placement, Placement.text_id == Unit.text_id).join(Project, Project.id == Unit.project_id)
        return dict(s.execute(drawn.where(Project.key == key)).all())


def lowest_first(owner: httpx.Client, project: int) -> list[int]:
    held = predictions(owner, project)
    assert all(len(one) == 1 for one in held.values())
    return sorted(held, key=lambda task: held[task][0]["score"])


def test_suggestions_are_shown_while_no_server_runs(
    label_studio: Server, owner: httpx.Client, coders: list[Coder], tmp_path: Path
) -> None:
    with serving(tmp_path, label_studio) as command:
        command.connect("alone", posts(14), "humor,offensive", "--audit", "3", "--control", "2", "--no-push")
    time.sleep(16)  # the right of a server that was ended hard lasts 15 seconds
    command.run("prelabel", "--project", "alone", "--push")
    release = command.status("alone")["release"]
    store = open_store(sqlite_url(tmp_path))
    with store.reading() as s:
        rows = {row.role: row.ls_id for row in projects.ls_projects(s, projects.by_key(s, "alone").id)}
    store.close()
    there = owner.get(f"/api/projects/{rows['assisted']}").json()
    assert there["model_version"] == release
    coder = Coder(coders[0].http)
    first = coder.next(rows["assisted"])
    assert first is not None
    assert [one["model_version"] for one in first["predictions"]] == [release]
    assert first["id"] == lowest_first(owner, rows["assisted"])[0], "and in their order"
    blind = coder.next(rows["audit"])
    assert blind is not None and blind["predictions"] == []
    assert owner.get("/api/ml", params={"project": rows["assisted"]}).json() == []
    with serving(tmp_path, label_studio) as again:
        again.run("connect", "--project", "alone", "--backend", again.url)
        (backend,) = owner.get("/api/ml", params={"project": rows["assisted"]}).json()
        assert (backend["title"], backend["state"]) == (release, "CO")
        assert owner.get(f"/api/projects/{rows['assisted']}").json()["model_version"] == release
        second = coder.next_suggested(rows["assisted"])
        assert second is not None and second["predictions"]


def test_a_killed_push_goes_on_and_sends_none_twice(socialite: Command, owner: httpx.Client) -> None:
    words = " ".join(posts(60)).split()
    rng = random.Random(7)
    texts = [" ".join(rng.choices(words, k=12)) for _ in range(2400)]  # no two are alike
    socialite.connect("killed", texts, "humor", "--audit", "20", "--control", "10", "--no-push")
    order = [sys.executable, "-m", "backend.cli", "prelabel", "--project", "killed", "--push"]
    child = subprocess.Popen(order, cwd=CHECKOUT, env=socialite.environment, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while pushed(socialite) < 500 and child.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -9, "it was killed in the middle"
    before = pushed(socialite)
    assert 0 < before < len(texts) - 20
    assert socialite.run("prelabel", "--project", "killed", "--push") == ""
    with socialite.store.reading() as s:
        (project,) = [
            row.ls_id for row in projects.ls_projects(s, projects.by_key(s, "killed").id) if row.role == "assisted"
        ]
    assert owner.get(f"/api/projects/{project}").json()["total_predictions_number"] == len(texts) - 20
    held = [len(p) for page in range(1, 13) for p in _page(owner, project, page)]
    assert held == [1] * (len(texts) - 20)
    assert pushed(socialite) == len(texts) - 20


def _page(owner: httpx.Client, project: int, page: int) -> list[list[Any]]:
    query = {"project": project, "fields": "all", "page": page, "page_size": 200}
    answer = owner.get("/api/tasks", params=query)
    return [task["predictions"] for task in answer.json()["tasks"]] if answer.status_code == 200 else []


def pushed(socialite: Command) -> int:
    with socialite.store.reading() as s:
        sent = select(func.count(Push.id)).join(LsTask).join(Unit).join(Project, Project.id == Unit.project_id)
        return s.scalars(sent.where(Project.key == "killed", Push.pushed_at.is_not(None))).one()


@pytest.mark.parametrize(("overlap", "more"), [(1, ()), (2, ()), (1, ("--diversity",))])
def test_who_gets_what_in_which_order(
    socialite: Command, owner: httpx.Client, coders: list[Coder], overlap: int, more: tuple[str, ...]
) -> None:
    """Three coders at work at the same time on 24 tasks, 4 of them controls."""
    key = f"order-{overlap}{'-diverse' * bool(more)}"
    project = connected(socialite, key, posts(30), "--audit", "6", "--control", "4", "--no-push")
    owner.patch(f"/api/projects/{project.assisted}", json={"maximum_annotations": overlap}).raise_for_status()
    for task in owner.get("/api/tasks", params={"project": project.assisted, "page_size": 100}).json()["tasks"]:
        owner.patch(f"/api/tasks/{task['id']}/", json={"overlap": overlap}).raise_for_status()
    socialite.run("prelabel", "--project", key, "--push", *more)
    order = lowest_first(owner, project.assisted)
    team = [Coder(coder.http) for coder in coders]
    served: list[int] = []

    def work(coder: Coder) -> None:
        while task := coder.next_suggested(project.assisted):
            served.append(task["id"])
            result, parent = kept(task)
            coder.submit(task, result, "kept", **parent)

    at_once(team, work)
    print(key, [[order.index(task["id"]) for task in coder.served] for coder in team])
    streams = [project.placements[task].stream for task in order]
    assert streams == ["control"] * 4 + ["work"] * 20
    who: dict[int, set[int]] = defaultdict(set)
    for number, coder in enumerate(team):
        own = [task["id"] for task in coder.served]
        assert len(own) == len(set(own)), "nobody gets a text twice"
        places = [order.index(task) for task in own]
        assert all(later > earlier - 3 for earlier, later in pairwise(places))
        for task in own:
            who[task].add(number)
    assert {task: len(numbers) for task, numbers in who.items()} == dict.fromkeys(order, overlap)
    firsts = list(dict.fromkeys(served))
    assert in_turn(order, firsts, apart=2), "the team as a whole goes through the order"
