"""Writing an adapter: under a temporary name, then renamed; one that exists is never touched."""

from __future__ import annotations

import hashlib
import platform
import shutil
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from backend.engines.adapter import MANIFEST, TENSORS, Manifest
from backend.tuners.targets import TrainingError

LIBRARIES = ("socialite", "numpy", "scipy", "safetensors", "torch", "transformers")


def write(folder: Path, manifest: Manifest, tensors: Mapping[str, NDArray[np.generic]]) -> Manifest:
    """Write the adapter; gives back its manifest with the files' sha256. `TrainingError` when the folder exists."""
    from safetensors.numpy import save_file

    free(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f".{folder.name}.{uuid4().hex[:8]}.part")
    part.mkdir()
    try:
        save_file(dict(tensors), part / TENSORS)
        whole = replace(manifest, files={TENSORS: hashlib.sha256((part / TENSORS).read_bytes()).hexdigest()})
        (part / MANIFEST).write_text(whole.text(), encoding="utf-8", newline="\n")
        free(folder)
        part.rename(folder)
    except OSError as error:
        raise TrainingError(f"The adapter cannot be written to {folder}: {error.strerror}.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return whole


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
