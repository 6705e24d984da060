"""A Label Studio annotation as an answer: what it says, and whether a person gave, kept or changed it."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from backend.corpus.shown import shown
from db import answers, revisions
from db.answers import AnswerFact, ValueFact
from db.models import CodebookRevision, LsProject, Project
from db.projects import ADJUDICATION
from labelstudio_config.codebook import Codebook
from labelstudio_config.regions import ReadAnswer, read_regions

Kept = dict[str, Any]  # an annotation cut to what is needed

HUMAN, KEPT, CHANGED, BULK, IMPORTED = "human", "kept", "changed", "bulk", "imported"
ADJUDICATED = "adjudicated"
_ORIGINS = {"prediction": KEPT, "prediction-changed": CHANGED}
_SAID = {"choices": "choices", "rating": "rating", "number": "number", "pairwise": "selected", "textarea": "text"}


@dataclass(frozen=True, slots=True)
class Reading:
    """What an annotation says under a codebook. `values`: (question id, label id or None, number or None, origin)."""

    origin: str
    values: tuple[tuple[str, str | None, float | None, str], ...] = ()
    notes: dict[str, str] | None = None
    problems: tuple[str, ...] = ()


def kept(annotation: Any) -> Kept | None:
    """The needed fields of an annotation, from a webhook, an export or the API; no names, addresses or scores.

    None when it does not say which annotation it is, of what task, and when it was made.
    """
    if not isinstance(annotation, dict):
        return None
    number, task = whole(annotation.get("id")), annotation.get("task")
    made = moment(annotation.get("created_at"))
    task = whole(task.get("id") if isinstance(task, dict) else task)
    if number is None or task is None or made is None:
        return None
    changed = moment(annotation.get("updated_at")) or made
    return {
        "id": number,
        "task": task,
        "created_at": made.isoformat(),
        "updated_at": changed.isoformat(),
        "was_cancelled": annotation.get("was_cancelled") is True,
        "ground_truth": annotation.get("ground_truth") is True,
        "lead_time": _seconds(annotation.get("lead_time")),
        "completed_by": _person(annotation.get("completed_by")),
        "by_a_person": not ("updated_by" in annotation and annotation["updated_by"] is None),
        "parent_prediction": whole(annotation.get("parent_prediction")),
        "imported": whole(annotation.get("import_id")) is not None,
        "bulk": annotation.get("bulk_created") is True,
        "derived": whole(annotation.get("parent_annotation")) is not None,
        "result": [region for given in _listed(annotation.get("result")) if (region := _region(given))],
    }


def read(
    annotation: Kept, codebook: Codebook, *, bulk: bool = False, suggested: Collection[str] | None = None
) -> Reading:
    """What a kept annotation says, and where it comes from.

    `bulk`: it came with "Create annotations from predictions". `suggested`: the questions that the suggestion
    answered; None when that is not known.
    """
    if annotation["was_cancelled"]:
        return Reading(HUMAN)
    said = read_regions(codebook, annotation["result"])
    started = annotation["parent_prediction"] is not None
    made = _made(annotation, bulk)
    untold = KEPT if made == BULK else HUMAN  # of a region without an origin
    values = tuple(
        (question, label, answer.number, _ORIGINS.get(said.origins.get(question, ""), untold))
        for question, answer in said.values.items()
        for label in (answer.label_ids or (() if answer.number is None else (None,)))
    )
    origin = made or _assisted(said, started, suggested)
    return Reading(origin, values, said.notes or None, said.problems)


def _made(annotation: Kept, bulk: bool) -> str | None:
    """How the annotation came about when no person gave it: Label Studio leaves `updated_by` empty then."""
    if annotation["imported"]:
        return IMPORTED
    if bulk or annotation["bulk"]:
        return BULK
    if annotation["by_a_person"] or annotation["lead_time"] is not None:
        return None
    if annotation["parent_prediction"] is not None:
        return BULK
    return None if annotation["derived"] else IMPORTED


def _assisted(said: ReadAnswer, started: bool, suggested: Collection[str] | None) -> str:
    """human: nothing was suggested; kept: everything that was is still there, untouched; changed: anything else."""
    origins = {question: _ORIGINS.get(said.origins.get(question, ""), HUMAN) for question in said.values}
    if not started and set(origins.values()) <= {HUMAN}:
        return HUMAN
    if suggested is None:
        return KEPT if set(origins.values()) == {KEPT} else CHANGED
    if not suggested:
        return HUMAN
    return KEPT if all(origins.get(question) == KEPT for question in suggested) else CHANGED


def fact(
    s: Session,
    ls_project: LsProject,
    annotation: Kept,
    *,
    ls_task_id: int,
    revision: CodebookRevision,
    codebook: Codebook,
    via: str,
    bulk: bool = False,
) -> AnswerFact:
    """The annotation as a row of the store, with what its coder had been shown; remembers a new coder.

    What a person gives in an adjudication project without a suggestion is an adjudication.
    """
    started = annotation["parent_prediction"] is not None
    before = shown(s, ls_task_id, datetime.fromisoformat(annotation["created_at"])) if started else None
    reading = read(annotation, codebook, bulk=bulk, suggested=before.questions if before else None)
    project = s.get_one(Project, ls_project.project_id)
    user = annotation["completed_by"]
    coder = answers.coder(s, project.id, ls_project.server_id, user).id if user is not None else None
    return AnswerFact(
        ls_project_id=ls_project.id,
        annotation_id=annotation["id"],
        ls_task_id=ls_task_id,
        coder_id=coder,
        answered_at=datetime.fromisoformat(annotation["created_at"]),
        updated_at=datetime.fromisoformat(annotation["updated_at"]),
        via=via,
        revision_id=revision.id,
        phase=project.phase,
        origin=ADJUDICATED if ls_project.role == ADJUDICATION and reading.origin == HUMAN else reading.origin,
        ground_truth=annotation["ground_truth"],
        cancelled=annotation["was_cancelled"],
        lead_time=annotation["lead_time"],
        release_id=before.release_id if before else None,
        notes=dict(reading.notes) if reading.notes else None,
        problems=list(reading.problems) or None,
        values=_values(s, project.id, reading),
    )


def _values(s: Session, project_id: int, reading: Reading) -> tuple[ValueFact, ...]:
    questions, labels = revisions.question_ids(s, project_id), revisions.label_ids(s, project_id)
    return tuple(
        ValueFact(questions[question], labels[question, label] if label else None, number, origin)
        for question, label, number, origin in reading.values
    )


def moment(value: Any) -> datetime | None:
    """A time as Label Studio writes it, in UTC; one without a zone is taken for UTC."""
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _region(given: Any) -> dict[str, Any] | None:
    """A region that can answer a question, without its score; None for marked passages and what is no region."""
    if not isinstance(given, dict) or not isinstance(given.get("value"), dict):
        return None
    said = _SAID.get(str(given.get("type")))
    if said is None or "start" in given["value"] or said not in given["value"]:
        return None
    region = {"type": given["type"], "from_name": given.get("from_name"), "value": {said: given["value"][said]}}
    return region | ({"origin": given["origin"]} if given.get("origin") in (*_ORIGINS, "manual") else {})


def _person(value: Any) -> int | None:
    return whole(value.get("id") if isinstance(value, dict) else value)


def whole(value: Any) -> int | None:
    """A positive id that the store can hold."""
    return value if type(value) is int and 0 < value < 2**63 else None


def _seconds(value: Any) -> float | None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if number and 0 <= value < math.inf else None


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else ()
