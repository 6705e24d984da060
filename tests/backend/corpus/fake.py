"""A Label Studio that is a few dictionaries: what `adjudicate` asks of one, and what it then holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from backend.corpus.label_studio_errors import GoneError

Json = dict[str, Any]
CREATED = "2026-11-22T21:47:52.516314Z"


@dataclass
class FakeLabelStudio:
    """Projects, tasks and webhooks by id; `url` is the server's."""

    url: str
    there: dict[int, Json] = field(default_factory=dict)
    made: dict[int, Json] = field(default_factory=dict)  # tasks
    hooks: dict[int, Json] = field(default_factory=dict)
    ml: dict[int, list[Json]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(100))

    def create_project(self, **fields: Any) -> Json:
        number = next(self.numbers)
        self.there[number] = {"id": number, "created_at": CREATED, **fields}
        return self.project(number)

    def project(self, project_id: int) -> Json:
        if project_id not in self.there:
            raise GoneError("gone")
        held = sum(task["project"] == project_id for task in self.made.values())
        return self.there[project_id] | {"task_number": held}

    def patch_project(self, project_id: int, **fields: Any) -> Json:
        self.there[project_id] |= fields
        return self.project(project_id)

    def projects(self) -> Iterator[Json]:
        yield from self.there.values()

    def backends(self, project_id: int) -> list[Json]:
        return self.ml.get(project_id, [])

    def webhooks(self, project_id: int) -> list[Json]:
        return [hook for hook in self.hooks.values() if hook["project"] == project_id]

    def create_webhook(self, project_id: int, url: str, headers: dict[str, str]) -> Json:
        number = next(self.numbers)
        on = {"is_active": True, "send_payload": True, "send_for_all_actions": True}
        self.hooks[number] = {"id": number, "project": project_id, "url": url, "headers": headers, **on}
        return self.hooks[number]

    def patch_webhook(self, webhook_id: int, **fields: Any) -> Json:
        self.hooks[webhook_id] |= fields
        return self.hooks[webhook_id]

    def import_tasks(self, project_id: int, tasks: Sequence[Json]) -> list[int]:
        ids = [next(self.numbers) for _ in tasks]
        self.made.update((n, {"id": n, "project": project_id, **task}) for n, task in zip(ids, tasks, strict=True))
        return ids

    def tasks(self, project_id: int, *, full: bool = True) -> Iterator[tuple[int, list[Json]]]:
        found = [task for task in self.made.values() if task["project"] == project_id]
        if found:
            yield len(found), found

    def task(self, task_id: int) -> Json | None:
        return self.made.get(task_id)

    def annotation(self, annotation_id: int) -> Json | None:
        return None
