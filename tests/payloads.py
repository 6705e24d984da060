"""What Label Studio sends, made up for tests: the shapes are those of real requests."""

from __future__ import annotations

from typing import Any

CONFIG = (
    '<View><Text name="text" value="$text"/><Choices name="tone" toName="text" choice="single">'
    '<Choice value="Kind"/><Choice value="Harsh"/></Choices>'
    '<Choices name="topics" toName="text" choice="multiple"><Choice value="Food"/><Choice value="Work"/></Choices>'
    '<Number name="year" toName="text" min="1900" max="2100"/><TextArea name="note" toName="text"/></View>'
)
PROJECT = 7
CREATED = "2026-11-22T21:47:52.516314Z"
NAME = "7.1795384072"  # PROJECT and CREATED as /setup and /predict say them
TOKEN = "planted-token-0a1b2c"
PASSWORD = "planted-password-3d4e5f"
EMAIL = "coder@example.org"


def project(**more: Any) -> dict[str, Any]:
    """A webhook's project, with the secrets that Label Studio puts in."""
    return {
        "id": PROJECT,
        "created_at": CREATED,
        "updated_at": "2026-11-22T22:00:00.000000Z",
        "title": "A project",
        "label_config": CONFIG,
        "token": TOKEN,
        "task_data_login": "somebody",
        "task_data_password": PASSWORD,
        "created_by": {"id": 1, "email": EMAIL},
        **more,
    }


def task(number: int, text: str = "", **more: Any) -> dict[str, Any]:
    return {"id": number, "data": {"text": text or f"Text number {number}."}, "meta": {}, "project": PROJECT, **more}


def choice(label: str, name: str = "tone", origin: str | None = "manual") -> dict[str, Any]:
    said = {
        "id": "r1",
        "from_name": name,
        "to_name": "text",
        "type": "choices",
        "value": {"choices": [label]},
        "score": 0.5,
    }
    return said if origin is None else said | {"origin": origin}


def annotation(number: int, task_id: int, result: list[Any] | None = None, **more: Any) -> dict[str, Any]:
    """An annotation that a coder submitted."""
    return {
        "id": number,
        "result": [choice("Kind")] if result is None else result,
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": "2026-11-22T22:10:00.000000Z",
        "updated_at": "2026-11-22T22:10:00.000001Z",
        "lead_time": 4.5,
        "import_id": None,
        "bulk_created": False,
        "task": task_id,
        "project": PROJECT,
        "completed_by": 3,
        "updated_by": 3,
        "parent_prediction": None,
        "parent_annotation": None,
        "unique_id": "f04c62e5-0bad-4248-88e1-0e4bb0d1e4bb",
        **more,
    }


def created(given: dict[str, Any], text: str = "", action: str = "ANNOTATION_CREATED") -> dict[str, Any]:
    return {"action": action, "annotation": given, "task": task(given["task"], text), "project": project()}


def deleted(*numbers: int) -> dict[str, Any]:
    return {"action": "ANNOTATIONS_DELETED", "annotations": [{"id": n} for n in numbers], "project": project()}
