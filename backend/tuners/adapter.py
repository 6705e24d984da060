"""Writing an adapter: under a temporary name, then renamed; one that exists is never touched."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from backend.engines.adapter import LORA_CONFIG, LORA_TENSORS, MANIFEST, TENSORS, Manifest
from backend.engines.protocol import Identity
from backend.tuners.targets import TrainingError
from labelstudio_config.codebook import Question

CARD = "README.md"
LIBRARIES = ("socialite", "numpy", "scipy", "safetensors", "torch", "transformers", "peft", "accelerate")

Card = Callable[[Manifest], str]  # what a person reads of an adapter or a model


def write(folder: Path, manifest: Manifest, tensors: Mapping[str, NDArray[np.generic]]) -> Manifest:
    """Write the adapter; gives back its manifest with the files' sha256. `TrainingError` when the folder exists."""
    from safetensors.numpy import save_file

    return _written(folder, manifest, lambda part: save_file(dict(tensors), part / TENSORS), (TENSORS,))


def adopt(
    saved: Path,
    folder: Path,
    manifest: Manifest,
    tensors: Mapping[str, NDArray[np.generic]] | None = None,
    card: Card | None = None,
) -> Manifest:
    """Make an adapter of a LoRA that peft's `save_pretrained` wrote to `saved`; see `write`.

    `tensors` are those of a head beside it, `card` writes what stands in its README. Only peft's settings and
    safetensors are taken; `TrainingError` when it wrote something else.
    """
    from safetensors.numpy import save_file

    if not (saved / LORA_CONFIG).is_file() or not (saved / LORA_TENSORS).is_file():
        raise TrainingError(
            f"{saved.name} holds no {LORA_CONFIG} and {LORA_TENSORS}. Save the LoRA with peft's save_pretrained; "
            "pickled weights are not taken."
        )

    def fill(part: Path) -> None:
        config = json.loads((saved / LORA_CONFIG).read_text(encoding="utf-8"))
        config["base_model_name_or_path"] = manifest.base  # not where it lay on the machine that trained it
        text = json.dumps(config, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        (part / LORA_CONFIG).write_text(text, encoding="utf-8", newline="\n")
        shutil.copyfile(saved / LORA_TENSORS, part / LORA_TENSORS)
        if tensors:
            save_file(dict(tensors), part / TENSORS)

    return _written(folder, manifest, fill, (LORA_CONFIG, LORA_TENSORS, *((TENSORS,) if tensors else ())), card)


def model(folder: Path, manifest: Manifest, fill: Callable[[Path], None], card: Card | None = None) -> Manifest:
    """Write a whole model, which `fill` puts into a folder, with its manifest; see `write`."""
    return _written(folder, manifest, fill, (), card)


def _written(
    folder: Path,
    manifest: Manifest,
    fill: Callable[[Path], None],
    names: Sequence[str],
    card: Card | None = None,
) -> Manifest:
    """Without `names`, all files of safetensors are what is whole or damaged later."""
    free(folder)
    with staged(folder, "adapter") as part:
        fill(part)
        files = {name: sha256(part / name) for name in names}
        files |= {} if names else {path.name: sha256(path) for path in sorted(part.glob("*.safetensors"))}
        whole = replace(manifest, files=files)
        (part / MANIFEST).write_text(whole.text(), encoding="utf-8", newline="\n")
        if card:
            (part / CARD).write_text(card(whole), encoding="utf-8", newline="\n")
        free(folder)
    return whole


@contextmanager
def staged(folder: Path, what: str) -> Iterator[Path]:
    """A folder to fill, which becomes `folder` when all went well, and else is gone. `TrainingError` names `what`."""
    part = folder.with_name(f".{folder.name}.{uuid4().hex[:8]}.part")
    try:
        part.mkdir(parents=True)
        yield part
        part.rename(folder)
    except OSError as error:
        raise TrainingError(f"The {what} cannot be written to {folder}: {error.strerror}.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def described(
    identity: Identity,
    question: Question,
    examples: Mapping[str, int],
    *,
    method: str,
    hyperparameters: Mapping[str, Any],
    metrics: Mapping[str, Any],
    seed: int,
    snapshot: str,
    parent: str | None,
) -> Manifest:
    """The manifest of an adapter made now for this engine and question; its files are not listed yet."""
    return Manifest(
        method=method,
        engine=identity.engine,
        base=identity.base,
        base_digest=identity.digest,
        prompt=identity.prompt,
        question=question.id,
        kind=question.kind.value,
        fields=len(question.fields),
        labels=question.label_ids,
        examples=dict(examples),
        parent=parent,
        snapshot=snapshot,
        seed=seed,
        hyperparameters=dict(hyperparameters),
        metrics=dict(metrics),
        versions=versions(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        files={},
    )


def free(folder: Path) -> None:
    """Nothing is there yet, else `TrainingError`."""
    if folder.exists():
        raise TrainingError(f"{folder} exists already; adapters are never overwritten. Give a new folder.")


def versions() -> dict[str, str]:
    """Versions of what an adapter was made with."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
