"""What happens in Label Studio beside the coding: tasks and answers are deleted in bulk, made from suggestions,
imported with answers and merged; webhooks are lost, doubled, bared and left behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx

Json = dict[str, Any]
STRANGER = "http://127.0.0.1:9/somebody-else"


def act(owner: httpx.Client, project: int, action: str, tasks: Sequence[int]) -> None:
    """An action of the Data Manager on these tasks."""
    body = {"selectedItems": {"all": False, "included": list(tasks)}, "project": project}
    owner.post("/api/dm/actions/", params={"id": action, "project": project}, json=body).raise_for_status()


def in_bulk(owner: httpx.Client, project: int, answered: Sequence[int], others: Sequence[int]) -> int:
    """Delete tasks with and without answers, and all answers of others; make answers of suggestions. Tasks deleted."""
    gone = [*answered[:4], *others[:4]]
    act(owner, project, "delete_tasks", gone)
    act(owner, project, "delete_tasks_annotations", answered[4:7])
    act(owner, project, "predictions_to_annotations", others[4:9])
    return len(gone)


def by_hand(owner: httpx.Client, project: int) -> int:
    """Import tasks by hand, one with an answer, two of the same text, each of which is answered, and merge these:
    Label Studio then moves an answer. Tasks deleted.
    """
    result = _result("non-humorous")
    posted = [
        {"data": {"text": "typed in by hand"}, "annotations": [{"result": result}]},
        {"data": {"text": "typed in twice"}},
        {"data": {"text": "typed in twice"}},
    ]
    query = {"return_task_ids": "true"}
    said = owner.post(f"/api/projects/{project}/import", params=query, json=posted).raise_for_status().json()
    _, one, same = said["task_ids"]
    for task in (one, same):
        owner.post(f"/api/tasks/{task}/annotations/", json={"result": result, "lead_time": 1.0}).raise_for_status()
    act(owner, project, "remove_duplicates", [one, same])
    return 1


def two_truths(owner: httpx.Client, task: int) -> None:
    """Give two answers to a task and mark one after the other as the truth: Label Studio tells of the second mark, and
    not that it took the first away.
    """
    for label in ("humorous", "non-humorous"):
        said = owner.post(f"/api/tasks/{task}/annotations/", json={"result": _result(label), "lead_time": 1.0})
        number = said.raise_for_status().json()["id"]
        owner.patch(f"/api/annotations/{number}/", json={"ground_truth": True}).raise_for_status()


def _result(label: str) -> list[Json]:
    region = {"id": "h", "from_name": "humor", "to_name": "text", "type": "choices", "value": {"choices": [label]}}
    return [region]


def hooks(owner: httpx.Client, project: int) -> list[Json]:
    return list(owner.get("/api/webhooks/", params={"project": project}).raise_for_status().json())


def damage(owner: httpx.Client, assisted: int, audit: int) -> None:
    """Take the secret from the assisted project's webhook and double it, delete the audit's, have no suggestion shown,
    leave a webhook of a backend in another project that has none; and add one that is somebody else's.
    """
    (mine,) = hooks(owner, assisted)
    (blind,) = hooks(owner, audit)
    owner.patch(f"/api/webhooks/{mine['id']}/", json={"headers": {}}).raise_for_status()
    owner.delete(f"/api/webhooks/{blind['id']}/").raise_for_status()
    owner.patch(f"/api/projects/{assisted}", json={"model_version": ""}).raise_for_status()
    there = owner.get(f"/api/projects/{assisted}").raise_for_status().json()
    other = owner.post("/api/projects", json={"title": "Another", "label_config": there["label_config"]})
    number = other.raise_for_status().json()["id"]
    for project, url in ((assisted, mine["url"]), (number, mine["url"]), (assisted, STRANGER)):
        body = {"project": project, "url": url, "send_payload": True, "send_for_all_actions": True, "headers": {}}
        owner.post("/api/webhooks/", json=body).raise_for_status()
