"""What a trained encoder's folder says of itself: the questions it answers, and what it was made of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from backend.engines import cache, digests
from backend.engines.protocol import EngineError
from labelstudio_config.codebook import Question

FORMAT = 1
METHOD = "multitask-encoder"
MANIFEST = "manifest.json"
HEADS = "heads.safetensors"
POOLINGS = ("mean", "first")  # of the tokens of a text: the mean of all, or the first one


@dataclass(frozen=True, slots=True)
class Answered:
    """A question that the encoder was trained on; `labels` are ids, in the order of its head's rows."""

    question: str
    name: str
    kind: str
    fields: int
    labels: tuple[str, ...]
    examples: dict[str, int]  # texts learned from, per label id
    texts: int
    validation_texts: int
    macro_f1: float | None  # on the validation texts, of the weights that are kept
    source: str
    licence: str


@dataclass(frozen=True, slots=True)
class ClassifierManifest:
    """What the folder is and how it was made; `files` are name -> sha256, all but this and the model card."""

    base: str
    base_digest: str
    revision: str
    pooling: str
    length: int  # tokens read of a text or pair
    tasks: tuple[Answered, ...]
    seed: int
    hyperparameters: dict[str, Any]
    metrics: dict[str, Any]
    versions: dict[str, str]
    created: str  # UTC, ISO 8601
    files: dict[str, str]
    method: str = METHOD
    format: int = FORMAT

    def text(self) -> str:
        return json.dumps(asdict(self), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"

    def task(self, question: Question) -> Answered:
        """What was learned of a question; `EngineError` when it was not trained on it."""
        reason = self.why_not(question)
        if reason:
            raise EngineError(reason)
        return next(task for task in self.tasks if task.question == question.id)

    def why_not(self, question: Question) -> str | None:
        """None when the encoder was trained on this question, else the reason in a sentence."""
        task = next((task for task in self.tasks if task.question == question.id), None)
        if task is None:
            known = ", ".join(task.question for task in self.tasks)
            return (
                f"The encoder was not trained on the question '{question.id}'; it answers: {known}. Train one that "
                "knows it (socialite train-encoder), or choose another model."
            )
        if task.kind != question.kind.value or task.fields != len(question.fields):
            return (
                f"The encoder learned '{question.id}' as a {task.kind} question about {task.fields} text(s) an item; "
                f"this one is {question.kind.value} and about {len(question.fields)}. Train it again."
            )
        if set(task.labels) != set(question.label_ids):
            return (
                f"The encoder learned the question '{question.id}' with the labels {', '.join(task.labels)}; the "
                f"codebook has {', '.join(question.label_ids)}. Train it again."
            )
        return None


def is_classifier(model: str | None) -> bool:
    """Whether the name stands for the folder of a trained encoder."""
    if not model:
        return False
    return cache.read_json(Path(model).expanduser() / MANIFEST).get("method") == METHOD


def digest(folder: Path) -> str:
    """sha256 of a trained encoder: of its manifest, which holds those of its files."""
    try:
        return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    except OSError as error:
        raise EngineError(f"The folder {folder.name} holds no trained encoder: it has no {MANIFEST}.") from error


def read(folder: Path) -> ClassifierManifest:
    """The manifest of a folder whose files are whole; `EngineError` says what is wrong with it."""
    value = cache.read_json(folder / MANIFEST)
    try:
        if value["format"] != FORMAT:
            raise EngineError(
                f"The encoder {folder.name} has format {value['format']}, this version reads {FORMAT}. Train it again."
            )
        tasks = tuple(Answered(**task | {"labels": tuple(task["labels"])}) for task in value["tasks"])
        given = {field.name: value[field.name] for field in fields(ClassifierManifest)}
        found = ClassifierManifest(**given | {"tasks": tasks})
        whole = found.pooling in POOLINGS and HEADS in found.files
    except (ValueError, KeyError, TypeError) as error:
        raise EngineError(f"The {MANIFEST} of the encoder {folder.name} cannot be read. Train it again.") from error
    if not whole:
        raise EngineError(
            f"The {MANIFEST} of the encoder {folder.name} is none that this version wrote. Train it again."
        )
    _check_files(folder, found.files)
    return found


def _check_files(folder: Path, files: Mapping[str, str]) -> None:
    for name, expected in files.items():
        path = folder / Path(name).name
        if not path.is_file() or digests.sha256([path]) != expected:
            raise EngineError(
                f"The file {name} of the encoder {folder.name} is missing or damaged. Restore it, or train again."
            )
