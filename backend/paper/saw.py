"""Whether a model learned from a task before it is measured on it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any

from backend.engines import adapter as adapters
from backend.engines import cache
from backend.engines.models import RELEASED
from backend.engines.protocol import Identity
from backend.engines.weights import MINILM
from backend.paper.task import Task

TRAINED_HERE = "multitask-encoder"  # method of an encoder that was trained on many tasks


class Saw(StrEnum):
    """Whether a task's training texts were in what a model learned from."""

    TRAINED = "trained"  # for this task, or a set of tasks that it is in, and for nothing else
    SEEN = "seen"  # among the instructions that a general model was tuned on
    UNSEEN = "unseen"
    UNKNOWN = "unknown"  # its makers do not say


def saw(task: Task, identity: Identity, adapter: Path | None) -> Saw:
    """What the adapter's manifest, the model's own, or what is known of the released weights say of the task."""
    below = _base(task, identity)
    if adapter is None:
        return below
    manifest = adapters.read(adapter)
    if manifest.method != "instruct":
        return Saw.TRAINED
    named = _names(manifest.metrics.get("tasks"))
    if named & _called(task):
        return Saw.SEEN
    return below if below is Saw.SEEN else Saw.UNSEEN if named else Saw.UNKNOWN


def _base(task: Task, identity: Identity) -> Saw:
    if identity.engine == "keyword" or identity.base == MINILM:
        return Saw.UNSEEN
    said = cache.read_json(Path(identity.base).expanduser() / adapters.MANIFEST)
    if said.get("method") == TRAINED_HERE:
        return Saw.TRAINED
    metrics = said.get("metrics")
    named = _names(metrics.get("tasks") if isinstance(metrics, dict) else None)
    if named:
        return Saw.SEEN if named & _called(task) else Saw.UNSEEN
    if identity.base == RELEASED or Path(identity.base).name == RELEASED.rpartition("/")[2]:
        return Saw.SEEN if task.tuning == "seen" else Saw.UNSEEN
    return Saw.UNKNOWN


def _called(task: Task) -> set[str]:
    """The names by which a task may be noted."""
    return {name.casefold() for name in (task.name, task.question.id, task.question.provenance.task) if name}


def _names(value: Any) -> set[str]:
    """Names of tasks, from a list of them or from a table by name."""
    return {str(name).casefold() for name in value} if isinstance(value, list | tuple | dict) else set()
