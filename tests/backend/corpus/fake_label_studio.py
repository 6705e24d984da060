"""A Label Studio in memory: projects, tasks and webhooks, as far as connecting and adjudicating need them, in the form
of its client.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

from backend.corpus.label_studio_errors import GoneError, LabelStudioError

Json = dict[str, Any]
CREATED = "2026-01-02T03:04:05.000000Z"
COUNTED = {"total_annotations": 0, "cancelled_annotations": 0, "total_predictions": 0}  # added to every task


class FakeLabelStudio:
    """In place of `backend.corpus.label_studio.LabelStudio`. `calls` names every request that changes something."""

    def __init__(self, url: str = "http://fake.example:8080") -> None:
        self.url = url
        self.held: dict[int, Json] = {}
        self.tasks_of: dict[int, list[Json]] = {}
        self.hooks: list[Json] = []
        self.ml: list[Json] = []
        self.calls: list[str] = []
        self.read = 0  # tasks read in full
        self.answered: dict[int, list[str]] = {}  # labels in answers, by project
        self._numbers = count(100)

    def create_project(self, **fields: Any) -> Json:
        self.calls.append("create project")
        number = next(self._numbers)
        plain = {"maximum_annotations": 1, "sampling": "Sequential sampling", "show_collab_predictions": True}
        self.held[number] = plain | {"id": number, "created_at": CREATED, "total_annotations_number": 0} | fields
        self.tasks_of[number] = []
        return self.project(number)

    def project(self, number: int) -> Json:
        if number not in self.held:
            raise GoneError("There is no such project.")
        return self.held[number] | {"task_number": len(self.tasks_of[number])}

    def projects(self) -> Iterator[Json]:
        yield from [self.project(number) for number in self.held]

    def patch_project(self, number: int, **fields: Any) -> Json:
        self.calls.append(f"patch project {number}: {', '.join(fields)}")
        self.held[number] |= fields
        return self.project(number)

    def validate_config(self, number: int, label_config: str) -> None:
        """Refuses a screen without a word that `answered` says coders have used."""
        for word in self.answered.get(number, ()):
            if f'"{word}"' not in label_config:
                said = f"These labels still exist in annotations or drafts: {word} (1 annotation)"
                raise LabelStudioError(
                    f"Label Studio answered 400 to POST api/projects/{number}/validate/: {said}.", 400
                )

    def import_tasks(self, number: int, tasks: Sequence[Json]) -> list[int]:
        self.calls.append(f"import into {number}")
        new = [COUNTED | task | {"id": next(self._numbers)} for task in tasks]
        self.tasks_of[number] += new
        return [task["id"] for task in new]

    def tasks(self, number: int, *, full: bool = True) -> Iterator[tuple[int, list[Json]]]:
        if there := self.tasks_of.get(number):
            yield len(there), list(there)

    def task(self, number: int) -> Json | None:
        return next((task for tasks in self.tasks_of.values() for task in tasks if task["id"] == number), None)

    def overview(self, number: int) -> Iterator[tuple[int, list[Json]]]:
        for total, page in self.tasks(number):
            yield total, [_counted(task) for task in page]

    def chosen(self, number: int, ids: Sequence[int], *, full: bool = True) -> list[Json]:
        self.read += len(ids) if full else 0
        return [copy.deepcopy(task) for task in self.tasks_of[number] if task["id"] in ids]

    def annotation(self, number: int) -> Json | None:
        held = [one for tasks in self.tasks_of.values() for task in tasks for one in task.get("annotations") or []]
        return next((one for one in held if one["id"] == number), None)

    def delete_tasks(self, number: int, ids: Sequence[int]) -> None:
        self.calls.append(f"delete from {number}")
        self.tasks_of[number] = [task for task in self.tasks_of[number] if task["id"] not in ids]

    def backends(self, number: int) -> list[Json]:
        return [backend for backend in self.ml if backend["project"] == number]

    def webhooks(self, number: int | None = None) -> list[Json]:
        return [dict(hook) for hook in self.hooks if number in (None, hook["project"])]

    def delete_webhook(self, number: int) -> None:
        self.calls.append(f"delete webhook {number}")
        self.hooks = [hook for hook in self.hooks if hook["id"] != number]

    def create_webhook(self, number: int, url: str, headers: dict[str, str]) -> Json:
        self.calls.append(f"create webhook of {number}")
        on = {"is_active": True, "send_payload": True, "send_for_all_actions": True}
        hook = on | {"id": next(self._numbers), "project": number, "url": url, "headers": headers}
        self.hooks.append(hook)
        return dict(hook)

    def patch_webhook(self, number: int, **fields: Any) -> Json:
        (hook,) = [hook for hook in self.hooks if hook["id"] == number]
        hook |= fields
        return dict(hook)


def _counted(task: Json) -> Json:
    """A task as Label Studio's list has it, without what it holds."""
    skipped = [one["was_cancelled"] for one in task.get("annotations") or []]
    times = {name: task.get(name, CREATED) for name in ("created_at", "updated_at")}
    return times | {
        "id": task["id"],
        "total_annotations": skipped.count(False),
        "cancelled_annotations": skipped.count(True),
    }
