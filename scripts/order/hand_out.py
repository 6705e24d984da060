"""Runs with the Python of Label Studio's environment: hands tasks out with Label Studio's own next-task function.

What `GET /api/projects/{id}/next` and `POST /api/tasks/{id}/annotations/` do, but for HTTP, the session and webhooks:
the same queryset, `projects.functions.next_task.get_next_task` with its locks, and an annotation with its counters.
Reads a JSON object a line and answers each with one (`scripts/order/served.py` is the other side):

    {"do": "project", "title": T, "config": XML, "tasks": [data, ...]}      -> {"tasks": [id, ...]}
    {"do": "predictions", "version": V, "scores": [[task id, score], ...]}  -> {}     from now on the project's version
    {"do": "next", "coder": n}                                              -> {"task": id or null}
    {"do": "answer", "coder": n, "task": id, "result": [region, ...]}       -> {"is_labeled": bool}
    {"do": "coded", "coder": n, "answers": [[task id, result], ...]}        -> {}     of tasks that nobody was served

The database is the SQLite file that DATABASE_NAME says, made and migrated where it is not there. It is written without
waiting for the disk: it lives no longer than the run.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

AT_ONCE = 500  # rows of one INSERT
OWNER = "owner@example.org"
UNCERTAINTY = "Uncertainty sampling"
PRAGMAS = ("synchronous = OFF", "journal_mode = MEMORY", "temp_store = MEMORY", "cache_size = -65536")


def main() -> int:
    """Until its input ends."""
    told = sys.stdout
    sys.stdout = sys.stderr  # Label Studio greets on it
    _start()
    desk = Desk()
    print(json.dumps({"ready": True}), file=told, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(desk.answer(asked)), file=told, flush=True)
    return 0


def _start() -> None:
    """Django with Label Studio's settings, as its own command starts it."""
    package = import_module("label_studio").__file__
    assert package is not None
    sys.path.insert(0, str(Path(package).parent))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "label_studio.core.settings.label_studio")
    import_module("django.db.backends.signals").connection_created.connect(_hasty)
    import_module("django").setup()
    server = import_module("label_studio.server")
    if not server.is_database_synchronized("default"):
        import_module("django.core.management").call_command("migrate", verbosity=0)


def _hasty(connection: Any, **_: object) -> None:
    with connection.cursor() as cursor:
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma};")


class Desk:
    """One project at a time; a new one takes the place of the one before."""

    def __init__(self) -> None:
        self.models = import_module("tasks.models")
        self.projects = import_module("projects.models")
        self.next_task = import_module("projects.functions.next_task").get_next_task
        self.parameters = import_module("data_manager.prepare_params").PrepareParams
        self.users: dict[int, Any] = {}
        self.project: Any = None

    def answer(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        match asked["do"]:
            case "project":
                return {"tasks": self._project(asked["title"], asked["config"], asked["tasks"])}
            case "predictions":
                return self._predictions(asked["version"], asked["scores"])
            case "next":
                return {"task": self._next(self._user(asked["coder"]))}
            case "answer":
                return {"is_labeled": self._answered(self._user(asked["coder"]), asked["task"], asked["result"])}
            case "coded":
                return self._coded(self._user(asked["coder"]), dict(asked["answers"]))
        raise ValueError(f"Nobody knows what '{asked['do']}' asks for.")

    def _project(self, title: str, config: str, tasks: list[dict[str, str]]) -> list[int]:
        owner = self._user(0)
        self.project = self.projects.Project.objects.create(
            title=title,
            label_config=config,
            sampling=UNCERTAINTY,
            maximum_annotations=1,
            created_by=owner,
            organization=owner.active_organization,
        )
        rows = [
            self.models.Task(project=self.project, data=data, overlap=1, inner_id=n) for n, data in enumerate(tasks, 1)
        ]
        made = self.models.Task.objects.bulk_create(rows, batch_size=AT_ONCE)
        return [task.pk for task in made]

    def _predictions(self, version: str, scores: list[tuple[int, float]]) -> dict[str, Any]:
        """Pushed beside those of earlier versions, as a project's release after release is."""
        rows = [
            self.models.Prediction(project=self.project, task_id=task, result=[], score=score, model_version=version)
            for task, score in scores
        ]
        with _transaction():
            self.models.Prediction.objects.bulk_create(rows, batch_size=AT_ONCE)
        self.project.model_version = version
        self.project.save(update_fields=["model_version"])
        return {}

    def _next(self, user: Any) -> int | None:
        """As `projects.api.ProjectNextTaskAPI.get`."""
        prepared = self.models.Task.prepared.only_filtered(prepare_params=self.parameters(project=self.project.pk))
        task, _ = self.next_task(user, prepared, self.project, False)
        return None if task is None else int(task.pk)

    def _answered(self, user: Any, number: int, result: list[dict[str, Any]]) -> bool:
        """What `tasks.api.AnnotationsListAPI.perform_create` and the annotation's signals change of what decides on the
        next task; without the project's summary of labels and the history of states, which take most of the time."""
        task = self.models.Task.objects.get(pk=number)
        annotation = self.models.Annotation(
            task=task, project=self.project, completed_by=user, updated_by=user, result=result, result_count=len(result)
        )
        with _transaction():
            self.models.Annotation.objects.bulk_create([annotation])
            task.total_annotations = task.annotations.filter(was_cancelled=False).count()
            task.update_is_labeled()
            counted = {"is_labeled": task.is_labeled, "total_annotations": task.total_annotations}
            self.models.Task.objects.filter(pk=number).update(**counted)
            task.release_lock(user)
        return bool(task.is_labeled)

    def _coded(self, user: Any, results: dict[int, list[dict[str, Any]]]) -> dict[str, Any]:
        """Many at once, with the counters that one annotation of a task gives it at overlap 1."""
        rows = [
            self.models.Annotation(
                task_id=task, project=self.project, completed_by=user, updated_by=user, result=result, result_count=1
            )
            for task, result in results.items()
        ]
        with _transaction():
            self.models.Annotation.objects.bulk_create(rows, batch_size=AT_ONCE)
            for start in range(0, len(rows), AT_ONCE):
                some = self.models.Task.objects.filter(pk__in=list(results)[start : start + AT_ONCE])
                some.update(is_labeled=True, total_annotations=1)
        return {}

    def _user(self, number: int) -> Any:
        """Number 0 owns the organisation, the others have joined it."""
        if number not in self.users:
            model, organization = import_module("users.models").User, import_module("organizations.models").Organization
            email = OWNER if number == 0 else f"coder-{number}@example.org"
            user = model.objects.filter(email=email).first() or model.objects.create_user(email, "a-password-1")
            one = organization.objects.first() or organization.create_organization(created_by=user, title="Order")
            one.add_user(user)
            user.active_organization = one
            user.save()
            self.users[number] = user
        return self.users[number]


@contextmanager
def _transaction() -> Iterator[None]:
    with import_module("django.db.transaction").atomic():
        yield


if __name__ == "__main__":
    sys.exit(main())
