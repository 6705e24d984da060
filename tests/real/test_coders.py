"""Coders at work in a live Label Studio: what they are served, in which order, and what of it the store holds."""

from __future__ import annotations

import csv
import math
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from db import answers, projects, releases, revisions
from db.answers import LiveAnswer
from db.models import CodebookRevision, Job, LsTask, Placement, Unit
from tests.real.command import PASSWORD, USER, Command, serving, until
from tests.real.label_studio import CHECKOUT, Server

pytestmark = pytest.mark.real

QUESTIONS = ("humor", "offensive")
OTHER = {
    "humorous": "non-humorous",
    "non-humorous": "humorous",
    "offensive": "not offensive",
    "not offensive": "offensive",
}
Regions = list[dict[str, Any]]
# Label Studio looks for a free task and locks it afterwards, so two requests in the same hundredth of a second may get
# one task too often. Coders, who read before they answer, do not send such.
RELOADS = 10  # of a page without a suggestion
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


@pytest.fixture(scope="module")
def socialite(label_studio: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    with serving(tmp_path_factory.mktemp("coders"), label_studio) as command:
        yield command


@pytest.fixture(scope="module")
def owner(label_studio: Server) -> Iterator[httpx.Client]:
    with label_studio.http() as http:
        yield http


@pytest.fixture(scope="module")
def coders(label_studio: Server) -> Iterator[list[Coder]]:
    """Three accounts."""
    tokens = [label_studio.coder(f"{name}@example.org") for name in ("ada", "ben", "cleo")]
    clients = [label_studio.http(token) for token in tokens]
    yield [Coder(client) for client in clients]
    for client in clients:
        client.close()


@dataclass(frozen=True)
class Connected:
    """A connected project, its two projects in Label Studio, and where each of their tasks was drawn."""

    key: str
    id: int
    assisted: int
    audit: int
    placements: dict[int, Placement]  # by Label Studio's task id


def connected(socialite: Command, key: str, texts: list[str], *more: str) -> Connected:
    socialite.connect(key, texts, ",".join(QUESTIONS), *more)
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


def uncertainty(task: dict[str, Any]) -> float:
    """How sure the suggestion is, 0 to 1: the mean over the questions of P(best) - P(second), of two labels each."""
    (prediction,) = task["predictions"]
    return math.fsum(2 * region["score"] - 1 for region in prediction["result"]) / len(prediction["result"])


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
            query = select(Job.message).where(Job.project_id == project.id, Job.kind == "retrain", Job.state == "done")
            return s.scalar(query)

    assert "No training took place" in (until(trained) or "")
