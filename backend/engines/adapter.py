"""What was learned from labels: a directory with `manifest.json` and safetensors, never changed once it is there."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from backend.engines.protocol import EngineError, Identity
from labelstudio_config.codebook import Question

FORMAT = 1
MANIFEST = "manifest.json"
TENSORS = "head.safetensors"
ENCODER_LORA = "encoder-lora"  # method: a LoRA on a sentence encoder, and the head on its embeddings
LORA_CONFIG, LORA_TENSORS = "adapter_config.json", "adapter_model.safetensors"  # as peft names them
INSTRUCT = "instruct"  # method: a LoRA tuned on the instructions of many questions, which answers any
LORAS = ("lora", INSTRUCT)  # methods whose adapter is a LoRA on a causal model
SCORERS = dict.fromkeys(LORAS, ("causal", "remote"))  # engines that read the same weights with the same prompts


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an adapter is, where it comes from, and what it may be used with.

    One of the method "instruct" answers any question, asked in any wording and with any number of examples: only its
    base and its vocabulary must fit. Its `question` and `kind` are "*", its `fields` 0, its `labels` (), and its
    `examples` are labelled texts per question; `prompt` tells the recipe that it was mostly trained with, and binds
    nothing.
    """

    method: str  # "head", "encoder-lora", "lora" or "instruct"
    engine: str
    base: str
    base_digest: str
    prompt: str  # the engine's prompts or scoring recipe that the adapter starts from
    question: str
    kind: str
    fields: int
    labels: tuple[str, ...]  # label ids, in the order of the adapter's columns
    examples: dict[str, int]  # labelled texts per label id
    parent: str | None  # digest of the adapter it was trained from
    snapshot: str  # hash of the labelled texts, as the caller keeps them
    seed: int
    hyperparameters: dict[str, Any]
    metrics: dict[str, Any]
    versions: dict[str, str]
    created: str  # UTC, ISO 8601
    files: dict[str, str]  # name -> sha256
    format: int = FORMAT
    vocabulary: str = ""  # sha256 of the tokenizer, where tokens are what was learned from

    def text(self) -> str:
        return json.dumps(asdict(self), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def digest(folder: Path) -> str:
    """sha256 of an adapter: of its manifest, which holds those of its files."""
    return hashlib.sha256(_manifest(folder)).hexdigest()


def read(folder: Path) -> Manifest:
    """The manifest of an adapter whose files are whole; `EngineError` says what is wrong with it."""
    data = _manifest(folder)
    try:
        value = json.loads(data)
        if value["format"] != FORMAT:
            raise EngineError(
                f"The adapter {folder.name} has format {value['format']}, this version reads {FORMAT}. Train it again."
            )
        given = {"vocabulary": ""} | value
        found = Manifest(**{f.name: given[f.name] for f in fields(Manifest)} | {"labels": tuple(value["labels"])})
    except (ValueError, KeyError, TypeError) as error:
        raise EngineError(f"The {MANIFEST} of the adapter {folder.name} cannot be read. Train it again.") from error
    for name, expected in found.files.items():
        path = folder / Path(name).name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != expected:
            raise EngineError(
                f"The file {name} of the adapter {folder.name} is missing or damaged. Restore it, or train again."
            )
    return found


def unfit(manifest: Manifest, identity: Identity, question: Question, vocabulary: str = "") -> str | None:
    """None when the adapter belongs to this engine, its vocabulary and the question, else the reason in a sentence.

    An adapter of the method "instruct" belongs to every question, and to whatever its prompts say.
    """
    engines = SCORERS.get(manifest.method, (manifest.engine,))
    if identity.engine not in engines or manifest.base_digest != identity.digest:
        return (
            f"The adapter was trained on the base '{manifest.base}' ({manifest.engine}, {manifest.base_digest[:12]}), "
            f"but '{identity.base}' ({identity.engine}, {identity.digest[:12]}) is in use. "
            "Use the base it was trained on, or train again."
        )
    if manifest.vocabulary != vocabulary:
        return (
            f"The adapter was trained with another vocabulary ({manifest.vocabulary[:12] or 'none'}) than the one of "
            f"'{identity.base}' in use ({vocabulary[:12] or 'none'}). Use the tokenizer it was trained with, "
            "or train again."
        )
    if manifest.method == INSTRUCT:
        return None
    if manifest.prompt != identity.prompt and manifest.method == "lora":
        return (
            "The adapter was trained on other prompts: another source of instructions, number of examples, window or "
            "version of socialite. Choose those it was trained with, or train it again."
        )
    if manifest.prompt != identity.prompt:
        return "The adapter was trained on the scores of another version of socialite. Train it again."
    if (manifest.question, manifest.kind) != (question.id, question.kind.value):
        return (
            f"The adapter answers the {manifest.kind} question '{manifest.question}', not the {question.kind.value} "
            f"question '{question.id}'. Train one for this question."
        )
    if manifest.labels != question.label_ids:
        return (
            f"The adapter of the question '{question.id}' was trained on the labels {', '.join(manifest.labels)}; "
            f"the codebook now has {', '.join(question.label_ids)}. Train it again."
        )
    if manifest.fields != len(question.fields):
        return (
            f"The adapter was trained on {manifest.fields} texts an item, the question '{question.id}' is about "
            f"{len(question.fields)}. Train it again."
        )
    return None


def not_lora(folder: Path, manifest: Manifest) -> str | None:
    """None when the adapter is a whole LoRA, which a causal model can use, else the reason in a sentence."""
    if manifest.method not in LORAS or not {LORA_CONFIG, LORA_TENSORS} <= set(manifest.files):
        return f"The adapter {folder.name} is a '{manifest.method}', which a causal model cannot use."
    return None


def _manifest(folder: Path) -> bytes:
    try:
        return (folder / MANIFEST).read_bytes()
    except OSError as error:
        raise EngineError(f"The folder {folder.name} holds no adapter: its {MANIFEST} cannot be read.") from error
