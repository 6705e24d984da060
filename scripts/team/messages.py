"""What Label Studio sends for a simulated team: requests and events like those of `scripts.bench.material`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from labelstudio_config.codebook import Codebook, Question
from labelstudio_config.regions import Answer, Region, read_regions, regions
from scripts.bench import material
from scripts.team.place import LabelStudioProject

Json = dict[str, Any]


def setup(project: LabelStudioProject) -> Json:
    return material.setup_body(project.config) | {"project": project.identity}


def predict(project: LabelStudioProject, tasks: Sequence[int]) -> Json:
    """What is asked when a task is opened (one id), or with Retrieve Predictions (many)."""
    asked = [_task(project, task) for task in tasks]
    return material.predict_body(asked, project.config) | {"project": project.identity}


def created(
    project: LabelStudioProject,
    *,
    annotation: int,
    task: int,
    user: int,
    result: Sequence[Region],
    prediction: int | None = None,
    ground_truth: bool = False,
) -> Json:
    """The event of an answer submitted now.

    `prediction` is Label Studio's id of the suggestion that the coder started from; who decides where coders disagree
    marks the answer as `ground_truth`.
    """
    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    body = material.annotation_created(annotation, task, "", project.config, result)
    body["annotation"] |= {
        "project": project.ls_id,
        "created_at": at,
        "updated_at": at,
        "completed_by": user,
        "updated_by": user,
        "parent_prediction": prediction,
        "ground_truth": ground_truth,
    }
    body["task"] |= {"data": _data(project, task), "project": project.ls_id}
    return body | {"project": _project(project)}


def training(project: LabelStudioProject) -> Json:
    """The event of the button Start Training."""
    return {"action": "START_TRAINING", "project": _project(project)}


def blind(codebook: Codebook, question: Question, label: str) -> list[Region]:
    """The regions of an answer that started from nothing."""
    return [region | {"id": "made-here", "origin": "manual"} for region in _regions(codebook, question, label)]


def over(codebook: Codebook, question: Question, label: str, suggested: Sequence[Region]) -> list[Region]:
    """The regions of an answer that started from a suggestion.

    They keep its ids and, in the way of Label Studio, its score, and say what became of it.
    """
    if suggestion(codebook, question, suggested) == label:
        return [region | {"origin": "prediction"} for region in suggested]
    (mine,) = _regions(codebook, question, label)
    return [region | {"value": mine["value"], "origin": "prediction-changed"} for region in suggested]


def suggestion(codebook: Codebook, question: Question, suggested: Sequence[Region]) -> str:
    """The label id that the regions of a suggestion tick."""
    return read_regions(codebook, suggested).values[question.id].label_ids[0]


def _regions(codebook: Codebook, question: Question, label: str) -> list[Region]:
    return regions(codebook, [Answer(question.id, (label,))])


def _task(project: LabelStudioProject, task: int) -> Json:
    return material.task(task, "") | {"data": _data(project, task), "project": project.ls_id}


def _data(project: LabelStudioProject, task: int) -> dict[str, str]:
    return dict(zip(project.columns, project.tasks[task][0], strict=True))


def _project(project: LabelStudioProject) -> Json:
    return material.project(project.config) | {"id": project.ls_id}
