"""Coders of a live Label Studio, as their browsers speak to it, and what the store holds of what they did."""

from __future__ import annotations

import csv
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import select

from db import answers, projects
from db.answers import LiveAnswer
from db.models import LsTask, Placement, Unit
from tests.real.command import Command, until
from tests.real.label_studio import CHECKOUT

QUESTIONS = ("humor", "offensive")
OTHER = {
    "humorous": "non-humorous",
    "non-humorous": "humorous",
    "offensive": "not offensive",
    "not offensive": "offensive",
}
Regions = list[dict[str, Any]]
RELOADS = 10  # of a page without a suggestion
# Label Studio looks for a free task and locks it afterwards, so two requests in the same hundredth of a second may get
# one task too often. Coders, who read before they answer, do not send such.
ONE_BY_ONE = threading.Lock()


def posts(n: int) -> list[str]:
    with (CHECKOUT / "scripts" / "posts.csv").open(encoding="utf-8", newline="") as rows:
        return [row["text"] for row in csv.DictReader(rows)][:n]


@dataclass
class Coder:
    """An account in Label Studio, what it was served, in order, and what it submitted: annotation id -> origin."""

    http: httpx.Client
    served: list[dict[str, Any]] = field(default_factory=list)
    given: dict[int, str] = field(default_factory=dict)

    def next(self, project: int) -> dict[str, Any] | None:
        """The task that the labelling stream shows next; None when nothing is left."""
        task = self._ask(project)
        if task is not None:
            self.served.append(task)
        return task

    def next_suggested(self, project: int) -> dict[str, Any] | None:
        """As `next`, by a coder who loads the page again when it shows no suggestion.

        Label Studio leaves it out when the backend's /health takes more than a second, as on a busy machine it may.
        """
        for _ in range(RELOADS):
            task = self._ask(project)
            if task is None or task["predictions"]:
                break
            time.sleep(1)
        if task is not None:
            self.served.append(task)
        return task

    def _ask(self, project: int) -> dict[str, Any] | None:
        with ONE_BY_ONE:
            answer = self.http.get(f"/api/projects/{project}/next")
        if answer.status_code == 404:
            return None
        task: dict[str, Any] = answer.raise_for_status().json()
        return task

    def submit(self, task: dict[str, Any], result: Regions, origin: str, **more: Any) -> int:
        """An answer as the labelling screen sends it; `origin` is what it must be in the store."""
        body = {"result": result, "lead_time": 2.5, "project": task["project"], **more}
        answer = self.http.post(f"/api/tasks/{task['id']}/annotations/?project={task['project']}", json=body)
        number = int(answer.raise_for_status().json()["id"])
        self.given[number] = origin
        return number


@dataclass(frozen=True)
class Connected:
    """A connected project, its two projects in Label Studio, and where each of their tasks was drawn."""

    key: str
    id: int
    assisted: int
    audit: int
    placements: dict[int, Placement]  # by Label Studio's task id


def connected(
    socialite: Command, key: str, texts: list[str], *more: str, questions: Sequence[str] = QUESTIONS
) -> Connected:
    socialite.connect(key, texts, ",".join(questions), *more)
    with socialite.store.reading() as s:
        project = projects.by_key(s, key)
        rows = {row.role: row.ls_id for row in projects.ls_projects(s, project.id)}
        query = select(LsTask.task_id, Placement).join(Unit, Unit.id == LsTask.unit_id)
        drawn = s.execute(query.join(Placement, Placement.text_id == Unit.text_id).where(Unit.project_id == project.id))
        return Connected(key, project.id, rows["assisted"], rows["audit"], dict(drawn.all()))


def kept(task: dict[str, Any]) -> tuple[Regions, dict[str, Any]]:
    """What the screen sends for a suggestion that is submitted as it is: its regions, and which prediction it was."""
    (prediction,) = task["predictions"]
    return [region | {"origin": "prediction"} for region in prediction["result"]], {
        "parent_prediction": prediction["id"]
    }


def changed(task: dict[str, Any]) -> tuple[Regions, dict[str, Any]]:
    """The same, after the coder has chosen another label for the first question."""
    (first, *rest), parent = kept(task)
    other = {"choices": [OTHER[first["value"]["choices"][0]]]}
    return [first | {"value": other, "origin": "prediction-changed"}, *rest], parent


def fresh() -> Regions:
    """An answer to every question where nothing was suggested."""
    labels = {"humor": "humorous", "offensive": "not offensive"}
    return [
        {
            "id": name,
            "from_name": name,
            "to_name": "text",
            "type": "choices",
            "origin": "manual",
            "value": {"choices": [x]},
        }
        for name, x in labels.items()
    ]


def otherwise(result: Regions) -> Regions:
    """Another answer to the first question, the same to the second."""
    first, *rest = result
    return [first | {"value": {"choices": [OTHER[first["value"]["choices"][0]]]}}, *rest]


def live(socialite: Command, connected: Connected) -> dict[int, LiveAnswer]:
    """The store's answers by Label Studio's annotation id."""
    with socialite.store.reading() as s:
        return {answer.annotation_id: answer for answer in answers.live(s, connected.id)}


def arrived(socialite: Command, connected: Connected, expected: dict[int, str]) -> dict[int, LiveAnswer]:
    """The store's answers, once all that are expected are there; each with the origin it must have."""
    until(lambda: expected.keys() <= live(socialite, connected).keys())
    found = live(socialite, connected)
    assert {number: answer.origin for number, answer in found.items()} == expected
    return found


def predictions(owner: httpx.Client, project: int) -> dict[int, list[dict[str, Any]]]:
    """Task id -> its predictions, of all tasks of a project in Label Studio."""
    query = {"project": project, "fields": "all", "page_size": 200}
    tasks = owner.get("/api/tasks", params=query).raise_for_status().json()["tasks"]
    return {task["id"]: task["predictions"] for task in tasks}


def in_turn(order: list[int], served: list[int], apart: int) -> bool:
    """Whether tasks were served in this order, by coders who ask at the same time: at most so many places apart."""
    return all(abs(order.index(task) - place) <= apart for place, task in enumerate(served))


def at_once(coders: list[Coder], work: Callable[[Coder], None]) -> None:
    """Every coder works in a thread of their own."""
    faults: list[Exception] = []

    def guarded(coder: Coder) -> None:
        try:
            work(coder)
        except Exception as fault:  # noqa: BLE001 - raised in the test's own thread
            faults.append(fault)

    threads = [threading.Thread(target=guarded, args=(coder,)) for coder in coders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
